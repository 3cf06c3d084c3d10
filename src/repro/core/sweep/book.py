"""The ledger of a sweep in this clone: appended to by compare-and-swap on its ref."""

import random
import time
from collections.abc import Callable, Sequence

from repro.core.project import Project, who_am_i
from repro.errors import ConflictError, UnknownRunError
from repro.model.sweep import Entry, SweepAt
from repro.store.objects import reading
from repro.store.quarantine import open_quarantine, publish, write_commits
from repro.store.refs import SWEEPS, RefUpdate, read_ref
from repro.store.sweeps import StoredSweep, next_commit, read_appended, read_sweep

_TRIES = 50  # others append at the same time; each turn one of them gets through


class LocalBook:
    """Keeps the ledger of one sweep in `refs/repro/sweeps/<id>` (a `Book`)."""

    def __init__(self, project: Project, sweep_id: str) -> None:
        self._project = project
        self._id = sweep_id
        self._ref = SWEEPS + sweep_id
        self._author = who_am_i(project)
        self._stored: StoredSweep | None = None

    def read(self) -> SweepAt:
        """The sweep as it is now.

        Raises:
            UnknownRunError: It is gone.
            DamagedRecordError: It breaks FORMAT.md.
        """
        return self._read().at

    def write(self, decide: Callable[[SweepAt], Sequence[Entry]]) -> SweepAt:
        """Append what `decide` gives for the sweep as it is; the sweep with it.

        Raises:
            ConflictError: Others append all the time.
            UnknownRunError, DamagedRecordError: As `read`.
            StorageError: The disk is full or read-only.
        """
        for attempt in range(_TRIES):
            stored = self._read()
            entries = decide(stored.at)
            if not entries:
                return stored.at
            try:
                return self._append(stored, entries)
            except ConflictError:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(random.uniform(0, 0.01 * min(attempt + 1, 10)))  # noqa: S311  # no secret
        raise AssertionError("unreachable")

    def _read(self) -> StoredSweep:
        commit = read_ref(self._project.repository.git, self._ref)
        if commit is None:
            raise UnknownRunError(
                f"there is no sweep `{self._id}` any more", hint="`repro sweep ls` lists them"
            )
        if self._stored is None or self._stored.at.commit != commit:
            with reading(self._project.repository) as objects:
                self._stored = read_sweep(objects, commit, self._stored)
        return self._stored

    def _append(self, stored: StoredSweep, entries: Sequence[Entry]) -> SweepAt:
        spec = next_commit(stored, entries, when=self._project.clock(), author=self._author)
        with open_quarantine(self._project.repository) as quarantine:
            [commit] = write_commits(quarantine, [spec])
            update = RefUpdate(self._ref, new=commit, old=stored.at.commit)
            publish(quarantine, tips=[commit], exclude=[stored.at.commit], refs=[update])
        with reading(self._project.repository) as objects:
            self._stored = read_appended(objects, commit, stored, entries)
        return self._stored.at
