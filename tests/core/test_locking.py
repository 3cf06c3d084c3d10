"""`repro.lock` pins a dataset, with its pages in the content store."""

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.manifests import all_pages, look, make_dataset
from tests.support.projects import open_here

from repro.core.datasets import Dataset
from repro.core.locking import guard_of, lock_dataset, read_locked_pages
from repro.errors import DamagedRecordError, InvalidInputError, StorageError
from repro.model.manifest import FileEntry
from repro.store.content import ContentStore
from repro.store.entries import renew_epoch
from repro.store.lockfile import read_lock
from repro.store.pages import iter_pages

TRAIN = Dataset(name="train", path="data/train")


@pytest.fixture
def root(repository: Path) -> Path:
    make_dataset(repository / "data/train", {"a": "1", "b/c\n": "2", "b/d": "33"})
    return repository


def lock(root, dataset=TRAIN, **source):
    measured = look(root / dataset.path, root.parent / "stat.db", **source)
    return lock_dataset(open_here(root), dataset, measured)


def test_what_is_locked_says_path_digest_and_size(root):
    assert lock(root)

    locked = read_lock(root)["train"]
    measured = look(root / "data/train", root.parent / "stat.db")
    assert ("data/train", f"xxh3:{measured.digest}", 3, 4, False) == (
        locked.path,
        locked.digest,
        locked.files,
        locked.size,
        locked.kept,
    )


def test_the_pages_of_what_is_locked_come_back(root):
    lock(root)
    measured = look(root / "data/train", root.parent / "stat.db")

    project = open_here(root)
    pages = read_locked_pages(project, "train", read_lock(root)["train"])

    assert all_pages(measured) == dict(iter_pages(pages))


def test_one_file_is_locked_by_its_own_digest(root):
    labels = Dataset(name="labels", path="data/train/a")
    lock(root, labels)

    pages = read_locked_pages(open_here(root), "labels", read_lock(root)["labels"])

    assert (FileEntry("a", pages.digest, 1),) == pages("")
    assert read_lock(root)["labels"].digest == f"xxh3:{pages.digest}"


def test_locking_the_same_again_changes_nothing(root):
    lock(root)
    before = (root / "repro.lock").read_bytes()
    status = (root / "repro.lock").stat()

    assert not lock(root)

    assert before == (root / "repro.lock").read_bytes()
    assert status.st_mtime_ns == (root / "repro.lock").stat().st_mtime_ns


def test_the_same_dataset_is_locked_in_the_same_words_wherever_it_was_kept_before(root):
    lock(root)
    before = (root / "repro.lock").read_bytes()
    store = ContentStore(root.parent / "other")
    look(root / "data/train", root.parent / "stat.db", keep=store)  # the cache knows sha256 now
    (root / "repro.lock").unlink()

    lock(root)

    assert before == (root / "repro.lock").read_bytes()


def test_a_lost_manifest_is_written_anew_and_the_file_stays(root):
    lock(root)
    project = open_here(root)
    content = ContentStore(project.store)
    locked = read_lock(root)["train"]
    content.path_of(locked.manifest).unlink()
    with pytest.raises(DamagedRecordError, match="as it is locked is not here") as caught:
        read_locked_pages(project, "train", locked)
    assert "`repro data pull`" in str(caught.value.hint)

    assert not lock(root)

    assert content.has(locked.manifest)


@pytest.mark.parametrize("how", ["changed", "cut", "emptied"])
def test_a_damaged_manifest_is_not_believed(root, how):
    lock(root)
    project = open_here(root)
    locked = read_lock(root)["train"]
    path = ContentStore(project.store).path_of(locked.manifest)
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(
        {"changed": data.replace(b" 1 a", b" 2 a"), "cut": data[:-9], "emptied": b""}[how]
    )

    with pytest.raises(DamagedRecordError):
        list(iter_pages(read_locked_pages(project, "train", locked)))


def entry(root, data):
    return ContentStore(open_here(root).store).put_bytes(data)


def hostile(root, pages):
    """A `repro.lock` from elsewhere whose manifest has other pages, all with right checksums."""
    data = b"".join(
        f"folder {len(text)} 0 {path}\n".encode() + text for path, text in pages.items()
    )
    return replace(read_lock(root)["train"], manifest=entry(root, data))


@pytest.mark.parametrize(
    "pages",
    [
        {},
        {"": b""},
        {"": b"file " + b"0" * 32 + b" 1 ..\n"},
        {"b": b""},
        {"": b"link ../../x a\n"},
    ],
)
def test_a_manifest_of_other_pages_is_refused(root, pages):
    lock(root)

    with pytest.raises(DamagedRecordError):
        list(iter_pages(read_locked_pages(open_here(root), "train", hostile(root, pages))))


def test_a_manifest_that_lacks_a_page_is_refused_by_its_folder(root):
    lock(root)
    project = open_here(root)
    whole = ContentStore(project.store).read(read_lock(root)["train"].manifest)
    cut = whole[: whole.index(b"folder", 1)]
    locked = replace(read_lock(root)["train"], manifest=entry(root, cut))

    with pytest.raises(DamagedRecordError, match="of `train` lacks `b`"):
        list(iter_pages(read_locked_pages(project, "train", locked)))


def test_data_that_is_no_manifest_is_refused(root):
    lock(root)
    locked = replace(read_lock(root)["train"], manifest=entry(root, b"1,2,3\n"))

    with pytest.raises(DamagedRecordError, match="it is no manifest"):
        read_locked_pages(open_here(root), "train", locked)


def test_the_manifest_is_an_entry_that_sha256_names(root):
    lock(root)
    locked = read_lock(root)["train"]

    path = ContentStore(open_here(root).store).path_of(locked.manifest)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert b"folder " == path.read_bytes()[:7]


def test_a_dataset_that_changed_since_is_not_locked(root):
    measured = look(root / "data/train", root.parent / "stat.db")
    pages = all_pages(measured)
    pages["b"] = pages["b"][:1]
    changed = replace(measured, page_of=pages.__getitem__)

    with pytest.raises(DamagedRecordError):
        lock_dataset(open_here(root), TRAIN, changed)

    assert not (root / "repro.lock").exists()
    assert [] == list(ContentStore(open_here(root).store).entries())


@pytest.mark.parametrize("data", ["train: [", "x: 1\n", b"\xff", "train: {path: ..}\n"])
def test_a_lock_file_that_cannot_be_read_is_refused_and_stays(root, data):
    write_files(root, {"repro.lock": data})

    with pytest.raises(InvalidInputError, match=r"repro\.lock"):
        lock(root)

    assert (root / "repro.lock").read_bytes() == (
        data if isinstance(data, bytes) else data.encode()
    )


def test_a_conflict_of_a_merge_ends_when_the_dataset_is_locked_again(root):
    """As the error about the conflict promises."""
    lock(root)
    git(root, "add", "-f", "repro.lock")
    git(root, "commit", "-q", "-m", "locked")
    git(root, "branch", "side")
    write_files(root, {"data/train/a": "12"})
    lock(root)
    git(root, "commit", "-q", "-a", "-m", "main")
    git(root, "checkout", "-q", "side")
    write_files(root, {"data/train/a": "123"})
    lock(root)
    git(root, "commit", "-q", "-a", "-m", "side")
    with pytest.raises(AssertionError):
        git(root, "merge", "-q", "main")
    with pytest.raises(InvalidInputError, match="a merge left a conflict") as caught:
        read_lock(root)
    assert "`repro data add" in str(caught.value.hint)

    assert lock(root)

    assert 6 == read_lock(root)["train"].size


def test_a_store_that_cannot_be_written_leaves_the_lock_as_it_was(root):
    write_files(root, {".git/repro/store": ""})

    with pytest.raises(StorageError):
        lock(root)

    assert not (root / "repro.lock").exists()


def test_the_guard_is_in_the_private_folder(root):
    lock(root)

    assert (root / ".git/repro/data.lock").samefile(guard_of(open_here(root, time.time)))


def test_bytes_that_a_gc_deleted_meanwhile_are_not_locked_as_kept(root):
    store = ContentStore(open_here(root).store)
    kept = replace(TRAIN, keep=True)
    measured = look(root / TRAIN.path, root.parent / "stat.db", keep=store)
    renew_epoch(store.dir)  # as `data gc` does before it deletes

    with pytest.raises(DamagedRecordError):
        lock_dataset(open_here(root), kept, measured)

    assert read_lock(root) == {}
