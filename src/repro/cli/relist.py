"""A list of runs shown again whenever any of them changes."""

import math
import time
from collections.abc import Callable, Sequence

from repro.cli import render
from repro.cli.screen import bounded, fit, has_screen, keep_drawing, size
from repro.core.project import Project
from repro.core.watch import look_after_runs

_AGES_S = 10.0  # how old an age may get


def keep_listing(project: Project, show: Callable[[], None], interval_s: float) -> None:
    """Show runs again whenever any of them changes, until ^C.

    Where the output is no terminal, each time stands below the one before.

    Args:
        show: Prints them by `render`.
        interval_s: Seconds between two looks for changes.
    """
    listed = _Listed(project, show)
    if not has_screen():
        while True:
            if lines := listed.look(is_needed=False):
                render.out("\n".join([*lines, ""]))
                render.flush()
            time.sleep(bounded(interval_s))

    def draw(is_needed: bool) -> Sequence[str] | None:
        lines = listed.look(is_needed=is_needed, or_after_s=_AGES_S)
        height = size()[1]
        if lines is None or len(lines) <= height:
            return lines
        left_out = len(lines) - height + 1
        return [*lines[: height - 1], fit(f"… and {left_out} more lines", size()[0])]

    keep_drawing(draw, lambda: False, bounded(interval_s))


class _Listed:
    """Runs as they are listed."""

    def __init__(self, project: Project, show: Callable[[], None]) -> None:
        self._project = project
        self._show = show
        self._stamp: str | None = None
        self._shown_at = 0.0

    def look(self, *, is_needed: bool, or_after_s: float = math.inf) -> list[str] | None:
        """The lines that show them; None where none is needed or due, and nothing has changed.

        Args:
            or_after_s: Seconds after which it is due whatever has changed: there are ages in it.
        """
        stamp = look_after_runs(self._project)
        is_due = time.monotonic() - self._shown_at >= or_after_s
        if stamp == self._stamp and not is_needed and not is_due:
            return None
        self._stamp, self._shown_at = stamp, time.monotonic()
        with render.gathered() as lines:
            self._show()
        return lines
