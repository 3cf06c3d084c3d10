"""Where the run index lies when locks hold in the repository, and when they do not."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.store import index_place
from repro.store.index_place import index_path


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The private folder of a repository on a network file system; all else is local."""
    folder = tmp_path / "far" / ".git" / "repro"
    folder.mkdir(parents=True)
    monkeypatch.setattr(index_place, "is_network", lambda path: path.is_relative_to(folder))
    return folder


def own_folder(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


def test_it_lies_in_the_repository_where_locks_hold(tmp_path: Path) -> None:
    assert index_path(tmp_path, {"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "index.db"


def test_else_it_lies_in_the_folder_of_the_session(far: Path, tmp_path: Path) -> None:
    runtime = own_folder(tmp_path / "runtime")
    environ = {"XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(tmp_path)}
    found = index_path(far, environ)
    assert found is not None
    assert found.parent == runtime
    assert found == index_path(far, environ)


def test_two_repositories_have_two_files(far: Path, tmp_path: Path) -> None:
    environ = {"TMPDIR": str(tmp_path)}
    assert index_path(far, environ) != index_path(far / "other", environ)


def test_else_in_a_folder_of_the_user_that_nobody_else_enters(far: Path, tmp_path: Path) -> None:
    found = index_path(far, {"TMPDIR": str(tmp_path)})
    assert found is not None
    assert found.parent.parent == tmp_path
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700


def open_to_all(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    folder.chmod(0o755)


def link(folder: Path) -> None:
    folder.symlink_to(own_folder(folder.with_name("elsewhere")))


def a_file(folder: Path) -> None:
    folder.write_text("")


@pytest.mark.parametrize("spoil", [open_to_all, link, a_file])
def test_a_folder_that_others_can_enter_or_made_is_not_used(
    far: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    found = index_path(far, {"TMPDIR": str(tmp_path)})
    assert found is not None
    found.parent.rmdir()
    spoil(found.parent)
    assert index_path(far, {"TMPDIR": str(tmp_path)}) is None


def test_a_folder_that_cannot_be_made_leaves_memory(far: Path, tmp_path: Path) -> None:
    assert index_path(far, {"TMPDIR": str(tmp_path / "absent"), "XDG_RUNTIME_DIR": "x"}) is None
