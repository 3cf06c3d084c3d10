"""`repro sweep show`: one sweep, with its trials and what goes with them."""

from collections.abc import Sequence

import click

from repro.cli import render
from repro.cli.completing import SWEEP
from repro.cli.context import open_here
from repro.cli.importance import show_importance
from repro.cli.numbers import WholeNumber
from repro.cli.runtable import lay_out, say_hidden
from repro.cli.sweeptable import lay_trials, short_runs
from repro.core.project import Project
from repro.core.sweep.describe import full_sweep_json
from repro.core.sweep.figures import ordered_trials, ranked_trials
from repro.core.sweep.known import find_sweep
from repro.core.sweep.looking import TrialLook, TrialLooks
from repro.core.sweep.standing import Standing, find_standing
from repro.core.sweep.weighing import weigh_trials
from repro.core.sweep.words import describe_counts, describe_done
from repro.model.readable import format_age, shorten
from repro.model.spacetext import describe_distribution
from repro.model.sweep import SweepAt, Trial, TrialState

_MOST_TRIALS = 20
_MOST_PARAMS = 40  # of a space
_MOST_FAILED = 10  # of which it is said why
_LONGEST_WHY = 300  # characters


@click.command()
@click.argument("name", metavar="SWEEP", type=SWEEP)
@click.option(
    "-n", "number", type=WholeNumber(min=0), default=_MOST_TRIALS, show_default=True,
    metavar="N", help="At most N trials; 0 is all.",
)  # fmt: skip
@click.option(
    "--json", "as_json", is_flag=True, help="Print as JSON: all trials, and figures as data."
)
def show(name: str, number: int, *, as_json: bool) -> None:
    """Show a sweep: what it searches, its trials, the best ones first, and what goes with them."""
    project = open_here()
    at = find_sweep(project, name)
    now = project.clock()
    if as_json:
        looks = _look(project, at, at.progress.trials)
        render.data_json(full_sweep_json(at, now=now, looks=looks))
        return
    render.out(render.columns(_head(at, now)))
    if at.progress.trials:
        render.out("")
        _print_trials(project, at, number, now)
    metric = at.sweep.spec.metric
    if metric is not None and len(ranked_trials(at)) > 1:
        render.out("")
        show_importance(weigh_trials(at), metric)


def _head(at: SweepAt, now: float) -> list[list[str]]:
    sweep, spec = at.sweep, at.sweep.spec
    standing, stopped = find_standing(at, now=now), at.progress.stopped
    why = f": {stopped.why}" if standing is Standing.STOPPED and stopped else ""
    rows = [
        ["sweep", f"{sweep.id} ({spec.name})" if spec.name else sweep.id],
        ["status", f"{standing.value}{why}"],
        ["trials", ", ".join([describe_done(at), *describe_counts(at)])],
        ["method", spec.method.value + (f", seed {spec.seed}" if spec.seed else "")],
    ]
    if spec.metric is not None:
        target = "" if spec.target is None else f", target {spec.target}"
        rows.append(["metric", f"{spec.metric}, {spec.goal}{target}"])
    if spec.early is not None:
        rows.append(["early", f"bad trials are stopped: {spec.early.kind}"])
    rows.append(["command", " ".join(spec.command)])
    rows.append(["made", f"{format_age(sweep.created, now)} by {sweep.user} on {sweep.host}"])
    if spec.note:
        rows.append(["note", spec.note])
    rows.append(["space"])
    listed = list(spec.space.items())
    rows += [[f"  {key}", describe_distribution(one)] for key, one in listed[:_MOST_PARAMS]]
    if len(listed) > _MOST_PARAMS:
        rows.append([f"  … and {len(listed) - _MOST_PARAMS} more"])
    return rows


def _print_trials(project: Project, at: SweepAt, number: int, now: float) -> None:
    trials = ordered_trials(at)
    shown = trials[: number or None]
    looks = _look(project, at, shown)
    columns = lay_trials(at, shown, short_runs(project, shown), now=now, looks=looks)
    table, n_columns = lay_out(columns, width=render.width())
    render.out(table)
    render.flush()
    say_hidden([column.title for column in columns[n_columns:]], "repro sweep show --json")
    if len(shown) < len(trials):
        render.note(f"… and {len(trials) - len(shown):,} more: `-n 0` shows all")
    _print_failed(at, len(trials) if number == 0 else _MOST_FAILED)


def _print_failed(at: SweepAt, most: int) -> None:
    """Say why trials failed, whether or not there was room for them in the table."""
    failed = [one for one in at.progress.trials if one.state is TrialState.FAILED and one.why]
    if not failed:
        return
    render.out("")
    rows = [[f"  trial {one.number}", shorten(one.why, _LONGEST_WHY)] for one in failed[:most]]
    render.out(render.columns([["failed"], *rows]))
    render.flush()
    if len(failed) > most:
        render.note(f"… and {len(failed) - most:,} more that failed: `-n 0` shows all")
    render.note("hint: `repro show --output RUN` has what a trial printed")


def _look(project: Project, at: SweepAt, trials: Sequence[Trial]) -> dict[str, TrialLook]:
    running = [trial.run for trial in trials if trial.state is TrialState.RUNNING]
    return TrialLooks(project, at.sweep.spec.metric).look(running)
