"""Who runs a sweep in a clone leaves nothing behind, and is alone whoever goes meanwhile."""

from pathlib import Path

import pytest
from tests.support.projects import open_here

from repro.atomic import FileLock
from repro.core.sweep.holding import FOLDER, hold

SWEEP = "aaaaaaaa0000"


def test_nothing_is_left_of_who_held_a_sweep_also_after_an_error(repository: Path):
    project = open_here(repository)
    folder = project.repository.private / FOLDER
    with hold(project, SWEEP):
        names = {path.name for path in folder.iterdir()}
    with pytest.raises(KeyError), hold(project, SWEEP):
        raise KeyError
    assert names == {f"{SWEEP}.lock", f"{SWEEP}.json"}
    assert list(folder.iterdir()) == []


def test_a_lock_whose_file_was_taken_away_is_none(tmp_path: Path):
    lock = FileLock(tmp_path / "a.lock")
    before = lock.is_in_place()
    with lock:
        held = lock.is_in_place()
        lock.path.unlink()
        gone = lock.is_in_place()
        lock.path.touch()
        other = lock.is_in_place()
    assert (before, held, gone, other) == (False, True, False, False)
