"""A run that records nothing."""

# ruff: noqa: ARG002  it takes what a run takes, and does nothing with it

import os
import shutil
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import time as now
from typing import Any

from repro.errors import ReproError
from repro.model.canonical import Json
from repro.model.run import Artifact as Kept
from repro.sdk.artifacts import Artifact
from repro.sdk.data import Expect, find_place_around
from repro.sdk.ends import End
from repro.sdk.familiar import Familiar
from repro.sdk.mappings import Config, Summary
from repro.sdk.notices import warn
from repro.sdk.run import Run
from repro.sdk.runfiles import RunFiles
from repro.sdk.values import split_values
from repro.store.journal import JournalWriter


class DisabledRun(Run):
    """A run that records nothing: every call works and nothing is written."""

    def __init__(
        self, config: Mapping[str, Json], describe: Mapping[str, Any], *, is_wanted: bool = True
    ) -> None:
        """Record nothing.

        Args:
            is_wanted: Whether somebody asked for that; else files in `dir` outlive the program.
        """
        RunFiles.__init__(self)
        Familiar.__init__(self)
        self.id = "disabled"
        self.live_dir = Path(os.devnull)
        self.rank = 0
        self._name = describe.get("name")
        self._note = describe.get("note")
        self._tags = tuple(describe.get("tags") or ())
        self._journal = None
        self._is_over = False
        self._next_step = 0
        self._dir: str | None = None
        self._is_wanted = is_wanted
        self.config = Config(config)
        self.summary = Summary({})

    def log(
        self,
        data: Mapping[str, Any],
        step: int | None = None,
        commit: bool | None = None,
        sync: bool | None = None,
    ) -> None:
        """Do nothing."""

    @property
    def dir(self) -> str:
        """A folder of which no record keeps anything."""
        import tempfile  # noqa: PLC0415  # few programs that record nothing ask for it

        if self._dir is None:
            self._dir = tempfile.mkdtemp(prefix="repro-disabled-")
            if self._is_wanted:
                weakref.finalize(self, shutil.rmtree, self._dir, ignore_errors=True)
            else:
                warn(f"nothing is recorded: files of this run stay in `{self._dir}`")
        return self._dir

    def log_artifact(
        self,
        path: str | os.PathLike[str] | Artifact,
        name: str | None = None,
        type: str | None = None,
        aliases: Iterable[str] | None = None,
        **ignored: object,
    ) -> tuple[Kept, ...]:
        """Keep nothing."""
        return ()

    def save(
        self,
        glob_str: str | os.PathLike[str] | None = None,
        base_path: str | os.PathLike[str] | None = None,
        policy: str = "live",
    ) -> tuple[Kept, ...]:
        """Keep nothing."""
        return ()

    def alert(
        self,
        title: str,
        text: str,
        level: str | None = None,
        wait_duration: float | timedelta | None = None,
    ) -> None:
        """Say nothing."""

    def use_data(self, path: str | os.PathLike[str], *, expect: Expect = None) -> Path:
        """Give the path, and record nothing."""
        return find_place_around(os.fspath(path))

    def end(self, end: End) -> None:
        """Do nothing more."""
        self._is_over = True

    def forked(self) -> None:
        """Stay disabled."""

    def _record(self, kind: str, **values: Json) -> None:
        pass


class LosingRun(DisabledRun):
    """A part of the run of `repro run` whose journal cannot be opened: it counts what is lost.

    The run itself goes on, and is to say so in its record, if it can be written by then.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Json],
        describe: Mapping[str, Any],
        *,
        rank: int,
        leave: Callable[[Run], None],
    ) -> None:
        """Open nothing.

        Args:
            folder: Where the run is in progress.
            leave: Is called once this process's part has ended.
        """
        super().__init__(config, describe, is_wanted=False)
        self.id = folder.name
        self.live_dir = folder
        self.rank = rank
        self._lost = 0
        self._counting = threading.RLock()  # a signal handler may log, too
        self._leave = leave
        self._pid = os.getpid()

    def log(
        self,
        data: Mapping[str, Any],
        step: int | None = None,
        commit: bool | None = None,
        sync: bool | None = None,
    ) -> None:
        """Count the points, as many as `Run.log` would have kept."""
        points, _ = split_values(data)
        with self._counting:
            self._lost += len(points)

    @property
    def lost_points(self) -> int:
        """Points of this process that could not be kept so far."""
        return self._lost

    def end(self, end: End) -> None:
        """Say how many points are lost, in the journals too where there is room by now."""
        if self._is_over:
            return
        self._is_over = True
        if os.getpid() != self._pid:  # a forked child
            return
        self._leave(self)
        if not self._lost:
            return
        warn(f"{self._lost:,} points of run `{self.id}` could not be kept")
        with (
            suppress(ReproError, OSError),
            JournalWriter(
                self.live_dir, run=self.id, rank=self.rank, pid=self._pid, time=now()
            ) as journal,
        ):
            journal.lost = self._lost  # which it notes when it is closed

    def progress(self) -> int:
        """A number that grows with everything that is lost."""
        return self._lost
