"""One folder of a dataset whose files are being read."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from repro.core.crew import HashTask
from repro.store.batch import Batch
from repro.store.content import ContentStore
from repro.store.hashing import HashedFile, Hasher, Keep
from repro.store.scan import WORD, sign
from repro.store.statcache import KnownFile, is_racy

if TYPE_CHECKING:
    from concurrent.futures import Future


class Reading:
    """The files of a folder: those that are known, and those that are still to be hashed.

    Attributes:
        path: Of the folder, relative to the top of its dataset.
        place: Its absolute path.
        tasks: What is to be hashed.
        futures: The large ones of these, in the hands of threads.
    """

    def __init__(
        self,
        path: str,
        place: str,
        fd: int,
        looked_ns: int,
        done: dict[str, KnownFile],
        tasks: list[HashTask],
        order: list[str],
    ) -> None:
        """Start with nothing hashed.

        Args:
            fd: The folder, open; closed by `close`.
            looked_ns: The time at which its files were looked at.
            done: Those that are known.
            order: All names, in the order of the listing.
        """
        self.path = path
        self.place = place
        self.tasks = tasks
        self.futures: list[tuple[HashTask, Future[HashedFile]]] = []
        self._fd = fd
        self._looked_ns = looked_ns
        self._done = done
        self._order = order

    @property
    def is_done(self) -> bool:
        """Whether no thread is at work for it any more."""
        return all(future.done() for _, future in self.futures)

    def take(self, task: HashTask, hashed: HashedFile) -> None:
        """Note that a file is hashed."""
        self._done[task.label] = as_known(task.label, hashed, self._looked_ns)

    def known_so_far(self) -> list[KnownFile]:
        """All files that are known by now."""
        return [self._done[name] for name in self._order if name in self._done]

    def close(self) -> None:
        """Let go of the folder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def keeper(content: ContentStore | None, batch: Batch | None) -> Keep | None:
    """Give what keeps the bytes of an open file in `content`; None for None.

    Args:
        batch: Of `content`; entries are there when it is flushed.
    """
    if content is None:
        return None

    def keep(fd: int, size: int, hasher: Hasher) -> str:
        return content.put_open(fd, also=hasher, size=size, batch=batch).removeprefix("sha256:")

    return keep


def as_known(name: str, hashed: HashedFile, looked_ns: int) -> KnownFile:
    """Give a hashed file as the cache remembers it: without times where they prove nothing."""
    status = hashed.status
    mode, size, mtime_ns, ctime_ns, inode = stat_numbers(status)
    if is_racy(max(status.st_mtime_ns, status.st_ctime_ns), looked_ns):
        mtime_ns = ctime_ns = 0
    return KnownFile(name, mode, size, mtime_ns, ctime_ns, inode, None, hashed.xxh3, hashed.sha256)


def sign_known(files: Sequence[KnownFile], folders: Sequence[str]) -> str:
    """The signature of a listing of these files and folders; empty if one is to be read again."""
    # One that is not to be believed next time has no times, and no listing is like that.
    if all(one.mtime_ns or one.target is not None for one in files):
        return sign([one[:7] for one in files], folders)
    return ""


def stat_numbers(status: os.stat_result) -> tuple[int, int, int, int, int]:
    """Mode, size, both times, inode, as a listing has them."""
    times = (status.st_mtime_ns & WORD, status.st_ctime_ns & WORD)
    return (status.st_mode, status.st_size, *times, status.st_ino)
