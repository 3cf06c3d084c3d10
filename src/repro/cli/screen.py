"""A terminal drawn over and over: taken, drawn without flicker, given back as it was."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Self

from repro.cli import render

# Another screen, no cursor, long lines cut instead of wrapped.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J"
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_HOME = "\x1b[H"
_CLEAR_LINE = "\x1b[K"
_CLEAR_REST = "\x1b[J"
_SHORTEST_S, _LONGEST_S = 0.05, 86_400.0
_TICK_S = 0.1  # how soon a new size of the window is seen


def has_screen() -> bool:
    """Whether standard output is a terminal that can be drawn over."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return is_terminal and os.environ.get("TERM", "dumb") != "dumb"


def size() -> tuple[int, int]:
    """Columns and lines of the terminal as they are now, whatever `COLUMNS` says."""
    try:
        columns, lines = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    usual = shutil.get_terminal_size()
    return columns or usual.columns, lines or usual.lines


def bounded(interval_s: float) -> float:
    """An interval that neither keeps a core busy nor is more than the system can wait."""
    return min(max(interval_s, _SHORTEST_S), _LONGEST_S)


def can_show(text: str) -> bool:
    """Whether the locale has all characters of `text`."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeError:
        return False
    return True


def fit(text: str, width: int) -> str:
    """Cut `text`, which has no colours yet, to what a line of `width` places can show."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    shown = text.encode(encoding, "backslashreplace").decode(encoding)
    if render.places(shown) <= width:
        return shown
    end = "…" if can_show("…") else "~"
    while shown and render.places(shown) + 1 > width:
        # All that can be too much at once: a long text is not cut character by character.
        shown = shown[: -max(1, (render.places(shown) + 1 - width) // 2)]
    return shown + end if width else ""


class Screen:
    """The terminal while something is drawn there; use it as a context manager.

    It is given back on every way out, ^C, SIGTERM and ^Z included.
    """

    def __enter__(self) -> Self:
        self._before = {
            number: signal.signal(number, handler)
            for number, handler in ((signal.SIGTERM, _end), (signal.SIGTSTP, self._stop))
        }
        _write(_ENTER)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _write(_LEAVE)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def draw(self, lines: Sequence[str]) -> None:
        """Draw lines over what is there; those that the terminal has no room for are left out."""
        shown = lines[: size()[1]]
        # No line feed behind the last one: it would scroll.
        _write(_HOME + f"{_CLEAR_LINE}\n".join(shown) + _CLEAR_LINE + _CLEAR_REST)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Give the terminal back to the shell while this process is stopped."""
        del frame
        _write(_LEAVE)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # Here again once the shell has sent SIGCONT.
        signal.signal(number, self._stop)
        _write(_ENTER)


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    sys.exit(128 + number)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def keep_drawing(
    draw: Callable[[bool], Sequence[str] | None], is_over: Callable[[], bool], interval_s: float
) -> None:
    """Draw on the terminal until it is over.

    Args:
        draw: Gives the lines, None where those that stand there are right; is told whether it must
            give some, for the window has another size.
        interval_s: Seconds between two calls of it.
    """
    with Screen() as screen:
        while True:
            drawn_at = size()
            lines = draw(True)
            if lines is not None:
                screen.draw(lines)
            while size() == drawn_at:
                if is_over():
                    return
                _wait(interval_s, drawn_at)
                lines = draw(False)
                if lines is not None:
                    screen.draw(lines)


def _wait(interval_s: float, drawn_at: tuple[int, int]) -> None:
    """Wait, or as long as the window keeps its size."""
    end = time.monotonic() + interval_s
    while size() == drawn_at and (left := end - time.monotonic()) > 0:
        time.sleep(min(_TICK_S, left))
