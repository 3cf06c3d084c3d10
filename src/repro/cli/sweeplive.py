"""A sweep in progress told on standard error: redrawn on a terminal, else a line a trial."""

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

from repro.cli import render
from repro.cli.sweepframe import Pace, draw_frame
from repro.core.project import Project
from repro.core.sweep.events import Again, Begun, Ending, Event, Looked, NoMetric, Over
from repro.core.sweep.figures import ranked_trials, varied_keys
from repro.core.sweep.looking import TrialLooks
from repro.core.sweep.standing import count_wanted
from repro.core.sweep.words import describe_best
from repro.model.objective import sign_of
from repro.model.readable import format_duration, format_value, shorten
from repro.model.sweep import OVER, SweepAt, Trial, TrialState
from repro.model.text import escape

_EVERY_S = 0.25
_MOST_PARAMS = 6  # on a line
_LONGEST_WHY = 60  # characters of a reason, on a line that says more
_MOST_SAID = 5  # reasons of failures that are told; `repro show` has each


class Live:
    """Tells of a sweep while it goes on; use it as a context manager."""

    def __init__(
        self,
        project: Project,
        at: SweepAt,
        short: str,
        *,
        is_strict: bool = False,
        is_shared: bool = False,
    ) -> None:
        """Say nothing yet.

        Args:
            short: The id of the sweep, as short as it may be.
            is_strict: Whether a metric that is not logged ends the sweep, which then says so.
            is_shared: Whether agents of other clones may work on it, too.
        """
        self._project = project
        self._short = short
        self._is_strict = is_strict
        self._waits = "for another agent" if is_shared else "until the sweep goes on"
        self._at = at
        self._n_over = self._n_before = at.progress.count(*OVER)
        ranked = ranked_trials(at)
        self._best = ranked[0].value if ranked else None
        self._ended: list[int] = []
        self._said: set[str] = set()
        self._is_ending = False
        self._start = time.monotonic()
        self._terminal = _Terminal(self._lines) if _has_terminal() else None
        self._stack = ExitStack()
        self._looks = TrialLooks(project, at.sweep.spec.metric)

    def __enter__(self) -> Self:
        if self._terminal is not None:
            self._stack.enter_context(render.notes_by(self._terminal.note))
            self._terminal.start()
            self._stack.callback(self._terminal.stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def tell(self, event: Event) -> None:
        """Tell what happened; the loop calls this."""
        match event:
            case Looked():
                self._at = event.at
                self._n_over = event.at.progress.count(*OVER)  # others end trials, too
            case Over():
                self._tell_over(event)
            case Again():
                what = f"waits {self._waits}" if self._is_ending else "is run again"
                render.note(f"repro: trial {event.trial.number} {what}: {event.why}")
            case NoMetric():
                self._tell_no_metric(event)
            case Ending():
                self._is_ending = True
                ends = "those that run are ended" if event.is_hard else "those that run go on"
                render.note(f"repro: no trial is started any more: {event.why}; {ends}")
            case Begun():
                pass

    def _tell_over(self, event: Over) -> None:
        trial = event.trial
        is_best = self._is_best(trial)
        self._n_over += 1
        self._ended = [*self._ended, trial.number]
        if self._terminal is None:
            render.note(self._line(trial, is_best=is_best, is_found=event.is_found))
        is_said = self._terminal is None and len(event.why) <= _LONGEST_WHY
        if event.why and event.why not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(event.why)
            if not is_said:
                render.note(f"repro: warning: trial {trial.number} failed: {event.why}")
            if event.hint:
                render.note(f"hint: {escape(event.hint)}")

    def _is_best(self, trial: Trial) -> bool:
        """Whether a trial that just ended is better than all before."""
        if trial.state is not TrialState.FINISHED or trial.value is None:
            return False
        sign = sign_of(self._at.sweep.spec.goal)
        if self._best is not None and sign * trial.value >= sign * self._best:
            return False
        self._best = trial.value
        return True

    def _tell_no_metric(self, event: NoMetric) -> None:
        if self._is_strict:
            return
        logged = ", ".join(f"`{name}`" for name in event.logged) or "nothing"
        render.note(
            f"repro: warning: trial {event.trial.number} never logged `{escape(event.metric)}`,"
            f" the metric of the sweep; it logged {logged}"
        )
        render.note(
            "hint: ^C ends the sweep; `--metric NAME` of another one says which metric counts,"
            " and `--strict` ends it at this point"
        )

    def _lines(self, size: tuple[int, int]) -> list[str]:
        ended, at = self._ended, self._at
        running = [one.run for one in at.progress.trials if one.state is TrialState.RUNNING]
        return draw_frame(
            at,
            self._looks.look(running),
            short=self._short,
            ended=[number for number in ended if number < len(at.progress.trials)],
            pace=Pace(passed_s=time.monotonic() - self._start, n_before=self._n_before),
            now=self._project.clock(),
            size=size,
        )

    def _line(self, trial: Trial, *, is_best: bool, is_found: bool) -> str:
        how = "reused" if trial.is_reused else trial.state.value
        how += " before" if is_found else ""
        why = f" ({shorten(escape(trial.why), _LONGEST_WHY)})" if trial.why else ""
        spent = "" if trial.duration_s is None else f" in {format_duration(trial.duration_s)}"
        value = "" if trial.value is None else f", {describe_best(self._at, trial)}"
        best = ", the best so far" if is_best else ""
        keys = varied_keys(self._at)
        params = [f"{escape(key)}={format_value(trial.params.get(key))}" for key in keys]
        more = ["…"] if len(params) > _MOST_PARAMS else []
        given = f": {' '.join(params[:_MOST_PARAMS] + more)}" if params else ""
        wanted = count_wanted(self._at)
        of = f"{self._n_over:,}" if wanted is None else f"{self._n_over:,}/{wanted:,}"
        return f"repro: {of} trial {trial.number} {how}{spent}{why}{value}{best}{given}"


def _has_terminal() -> bool:
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return is_terminal and os.environ.get("TERM", "dumb") != "dumb"


class _Terminal:
    """Lines at the bottom of the terminal, drawn again by a thread."""

    def __init__(self, lines: Callable[[tuple[int, int]], list[str]]) -> None:
        self._make = lines
        self._drawn: list[str] = []
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take the lines away."""
        self._is_over.set()
        self._thread.join()
        with self._lock:
            self._write(self._erase())

    def note(self, text: str) -> None:
        with self._lock:
            again = "".join(f"{line}\n" for line in self._drawn)
            self._write(f"{self._erase()}{text}\n{again}")
            self._drawn = again.splitlines()

    def _keep_drawing(self) -> None:
        while not self._is_over.wait(_EVERY_S):
            columns, height = _size()
            # One place and one line less: neither wraps, nor scrolls what stands above.
            lines = self._make((columns - 1, max(height - 1, 1)))
            with self._lock:
                erase = self._erase()
                self._drawn = lines
                self._write(erase + "".join(f"{line}\n" for line in lines))

    def _erase(self) -> str:
        """What takes the drawn lines away; those that a narrower window wrapped count as more."""
        columns, height = _size()
        n = sum(max(1, -(-render.places(_plain(line)) // max(columns, 1))) for line in self._drawn)
        self._drawn = []
        return f"\x1b[{min(n, height - 1)}F\x1b[J" if n else ""

    def _write(self, text: str) -> None:
        with suppress(OSError):  # the terminal is gone, which SIGHUP says
            sys.stderr.write(text)
            sys.stderr.flush()


def _plain(line: str) -> str:
    """A line without its colours."""
    parts = line.split("\x1b[")
    return parts[0] + "".join(part.partition("m")[2] for part in parts[1:])


def _size() -> tuple[int, int]:
    try:
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    return columns or 80, lines or 24
