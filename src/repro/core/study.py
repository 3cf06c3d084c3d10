"""The journal of a study of Optuna: kept in git, shared by processes and by hosts."""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from repro.core.project import Project, who_am_i
from repro.errors import ConflictError, GitError, RemoteError
from repro.store.git import Identity
from repro.store.history import stands_on
from repro.store.incoming import Source, receive
from repro.store.newobjects import seeing
from repro.store.objects import reading
from repro.store.objects_catfile import CatFileObjects
from repro.store.outgoing import Outgoing, send_refs
from repro.store.packs import consolidate
from repro.store.quarantine import (
    CommitSpec,
    open_quarantine,
    publish,
    write_commits,
)
from repro.store.refs import RefUpdate, read_ref
from repro.store.remoterefs import GitRemote, ask_ref, find_remote
from repro.store.studies import (
    STUDIES,
    Entry,
    Pages,
    check_name,
    format_entry,
    parse_entry,
    read_study,
)

_TRIES = 50  # others append at the same time; each turn one of them gets through
_GIT_TRIES = 3  # a concurrent gc can take an object between our seeing and our packing it
_POLL_S = 2.0  # between two looks at a remote, when nothing is to be written
_WAIT_S = 1.0  # that an entry may be kept back
_TIDY = 64  # appends

Stamp = tuple[tuple[int, int, int] | None, ...]


class StudyJournal:
    """The entries of one study, in the order in which this process learnt of them.

    Each of its own it knows at once, though one that may wait is written with the next, at the
    latest one second after; in git others may stand before it. Threads may share it.

    Args:
        remote: A git remote that has the journal, too; None for this clone alone.
        monotonic: A clock in seconds.

    Raises:
        UsageError: The name cannot be that of a ref.
        RemoteError: There is no such remote.
        DamagedRecordError: What is there is no journal.
    """

    def __init__(
        self,
        project: Project,
        name: str,
        *,
        remote: str | None = None,
        monotonic: Callable[[], float],
    ) -> None:
        self._project = project
        self._name = check_name(name)
        self._ref = STUDIES + name
        git = project.repository.git
        self._remote = find_remote(git, remote, push=True) if remote is not None else None
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._commit: str | None = None
        self._pages = Pages()
        self._known: list[Entry] = []
        self._waiting: list[bytes] = []
        self._waits_since = 0.0
        self._looked_at: float | None = None
        self._stamp: Stamp | None = None
        self._author: Identity | None = None
        self._n_appends = 0
        self._look(is_needed=True)

    def read(self, start: int) -> list[Entry]:
        """The entries from a position on."""
        with self._mine():
            # Where a remote does not answer, what is known is as good as it was a moment ago.
            with suppress(RemoteError):
                self._look(is_needed=False)
            return self._known[start:]

    def append(self, entries: Sequence[Entry], *, may_wait: bool = False) -> None:
        """Append entries.

        Args:
            may_wait: Whether they say the same wherever they come among those of others; then
                they may be written later, with the next ones.

        Raises:
            ConflictError: Others wrote all the time.
            RemoteError: The remote cannot be reached, or refuses.
            StorageError: The disk is full or read-only.
        """
        # Read back from the text, so that this process sees what others will.
        lines = [format_entry(entry) for entry in entries]
        with self._mine():
            now = self._monotonic()
            if not self._waiting:
                self._waits_since = now
            if may_wait and now - self._waits_since < _WAIT_S:
                self._waiting += lines
            else:
                self._write([*self._waiting, *lines])
                self._waiting = []
            self._known += filter(None, map(parse_entry, lines))

    def _mine(self) -> threading.RLock:
        if os.getpid() != self._pid:  # what waits is written by the parent
            self._pid, self._lock, self._waiting = os.getpid(), threading.RLock(), []
        return self._lock

    def _write(self, lines: Sequence[bytes]) -> None:
        for attempt in range(_TRIES):
            self._look(is_needed=True)
            try:
                self._publish(lines)
                break
            except ConflictError:
                if attempt == _TRIES - 1:
                    raise
            except GitError:
                if attempt == _GIT_TRIES - 1:
                    raise
        self._n_appends += 1
        if self._n_appends % _TIDY == 0:
            consolidate(self._project.repository, now=self._project.clock())

    def _publish(self, lines: Sequence[bytes]) -> None:
        repository, before = self._project.repository, self._commit
        if self._author is None:
            self._author = who_am_i(self._project)
        files = self._pages.files(self._name, lines)
        spec = CommitSpec(
            message=f"study {self._name}: {self._pages.count + len(lines)} entries\n",
            when=self._project.clock(),
            author=self._author,
            parents=[before] if before else [],
            files=files,
        )
        with open_quarantine(repository) as quarantine:
            [commit] = write_commits(quarantine, [spec])
            if self._remote is not None:
                self._send(self._remote, commit, quarantine.env)
            try:
                publish(
                    quarantine,
                    tips=[commit],
                    exclude=[before] if before else [],
                    refs=[RefUpdate(self._ref, new=commit, old=before)],
                )
            except ConflictError:
                # Once the remote has it, it is written: another process has fetched it from there.
                if self._remote is None:
                    raise
        self._commit = commit
        self._pages = self._pages.extended(lines, repository.object_format)
        self._stamp = None

    def _send(self, remote: GitRemote, commit: str, env: dict[str, str]) -> None:
        git = self._project.repository.git
        try:
            fault = send_refs(git, remote, [Outgoing(self._ref, commit)], env=env)[self._ref]
        except RemoteError as error:
            # The connection may have been lost behind what it was for.
            if ask_ref(git, remote, self._ref, push=True) != commit:
                raise error from None
            return
        if fault is None:
            return
        if fault.is_moved:
            raise ConflictError(f"study `{self._name}`: {fault.reason}", hint=fault.hint)
        raise RemoteError(
            f"cannot write study `{self._name}` to `{remote.label}`: {fault.reason}",
            hint=fault.hint,
        )

    def _look(self, *, is_needed: bool) -> None:
        """Learn of what others wrote.

        Args:
            is_needed: Whether the newest must be known; else a cheap look may tell that all is.
        """
        if self._remote is not None:
            now = self._monotonic()
            if not is_needed and self._looked_at is not None and now - self._looked_at < _POLL_S:
                return
            self._looked_at = now
            self._fetch(self._remote)
        stamp = self._take_stamp()
        if not is_needed and stamp == self._stamp:
            return
        repository = self._project.repository
        commit = read_ref(repository.git, self._ref)
        if commit is not None and commit != self._commit:
            with reading(repository) as objects:
                self._pages, new = read_study(objects, commit, self._name, self._pages.count)
            self._commit = commit
            self._known += new
        self._stamp = stamp

    def _take_stamp(self) -> Stamp:
        """What of the files that git keeps the ref in changes with it.

        A change that it misses is seen with the next one, or by the write that fails for it.
        """
        folder = self._project.repository.common_dir
        stamps: list[tuple[int, int, int] | None] = []
        for path in (self._ref, "packed-refs", "reftable/tables.list"):
            try:
                found = (folder / path).stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((found.st_mtime_ns, found.st_size, found.st_ino))
        return tuple(stamps)

    def _fetch(self, remote: GitRemote) -> None:
        repository = self._project.repository
        there = ask_ref(repository.git, remote, self._ref, push=True)
        here = read_ref(repository.git, self._ref)
        if there is None or there == here:
            return
        source = Source(remote.source(push=True), remote.label, remote.push_host)
        with open_quarantine(repository) as quarantine:
            refused = receive(quarantine, source, [there], have=[here] if here else [])
            if there in refused:
                raise RemoteError(
                    f"cannot fetch study `{self._name}` from `{remote.label}`: {refused[there]}"
                )
            if here is not None and not stands_on(seeing(quarantine), there, here):
                if stands_on(seeing(quarantine), here, there):
                    return  # this clone has more, and the next entry takes it there
                raise ConflictError(
                    f"study `{self._name}` went two ways, here and at `{remote.label}`",
                    hint=f"`git update-ref {self._ref} {there[:12]}` takes that of the remote",
                )
            objects = CatFileObjects(seeing(quarantine))
            try:
                read_study(objects, there, self._name)
            finally:
                objects.close()
            publish(
                quarantine,
                tips=[there],
                exclude=[here] if here else [],
                refs=[RefUpdate(self._ref, new=there, old=here)],
            )
