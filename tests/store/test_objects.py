"""The contract of reading objects, held by both implementations, on every form they open."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import git, write_files

from repro.errors import DamagedRecordError
from repro.store import objects_catfile
from repro.store.git import Repository, open_repository
from repro.store.objects import (
    Objects,
    list_files,
    open_objects,
    parse_commit,
    parse_tree,
    read_commit,
    read_file,
    read_tree,
)
from repro.store.objects_catfile import CatFileObjects
from repro.store.objects_pygit2 import Pygit2Objects

FILES: dict[str, str | bytes] = {
    "run.json": "{}\n",
    "metrics/0.csv": "step,time,loss\n",
    "deep/er/and/deeper.bin": bytes(range(256)),
    "empty": "",
}


def make(root: Path, object_format: str) -> Repository:
    root.mkdir()
    git(root, "init", "-q", "-b", "main", f"--object-format={object_format}")
    write_files(root, FILES)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a subject\n\na body")
    return open_repository(root, os.environ)


@pytest.fixture(params=["cat-file sha1", "pygit2 sha1", "cat-file sha256"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Repository, Objects]]:
    how, object_format = request.param.split()
    repository = make(tmp_path / "project", object_format)
    objects = open_objects(repository, many=how == "pygit2")
    assert isinstance(objects, Pygit2Objects if how == "pygit2" else CatFileObjects)
    yield repository, objects
    objects.close()


def oid_of(repository: Repository, name: str) -> str:
    return git(repository.root, "rev-parse", name)


def test_every_kind_of_object_is_read_as_git_prints_it(opened: tuple[Repository, Objects]) -> None:
    repository, objects = opened
    git(repository.root, "tag", "-a", "-m", "a tag", "v1")
    for name, kind in {
        "HEAD": "commit",
        "HEAD^{tree}": "tree",
        "HEAD:run.json": "blob",
        "v1": "tag",
    }.items():
        oid = oid_of(repository, name)
        expected = repository.git.run("cat-file", kind, oid).out
        assert (kind, expected) == objects.read(oid)


def test_bytes_come_back_exactly(opened: tuple[Repository, Objects]) -> None:
    repository, objects = opened
    for path, content in FILES.items():
        expected = content if isinstance(content, bytes) else content.encode()
        assert expected == read_file(objects, oid_of(repository, "HEAD"), path)
        assert expected == read_file(objects, oid_of(repository, "HEAD^{tree}"), path)


@pytest.mark.parametrize("path", ["absent", "metrics", "metrics/absent", "run.json/x", "absent/x"])
def test_a_path_that_is_no_file_is_none(opened: tuple[Repository, Objects], path: str) -> None:
    repository, objects = opened
    assert read_file(objects, oid_of(repository, "HEAD"), path) is None


def test_list_files_gives_all_paths_below_a_tree(opened: tuple[Repository, Objects]) -> None:
    repository, objects = opened
    expected = {f"a/{path}": oid_of(repository, f"HEAD:{path}") for path in FILES}
    assert expected == list_files(objects, oid_of(repository, "HEAD"), "a/")


def test_a_missing_object_is_one_error_and_hides_no_other(
    opened: tuple[Repository, Objects],
) -> None:
    repository, objects = opened
    there = oid_of(repository, "HEAD:run.json")
    absent = "1" * len(there)
    with pytest.raises(DamagedRecordError, match=absent):
        objects.read(absent)
    found = [("blob", b"{}\n"), None, ("blob", b"{}\n")]
    assert found == list(objects.read_many([there, absent, there]))


def test_a_corrupt_object_is_one_error_and_hides_no_other(
    opened: tuple[Repository, Objects],
) -> None:
    repository, objects = opened
    bad, good = oid_of(repository, "HEAD:run.json"), oid_of(repository, "HEAD:metrics/0.csv")
    loose = repository.objects / bad[:2] / bad[2:]
    loose.chmod(0o600)
    loose.write_bytes(b"this is not zlib")
    with pytest.raises(DamagedRecordError, match=bad):
        objects.read(bad)
    found = [("blob", b"step,time,loss\n"), None, ("blob", b"step,time,loss\n")]
    assert found == list(objects.read_many([good, bad, good]))


def test_many_objects_come_in_order_through_a_small_pipe(
    opened: tuple[Repository, Objects],
) -> None:
    repository, objects = opened
    oids = [oid_of(repository, f"HEAD:{path}") for path in FILES] * 500
    expected = [c if isinstance(c, bytes) else c.encode() for c in FILES.values()] * 500
    assert expected == [found[1] for found in objects.read_many(oids) if found]


def test_hundreds_of_missing_objects_do_not_block(opened: tuple[Repository, Objects]) -> None:
    repository, objects = opened
    width = len(oid_of(repository, "HEAD"))
    oids = [f"{number:0{width}x}" for number in range(1, 3000)]
    assert [None] * len(oids) == list(objects.read_many(oids))


def test_objects_packed_or_written_after_opening_are_found(
    opened: tuple[Repository, Objects],
) -> None:
    repository, objects = opened
    first = oid_of(repository, "HEAD")
    assert objects.read(first)
    write_files(repository.root, {"late.txt": "late\n"})
    git(repository.root, "add", "-A")
    git(repository.root, "commit", "-q", "-m", "late")
    git(repository.root, "gc", "-q")
    assert read_file(objects, oid_of(repository, "HEAD"), "late.txt") == b"late\n"
    assert objects.read(first)


def test_objects_borrowed_from_another_repository_are_found(
    opened: tuple[Repository, Objects], tmp_path: Path
) -> None:
    repository, objects = opened
    git(tmp_path, "clone", "-q", "--shared", str(repository.root), "borrower")
    borrower = open_repository(tmp_path / "borrower", os.environ)
    reader = open_objects(borrower, many=isinstance(objects, Pygit2Objects))
    assert read_file(reader, oid_of(repository, "HEAD"), "run.json") == b"{}\n"
    reader.close()


def test_a_replace_ref_changes_nothing(opened: tuple[Repository, Objects]) -> None:
    repository, objects = opened
    real, other = oid_of(repository, "HEAD:run.json"), oid_of(repository, "HEAD:empty")
    git(repository.root, "replace", real, other)
    assert objects.read(real) == ("blob", b"{}\n")


def test_an_object_past_the_limit_is_refused_and_the_next_is_read(
    opened: tuple[Repository, Objects],
) -> None:
    repository, objects = opened
    path = repository.root / "big"
    with path.open("wb") as file:
        file.truncate(objects_catfile.LARGEST + 1)
    big = git(repository.root, "hash-object", "-w", "big")
    small = oid_of(repository, "HEAD:run.json")
    assert list(objects.read_many([big, small])) == [None, ("blob", b"{}\n")]


def test_the_parts_of_a_commit(opened: tuple[Repository, Objects]) -> None:
    repository, objects = opened
    git(repository.root, "commit", "-q", "--allow-empty", "-m", "a subject\n\na body")
    commit = read_commit(objects, oid_of(repository, "HEAD"))
    assert commit.tree == oid_of(repository, "HEAD^{tree}")
    assert commit.parents == (oid_of(repository, "HEAD~1"),)
    assert commit.author_time == int(git(repository.root, "log", "-1", "--format=%at"))
    assert commit.message == "a subject\n\na body\n"


def test_a_commit_is_not_taken_for_a_blob(opened: tuple[Repository, Objects]) -> None:
    repository, objects = opened
    with pytest.raises(DamagedRecordError, match="not a tree"):
        read_tree(objects, oid_of(repository, "HEAD:run.json"))
    with pytest.raises(DamagedRecordError, match="not a commit"):
        read_commit(objects, oid_of(repository, "HEAD:run.json"))


@pytest.mark.parametrize(
    "payload",
    [b"100644 name\0short", b"100644 name", b"100644", b"\0" * 30, b"x44 n\0" + b"a" * 20],
)
def test_a_tree_that_is_cut_short_is_damaged(payload: bytes) -> None:
    with pytest.raises(DamagedRecordError):
        parse_tree(payload, 20)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"tree x\nauthor A <a@b> 1 +0000\n\n",
        b"tree " + b"a" * 40 + b"\n\nno author",
        b"tree " + b"a" * 40 + b"\nparent --all\nauthor A <a@b> 1 +0000\n\n",
    ],
)
def test_a_malformed_commit_is_damaged(payload: bytes) -> None:
    with pytest.raises(DamagedRecordError):
        parse_commit(payload)


def test_a_commit_with_an_odd_author_of_old_can_be_read() -> None:
    commit = parse_commit(b"tree " + b"a" * 40 + b"\nauthor A a@b foo\n\nx")
    assert (commit.tree, commit.author_time) == ("a" * 40, 0)


def test_a_name_that_is_not_utf8_keeps_its_bytes() -> None:
    [entry] = parse_tree(b"100644 \xff\0" + b"a" * 20, 20)
    assert os.fsencode(entry.name) == b"\xff"


def test_pygit2_is_not_asked_where_only_git_can_read(tmp_path: Path) -> None:
    repository = make(tmp_path / "project", "sha256")
    objects = open_objects(repository, many=True)
    assert isinstance(objects, CatFileObjects)
    objects.close()


def test_a_partial_clone_reads_what_git_has_to_fetch(tmp_path: Path) -> None:
    origin = make(tmp_path / "project", "sha1")
    git(origin.root, "config", "uploadpack.allowFilter", "true")
    blob = oid_of(origin, "HEAD:deep/er/and/deeper.bin")
    git(
        tmp_path,
        "clone",
        "-q",
        "--no-checkout",
        "--filter=blob:none",
        origin.root.as_uri(),
        "partial",
    )
    repository = open_repository(tmp_path / "partial", os.environ)
    objects = open_objects(repository, many=True)
    assert objects.read(blob) == ("blob", bytes(range(256)))
    objects.close()
