"""A file that training code logs, kept as an artifact under the name and step it was logged at."""

import re
from typing import Any

from repro.model.canonical import Json
from repro.model.medium import LONGEST_CAPTION
from repro.sdk.loggable import Keep, Media

_SUFFIX = re.compile(r"(?:\.\w{1,12}){1,2}", re.ASCII)


class FileMedium(Media):
    """A file that `log()` keeps as the artifact `media/<kind>/<name>_<step>_<place>.<suffix>`.

    Attributes:
        data: Its bytes.
        suffix: With the dot; empty where the file has none, or an odd one.
        caption: Kept in a text file beside it.
    """

    kind = "file"

    def __init__(self, data: bytes, suffix: str, caption: str | None = None) -> None:
        self.data = data
        self.suffix = suffix.lower() if _SUFFIX.fullmatch(suffix) else ""
        self.caption = None if caption is None else str(caption)[:LONGEST_CAPTION]

    def files(self, label: str) -> dict[str, bytes]:
        """The file, and its caption in another one."""
        stem = f"media/{self.kind}/{label}"
        said = {} if self.caption is None else {f"{stem}.txt": self.caption.encode()}
        return {**said, f"{stem}{self.suffix}": self.data}

    def describe(self, keep: Keep) -> dict[str, Json]:  # noqa: ARG002  it has an artifact instead
        """Not asked for, since nothing of it is in `media.jsonl`."""
        raise TypeError(f"a {self.kind} is kept as an artifact, by itself")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.data):,} bytes>"


class Plotly(FileMedium):
    """A figure of plotly, as the JSON from which plotly makes it again."""

    kind = "plotly"

    def __init__(self, val: Any) -> None:
        super().__init__(val.to_json().encode(), ".plotly.json")
