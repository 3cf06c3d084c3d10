"""A run that is switched off."""

# ruff: noqa: ARG002  it takes what a run takes, and does nothing with it

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repro.model.canonical import Json
from repro.model.run import Artifact
from repro.sdk.data import Expect, find_place_around
from repro.sdk.ends import End
from repro.sdk.mappings import Config, Summary
from repro.sdk.run import Run


class DisabledRun(Run):
    """A run that records nothing: every call works and nothing is written."""

    def __init__(self, config: Mapping[str, Json], describe: Mapping[str, Any]) -> None:
        self.id = "disabled"
        self.dir = Path(os.devnull)
        self.rank = 0
        self._name = describe.get("name")
        self._note = describe.get("note")
        self._tags = tuple(describe.get("tags") or ())
        self._journal = None
        self._is_over = False
        self.config = Config(config)
        self.summary = Summary({})

    def log(
        self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None
    ) -> None:
        """Do nothing."""

    def log_artifact(
        self, path: str | os.PathLike[str], name: str | None = None, **ignored: object
    ) -> tuple[Artifact, ...]:
        """Keep nothing."""
        return ()

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
