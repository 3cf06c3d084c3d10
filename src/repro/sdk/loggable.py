"""What `log()` takes beside numbers: media, lists of them, figures of matplotlib and plotly."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from repro.model.canonical import Json

if TYPE_CHECKING:
    from repro.model.medium import FileType, MediaFile

Keep = Callable[[bytes, "FileType", tuple[int, int] | None], "MediaFile"]
"""Keeps bytes for the record, with the width and height of a picture."""


class Media:
    """Something to look at that `log()` keeps with the run."""

    def describe(self, keep: Keep) -> dict[str, Json]:
        """The entry in the journal, once `keep` has what it names."""
        raise NotImplementedError

    def files(self, label: str) -> dict[str, bytes]:  # noqa: ARG002  most have none
        """The artifacts that are kept in place of an entry, bytes by name; most have none.

        Args:
            label: `<name>_<step>_<place>`, which sets them apart from all others.
        """
        return {}


def find_media(value: object) -> list[object] | None:
    """The media and figures that `value` is or lists; None where it is anything else."""
    several = list(value) if isinstance(value, (list, tuple)) else [value]
    return several if several and all(map(_is_medium, several)) else None


def _is_medium(value: object) -> bool:
    return isinstance(value, Media) or find_figure(value) is not None or is_plotly(value)


def is_plotly(value: object) -> bool:
    """Whether `value` is a figure of plotly, which is not imported for it."""
    figures = sys.modules.get("plotly.basedatatypes")
    return figures is not None and isinstance(value, figures.BaseFigure)


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
    figure = value.get_figure()  # of a figure itself, too
    return None if figure is None else figure.figure  # a part of a figure cannot be saved
