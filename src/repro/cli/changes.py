"""What differs in datasets, and how they are, as lines of text."""

import os
from collections.abc import Iterator, Mapping

from repro.core.diff import change_json
from repro.model.canonical import Json
from repro.model.datastate import DataState, State
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


def describe_state(state: DataState) -> str:
    """How a dataset is, in words."""
    if state.state == State.NOT_PINNED:
        return "not pinned yet"
    if state.state == State.UNREADABLE:
        return f"cannot be read: {escape(state.reason or '')}"
    if state.state == State.CHANGED and state.change is not None:
        is_listed = state.change.unlisted is None
        return f"changed: {describe_change(state.change)}" if is_listed else "changed"
    if state.reason is not None:
        return f"{state.state}: {escape(state.reason)}"
    files = f"{state.files:,} file{'' if state.files == 1 else 's'}"
    return f"{state.state} ({files}, {format_size(state.size or 0)})"


def state_json(state: DataState) -> dict[str, Json]:
    """How a dataset is, as `--json` prints it."""
    change = change_json(state.change) if state.change is not None else {}
    return {
        "path": state.path,
        "state": state.state.value,
        "reason": state.reason,
        "digest": state.digest,
        "locked": state.locked,
        "files": state.files,
        "bytes": state.size,
        "kept": state.kept,
        "added": change.get("added", []),
        "removed": change.get("removed", []),
        "changed": change.get("changed", []),
        "unlisted": change.get("unlisted"),
    }
