"""What `log()` takes beside numbers: media, lists of them, figures of matplotlib."""

import sys
from collections.abc import Callable
from io import BytesIO
from types import ModuleType
from typing import Any

from repro.model.canonical import Json
from repro.model.imagetype import find_image_size, find_image_type
from repro.model.medium import LARGEST_IMAGE, FileType, Kind, MediaFile, Medium
from repro.store.media import encode_item

Keep = Callable[[bytes, FileType, tuple[int, int] | None], MediaFile]
"""Keeps bytes for the record, with the width and height of a picture."""


class Media:
    """Something to look at that `log()` keeps with the run."""

    def describe(self, keep: Keep) -> dict[str, Json]:
        """The entry in the journal, once `keep` has what it names."""
        raise NotImplementedError


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


def find_media(value: object) -> list[Media] | None:
    """The media that `value` stands for; None where it stands for none."""
    if isinstance(value, (list, tuple)):
        media = []
        for item in value:
            one = find_medium(item)
            if one is None:
                return None
            media.append(one)
        return media or None
    one = find_medium(value)
    return None if one is None else [one]


def find_medium(value: object) -> Media | None:
    """The one medium that `value` stands for; None where it stands for none."""
    if isinstance(value, Media):
        return value
    figure = find_figure(value)
    return None if figure is None else Pictured(draw_figure(figure))


def find_figure(value: object) -> Any:
    """The figure that `value` is, is part of, or, being `pyplot`, has; None for all else.

    matplotlib is not imported: what it made is there only once it was.
    """
    if isinstance(value, ModuleType):
        is_pyplot = value is sys.modules.get("matplotlib.pyplot")
        return value.gcf() if is_pyplot else None
    artists = sys.modules.get("matplotlib.artist")
    if artists is None or not isinstance(value, artists.Artist):
        return None
    return value.get_figure()  # of a figure itself, too


def draw_figure(figure: Any) -> bytes:
    """A PNG of a figure of matplotlib, in its own size."""
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
