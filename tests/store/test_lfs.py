"""Large files that only a run refers to survive `git lfs prune`."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support import git, make_repository, write_files

from repro.errors import DamagedRecordError
from repro.store.content import ContentStore
from repro.store.git import Git, Repository, open_repository
from repro.store.lfs import (
    Pointer,
    find_pointers,
    is_used,
    keep_objects,
    parse_pointer,
    restore_objects,
)

needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"


def pointer_text(oid: str = OID, size: int = 12345) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()


def opened(root: Path) -> Repository:
    return open_repository(root, os.environ)


def oid_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def object_path(folder: Path, data: bytes) -> Path:
    oid = oid_of(data)
    return folder / "objects" / oid[:2] / oid[2:4] / oid


def tree_of_worktree(root: Path) -> str:
    """The tree of all files, with their large files cleaned; the index stays as it was."""
    index = root / ".git" / "index"
    saved = index.read_bytes()
    git(root, "add", "-A")
    tree = git(root, "write-tree")
    index.write_bytes(saved)
    return tree


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A repository that tracks `*.bin` by git-lfs, with `model.bin` of `first` in one commit."""
    root = make_repository(tmp_path / "large", {"train.py": "pass\n"})
    git(root, "lfs", "install", "--local")
    write_files(
        root,
        {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "model.bin": "first"},
    )
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "model")
    return root


@pytest.fixture
def content(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "store")


@needs_lfs
def test_a_large_file_of_a_run_survives_prune_and_comes_back(large, content, tmp_path):
    (large / "model.bin").write_bytes(b"second")
    tree = tree_of_worktree(large)
    keep_objects(opened(large), tree, git(large, "rev-parse", "HEAD"), content)
    assert kept_names(content) == {oid_of(b"first"), oid_of(b"second")}
    write_files(large, {"model.bin": "first"})

    git(large, "lfs", "prune")
    assert not object_path(large / ".git/lfs", b"second").exists()

    assert restore_objects(opened(large), tree, content) == 1
    commit = git(large, "commit-tree", "-m", "run", tree)
    git(large, "worktree", "add", "-q", "--detach", str(tmp_path / "beside"), commit)
    assert (tmp_path / "beside/model.bin").read_bytes() == b"second"


@needs_lfs
def test_a_second_prune_takes_what_was_given_back_and_the_store_keeps_it(large, content):
    (large / "model.bin").write_bytes(b"second")
    tree = tree_of_worktree(large)
    keep_objects(opened(large), tree, None, content)
    write_files(large, {"model.bin": "first"})
    for _ in range(2):
        git(large, "lfs", "prune")
        assert restore_objects(opened(large), tree, content) == 1

    content.verify(f"sha256:{oid_of(b'second')}")


@needs_lfs
def test_the_large_files_of_a_base_that_no_remote_has_are_kept_too(large, content):
    head = git(large, "rev-parse", "HEAD")

    assert keep_objects(opened(large), f"{head}^{{tree}}", head, content) == 1
    assert content.has(f"sha256:{oid_of(b'first')}")


def kept_names(content: ContentStore) -> set[str]:
    return {path.name for path in content.dir.glob("??/??/*")}


@needs_lfs
def test_each_unpushed_base_is_kept_as_history_grows(large, content):
    versions = [b"first", b"second", b"third"]
    for data in versions:
        write_files(large, {"model.bin": data})
        git(large, "add", "-A")
        git(large, "commit", "-q", "--allow-empty", "-m", "next")
        keep_objects(opened(large), "HEAD^{tree}", git(large, "rev-parse", "HEAD"), content)

    assert kept_names(content) == {oid_of(data) for data in versions}


@needs_lfs
def test_a_base_is_kept_again_in_a_store_that_lost_it(large, content):
    head = git(large, "rev-parse", "HEAD")
    keep_objects(opened(large), "HEAD^{tree}", head, content)
    shutil.rmtree(content.dir)

    assert keep_objects(opened(large), "HEAD^{tree}", head, content) == 1


@needs_lfs
@pytest.mark.parametrize(
    "memory",
    [
        None,
        b"{",
        b"[]",
        b'{"pushed": [], "base": 3, "pointers": []}',
        b'{"pushed": [], "base": "' + b"0" * 40 + b'", "pointers": []}',
        b'{"pushed": [], "base": "--all", "pointers": [["../x", 1]]}',
    ],
)
def test_what_was_remembered_can_be_lost_or_wrong(large, content, memory):
    head = git(large, "rev-parse", "HEAD")
    keep_objects(opened(large), "HEAD^{tree}", head, content)
    path = large / ".git/repro/lfs.json"
    path.unlink()
    if memory is not None:
        path.write_bytes(memory)

    shutil.rmtree(content.dir)
    assert keep_objects(opened(large), "HEAD^{tree}", head, content) == 1


@needs_lfs
def test_what_a_remote_has_is_not_kept(large, content, tmp_path):
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(large, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(large, "push", "-q", "origin", "main")
    write_files(large, {"other.bin": "pushed not yet"})
    git(large, "add", "-A")
    git(large, "commit", "-q", "-m", "other")
    write_files(large, {"third.bin": "not even committed"})
    head = git(large, "rev-parse", "HEAD")

    keep_objects(opened(large), tree_of_worktree(large), head, content)

    assert kept_names(content) == {oid_of(b"pushed not yet"), oid_of(b"not even committed")}


@needs_lfs
def test_a_clean_pushed_base_needs_nothing(large, content, tmp_path):
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(large, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(large, "push", "-q", "origin", "main")
    head = git(large, "rev-parse", "HEAD")

    assert keep_objects(opened(large), f"{head}^{{tree}}", head, content) == 0


@needs_lfs
def test_a_kept_file_costs_no_second_copy(large, content):
    keep_objects(opened(large), "HEAD^{tree}", None, content)

    kept = content.path_of(f"sha256:{oid_of(b'first')}")
    assert kept.samefile(object_path(large / ".git/lfs", b"first"))


@needs_lfs
@pytest.mark.parametrize("storage", ["shared-lfs", "/absolute"])
def test_a_storage_set_elsewhere_is_found(large, content, tmp_path, storage):
    absolute = storage.startswith("/")
    folder = tmp_path / "big disk" if absolute else large / ".git" / storage
    git(large, "config", "lfs.storage", str(folder) if absolute else storage)
    write_files(large, {"model.bin": "elsewhere"})

    keep_objects(opened(large), tree_of_worktree(large), None, content)

    assert object_path(folder, b"elsewhere").exists()
    assert content.has(f"sha256:{oid_of(b'elsewhere')}")


@needs_lfs
def test_a_linked_worktree_uses_the_files_of_its_main_one(large, content, tmp_path):
    git(large, "worktree", "add", "-q", str(tmp_path / "linked"))

    assert keep_objects(opened(tmp_path / "linked"), "HEAD^{tree}", None, content) == 1


@needs_lfs
def test_a_file_that_was_never_downloaded_is_passed_over(large, content):
    object_path(large / ".git/lfs", b"first").unlink()

    assert keep_objects(opened(large), "HEAD^{tree}", None, content) == 0
    assert restore_objects(opened(large), "HEAD^{tree}", content) == 0


@needs_lfs
def test_a_broken_file_of_git_lfs_is_not_kept_but_mended(large, content):
    keep_objects(opened(large), "HEAD^{tree}", None, content)
    path = object_path(large / ".git/lfs", b"first")
    path.unlink()
    path.write_bytes(b"fir")

    assert keep_objects(opened(large), "HEAD^{tree}", None, ContentStore(large / "empty")) == 0
    assert restore_objects(opened(large), "HEAD^{tree}", content) == 1
    assert path.read_bytes() == b"first"


@needs_lfs
def test_a_damaged_entry_is_named_and_git_lfs_never_gets_it(large, content):
    keep_objects(opened(large), "HEAD^{tree}", None, content)
    path = object_path(large / ".git/lfs", b"first")
    path.unlink()
    entry = content.path_of(f"sha256:{oid_of(b'first')}")
    entry.unlink()
    entry.write_bytes(b"FIRST")

    with pytest.raises(DamagedRecordError, match=oid_of(b"first")):
        restore_objects(opened(large), "HEAD^{tree}", content)

    assert not path.exists()


@needs_lfs
def test_restoring_writes_nothing_that_is_there_already(large, content):
    keep_objects(opened(large), "HEAD^{tree}", None, content)
    before = object_path(large / ".git/lfs", b"first").stat()

    assert restore_objects(opened(large), "HEAD^{tree}", content) == 0
    after = object_path(large / ".git/lfs", b"first").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_without_git_lfs_no_git_process_is_started(repository, content):
    found = opened(repository)
    without_git = replace(found, git=Git(repository, {"PATH": "/nonexistent"}))

    assert not is_used(found)
    assert keep_objects(without_git, "HEAD^{tree}", None, content) == 0
    assert restore_objects(without_git, "HEAD^{tree}", content) == 0
    assert not content.dir.exists()


def commit_pointers(root: Path) -> None:
    write_files(
        root,
        {
            "a.bin": pointer_text("a" * 64, 1),
            "deep/er/b.bin": pointer_text("b" * 64, 2),
            "again.bin": pointer_text("b" * 64, 2),
            "code.py": "version = 1\n",
            "long.txt": pointer_text() + b"x" * 1024,
        },
    )
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "pointers")


def test_pointers_are_found_in_all_folders_once_each(repository):
    commit_pointers(repository)

    found = set(find_pointers(opened(repository), "HEAD^{tree}", ()))

    assert {Pointer("a" * 64, 1), Pointer("b" * 64, 2)} == found
    assert len(list(find_pointers(opened(repository), "HEAD^{tree}", ()))) == 2


def test_only_the_difference_to_other_commits_is_looked_at(repository):
    commit_pointers(repository)
    write_files(repository, {"moved/c.bin": pointer_text("c" * 64, 3)})
    git(repository, "mv", "a.bin", "moved/a.bin")
    git(repository, "add", "-A")
    tree = git(repository, "write-tree")

    assert [Pointer("c" * 64, 3)] == list(find_pointers(opened(repository), tree, ["HEAD"]))


def test_pointers_are_found_in_a_sha256_repository(tmp_path):
    root = tmp_path / "modern"
    root.mkdir()
    git(root, "init", "-q", "--object-format=sha256")
    commit_pointers(root)

    assert len(list(find_pointers(opened(root), "HEAD^{tree}", ()))) == 2


def test_a_partial_clone_is_not_made_to_download(repository, tmp_path):
    commit_pointers(repository)
    git(repository, "config", "uploadpack.allowFilter", "true")
    url = repository.as_uri()
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", url, "partial")
    repository.rename(tmp_path / "gone")

    assert list(find_pointers(opened(tmp_path / "partial"), "HEAD^{tree}", ())) == []


@pytest.mark.parametrize(
    "data",
    [
        pointer_text(),
        pointer_text().rstrip(b"\n"),
        b"\n" + pointer_text() + b"\n \n",
        pointer_text().replace(b"\n", b"\r\n"),
        pointer_text().replace(b"git-lfs", b"hawser"),
        pointer_text().replace(b"\noid", b"\next-0-crypt sha256:" + b"c" * 64 + b"\noid"),
    ],
)
def test_a_pointer_is_read_in_every_form_that_git_lfs_reads(data):
    assert Pointer(OID, 12345) == parse_pointer(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"version",
        b"import os\n",
        b"\0" * 200,
        pointer_text().replace(b"spec/v1", b"spec/v2"),
        pointer_text().replace(b"sha256:", b"md5:"),
        pointer_text().replace(OID.encode(), OID.encode()[:-1]),
        pointer_text().replace(OID.encode(), b"../" * 21 + b"x"),
        pointer_text().replace(b"12345", b"-1"),
        pointer_text().replace(b"12345", b"12345 bytes"),
        pointer_text().replace(b"12345", b""),
        pointer_text() + b"more text\n",
        pointer_text() + b"#" * 1024,
        b"".join(reversed(pointer_text().splitlines(keepends=True))),
    ],
)
def test_what_is_no_pointer_is_none(data):
    assert parse_pointer(data) is None


@given(st.from_regex(r"[0-9a-f]{64}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_every_pointer_is_read_back(oid, size):
    assert Pointer(oid, size) == parse_pointer(pointer_text(oid, size))


@given(st.binary(max_size=1200))
def test_no_bytes_are_an_error(data):
    parse_pointer(data)


@st.composite
def almost_pointers(draw: st.DrawFn) -> bytes:
    """A pointer with a few bytes changed, dropped, doubled or put in."""
    data = bytearray(pointer_text())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data) - 1))
        piece = draw(
            st.sampled_from(
                [
                    b"",
                    b" ",
                    b"\n",
                    b"\r\n",
                    b"0",
                    b"a",
                    b"\xff",
                    b"ext-0-a b\n",
                    b"\next-0-a sha256:" + b"c" * 64 + b"\n",
                ]
            )
            | st.binary(min_size=1, max_size=2)
        )
        data[at : at + draw(st.integers(0, 2))] = piece
    return bytes(data)


@needs_lfs
@settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=almost_pointers())
def test_what_git_lfs_takes_for_a_pointer_is_one_to_us(tmp_path, data):
    path = tmp_path / "pointer"
    path.write_bytes(data)

    asked = subprocess.run(
        ["git", "lfs", "pointer", "--check", "--file", str(path)], capture_output=True, check=False
    )

    theirs = asked.returncode == 0
    ours = parse_pointer(data) is not None
    # We never link what is no sha256 in lower case, which git-lfs itself never writes.
    is_odd = OID.encode() not in data or b"12345" not in data
    assert theirs == ours or (is_odd and not ours)
