"""`repro sweep best`: the best trials of a sweep, and the code of one brought back."""

from pathlib import Path

import click

from repro.cli import render
from repro.cli.best import section
from repro.cli.checkout import checkout as check_out
from repro.cli.completing import SWEEP
from repro.cli.context import open_here
from repro.cli.numbers import WholeNumber
from repro.cli.runtable import lay_out, say_hidden
from repro.cli.selection import WHERE, say_problems
from repro.cli.sweeptable import lay_trials
from repro.core.query import run_json
from repro.core.sweep.best import BestTrials, find_best_trials
from repro.core.sweep.describe import trial_json
from repro.core.sweep.figures import ranked_trials
from repro.core.sweep.known import find_sweep
from repro.errors import UnknownRunError, UsageError
from repro.model.canonical import Json
from repro.model.cells import format_metric
from repro.model.readable import format_duration, format_value
from repro.model.run import Record
from repro.model.sweep import SweepAt, Trial
from repro.model.text import escape

_EXTREMES = {"minimize": "the smallest", "maximize": "the largest"}


@click.command()
@click.argument("name", metavar="SWEEP", type=SWEEP)
@WHERE
@click.option(
    "-n", "number", type=WholeNumber(min=0), metavar="N",
    help="The best N trials as a table; 0 is all.",
)  # fmt: skip
@click.option("--checkout", "with_code", is_flag=True, help="Bring the code of the best one back.")
@click.option(
    "-w", "--worktree", "folder", type=click.Path(path_type=Path), metavar="DIR",
    help="With --checkout: into a new git worktree at DIR.",
)  # fmt: skip
@click.option(
    "--data", "with_data", is_flag=True, help="With --checkout: bring its datasets back, too."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON; an array with -n.")
@click.option(
    "--porcelain", is_flag=True, help="One line a trial for programs: number, run, value, by tabs."
)
@click.pass_context
def best(  # noqa: PLR0913  # click hands over each option by its name
    ctx: click.Context,
    name: str,
    where: str,
    number: int | None,
    folder: Path | None,
    *,
    with_code: bool,
    with_data: bool,
    as_json: bool,
    porcelain: bool,
) -> int:
    r"""Show the best finished trial of a sweep, by the metric and the goal of the sweep.

    \b
    repro sweep best @
    repro sweep best @ --where 'duration < 60' -n 5
    repro sweep best @ --checkout -w ../best

    --checkout does what `repro checkout RUN` does; with -w it brings the code into a folder of its
    own. Exits with 1 where no trial fits.
    """
    _check(number, folder, with_code=with_code, with_data=with_data)
    project = open_here()
    at = find_sweep(project, name)
    found = find_best_trials(
        project, at, where=where, limit=1 if number is None else number or None
    )
    say_problems(found.problems)
    if found.n_absent:
        render.note(
            f"repro: the runs of {found.n_absent:,} of {found.n_valued:,} trials are not here,"
            " so nothing can tell whether they fit"
        )
    if as_json and not with_code:
        values = [_json(found, trial) for trial in found.trials]
        if number is not None or values:
            render.data_json(values if number is not None else values[0])
    elif porcelain:
        for trial in found.trials:
            render.out(f"{trial.number}\t{trial.run}\t{trial.value!r}")
    elif number is not None and found.trials:
        _print_table(at, found, project.clock())
    elif found.trials and not as_json:
        print_trial(at, found.trials[0], found)
    if not found.trials:
        _say_none(at, found)
        return 1
    if with_code:
        run = _record(found, found.trials[0]).run.id
        ctx.invoke(check_out, name=run, folder=folder, with_data=with_data, as_json=as_json)
    return 0


def _check(number: int | None, folder: Path | None, *, with_code: bool, with_data: bool) -> None:
    if with_data and not with_code:
        raise UsageError("`--data` brings datasets back", hint="add `--checkout`")
    if folder is not None and not with_code:
        raise UsageError("`-w` says where to check out", hint="add `--checkout`")
    if with_code and number is not None:
        raise UsageError("`--checkout` is about one trial, and `-n` about several")


def print_trial(at: SweepAt, trial: Trial, found: BestTrials) -> None:
    """Print the best trial: its run, its value, its params and its other metrics."""
    metric = at.sweep.spec.metric or ""
    record = found.records.get(trial.run)
    among = ""
    if found.n_fitting > 1:
        among = f", {_EXTREMES[at.sweep.spec.goal]} of {found.n_fitting:,} trials"
    reused = ", its run reused from before" if trial.is_reused else ""
    rows = [
        ["best trial", f"{trial.number}{reused}"],
        ["run", found.short.get(trial.run, trial.run)],
        [metric, format_metric(metric, trial.value) + among],
        ["time", format_duration(trial.duration_s)],
    ]
    rows += section("params", [(key, format_value(one)) for key, one in trial.params.items()])
    if record is not None:
        others = [(key, one.last) for key, one in record.metrics.items() if key != metric]
        rows += section("metrics", [(key, format_metric(key, last)) for key, last in others])
    render.out(render.columns(rows))


def _record(found: BestTrials, trial: Trial) -> Record:
    if trial.run not in found.records:
        raise UnknownRunError(
            f"run `{trial.run}` of trial {trial.number} is not in this clone",
            hint="`repro pull` brings runs of a remote",
        )
    return found.records[trial.run]


def _json(found: BestTrials, trial: Trial) -> dict[str, Json]:
    record = found.records.get(trial.run)
    shown = trial_json(trial)
    del shown["run"]
    return {**shown, "run_id": trial.run, "run": None if record is None else run_json(record)}


def _print_table(at: SweepAt, found: BestTrials, now: float) -> None:
    columns = lay_trials(at, found.trials, found.short, now=now)
    table, n_columns = lay_out(columns, width=render.width())
    render.out(table)
    render.flush()
    say_hidden([column.title for column in columns[n_columns:]], "repro sweep best --json")
    if len(found.trials) < found.n_fitting:
        more = found.n_fitting - len(found.trials)
        render.note(f"… and {more:,} more: `-n 0` shows all")


def _say_none(at: SweepAt, found: BestTrials) -> None:
    metric = at.sweep.spec.metric or ""
    if not found.n_valued:
        render.note(f"no trial of the sweep has finished with a value of `{escape(metric)}`")
    else:
        render.note(f"none of the {found.n_valued:,} finished trials fits")
        ranked = ranked_trials(at)
        times = [trial.duration_s for trial in ranked if trial.duration_s is not None]
        values = [trial.value for trial in ranked if trial.value is not None]
        ends = [format_metric(metric, one) for one in (min(values), max(values))]
        facts = [f"`{escape(metric)}` is {_range(ends)}"]
        if times:
            fastest, slowest = format_duration(min(times)), format_duration(max(times))
            facts.append(f"they took {_range([fastest, slowest])}")
        render.note(f"hint: their {', and '.join(facts)}")


def _range(ends: list[str]) -> str:
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
