"""Two ledgers of one sweep that went on apart: the results of one taken over into the other."""

import json
from collections.abc import Iterator
from itertools import takewhile

from repro.model.space import Params
from repro.model.sweep import (
    Asked,
    Dropped,
    Entry,
    Ledger,
    Progress,
    Reopened,
    Resumed,
    Stopped,
    Told,
    Trial,
    TrialState,
)
from repro.model.sweepspec import Method


def take_over(ours: Ledger, theirs: Ledger, method: Method) -> list[Entry]:
    """The entries that, appended to their ledger, bring what only ours has.

    Of a trial that both have, the result that is in their ledger counts; where it has none yet,
    ours ends it, whoever runs it there. A failure is no result: ours counts in its place, and a
    trial that only one of them has tried again after it failed is tried again. All other results
    become further trials of theirs, with the numbers that come next. That the sweep was stopped or
    resumed is taken over, too. Claims of ours that are not over are left out, as are beats.
    """
    return [*_results(ours.progress, theirs.progress, method), *_words(ours, theirs)]


def _words(ours: Ledger, theirs: Ledger) -> Iterator[Entry]:
    """What was said of the sweep as a whole since the two went apart."""
    pairs = zip(ours.entries, theirs.entries, strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    for entry in ours.entries[common:]:
        if isinstance(entry, (Stopped, Resumed)) and entry not in theirs.entries[common:]:
            yield entry


def _results(ours: Progress, theirs: Progress, method: Method) -> Iterator[Entry]:
    places = _Places(theirs, method)
    next_number = len(theirs.trials)
    for trial in ours.trials:
        there = places.find(trial)
        if there is not None and there.state is TrialState.FAILED:
            if is_result(trial) or (not trial.is_over and trial.n_reopened > there.n_reopened):
                yield Reopened(number=there.number, time=trial.asked_at)
                if trial.is_over:
                    yield from _again(trial, there.number)
            continue
        if not trial.is_over or (there is not None and _is_settled(trial, there)):
            continue
        number = next_number if there is None else there.number
        next_number += there is None
        if there is not None and there.state is TrialState.RUNNING:
            why = "its result came from another copy of the sweep"
            yield Dropped(number=number, run=there.run, why=why, is_lost=False, time=trial.asked_at)
        yield from _again(trial, number)


def _is_settled(trial: Trial, there: Trial) -> bool:
    """Whether their ledger says all that ours does of a trial that is over here."""
    is_tried_again = there.n_reopened > trial.n_reopened and not is_result(trial)
    return there.is_over or is_tried_again


class _Places:
    """Where the trials of one ledger are in another one."""

    def __init__(self, progress: Progress, method: Method) -> None:
        self._trials = progress.trials
        # Only a grid has each of its points once; others draw one again by chance.
        self._points: dict[str, Trial] = {}
        if method is Method.GRID:
            self._points = {_point_of(trial.params): trial for trial in progress.trials}

    def find(self, trial: Trial) -> Trial | None:
        if trial.number < len(self._trials):
            same = self._trials[trial.number]
            if _point_of(same.params) == _point_of(trial.params):
                return same
        return self._points.get(_point_of(trial.params))


def _again(trial: Trial, number: int) -> tuple[Asked, Told]:
    # Of a reused run the attempt has no record: it would be looked for in vain.
    asked = Asked(
        number=number, params=trial.params, run=trial.run, agent=trial.agent, time=trial.asked_at
    )
    told = Told(
        number=number,
        run=trial.run,
        state=trial.state,
        time=trial.asked_at + (trial.duration_s or 0.0),
        value=trial.value,
        steps=trial.steps,
        duration_s=trial.duration_s,
        reused=trial.run if trial.is_reused else None,
        why=trial.why,
    )
    return asked, told


def find_lost(before: Progress, after: Progress) -> list[int]:
    """Numbers of trials that had a result before, and of which none is left after.

    A trial that failed has none: it may be tried again.
    """
    kept = {_point_of(trial.params) for trial in after.trials if is_result(trial)}
    return [
        trial.number
        for trial in before.trials
        if is_result(trial) and _point_of(trial.params) not in kept
    ]


def is_result(trial: Trial) -> bool:
    """Whether a trial is over, and not by failing."""
    return trial.is_over and trial.state is not TrialState.FAILED


def _point_of(params: Params) -> str:
    """A text that two trials share where their params are the same."""
    return json.dumps(dict(params), sort_keys=True)
