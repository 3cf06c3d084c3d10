"""Which trial is to be run next, whether any is, and which are to be run again."""

from repro.core.sweep.options import Options
from repro.core.sweep.protocols import Suggester
from repro.model.space import Params
from repro.model.sweep import Entry, Ledger, Progress, Reopened, Resumed, TrialState
from repro.model.sweepspec import SweepSpec


def find_next(spec: SweepSpec, suggester: Suggester, ledger: Ledger) -> tuple[int, Params] | None:
    """Give number and params of the next attempt: of a trial that waits for one, else a new trial.

    None where the space has no more, or the sweep may have no more trials.
    """
    progress = ledger.progress
    for trial in progress.trials:
        if trial.state is TrialState.WAITING:
            return trial.number, trial.params
    number = len(progress.trials)
    cap = spec.run_cap if progress.run_cap is None else progress.run_cap
    if cap is not None and number >= cap:
        return None
    params = suggester.suggest(ledger)
    return None if params is None else (number, params)


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
    if spec.goal == "minimize":
        return any(value <= spec.target for value in values)
    return any(value >= spec.target for value in values)
