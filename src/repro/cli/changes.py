"""How datasets are, as lines of text and as JSON."""

from repro.core.diff import change_json
from repro.model.canonical import Json
from repro.model.datastate import DataState, State
from repro.model.datatext import describe_change
from repro.model.readable import count_of, format_size
from repro.model.text import escape


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
    files = count_of(state.files or 0, "file")
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
