"""Where the bytes of datasets are kept for others: a folder, a bucket, a server."""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import unquote

from repro.atomic import fsync_dir
from repro.errors import DamagedRecordError, InvalidInputError, RemoteError
from repro.store.arrival import (
    BLOCK,
    ObjectError,
    Outcome,
    Report,
    Wanted,
    is_here,
    move_each,
    receive,
)
from repro.store.content import ContentStore
from repro.store.git import Repository
from repro.store.remote_fsspec import open_place
from repro.store.remote_lfs import open_lfs
from repro.store.remote_url import SCHEMES

LFS = "lfs"
SILENCE_S = 60.0

_INCOMING = "incoming"  # files on their way into a folder, renamed once they are whole
_ABANDONED_S = 86_400.0  # a transfer that wrote nothing for so long is dead
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ALLOWED = f"a folder, file://, {', '.join(f'{scheme}://' for scheme in SCHEMES)}, or `{LFS}`"


class Remote(Protocol):
    """A store of objects by their sha256, for whoever may read or write it."""

    @property
    def label(self) -> str:
        """What messages call it; no credentials are in it."""
        ...

    def send(self, content: ContentStore, wanted: Sequence[Wanted], on_bytes: Report) -> Outcome:
        """Put objects there that it lacks; each is hashed on its way.

        Nothing there is ever overwritten, and no object has its name before it is whole.
        A second call goes on where a broken one ended.

        Args:
            on_bytes: Called with the bytes that are there now, object by object and piece by
                piece, those that were there before included.

        Raises:
            RemoteError: It is not there, refuses, gives no answer, or is full.
        """
        ...

    def fetch(self, content: ContentStore, wanted: Sequence[Wanted], on_bytes: Report) -> Outcome:
        """Bring objects into the content store that it lacks; each is hashed on its way.

        A second call goes on where a broken one ended, inside of an object too.

        Raises:
            RemoteError: It is not there, refuses, or gives no answer.
            StorageError: The disk here is full, read-only or forbidden.
        """
        ...


class Place(Protocol):
    """Where objects lie under their names, by one technology.

    Every method raises ObjectError for what concerns that object only, RemoteError for the rest.

    Attributes:
        label: What messages call it.
        n_parallel: How many threads may use it at once.
    """

    label: str
    n_parallel: int

    def size(self, one: Wanted) -> int | None:
        """Bytes of the object there; None when there is none."""
        ...

    def read(self, one: Wanted, offset: int) -> Iterator[bytes]:
        """The bytes of the object from `offset` on, in blocks, and no more than a bit too many."""
        ...

    def write(self, one: Wanted, source: IO[bytes], report: Report) -> None:
        """Put the bytes of `source` there, whole or not at all."""
        ...


class ObjectRemote:
    """A remote that is a place for objects.

    Attributes:
        label: What messages call it.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self.label = place.label

    def send(self, content: ContentStore, wanted: Sequence[Wanted], on_bytes: Report) -> Outcome:
        """See `Remote`. Cost: Reads each object that is not there twice: hashed, then sent."""

        def move(one: Wanted, report: Report) -> None:
            self._send_one(content, one, report)

        return move_each(wanted, move, on_bytes, n_parallel=self._place.n_parallel)

    def _send_one(self, content: ContentStore, one: Wanted, report: Report) -> None:
        size = self._place.size(one)
        if size == one.size:
            report(size)
            return
        if size is not None:
            raise ObjectError(f"`{self.label}` holds another object under this name")
        try:
            source = content.open(one.digest)
        except DamagedRecordError as error:
            raise ObjectError(error.message) from error
        with source:
            found = os.fstat(source.fileno()).st_size
            if found != one.size:
                raise ObjectError(f"it has {found} bytes here, and not {one.size}")
            self._place.write(one, source, report)

    def fetch(self, content: ContentStore, wanted: Sequence[Wanted], on_bytes: Report) -> Outcome:
        """See `Remote`."""

        def move(one: Wanted, report: Report) -> None:
            receive(content, one, lambda offset: self._place.read(one, offset), report)

        here = dict.fromkeys(one for one in wanted if is_here(content, one))
        for one in here:
            on_bytes(one.size)
        away = [one for one in wanted if one not in here]
        moved = move_each(away, move, on_bytes, n_parallel=self._place.n_parallel)
        done = {*here, *moved.done}
        return Outcome(tuple(one for one in dict.fromkeys(wanted) if one in done), moved.failed)

    def find_lacking(self, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
        """Those objects that are not there whole; none of them is read.

        Raises:
            RemoteError: It is not there, refuses, or gives no answer.

        Cost: one question for each object.
        """

        def look(one: Wanted, report: Report) -> None:
            report(0)
            if self._place.size(one) != one.size:
                raise ObjectError(f"`{self.label}` does not have it")

        found = move_each(wanted, look, lambda _: None, n_parallel=self._place.n_parallel)
        return tuple(one for one, _ in found.failed)


class FolderPlace:
    """A folder of this machine, or one that is mounted here."""

    n_parallel = 8

    def __init__(self, folder: Path) -> None:
        self.label = os.path.normpath(folder)
        self._folder = folder

    def size(self, one: Wanted) -> int | None:
        """See `Place`."""
        with self._speaking():
            try:
                found = (self._folder / one.key).stat()
            except FileNotFoundError:
                return None
        return found.st_size if stat.S_ISREG(found.st_mode) else -1

    def read(self, one: Wanted, offset: int) -> Iterator[bytes]:
        """See `Place`."""
        with self._speaking():
            try:
                # A named pipe would hold us for ever.
                fd = os.open(self._folder / one.key, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except FileNotFoundError as error:
                raise self._absent() from error
            with os.fdopen(fd, "rb") as source:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise ObjectError(f"what `{self.label}` has is no file")
                source.seek(offset)
                yield from iter(lambda: source.read(BLOCK), b"")

    def write(self, one: Wanted, source: IO[bytes], report: Report) -> None:
        """See `Place`."""
        target = self._folder / one.key
        with self._speaking():
            incoming = self._make_folders(target.parent)
            path = incoming / os.urandom(16).hex()
            try:
                with open(path, "xb", opener=_open_readable) as file:
                    while block := source.read(BLOCK):
                        file.write(block)
                        report(len(block))
                    file.flush()
                    os.fsync(file.fileno())
                    _sweep(incoming, os.fstat(file.fileno()).st_mtime)
                _give_name(path, target)
            finally:
                with suppress(OSError):  # it is swept another day
                    path.unlink(missing_ok=True)

    def _make_folders(self, parent: Path) -> Path:
        """Make the folders for an object, and give the one for those on their way."""
        # Its parent is not made: it may be a disk that is not mounted.
        self._folder.mkdir(exist_ok=True)
        incoming = self._folder / _INCOMING
        incoming.mkdir(exist_ok=True)
        if not parent.exists():
            parent.mkdir(parents=True, exist_ok=True)
            for folder in parent.parents[:2]:
                fsync_dir(folder)
        return incoming

    def _absent(self) -> Exception:
        if self._folder.is_dir():
            return ObjectError(f"`{self.label}` does not have it")
        return RemoteError(
            f"there is no folder `{self.label}`", hint="mount it, or mend `store` in repro.yaml"
        )

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise self._absent() from error
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RemoteError(
                f"`{self.label}` cannot be used: {reason}",
                hint="free space or mend the permissions, then run the command again",
            ) from error


def _open_readable(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o444)


def _give_name(path: Path, target: Path) -> None:
    """Name a whole file durably; what has the name already stays."""
    size = path.stat().st_size
    try:
        os.link(path, target)
    except FileExistsError:
        pass  # another process was a step ahead
    except OSError:  # a file system without second names
        if not target.exists():
            path.replace(target)
    if target.stat().st_size != size:
        raise ObjectError(f"`{target}` holds another object under this name")
    fsync_dir(target.parent)


def _sweep(incoming: Path, now: float) -> None:
    """Remove what killed transfers left, by the clock of that file system."""
    with suppress(OSError), os.scandir(incoming) as entries:
        for entry in entries:
            if now - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_S:
                Path(entry.path).unlink(missing_ok=True)


def open_remote(
    store: str,
    repository: Repository,
    environ: Mapping[str, str],
    *,
    silence_s: float = SILENCE_S,
) -> Remote:
    """Give the remote that the setting `store` names; nothing is asked of it yet.

    Args:
        store: A folder (a relative one is meant from the root of the working tree), a URL, or
            `lfs` for the LFS server of the git remote.
        environ: Where `~` leads; drivers find their credentials themselves.
        silence_s: Seconds without a byte after which a server counts as hung.

    Raises:
        InvalidInputError: It is none of these, or its driver is not installed.
        RemoteError: `lfs` without git-lfs, or without a git remote.
    """
    if store == LFS:
        return open_lfs(repository)
    return ObjectRemote(_open_place(store, repository, environ, silence_s))


def _open_place(
    store: str, repository: Repository, environ: Mapping[str, str], silence_s: float
) -> Place:
    url = _URL.match(store)
    if not store.strip() or not store.isprintable():
        raise _refused("it is empty, or holds what cannot be printed", _ALLOWED)
    if "::" in store:
        raise _refused("it chains several", _ALLOWED)
    if url is None:
        if ":" in store.partition("/")[0]:
            raise _refused("it is neither a folder nor a URL", f"`ssh://HOST/PATH` or {_ALLOWED}")
        home = environ.get("HOME")
        at_home = store == "~" or store.startswith("~/")
        return FolderPlace(Path(home, store[2:]) if home and at_home else repository.root / store)
    scheme = url[1].lower()
    if scheme == "file":
        host, slash, path = store[url.end() :].partition("/")
        if host not in ("", "localhost") or not slash:
            raise _refused("a file:// URL has three slashes", "`file:///srv/data`")
        return FolderPlace(Path("/" + unquote(path)))
    if scheme not in SCHEMES:
        raise _refused(f"repro does not know `{scheme}://`", _ALLOWED)
    return open_place(store, silence_s=silence_s)


def _refused(reason: str, allowed: str) -> InvalidInputError:
    # The setting itself is not told: there may be a password in it.
    return InvalidInputError(f"`store` is no remote store: {reason}", hint=f"use {allowed}")
