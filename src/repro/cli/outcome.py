"""How a run ended, told on standard error."""

from collections.abc import Sequence

from repro.cli import render
from repro.core.launch import Outcome
from repro.core.project import Project
from repro.core.query import short_id
from repro.model.needs import HOLDS_SECRET
from repro.model.outlook import describe_outlook, foresee
from repro.model.readable import format_size
from repro.model.run import Omitted, Record
from repro.model.text import escape

_OMITTED_SHOWN = 5


def say_end(
    project: Project, record: Record, outcome: Outcome, *, with_outlook: bool = True
) -> None:
    """Say that a run is recorded, how it ended, and what its record lacks.

    Args:
        with_outlook: Say whether it can be reproduced, too.
    """
    run = record.run
    short = short_id(project, run.id)
    how = f"{run.status} in {_duration(run.duration_s or 0.0)}"
    if outcome.signal:
        how = f"{run.status} by {outcome.signal} after {_duration(run.duration_s or 0.0)}"
    elif outcome.exit_code:
        how = f"{run.status} with exit code {outcome.exit_code} after" + how.partition(" in")[2]
    render.note(f"repro: recorded run {short} ({how}) · repro show {short}")
    say_omitted(run.omitted)
    for warning in run.warnings:
        warn(warning)
    if run.lost_points:
        warn(f"{run.lost_points:,} points could not be kept")
    if with_outlook:
        render.note(f"repro: {escape(describe_outlook(foresee(record), short))}")


def say_omitted(omitted: Sequence[Omitted]) -> None:
    """Name the files that a snapshot left out, at most five of them.

    Of those that hold a secret a warning of the run says more.
    """
    omitted = [one for one in omitted if one.reason != HOLDS_SECRET]
    for one in omitted[:_OMITTED_SHOWN]:
        size = "" if one.size is None else f"{format_size(one.size)}, "
        warn(f"`{one.path}` is not in the record ({size}{one.reason})")
    if len(omitted) > _OMITTED_SHOWN:
        warn(f"… and {len(omitted) - _OMITTED_SHOWN} more are not in the record")


def warn(text: str) -> None:
    """Print a warning; what a terminal would obey is escaped."""
    render.note(f"repro: warning: {escape(text)}")


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds) // 60
    if minutes < 60:
        return f"{minutes} min {round(seconds) % 60} s"
    return f"{minutes // 60} h {minutes % 60} min"
