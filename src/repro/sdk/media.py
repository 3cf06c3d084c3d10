"""Pictures and histograms that training code logs, with the names they have in W&B."""

import os
import sys
from collections.abc import Iterator
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import Any

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.histogram import count_bins
from repro.model.imagetype import find_image_type
from repro.model.medium import LARGEST_IMAGE, LONGEST_CAPTION, MOST_BINS, Bins
from repro.sdk.loggable import Keep, Media, find_figure
from repro.sdk.notices import warn
from repro.sdk.pictured import Pictured, blank, draw_figure
from repro.sdk.pixels import encode_array
from repro.store.media import encode_item

_EXACT = 1 << 53  # larger integers change on their way through a float


class Image(Pictured):
    """A picture, as it is when it is made: what happens to the array later does not matter.

    Args:
        data_or_path: An array of numpy of shape (height, width) or (height, width, channels); a
            tensor of torch of shape (channels, height, width); a picture of PIL; a figure of
            matplotlib; the path or the bytes of a PNG, JPEG, GIF or WebP file; another `Image`.
        mode: Of PIL, such as `RGB`: what a picture of PIL is turned into.
        caption: A text beside it.
        normalize: Arrays of values from 0 to 1 are multiplied by 255, those from -1 to 1 are mapped
            to 0 to 255, all others are cut off there.
        ignored: Other words of W&B; a warning says that `boxes` and `masks` are not kept.

    Raises:
        TypeError: It is nothing of that kind.
        ValueError: An array has another shape, or a picture more than 64 MiB.
        InvalidInputError: A path names no picture that can be read.
    """

    def __init__(
        self,
        data_or_path: object,
        mode: str | None = None,
        caption: str | None = None,
        *,
        normalize: bool = True,
        **ignored: object,
    ) -> None:
        if lost := [word for word in ("boxes", "masks") if ignored.get(word)]:
            warn(f"an image keeps no {' and '.join(lost)}: log the picture with them drawn")
        if isinstance(data_or_path, Image) and caption is None:
            caption = data_or_path.caption
        data = _picture(data_or_path, mode, normalize=normalize)
        if find_image_type(data) is None:
            raise InvalidInputError(
                f"{_name(data_or_path)} is no PNG, JPEG, GIF or WebP",
                hint="open it with PIL, and give what that gives",
            )
        super().__init__(data, None if caption is None else str(caption)[:LONGEST_CAPTION])

    def _repr_png_(self) -> bytes | None:
        return self.data if self.format == "png" else None

    def _repr_jpeg_(self) -> bytes | None:
        return self.data if self.format == "jpeg" else None

    def __repr__(self) -> str:
        return f"<Image {self.format}, {self.width} x {self.height}>"


def _name(given: object) -> str:
    return f"`{os.fspath(given)}`" if isinstance(given, (str, os.PathLike)) else "an image"


def _picture(given: Any, mode: str | None, *, normalize: bool) -> bytes:
    if isinstance(given, Image):
        return given.data
    if isinstance(given, (bytes, bytearray, memoryview)):
        return bytes(given)
    if isinstance(given, (str, os.PathLike)):
        return _read(Path(os.fspath(given)))
    if (figure := find_figure(given)) is not None:
        return draw_figure(figure)
    pil = sys.modules.get("PIL.Image")
    if pil is not None and isinstance(given, pil.Image):
        return _saved_by_pil(given, mode)
    return encode_array(given, normalize=normalize)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_IMAGE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInputError(f"the image `{path}` cannot be read: {reason}") from error


def _saved_by_pil(picture: Any, mode: str | None) -> bytes:
    if mode is not None and mode != picture.mode:
        picture = picture.convert(mode)
    file = BytesIO()
    try:
        picture.save(file, format="PNG")
    except (OSError, ValueError):  # PNG has no CMYK, HSV, …
        file = BytesIO()
        picture.convert("RGB").save(file, format="PNG")
    return file.getvalue()


class Histogram(Media):
    """How many values lie in each of several ranges.

    Args:
        sequence: Numbers, an array or a tensor of any shape; what is not finite is left out, and
            counted in `skipped`.
        np_histogram: In its place, what `numpy.histogram` gives: counts, and edges.
        num_bins: 1 to 512.

    Raises:
        TypeError: There are no numbers.
        ValueError: There are too many bins, or counts and edges that do not fit.

    Attributes:
        histogram: Count of each range.
        bins: Edges, one more than ranges.
        skipped: Values that were not finite.
    """

    def __init__(
        self,
        sequence: Any = None,
        np_histogram: tuple[Any, Any] | None = None,
        num_bins: int = 64,
    ) -> None:
        if not 1 <= num_bins <= MOST_BINS:
            raise ValueError(f"a histogram has 1 to {MOST_BINS} bins, not {num_bins}")
        if np_histogram is not None:
            found = _given_bins(np_histogram)
        elif sequence is None:
            raise TypeError("a histogram needs numbers, or `np_histogram`")
        else:
            found = _count(sequence, int(num_bins))
        self.histogram = list(found.counts)
        self.bins = list(found.edges)
        self.skipped = found.skipped

    def describe(self, keep: Keep) -> dict[str, Json]:  # noqa: ARG002  it has no file
        """The entry in the journal."""
        bins = Bins(tuple(self.bins), tuple(self.histogram), self.skipped)
        return encode_item(blank("histogram", bins=bins))

    def __repr__(self) -> str:
        return f"<Histogram of {len(self.histogram)} bins>"


def _given_bins(given: tuple[Any, Any]) -> Bins:
    if len(given) != 2:
        raise ValueError("`np_histogram` is counts and edges, as `numpy.histogram` gives them")
    counts, edges = (tuple(_numbers(part)) for part in given)
    if not 0 < len(counts) <= MOST_BINS or len(edges) != len(counts) + 1:
        raise ValueError(f"{len(counts)} counts (at most {MOST_BINS}) need one edge more")
    if not all(map(isfinite, (*counts, *edges))) or list(edges) != sorted(edges):
        raise ValueError("counts and edges are finite, and edges do not fall")
    return Bins(edges, counts)


def _count(values: Any, n_bins: int) -> Bins:
    numpy = sys.modules.get("numpy")
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype):  # numpy has no such type
            values = values.float()
    if numpy is None or not hasattr(values, "__array__"):
        return count_bins(list(_numbers(values)), n_bins)
    array = numpy.asarray(values).ravel()
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a histogram is of numbers, not of {array.dtype}")
    finite = array[numpy.isfinite(array)].astype(numpy.float64)
    # numpy takes no range so wide, or so narrow, that floats cannot divide it.
    if finite.size and not isfinite(float(finite.max()) - float(finite.min())):
        return count_bins(array.tolist(), n_bins)
    try:
        counts, edges = numpy.histogram(finite, bins=n_bins)
    except ValueError:
        return count_bins(array.tolist(), n_bins)
    return Bins(tuple(edges.tolist()), tuple(counts.tolist()), int(array.size - finite.size))


def _numbers(values: Any) -> Iterator[float]:
    """All numbers in nested sequences."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, (str, bytes)):
        raise TypeError(f"a histogram is of numbers, not of {type(values).__qualname__}")
    if isinstance(values, int) and abs(values) <= _EXACT:
        yield int(values)
    elif hasattr(values, "__iter__"):
        for value in values:
            yield from _numbers(value)
    else:
        try:
            yield float(values)
        except (TypeError, ValueError, OverflowError) as error:
            raise TypeError(
                f"a histogram is of numbers, not of {type(values).__qualname__}"
            ) from error
