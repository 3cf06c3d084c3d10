"""Runs as a list that reads its records when they are asked for."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from repro.sdk.record import Record

if TYPE_CHECKING:
    pass

_SHOWN = 10  # in the text of a list


class RunList(Sequence[Record]):
    """Runs in an order, as a list of records that cannot be changed."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> "RunList": ...
    def __getitem__(self, place: int | slice) -> "Record | RunList":
        if isinstance(place, slice):
            return RunList(self._records[place])
        return self._records[place]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (RunList, list, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(map(Record.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        runs = "run" if len(self) == 1 else "runs"
        lines = [f"  {record!r}" for record in self[:_SHOWN]]
        more = [f"  … and {len(self) - _SHOWN:,} more"] if len(self) > _SHOWN else []
        return "\n".join([f"<RunList of {len(self):,} {runs}>", *lines, *more])
