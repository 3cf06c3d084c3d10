"""The trials of a sweep as a table."""

from collections.abc import Iterable, Mapping, Sequence

from repro.cli.runtable import LaidColumn
from repro.core.known import open_runs
from repro.core.project import Project
from repro.core.sweep.figures import varied_keys
from repro.core.sweep.looking import TrialLook
from repro.model.cells import format_cells
from repro.model.condition import Key, Space
from repro.model.readable import format_duration
from repro.model.sweep import SweepAt, Trial, TrialState
from repro.model.values import ABSENT, Value

_LONGEST_S = 1e9  # another clock may say anything

_COLOURS = {
    TrialState.RUNNING: "cyan", TrialState.WAITING: "yellow",
    TrialState.FAILED: "red", TrialState.PRUNED: "dim",
}  # fmt: skip


def lay_trials(
    at: SweepAt,
    trials: Sequence[Trial],
    short: Mapping[str, str],
    *,
    now: float,
    looks: Mapping[str, TrialLook] | None = None,
) -> list[LaidColumn]:
    """Give the columns of a table of trials: what it is, its value, then its params.

    Args:
        short: The shortest unique prefix of the id of a run, where it is known.
        now: Seconds since 1970.
        looks: What is seen of runs in progress, by their id.
    """
    columns = [
        LaidColumn("trial", [str(trial.number) for trial in trials], is_right=True),
        LaidColumn("run", [short.get(trial.run, trial.run[:6]) for trial in trials]),
        _states(trials),
    ]
    metric = at.sweep.spec.metric
    if metric is not None:
        found = [trial.value if trial.is_over else _last(looks, trial) for trial in trials]
        columns.append(_lay(metric, Space.METRIC, [_or_absent(value) for value in found]))
    if looks and any(look.step for look in looks.values()):
        texts = [looks[trial.run].step if trial.run in looks else "" for trial in trials]
        columns.append(LaidColumn("step", texts, is_right=True))
    columns.append(LaidColumn("time", [_duration(trial, now) for trial in trials], is_right=True))
    for key in varied_keys(at):
        given = [trial.params.get(key, ABSENT) for trial in trials]
        columns.append(_lay(key, Space.CONFIG, given))
    return columns


def short_runs(project: Project, trials: Iterable[Trial]) -> dict[str, str]:
    """The shortest unique prefixes of the ids of the runs of some trials."""
    with open_runs(project) as runs:
        return runs.shorten({trial.run for trial in trials})


def _states(trials: Sequence[Trial]) -> LaidColumn:
    texts = ["reused" if trial.is_reused else trial.state.value for trial in trials]
    colours = {
        place: _COLOURS[trial.state]
        for place, trial in enumerate(trials)
        if trial.state in _COLOURS
    }
    return LaidColumn("state", texts, colours=colours)


def _lay(title: str, space: Space, values: Sequence[Value]) -> LaidColumn:
    cells = format_cells(values, Key(space, title), 0.0)
    return LaidColumn(title, cells.texts, cells.is_right)


def _last(looks: Mapping[str, TrialLook] | None, trial: Trial) -> float | None:
    look = (looks or {}).get(trial.run)
    return None if look is None else look.value


def _or_absent(value: float | None) -> Value:
    return ABSENT if value is None else float(value)


def _duration(trial: Trial, now: float) -> str:
    if trial.state is TrialState.RUNNING:
        return format_duration(min(max(now - trial.asked_at, 0.0), _LONGEST_S))
    return format_duration(trial.duration_s)
