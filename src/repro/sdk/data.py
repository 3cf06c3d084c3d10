"""Datasets as training code takes them into use."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from repro.errors import InvalidInputError
from repro.model.text import escape
from repro.sdk.notices import say

if TYPE_CHECKING:
    from repro.core.measured import OnProgress, Progress
    from repro.core.using import Known, Used

Expect = Literal["locked"] | None

_FIRST_S, _EVERY_S = 1.0, 10.0


def find_place(text: str, root: Path) -> Path:
    """Where a dataset lies, for a run that records nothing: by its path, else by its name."""
    # As `use` does: most programs have no data of ours, and would pay 40 ms.
    from repro.store.settings import read_settings  # noqa: PLC0415

    entry = read_settings(root).data.get(text)
    return root / entry.path if entry is not None else Path(text)


def find_place_around(text: str) -> Path:
    """Where a dataset lies, for a run that is switched off: it need not be in a repository."""
    cwd = Path.cwd()
    for folder in (cwd, *cwd.parents):
        if (folder / "repro.yaml").exists():
            try:
                return find_place(text, folder)
            except InvalidInputError:
                break
    return Path(text)


def use(
    live_dir: Path, root: Path, text: str, expect: Expect, used: "Mapping[str, Known]"
) -> "Used":
    """Pin a dataset for the run in `live_dir`; see `Run.use_data`.

    Args:
        used: What this process has recorded, by name.

    Raises:
        ValueError: `expect` is no known word.
        InvalidInputError: It is not there, cannot be recorded, or is not what is locked.
        StorageError, GitError: It cannot be written.
    """
    if expect not in (None, "locked"):
        raise ValueError(f"expect is 'locked' or None, not {expect!r}")
    # SQLite, threads and git: 80 ms that only those pay who use a dataset.
    from repro.core.project import open_project  # noqa: PLC0415
    from repro.core.started import read_start  # noqa: PLC0415
    from repro.core.using import use_dataset  # noqa: PLC0415

    started = read_start(live_dir)
    known: dict[str, Known] = {}
    if started is not None:
        known = {name: (started.data.get(name), tree) for name, tree in started.manifests.items()}
    project = open_project(root, environ=os.environ, clock=time.time, entropy=os.urandom)
    return use_dataset(
        project,
        live_dir.name,
        text,
        Path.cwd(),
        known={**known, **used},
        expect_locked=expect == "locked",
        on_progress=telling(f"reading the dataset {escape(text)}"),
    )


def telling(what: str) -> "OnProgress":
    """Give what tells on standard error how far the reading is, after a second, then rarely."""
    return _Teller(what, time.monotonic)


class _Teller:
    def __init__(self, what: str, clock: Callable[[], float]) -> None:
        self._what = what
        self._clock = clock
        self._next = clock() + _FIRST_S

    def __call__(self, progress: "Progress") -> None:
        if self._clock() >= self._next:
            done = f"{progress.files:,} of {progress.all_files:,} files"
            share = progress.size / max(progress.all_size, 1)
            say(f"{self._what}: {done}, {share:.0%} of the bytes")
            self._next = self._clock() + _EVERY_S
