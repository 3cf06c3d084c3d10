"""What a dataset was found to hold, and where one looks for it: values only."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repro.model.manifest import Page
from repro.store.content import ContentStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a dataset lies, and how it is to be read.

    Attributes:
        top: Its folder, or its one file; absolute.
        follow: Whether links that lead out of it are followed.
        keep: Where its bytes are kept, None where they are not.
        recheck: Whether to look after each kept file, and not to believe that it is still there.
    """

    top: Path
    follow: bool = False
    keep: ContentStore | None = None
    recheck: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading is.

    Attributes:
        files: Read so far, of `all_files`.
        size: Bytes read so far, of `all_size`.
    """

    files: int
    all_files: int
    size: int
    all_size: int


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A dataset as it was found.

    Attributes:
        digest: 32 hex digits: the xxh3-128 of the top page, or of the one file.
        files: Files and links.
        size: Their bytes.
        page_of: Gives the page of a folder by its path relative to the top, empty for the top.
        left_out: Paths of what no record may hold, such as `.git`.
        followed: Paths of the links that were followed.
        n_read: Files that had to be read.
        epoch: Of the content store, when the reading began; empty where nothing is kept.
    """

    digest: str
    is_file: bool
    files: int
    size: int
    page_of: Callable[[str], Page]
    left_out: tuple[str, ...]
    followed: tuple[str, ...]
    n_read: int
    epoch: str = ""
