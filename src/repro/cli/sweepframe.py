"""What a terminal shows of a sweep in progress, as lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.cli import render
from repro.cli.runtable import lay_out
from repro.cli.screen import can_show, fit
from repro.cli.sweeptable import lay_trials
from repro.core.sweep.figures import ranked_trials
from repro.core.sweep.looking import TrialLook
from repro.core.sweep.standing import count_wanted
from repro.core.sweep.words import describe_best, describe_counts, describe_done
from repro.model.readable import format_duration
from repro.model.sweep import OVER, SweepAt, Trial, TrialState
from repro.model.text import escape

_ENDED = 5  # trials that are over, shown below those that run
_BAR = (10, 30)  # places
_FULL, _EMPTY = "█", "░"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a sweep goes, as seen by one process.

    Attributes:
        passed_s: Seconds since this process works on it.
        n_before: How many trials were over then.
    """

    passed_s: float
    n_before: int


def draw_frame(
    at: SweepAt,
    looks: Mapping[str, TrialLook],
    *,
    short: str,
    ended: Sequence[int],
    pace: Pace,
    now: float,
    size: tuple[int, int],
) -> list[str]:
    """Give the lines that show a sweep in progress: how far it is, its best, its trials.

    Args:
        looks: What is seen of trials in progress, by run.
        short: The id of the sweep, as short as it may be.
        ended: Numbers of the trials that ended while this process looked, the last one last.
        now: Seconds since 1970.
        size: Columns and lines there is room for.
    """
    width, height = size
    lines = [_head(at, short, pace, width)]
    lines += [fit(line, width) for line in _best(at)]
    room = height - len(lines) - 2
    running = [one for one in at.progress.trials if one.state is TrialState.RUNNING]
    trials = _chosen(at, running, ended, room)
    if trials:
        lines += _table(at, trials, looks, now, width)
    if len(running) > room:
        lines.append(fit(f"… and {len(running) - room} more", width))
    return lines[:height]


def _head(at: SweepAt, short: str, pace: Pace, width: int) -> str:
    done, wanted = at.progress.count(*OVER), count_wanted(at)
    name = f" ({escape(at.sweep.spec.name)})" if at.sweep.spec.name else ""
    of = describe_done(at)
    facts = [*describe_counts(at), format_duration(pace.passed_s)]
    left = _left_s(done, wanted, pace)
    if left is not None:
        facts.append(f"{format_duration(left)} left")
    before, after = f"sweep {short}{name}  ", f"  {of}  {', '.join(facts)}"
    if wanted is None:
        return fit(before.rstrip() + after, width)
    places = min(width - render.places(before + after), _BAR[1])
    if places < _BAR[0]:
        return fit(before.rstrip() + after, width)
    return before + _bar(done, wanted, places) + after


def _bar(done: int, wanted: int, places: int) -> str:
    full, empty = (_FULL, _EMPTY) if can_show(_FULL + _EMPTY) else ("#", ".")
    filled = min(places * done // max(wanted, 1), places)
    return full * filled + empty * (places - filled)


def _left_s(done: int, wanted: int | None, pace: Pace) -> float | None:
    """Seconds to the end, if trials go on ending as they did; None where that cannot be told."""
    here = done - pace.n_before
    if wanted is None or here <= 0 or done >= wanted:
        return None
    return pace.passed_s / here * (wanted - done)


def _best(at: SweepAt) -> list[str]:
    ranked = ranked_trials(at)
    if not ranked:
        return []
    return [f"best   {describe_best(at, ranked[0])}, trial {ranked[0].number}"]


def _chosen(at: SweepAt, running: Sequence[Trial], ended: Sequence[int], room: int) -> list[Trial]:
    """Those that run, then those that ended last, as many as there is room for."""
    shown = list(running[: max(room, 0)])
    n_ended = min(_ENDED, max(room - len(shown), 0), len(ended))
    last = [at.progress.trials[number] for number in reversed(ended)]
    return shown + [trial for trial in last if trial.is_over][:n_ended]


def _table(
    at: SweepAt, trials: Sequence[Trial], looks: Mapping[str, TrialLook], now: float, width: int
) -> list[str]:
    columns = lay_trials(at, trials, {}, now=now, looks=looks)
    table, _ = lay_out([one for one in columns if one.title != "run"], width=width)
    return table.split("\n")
