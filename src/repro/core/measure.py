"""The manifest of a dataset as it lies on disk now, reading only what changed."""

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from repro.core.crew import Crew, HashTask
from repro.core.looking import Folder, Looks
from repro.core.measured import Measured, OnProgress, Progress, Source
from repro.core.reading import Reading, as_known, keeper, sign_known, stat_numbers
from repro.errors import InvalidInputError, StorageError
from repro.model.manifest import (
    Entry,
    FileEntry,
    FolderEntry,
    Page,
    format_page,
    join_path,
    sort_entries,
    total_of,
)
from repro.model.text import escape
from repro.store.batch import Batch
from repro.store.entries import read_epoch
from repro.store.hashing import Tally, digest_bytes
from repro.store.scan import Raw
from repro.store.statcache import KnownFile, KnownFolder, StatCache

_TRIES = 3
_FLUSH_S = 2.0  # what a kill costs at most
_MOST_OPEN = 32  # folders whose large files are being read


def measure(
    source: Source,
    cache: StatCache,
    *,
    now_ns: Callable[[], int],
    on_progress: OnProgress | None = None,
) -> Measured:
    """Give the manifest of a dataset, hashing what the cache does not know.

    Interrupted, it leaves what it hashed in the cache, and a second call goes on from there.

    Args:
        now_ns: The time, in nanoseconds since 1970.
        on_progress: Called several times a second while files are read.

    Raises:
        InvalidInputError: There is no such file or folder; or a thing in it can be in no dataset,
            cannot be read, or never stands still.
        StorageError: Bytes that are to be kept cannot be.

    Cost: one `stat` a file, and the reading of new and changed files; memory for one folder.
    """
    try:
        mode = source.top.stat().st_mode
    except OSError as error:
        raise InvalidInputError(
            f"there is no dataset at `{escape(str(source.top))}`: {error.strerror}",
            hint="`repro data ls` lists the datasets; `repro data rm NAME` drops one",
        ) from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise InvalidInputError(
            f"`{escape(str(source.top))}` is neither a file nor a folder",
            hint="a dataset is a folder of files, or one file",
        )
    walk = _Walk(source, cache, now_ns, on_progress)
    with walk.saving():
        return walk.measure_file() if stat.S_ISREG(mode) else walk.measure_folder()


class _Walk:
    """One measuring: a look at all folders, then the reading, then the pages from below."""

    def __init__(
        self,
        source: Source,
        cache: StatCache,
        now_ns: Callable[[], int],
        on_progress: OnProgress | None,
    ) -> None:
        self._source = source
        self._top = str(source.top)
        self._cache = cache
        self._now_ns = now_ns
        self._on_progress = on_progress
        self._tally = Tally()
        self._batch: Batch | None = None
        self._crew = Crew(self._tally, None)
        self._epoch = ""
        self._looks = Looks(source, self._epoch)
        self._flushed = time.monotonic()
        self._open: deque[tuple[Folder, Reading]] = deque()

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Keep what was hashed, however this ends."""
        content = self._source.keep
        try:
            with nullcontext() if content is None else content.batch() as batch:
                self._batch = batch
                if content is not None:
                    self._epoch = read_epoch(content.dir)
                    self._looks = Looks(self._source, self._epoch)
                self._crew = Crew(self._tally, keeper(content, batch))
                try:
                    yield
                finally:
                    self._tally.stop.set()
                    self._crew.close()
        except (StorageError, OSError):
            self._cache.drop()  # it may name bytes as kept that are not
            raise
        except BaseException:
            for _, reading in self._open:
                self._cache.put_files(reading.place, reading.known_so_far())
            self._cache.flush()
            raise
        else:
            self._cache.flush()
        finally:
            for _, reading in self._open:
                reading.close()

    def measure_file(self) -> Measured:
        """The manifest of a dataset that is one file."""
        name = self._source.top.name
        before = self._cache.files(self._top)
        status = self._source.top.stat()
        now = (name, *stat_numbers(status), None)
        hit = next((one for one in before if self._is_known(one, now)), None)
        if hit is None:
            self._looks.files, self._looks.size = 1, status.st_size
            looked = self._now_ns()
            top = os.path.realpath(self._top)
            task = HashTask(top, None, self._top, status.st_size)
            try:
                [hashed] = self._crew.hash([task], self._report)
            except FileNotFoundError as error:
                raise self._looks.vanished("") from error
            hit = as_known(name, hashed, looked)
            self._cache.put_files(self._top, [hit])
        entry = self._entry(hit)
        assert isinstance(entry, FileEntry)
        return self._result(entry.digest, 1, entry.size, lambda _: (entry,), is_file=True)

    def measure_folder(self) -> Measured:
        """The manifest of a dataset that is a folder."""
        known = self._cache.folders(self._top)
        folders = self._looks.look(known)
        self._cache.forget(known.keys() - {self._looks.place(folder.path) for folder in folders})
        for folder in folders:
            if folder.known is None:
                self._read(folder)
        self._finish_all()
        pages: dict[str, FolderEntry] = {}
        for folder in reversed(folders):  # those inside come before what holds them
            self._turn_page(folder, pages)
        top = pages[""]
        return self._result(top.digest, top.files, top.size, self._page_of, is_file=False)

    def _result(
        self, digest: str, files: int, size: int, page_of: Callable[[str], Page], *, is_file: bool
    ) -> Measured:
        return Measured(
            digest=digest,
            is_file=is_file,
            files=files,
            size=size,
            page_of=page_of,
            left_out=tuple(sorted(set(self._looks.left_out))),
            followed=tuple(sorted(set(self._looks.followed))),
            n_read=self._tally.files,
            epoch=self._epoch,
        )

    def _read(self, folder: Folder) -> None:
        """Hash the files of a folder; its large ones may be read on while others are looked at."""
        for attempt in range(_TRIES):
            reading = self._start(folder)
            self._open.append((folder, reading))
            try:
                self._hash_small(reading)
                break
            except FileNotFoundError as error:
                self._open.pop()
                reading.close()
                if attempt == _TRIES - 1:
                    raise self._looks.vanished(folder.path) from error
        while self._open and (len(self._open) > _MOST_OPEN or self._open[0][1].is_done):
            self._finish()

    def _start(self, folder: Folder) -> Reading:
        listing = folder.listing or self._looks.list(folder.path, folder.depth)[0]
        folder.listing = None
        place = self._looks.place(folder.path)
        before = {one.name: one for one in self._cache.files(place)}
        done: dict[str, KnownFile] = {}
        tasks: list[HashTask] = []
        fd = self._looks.open(folder.path)
        for raw in listing.found:
            name, size, target = raw[0], raw[2], raw[6]
            hit = before.get(name)
            if hit is not None and self._is_known(hit, raw):
                done[name] = hit
                self._tally.add(0, size if target is None else 0)
            elif target is not None:
                done[name] = KnownFile(*raw, "", None)
            else:
                where = join_path(folder.path, name)
                path = os.path.realpath(join_path(place, name)) if self._source.follow else name
                tasks.append(HashTask(path, fd, where, size, name))
        folder.names = listing.folders
        return Reading(
            folder.path, place, fd, self._now_ns(), done, tasks, [raw[0] for raw in listing.found]
        )

    def _is_known(self, known: KnownFile, found: Raw) -> bool:
        keep = self._source.keep
        if not known.is_still(found):
            return False
        if keep is None or known.target is not None:
            return True
        return known.sha256 is not None and keep.has(f"sha256:{known.sha256}")

    def _hash_small(self, reading: Reading) -> None:
        small = self._crew.start_large(reading.tasks, reading.futures)
        for batch in self._crew.batches(small):
            for task, hashed in zip(batch, self._crew.hash(batch, self._report), strict=True):
                reading.take(task, hashed)
            self._report()
            if time.monotonic() - self._flushed > _FLUSH_S:
                self._save(reading)
                # In a folder of a million files a flush takes as long as hashing some thousands.
                self._flushed = time.monotonic()

    def _save(self, reading: Reading) -> None:
        """Let a later process go on from here."""
        if self._batch is not None:
            self._batch.flush()  # before the cache says that bytes are kept
        self._cache.put_files(reading.place, reading.known_so_far())
        self._cache.flush()

    def _finish(self) -> None:
        """Wait for the folder that was begun first."""
        folder, reading = self._open[0]
        try:
            for task, future in reading.futures:
                reading.take(task, self._crew.wait(future, self._report))
        except FileNotFoundError as error:
            raise self._looks.vanished(reading.path) from error
        self._open.popleft()
        reading.close()
        files = reading.known_so_far()
        self._cache.put_files(reading.place, files)
        folder.signature = sign_known(files, folder.names)
        is_vouched = all(one.sha256 is not None or one.target is not None for one in files)
        folder.vouched = self._epoch if is_vouched else ""

    def _finish_all(self) -> None:
        while self._open:
            self._finish()

    def _is_whole(self, place: str, known: KnownFolder) -> bool:
        """Whether the cache has all the files that it has the page of."""
        page = sort_entries([*(one.entry() for one in self._cache.files(place)), *known.folders])
        return digest_bytes(format_page(page)) == known.digest

    def _turn_page(self, folder: Folder, pages: dict[str, FolderEntry]) -> None:
        """Give the page of a folder its digest, once those inside have theirs."""
        inner = sort_entries(pages.pop(join_path(folder.path, name)) for name in folder.names)
        name = folder.path.rpartition("/")[2]
        place = self._looks.place(folder.path)
        known = folder.known
        if known is not None and known.folders != inner and not self._is_whole(place, known):
            folder.known = known = None
            self._read(folder)
            self._finish_all()
        if known is None or known.folders != inner:
            files = self._cache.files(place)
            page = sort_entries([*(one.entry() for one in files), *inner])
            signature = known.signature if known is not None else folder.signature
            vouched = known.vouched if known is not None else folder.vouched
            digest = digest_bytes(format_page(page))
            folders = tuple(one for one in inner if isinstance(one, FolderEntry))
            known = KnownFolder(signature, digest, total_of(page), vouched, folders)
            self._cache.put_folder(place, known)
        pages[folder.path] = FolderEntry(name, known.digest, *known.total)

    def _page_of(self, path: str) -> Page:
        place = self._looks.place(path)
        known = self._cache.folder(place)
        files = self._cache.files(place)
        inner = known.folders if known else ()
        if known is None or len(files) + total_of(inner).files != known.total.files:
            self._cache.doubt(self._top)  # garbled, or another process is at work
        return sort_entries([*map(self._entry, files), *inner])

    def _entry(self, known: KnownFile) -> Entry:
        """What a page says of a file: nothing that only an earlier call, which kept it, knows."""
        if self._source.keep is None and known.sha256 is not None:
            known = known._replace(sha256=None)
        return known.entry()

    def _report(self) -> None:
        if self._on_progress is not None:
            tally, looks = self._tally, self._looks
            self._on_progress(Progress(tally.files, looks.files, tally.size, looks.size))
