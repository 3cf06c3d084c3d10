"""Which trial is to be run next, whether any is, and which are to be run again."""

from repro.core.sweep.options import Options
from repro.core.sweep.protocols import Suggester
from repro.model.objective import sign_of
from repro.model.sampling import count_grid
from repro.model.space import Params
from repro.model.sweep import Entry, Ledger, Progress, Reopened, Resumed, TrialState
from repro.model.sweepspec import Method, SweepSpec


def find_next(spec: SweepSpec, suggester: Suggester, ledger: Ledger) -> tuple[int, Params] | None:
    """Give number and params of the next attempt: of a trial that waits for one, else a new trial.

    None where the space has no more, or the sweep may have no more trials.
    """
    progress = ledger.progress
    for trial in progress.trials:
        if trial.state is TrialState.WAITING:
            return trial.number, trial.params
    number = len(progress.trials)
    wanted = count_trials(spec, progress.run_cap)
    if wanted is not None and number >= wanted:
        return None
    params = suggester.suggest(ledger)
    return None if params is None else (number, params)


def count_trials(spec: SweepSpec, run_cap: int | None = None) -> int | None:
    """How many trials a sweep comes to; None where it has no end of itself.

    Args:
        run_cap: As it was set since, where it was.
    """
    cap = spec.run_cap if run_cap is None else run_cap
    if spec.method is not Method.GRID:
        return cap
    size = count_grid(spec.space)
    return size if cap is None else min(size, cap)


def go_on(progress: Progress, options: Options, now: float) -> list[Entry]:
    """The entries with which a sweep goes on as the options say: none where it does anyway.

    Args:
        now: Seconds since 1970.
    """
    entries: list[Entry] = []
    if options.resume and (progress.stopped is not None or options.run_cap is not None):
        entries.append(Resumed(time=now, run_cap=options.run_cap))
    if options.retry_failed:
        failed = (trial for trial in progress.trials if trial.state is TrialState.FAILED)
        entries += [Reopened(number=trial.number, time=now) for trial in failed]
    return entries


def is_target_reached(spec: SweepSpec, progress: Progress) -> bool:
    """Whether a trial is as good as the sweep's target."""
    if spec.target is None:
        return False
    finished = (one.value for one in progress.trials if one.state is TrialState.FINISHED)
    values = [value for value in finished if value is not None]
    sign = sign_of(spec.goal)
    return any(sign * value <= sign * spec.target for value in values)
