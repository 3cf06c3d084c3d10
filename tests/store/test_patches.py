from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.records import open_at

from repro.errors import GitError
from repro.store.patches import read_patch_start


@pytest.fixture
def pair(repository: Path) -> tuple[str, str]:
    """Two commits that differ in two files."""
    before = git(repository, "rev-parse", "HEAD")
    write_files(repository, {"train.py": "new\n" * 100, "blob.bin": bytes(range(256)) * 100})
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "second")
    return before, git(repository, "rev-parse", "HEAD")


def test_a_short_patch_is_whole_and_names_binary_files(repository, pair):
    patch = read_patch_start(open_at(repository).git, pair[0], pair[1], 100_000)

    assert not patch.is_cut
    assert b"Binary files /dev/null and b/blob.bin differ" in patch.data
    assert patch.data.count(b"\n+new") == 100


def test_a_long_patch_ends_with_a_line(repository, pair):
    whole = read_patch_start(open_at(repository).git, pair[0], pair[1], 100_000).data

    cut = read_patch_start(open_at(repository).git, pair[0], pair[1], len(whole) - 2)
    none = read_patch_start(open_at(repository).git, pair[0], pair[1], 3)

    assert (cut.is_cut, cut.data) == (True, whole[: whole.rfind(b"\n", 0, -1) + 1])
    assert (none.is_cut, none.data) == (True, b"")
    assert not read_patch_start(open_at(repository).git, pair[0], pair[1], len(whole)).is_cut


def test_an_object_that_is_not_here_is_an_error(repository, pair):
    with pytest.raises(GitError):
        read_patch_start(open_at(repository).git, pair[0], "1" * 40, 1000)
