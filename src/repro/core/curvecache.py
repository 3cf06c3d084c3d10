"""Points that were read lately, in bounded memory."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from repro.model.seriescolumn import Column, extend_column

if TYPE_CHECKING:
    # What reads journals takes longer to load than a few curves of sealed runs take to read.
    from repro.core.live import InProgress
    from repro.store.livestate import LiveState

_MOST_BYTES = 30 << 20
_A_POINT = 24  # bytes
_AN_ENTRY = 400  # bytes beside the points, about


@dataclass(frozen=True, slots=True)
class _Followed:
    """A run in progress as it was last seen."""

    stamp: str
    state: "LiveState | None"
    columns: Mapping[str, Column]


class CurveCache:
    """Points of metrics by run, for whoever looks again and again; threads may share it.

    Of a sealed run they are kept by commit, so that what is kept is never old; of a run in
    progress only what is new is read. What was not asked for longest goes first.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        """Take at most `most_bytes` for what is kept."""
        self._most = most_bytes
        self._sealed: OrderedDict[tuple[str, str], Column | None] = OrderedDict()
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self._lock = Lock()

    def find(self, commit: str, metric: str) -> Column | None:
        """The points of a sealed run.

        Raises:
            KeyError: They are not kept; None is a run without this metric.
        """
        with self._lock:
            column = self._sealed[commit, metric]
            self._sealed.move_to_end((commit, metric))
            return column

    def keep(self, commit: str, metric: str, column: Column | None) -> None:
        """Keep the points of a sealed run."""
        with self._lock:
            self._sealed[commit, metric] = column
            self._shrink()

    def follow(self, live: "InProgress") -> Mapping[str, Column]:
        """All points so far of a run in progress, by metric.

        Raises:
            NewerFormatError: A journal was written by a newer repro.
            DamagedRecordError: A journal cannot be read at all.

        Cost: proportional to what is new since the last time, and to the points of what grew.
        """
        run_id = live.run.id
        with self._lock:
            before = self._followed.pop(run_id, None)
            stamp = live.stamp()
            if before is None or before.stamp != stamp or not stamp:
                before = _look(live, stamp, before)
            self._followed[run_id] = before
            self._shrink()
            return before.columns

    def n_bytes(self) -> int:
        """What it takes now, about."""
        with self._lock:
            return self._count()

    def _count(self) -> int:
        columns = [column for column in self._sealed.values() if column is not None]
        for followed in self._followed.values():
            columns += followed.columns.values()
        return sum(map(len, columns)) * _A_POINT + len(self._sealed) * _AN_ENTRY

    def _shrink(self) -> None:
        """Let go what is too much, but never what was asked for last."""
        taken = self._count()
        while taken > self._most and len(self._sealed) + len(self._followed) > 1:
            if len(self._sealed) > 1 or not self._followed:
                _, column = self._sealed.popitem(last=False)
                taken -= _AN_ENTRY + (_A_POINT * len(column) if column is not None else 0)
            else:
                _, followed = self._followed.popitem(last=False)
                taken -= _A_POINT * sum(map(len, followed.columns.values()))


def _look(live: "InProgress", stamp: str, before: _Followed | None) -> _Followed:
    look = live.look(before.state if before is not None else None)
    columns = {} if before is None or look.is_whole else dict(before.columns)
    for name, points in look.points.items():
        columns[name] = extend_column(columns.get(name), points)
    return _Followed(stamp, look.state, columns)
