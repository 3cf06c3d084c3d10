"""Sounds, films and pages that training code logs, with the names they have in W&B."""

import os
from pathlib import Path
from typing import Any

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.imagetype import find_image_type
from repro.sdk.filed import FileMedium
from repro.sdk.loggable import Keep
from repro.sdk.pictured import Pictured
from repro.sdk.pixels import encode_frames
from repro.sdk.samples import encode_wav


class Html(FileMedium):
    """A page: its text, its path, or an open file. The web page of repro never runs it.

    Args:
        inject: Accepted for W&B's sake.
        data_is_not_path: Whether a text that names a file is the page itself all the same.

    Raises:
        InvalidInputError: The file cannot be read.
    """

    kind = "html"

    def __init__(
        self,
        data: Any,
        inject: bool = True,  # noqa: ARG002  a word of W&B
        data_is_not_path: bool = False,
    ) -> None:
        if hasattr(data, "read"):
            data = data.read()
        elif isinstance(data, os.PathLike) or (
            isinstance(data, str) and not data_is_not_path and _is_page(data)
        ):
            data = _read(Path(data))
        super().__init__(data.encode() if isinstance(data, str) else bytes(data), ".html")


class Audio(FileMedium):
    """A sound: the path of a file, or samples, which become a WAV file of 16 bits.

    Args:
        data_or_path: Samples of shape (n,) or (n, channels); floats from -1 to 1, or integers.
        sample_rate: Of samples, in Hz.

    Raises:
        InvalidInputError: The file cannot be read.
        TypeError: Samples are no numbers.
        ValueError: Samples have no rate, or another shape.
    """

    kind = "audio"

    def __init__(
        self, data_or_path: Any, sample_rate: int | None = None, caption: str | None = None
    ) -> None:
        if isinstance(data_or_path, (str, os.PathLike)):
            path = Path(data_or_path)
            super().__init__(_read(path), path.suffix, caption)
            return
        if sample_rate is None:
            raise ValueError("samples need their `sample_rate`, in Hz")
        super().__init__(encode_wav(data_or_path, int(sample_rate)), ".wav", caption)


class Video(FileMedium):
    """A film: the path of a file. Frames, and a GIF, are a picture that moves instead.

    Args:
        data_or_path: The path of a file; or frames of shape (time, channels, height, width),
            which become an animated PNG.
        fps: Frames a second, by default 4.
        format: Accepted for W&B's sake: a file has its own.

    Raises:
        InvalidInputError: The file cannot be read.
        TypeError: Frames are no numbers.
        ValueError: Frames have another shape, or are more than 64 MiB.
    """

    kind = "video"

    def __init__(
        self,
        data_or_path: Any,
        caption: str | None = None,
        fps: int | None = None,
        format: str | None = None,  # noqa: ARG002  a word of W&B
    ) -> None:
        if isinstance(data_or_path, (str, os.PathLike)):
            path = Path(data_or_path)
            super().__init__(_read(path), path.suffix, caption)
        else:
            super().__init__(encode_frames(data_or_path, fps or 4), ".png", caption)
        is_picture = find_image_type(self.data) is not None
        self._picture = Pictured(self.data, self.caption) if is_picture else None

    def files(self, label: str) -> dict[str, bytes]:
        """The file of a film; none of a picture that moves."""
        return super().files(label) if self._picture is None else {}

    def describe(self, keep: Keep) -> dict[str, Json]:
        """The entry in the journal of a picture that moves."""
        return super().describe(keep) if self._picture is None else self._picture.describe(keep)


def _is_page(text: str) -> bool:
    return text.endswith((".html", ".htm")) and "\n" not in text and Path(text).is_file()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInputError(f"`{path}` cannot be read: {reason}") from error
