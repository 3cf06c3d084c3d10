"""A run that is switched off."""

# ruff: noqa: ARG002  it takes what a run takes, and does nothing with it

import os
import shutil
import weakref
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from repro.model.canonical import Json
from repro.model.run import Artifact as Kept
from repro.sdk.artifacts import Artifact
from repro.sdk.data import Expect, find_place_around
from repro.sdk.ends import End
from repro.sdk.familiar import Familiar
from repro.sdk.mappings import Config, Summary
from repro.sdk.run import Run
from repro.sdk.runfiles import RunFiles


class DisabledRun(Run):
    """A run that records nothing: every call works and nothing is written."""

    def __init__(self, config: Mapping[str, Json], describe: Mapping[str, Any]) -> None:
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
        """A folder of which nothing is kept."""
        import tempfile  # noqa: PLC0415  # few programs that record nothing ask for it

        if self._dir is None:
            self._dir = tempfile.mkdtemp(prefix="repro-disabled-")
            weakref.finalize(self, shutil.rmtree, self._dir, ignore_errors=True)
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
