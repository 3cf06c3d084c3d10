"""All folders of a dataset at one moment, with what is still known of each."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from repro.core.measured import Source
from repro.errors import InvalidInputError
from repro.model.manifest import join_path
from repro.model.text import escape
from repro.store.scan import Listing, list_folder
from repro.store.statcache import KnownFolder

_MOST_LISTED = 500_000  # files; what more there are is listed a second time


_Identity = tuple[int, int]
"""What tells a folder from every other: its device and inode."""


@dataclass(slots=True)
class Folder:
    """A folder on the way to its page.

    Attributes:
        path: Relative to the top, empty for the top.
        depth: How many folders it is below the top, or below a link that was followed.
        names: Of the folders right in it.
        known: What the cache says of it, None where that is outdated.
        listing: What was found in it, as far as there is memory for that.
        signature: Of its files, once they are hashed.
        vouched: As in `KnownFolder`.
    """

    path: str
    depth: int
    names: list[str]
    known: KnownFolder | None
    listing: Listing | None = None
    signature: str = ""
    vouched: str = ""


class _Waiting(NamedTuple):
    """A folder that is still to be looked at.

    Attributes:
        path: Relative to the top.
        depth: As in `Folder`.
        above: The folders that it is in.
        is_linked: Whether a link is on the way to it.
    """

    path: str
    depth: int
    above: frozenset[_Identity]
    is_linked: bool


class Looks:
    """Looks at the folders of a dataset.

    Attributes:
        files: How many files are in folders that are not known as they are.
        size: Their bytes.
        left_out: Paths of what no record may hold.
        followed: Paths of the links that were followed.
    """

    def __init__(self, source: Source, epoch: str) -> None:
        """Look at nothing yet.

        Args:
            epoch: Of the content store.
        """
        self.files = self.size = 0
        self.left_out: list[str] = []
        self.followed: list[str] = []
        self._seen: dict[_Identity, tuple[str, bool]] = {}
        self._source = source
        self._epoch = epoch
        self._top = str(source.top)

    def look(self, known: Mapping[str, KnownFolder]) -> list[Folder]:
        """Give all folders, each before those inside of it.

        Args:
            known: By absolute path.

        Raises:
            InvalidInputError: One cannot be read, or holds what no dataset can.

        Cost: one `stat` a file. Two processes that share them took longer than one (measured on
        two processors), and so did two threads.
        """
        folders: list[Folder] = []
        waiting = [_Waiting("", 0, frozenset(), is_linked=False)]
        self._seen.clear()
        while waiting:
            path, depth, above, is_linked = waiting.pop()
            before = known.get(self.place(path))
            listing, here, followed = self.list(path, depth)
            if here in above:
                raise InvalidInputError(
                    f"`{escape(path)}` is a link to a folder that it lies in",
                    hint="take the link out of the dataset",
                )
            folders.append(self._judge(Folder(path, depth, listing.folders, before), listing))
            inside = above
            if self._source.follow:
                self._refuse_twice(here, path, is_linked=is_linked)
                inside = above | {here}
            # In a folder elsewhere `..` leads to what is beside it there, not in the dataset.
            for inner in (join_path(path, name) for name in listing.folders):
                is_link = inner in followed
                below = 0 if is_link else depth + 1
                waiting.append(_Waiting(inner, below, inside, is_linked or is_link))
        return folders

    def _refuse_twice(self, here: _Identity, path: str, *, is_linked: bool) -> None:
        """Refuse a folder that links lead to again: a few of them can double it without end."""
        before, was_linked = self._seen.setdefault(here, (path, is_linked))
        if before != path and (is_linked or was_linked):  # else it is mounted in two places
            one, other = sorted((before, path))
            raise InvalidInputError(
                f"`{escape(one)}` and `{escape(other)}` are one folder, which a link leads to",
                hint="take one of the links out of the dataset",
            )

    def _judge(self, folder: Folder, listing: Listing) -> Folder:
        if folder.known is not None and self._is_same(folder.known, listing.signature):
            return folder
        folder.known = None
        if self.files < _MOST_LISTED:
            folder.listing = listing
        self.files += len(listing.found)
        self.size += listing.size
        return folder

    def _is_same(self, known: KnownFolder, signature: str) -> bool:
        if self._source.keep is not None:
            is_there = known.vouched != "" and known.vouched == self._epoch
            if self._source.recheck or not is_there:
                return False
        return bool(signature) and known.signature == signature

    def list(self, path: str, depth: int) -> tuple[Listing, _Identity, frozenset[str]]:
        """A folder at this moment, what tells it from every other, and the links followed in it.

        Raises:
            InvalidInputError: It cannot be read, or holds what no dataset can.
        """
        fd = self.open(path)
        followed: list[str] = []
        try:
            follow = followed.append if self._source.follow else None
            listing = list_folder(fd, where=path, depth=depth, follow=follow)
            status = os.fstat(fd)
        except OSError as error:
            raise self._refusal(path, error) from error
        finally:
            os.close(fd)
        self.left_out += [join_path(path, name) for name in listing.left_out]
        self.followed += followed
        return listing, (status.st_dev, status.st_ino), frozenset(followed)

    def open(self, path: str) -> int:
        """A folder, opened for looking.

        Raises:
            InvalidInputError: It cannot be read.
        """
        # Only the top may be a link, or where links are followed.
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        if path and not self._source.follow:
            flags |= os.O_NOFOLLOW
        try:
            return os.open(self.place(path), flags)
        except OSError as error:
            raise self._refusal(path, error) from error

    def place(self, path: str) -> str:
        """The absolute path of a folder."""
        return join_path(self._top, path) if path else self._top

    def vanished(self, path: str) -> InvalidInputError:
        """The error for files that go while they are looked at."""
        return InvalidInputError(
            f"files in `{escape(self.place(path))}` vanish while they are read",
            hint="wait until nothing writes to the dataset",
        )

    def _refusal(self, path: str, error: OSError) -> InvalidInputError:
        if isinstance(error, FileNotFoundError):
            return self.vanished(path)
        return InvalidInputError(
            f"the folder `{escape(path or '.')}` of the dataset cannot be read: {error.strerror}",
            hint="mend its permissions, or take it out of the dataset",
        )
