"""The points of a run's metrics, read when they are first asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from repro.model.series import Point

if TYPE_CHECKING:
    from repro.sdk.pandas_frames import DataFrame as PandasFrame
    from repro.sdk.polars_frames import DataFrame as PolarsFrame


class Points(Sequence[Point]):
    """The points of one metric, by increasing step; each is `(step, value, time)`."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points

    @overload
    def __getitem__(self, place: int) -> Point: ...
    @overload
    def __getitem__(self, place: slice) -> "Points": ...
    def __getitem__(self, place: int | slice) -> "Point | Points":
        if isinstance(place, slice):
            return Points(self._points[place])
        return self._points[place]

    def __len__(self) -> int:
        return len(self._points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self._points)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        ends = f": step {self[0].step} to {self[-1].step}" if self else ""
        return f"<{len(self)} points{ends}>"

    @property
    def steps(self) -> list[int]:
        """The step of each point."""
        return [point.step for point in self._points]

    @property
    def values(self) -> list[float]:
        """The value of each point, in the unit of the metric."""
        return [point.value for point in self._points]

    @property
    def times(self) -> list[float]:
        """When each point was logged, in seconds since 1970."""
        return [point.time for point in self._points]


class Series(Mapping[str, Points]):
    """The points of each metric of a run, read once, when they are first asked for."""

    def __init__(self, read: Callable[[], Mapping[str, Sequence[Point]]]) -> None:
        self._read = read

    @cached_property
    def _series(self) -> Mapping[str, Sequence[Point]]:
        return self._read()

    def __getitem__(self, name: str) -> Points:
        return Points(self._series[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def __reduce__(self) -> tuple[Any, ...]:
        """All points go along: the process that they are sent to may be elsewhere."""
        return _series_of, (dict(self._series),)

    def __repr__(self) -> str:
        read = self.__dict__.get("_series")
        return "<Series>" if read is None else f"<Series of {', '.join(map(repr, read))}>"

    def to_pandas(self, *, long: bool = False) -> "PandasFrame":
        """All points as a data frame of pandas.

        Args:
            long: A row a point (metric, step, value, time), in place of a row a step with a
                column for each metric.

        Raises:
            ImportError: pandas is not installed.
        """
        from repro.sdk.pandas_frames import frame_series  # noqa: PLC0415  # pandas is optional

        return frame_series(self._series, long=long)

    def to_polars(self, *, long: bool = False) -> "PolarsFrame":
        """All points as a data frame of Polars; see `to_pandas`.

        Raises:
            ImportError: Polars is not installed.
        """
        from repro.sdk.polars_frames import frame_series  # noqa: PLC0415  # Polars is optional

        return frame_series(self._series, long=long)


def _series_of(series: Mapping[str, Sequence[Point]]) -> Series:
    return Series(lambda: series)
