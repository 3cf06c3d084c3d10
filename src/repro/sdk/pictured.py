"""A picture on its way into a record."""

from io import BytesIO
from typing import Any

from repro.model.canonical import Json
from repro.model.imagetype import find_image_size, find_image_type
from repro.model.medium import LARGEST_IMAGE, Kind, MediaFile, Medium
from repro.sdk.filed import Plotly
from repro.sdk.loggable import Keep, Media, find_figure, is_plotly
from repro.store.media import encode_item


class Pictured(Media):
    """A picture in one of the types that browsers show, as bytes.

    Attributes:
        caption: A text beside it.
        data: The bytes of the file.
        format: `png`, `jpeg`, `gif` or `webp`.
        width: Pixels, None where the file does not say; `height` likewise.
    """

    def __init__(self, data: bytes, caption: str | None = None) -> None:
        kind = find_image_type(data)
        if kind is None:
            raise ValueError("the bytes are no PNG, JPEG, GIF or WebP")
        if len(data) > LARGEST_IMAGE:
            raise ValueError(f"an image has at most {LARGEST_IMAGE:,} bytes as a file")
        sides = find_image_size(data)
        self.data = data
        self.caption = caption
        self.format = kind
        self.width: int | None = None if sides is None else sides[0]
        self.height: int | None = None if sides is None else sides[1]

    def keep(self, keep: Keep) -> MediaFile:
        """Have `keep` keep the file."""
        return keep(self.data, self.format, find_image_size(self.data))

    def describe(self, keep: Keep) -> dict[str, Json]:
        """The entry in the journal, once `keep` has the file."""
        return encode_item(blank("image", caption=self.caption, file=self.keep(keep)))


def blank(kind: Kind, **values: Any) -> Medium:
    """A medium that has no name and step yet."""
    return Medium(name="", step=0, time=0.0, place=0, kind=kind, **values)


def find_medium(value: object) -> Media | None:
    """The medium that `value` is, or a picture of it if it is a figure; None for all else."""
    if isinstance(value, Media):
        return value
    if is_plotly(value):
        return Plotly(value)
    figure = find_figure(value)
    return None if figure is None else Pictured(draw_figure(figure))


def draw_figure(figure: Any) -> bytes:
    """A PNG of a figure of matplotlib, in its own size."""
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
