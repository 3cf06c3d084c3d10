"""`repro sweep ls`: the sweeps of this clone."""

import click

from repro.cli import render
from repro.cli.context import open_here
from repro.cli.runtable import LaidColumn, lay_out, say_hidden
from repro.core.sweep.describe import sweep_json
from repro.core.sweep.figures import ranked_trials
from repro.core.sweep.known import list_sweeps
from repro.core.sweep.standing import count_wanted, find_standing
from repro.core.sweep.words import describe_best, describe_done
from repro.model.readable import format_age
from repro.model.sweep import OVER, SweepAt, TrialState
from repro.model.text import escape


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option(
    "--porcelain", is_flag=True,
    help="One line a sweep for programs: id, name, status, trials over, trials wanted, by tabs.",
)  # fmt: skip
def ls(*, as_json: bool, porcelain: bool) -> None:
    """List the sweeps of this clone, the newest first."""
    project = open_here()
    known = list_sweeps(project)
    for problem in known.problems:
        render.note(f"repro: warning: {escape(problem.reason)}")
        if problem.hint:
            render.note(f"hint: {escape(problem.hint)}")
    now = project.clock()
    if as_json:
        render.data_json([sweep_json(at, now=now) for at in known.sweeps])
    elif porcelain:
        for at in known.sweeps:
            render.out(_porcelain(at, now))
    elif not known.sweeps:
        render.note("no sweeps yet: `repro sweep -p lr=0.1,0.01 -- CMD` starts one")
    else:
        titles = ["id", "name", "status", "trials", "best", "method", "created"]
        rows = [_row(at, known.short[at.sweep.id], now) for at in known.sweeps]
        columns = [
            LaidColumn(title, [row[place] for row in rows]) for place, title in enumerate(titles)
        ]
        table, n_columns = lay_out(columns, width=render.width())
        render.out(table)
        render.flush()
        say_hidden(titles[n_columns:], "repro sweep ls --json")


def _row(at: SweepAt, short: str, now: float) -> list[str]:
    spec, ranked = at.sweep.spec, ranked_trials(at)
    n_failed = at.progress.count(TrialState.FAILED)
    return [
        short,
        spec.name or "",
        find_standing(at, now=now).value,
        describe_done(at) + (f", {n_failed:,} failed" if n_failed else ""),
        describe_best(at, ranked[0]) if ranked else "-",
        spec.method.value,
        format_age(at.sweep.created, now),
    ]


def _porcelain(at: SweepAt, now: float) -> str:
    wanted = count_wanted(at)
    fields = [
        at.sweep.id,
        at.sweep.spec.name or "",
        find_standing(at, now=now).value,
        str(at.progress.count(*OVER)),
        "" if wanted is None else str(wanted),
    ]
    return "\t".join(map(escape, fields))
