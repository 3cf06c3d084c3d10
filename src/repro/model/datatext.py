"""What differs between two versions of a dataset, as lines of text."""

import os
from collections.abc import Iterator, Mapping

from repro.model.diff import DataChange
from repro.model.readable import format_size
from repro.model.text import escape

_SHOWN = 40  # files of one dataset; --json has all


def describe_change(change: DataChange) -> str:
    """How much differs, such as `1 added (4.0 KiB), 3 changed (1.0 KiB → 2.0 KiB)`."""
    if change.unlisted is not None:
        return "differs"
    before, after = format_size(change.size_before), format_size(change.size_after)
    sizes = {
        "added": format_size(change.size_added),
        "removed": format_size(change.size_removed),
        "changed": before if before == after else f"{before} → {after}",
    }
    counts = {kind: len(getattr(change, kind)) for kind in sizes}
    return ", ".join(f"{n:,} {kind} ({sizes[kind]})" for kind, n in counts.items() if n)


def list_files(change: DataChange) -> Iterator[str]:
    """The files that differ, by path, as git marks them: A, D or M; or why there is no list."""
    if change.unlisted is not None:
        yield f"file by file unknown: {escape(change.unlisted)}"
    marks = {"A": change.added, "D": change.removed, "M": change.changed}
    files = [(os.fsencode(path), mark, path) for mark, paths in marks.items() for path in paths]
    files.sort()
    yield from (f"{mark} {escape(path)}" for _, mark, path in files[:_SHOWN])
    if len(files) > _SHOWN:
        yield f"… and {len(files) - _SHOWN:,} more: `--json` has all"


def list_changes(changes: Mapping[str, DataChange], *, stat: bool) -> Iterator[str]:
    """A line for each dataset that differs, and its files below it.

    Args:
        stat: Without the files.
    """
    width = max((len(escape(name)) for name in changes), default=0)
    for name, change in changes.items():
        yield f"{escape(name).ljust(width)}  {describe_change(change)}"
        if not stat:
            yield from (f"  {line}" for line in list_files(change))
