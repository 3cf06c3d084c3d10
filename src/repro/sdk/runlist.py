"""Runs as a list that reads its records when they are asked for."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from repro.core.chosen import read_records
from repro.sdk.here import project_at
from repro.sdk.places import showing_place
from repro.sdk.record import Record

if TYPE_CHECKING:
    from repro.sdk.pandas_frames import DataFrame as PandasFrame
    from repro.sdk.polars_frames import DataFrame as PolarsFrame
    from repro.sdk.table import Column

CHUNK = 1000  # records read at once; so many need some megabytes
_KEPT = 4  # chunks: one who goes through 100,000 runs does not want all of them in memory
_SHOWN = 10  # in the text of a list


class RunList(Sequence[Record]):
    """Runs in an order, as a list of records that cannot be changed.

    Records are read some at a time, when they are asked for.
    """

    def __init__(self, root: Path, ids: Sequence[str], first: Sequence[Record] = ()) -> None:
        """List the runs `ids` of the repository whose working tree is `root`.

        Args:
            first: The records of the first ones, as far as they are known: of a whole chunk.
        """
        self._root = root
        self._ids = tuple(ids)
        self._chunks = {0: list(first)} if first else {}

    @property
    def ids(self) -> list[str]:
        """The ids of the runs."""
        return list(self._ids)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> "RunList": ...
    def __getitem__(self, place: int | slice) -> "Record | RunList":
        if isinstance(place, slice):
            known = self._chunk(0)[place] if 0 < len(self) <= CHUNK else []
            return RunList(self._root, self._ids[place], known)
        try:
            number, place = divmod(range(len(self))[place], CHUNK)
        except IndexError:
            raise IndexError(f"there are {len(self):,} runs, and none at {place}") from None
        return self._chunk(number)[place]

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Record]:
        for number in range(-(-len(self) // CHUNK)):
            yield from self._chunk(number)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (RunList, list, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        runs = "run" if len(self) == 1 else "runs"
        lines = [f"  {record!r}" for record in self[:_SHOWN]]
        more = [f"  … and {len(self) - _SHOWN:,} more"] if len(self) > _SHOWN else []
        return "\n".join([f"<RunList of {len(self):,} {runs}>", *lines, *more])

    def _repr_html_(self) -> str:
        from repro.sdk.html import MOST_ROWS, runs_html  # noqa: PLC0415  # notebooks alone ask

        shown = [record._parts for record in self[:MOST_ROWS]]
        return runs_html(shown, len(self), time.time())

    def to_pandas(
        self, columns: str | Sequence[str] | None = None, *, statistics: bool = False
    ) -> "PandasFrame":
        """A data frame of pandas with a row for each run, typed columns, and numbered rows.

        Args:
            columns: A name of the query language, or several, such as `config.lr` or
                `metrics.loss.min`; None is all fields, tags, params, last values of metrics, and
                the summary.
            statistics: Whether `metrics.M.min` and the others are among those.

        Raises:
            ImportError: pandas is not installed.
            FilterError: A name is unknown or ambiguous.
        """
        # pandas is optional, and slow to import.
        from repro.sdk.pandas_frames import frame_columns  # noqa: PLC0415

        return frame_columns(self._columns(columns, statistics=statistics))

    def to_polars(
        self, columns: str | Sequence[str] | None = None, *, statistics: bool = False
    ) -> "PolarsFrame":
        """A data frame of Polars with a row for each run and typed columns; see `to_pandas`.

        Raises:
            ImportError: Polars is not installed.
            FilterError: A name is unknown or ambiguous.
        """
        # Polars is optional, and slow to import.
        from repro.sdk.polars_frames import frame_columns  # noqa: PLC0415

        return frame_columns(self._columns(columns, statistics=statistics))

    def _columns(self, words: str | Sequence[str] | None, *, statistics: bool) -> list["Column"]:
        from repro.sdk.run_columns import make_columns  # noqa: PLC0415  # for frames alone

        words = [words] if isinstance(words, str) else words
        parts = [record._parts for record in self] if len(self) <= CHUNK else None
        with showing_place():
            return make_columns(
                project_at(self._root), self._ids, parts, words, statistics=statistics
            )

    def _chunk(self, number: int) -> list[Record]:
        found = self._chunks.get(number)
        if found is None:
            ids = self._ids[number * CHUNK : (number + 1) * CHUNK]
            parts = read_records(project_at(self._root), ids)
            found = self._chunks[number] = [Record(one, self._root) for one in parts]
            if len(self._chunks) > _KEPT:  # another thread may have let it go already
                self._chunks.pop(next(iter(list(self._chunks))), None)
        return found
