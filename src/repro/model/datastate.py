"""How a dataset is now, against what `repro.lock` pins of it: values only."""

from dataclasses import dataclass
from enum import StrEnum

from repro.model.diff import DataChange


class State(StrEnum):
    """How a dataset is, against what is pinned of it."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    NOT_PINNED = "not pinned"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"  # `repro.lock` cannot be read
    NOT_TRACKED = "not tracked"  # pinned, but not in `repro.yaml`


@dataclass(frozen=True, slots=True, kw_only=True)
class DataState:
    """A dataset as it is now.

    Attributes:
        kept: Whether its bytes go to the content store.
        locked: The digest in `repro.lock`, None where it has none.
        digest: The digest now; None where it cannot be told, as `files` and `size`.
        size: Bytes.
        change: What differs, where it is changed.
        reason: What is wrong, in words; None where nothing is.
    """

    name: str
    path: str
    state: State
    kept: bool
    locked: str | None = None
    digest: str | None = None
    files: int | None = None
    size: int | None = None
    change: DataChange | None = None
    reason: str | None = None
