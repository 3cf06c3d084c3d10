"""Measuring: the manifest of what lies on disk now, whatever the cache says, read only once."""

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash
from tests.support import write_files
from tests.support.manifests import (
    all_pages,
    as_nobody,
    in_memory,
    look,
    make_dataset,
    open_to_all,
)
from tests.support.projects import open_here

from repro.core.datasets import Dataset
from repro.core.locking import lock_dataset
from repro.errors import InvalidInputError, StorageError
from repro.model.canonical import format_json
from repro.model.manifest import (
    DataFacts,
    FileEntry,
    FolderEntry,
    LinkEntry,
    by_name,
    format_page,
    format_vouchers,
)
from repro.store.content import ContentStore
from repro.store.datafacts import encode_facts
from repro.store.hashing import digest_bytes
from repro.store.statcache import StatCache

FORMAT = Path(__file__).parents[2] / "docs/FORMAT.md"


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data/train")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "stat.db"


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "store")


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    with in_memory(tmp_path) as folder:
        yield folder


def fresh(top, **source):
    """What it is without any cache."""
    with_none = StatCache(Path(os.devnull) / "none")
    return look(top, with_none, **source)


def facts(measured):
    return measured.digest, measured.files, measured.size


def page(measured, path=""):
    return by_name(all_pages(measured)[path])


def test_a_dataset_is_a_page_for_each_folder(top, cache):
    found = look(top, cache)

    assert {"", "b", "b/d"} == all_pages(found).keys()
    inner = (FileEntry("e", digest_bytes(b"333"), 3),)
    assert inner == all_pages(found)["b/d"]
    assert FolderEntry("d", digest_bytes(format_page(inner)), 1, 0, 3) == page(found, "b")["d"]
    assert (digest_bytes(format_page(all_pages(found)[""])), 4, 7) == facts(found)
    assert (4, (), (), False) == (found.n_read, found.left_out, found.followed, found.is_file)


def test_an_unchanged_dataset_is_not_read_again(top, cache):
    before = look(top, cache)

    after = look(top, cache)

    assert facts(before) == facts(after)
    assert 0 == after.n_read
    assert all_pages(before) == all_pages(after)


def test_an_unchanged_dataset_is_not_read_even_if_one_may_not(top, cache):
    look(top, cache)
    (top / "a").chmod(0)
    open_to_all(top)
    with_closed = look(top, cache)  # root may
    cache.chmod(0o666)

    with as_nobody():
        assert facts(with_closed) == facts(look(top, cache))


CHANGES = {
    "edited": lambda top: (top / "a").write_bytes(b"9"),
    "grown": lambda top: (top / "b/c").write_bytes(b"22222"),
    "emptied": lambda top: (top / "b/c").write_bytes(b""),
    "added": lambda top: (top / "b/new").write_bytes(b"n"),
    "removed": lambda top: (top / "b/d/e").unlink(),
    "renamed": lambda top: (top / "a").rename(top / "z"),
    "moved": lambda top: (top / "a").rename(top / "b/a"),
    "swapped": lambda top: (
        (top / "a").rename(top / "t"),
        (top / "f g").rename(top / "a"),
        (top / "t").rename(top / "f g"),
    ),
    "a folder added": lambda top: (top / "b/new").mkdir(),
    "a folder removed": lambda top: shutil.rmtree(top / "b"),
    "a folder renamed": lambda top: (top / "b").rename(top / "B"),
    "a folder moved": lambda top: (top / "b/d").rename(top / "d"),
    "a file made a folder": lambda top: ((top / "a").unlink(), (top / "a").mkdir()),
    "a folder made a file": lambda top: (
        shutil.rmtree(top / "b/d"),
        (top / "b/d").write_bytes(b""),
    ),
    "a file made a link": lambda top: ((top / "a").unlink(), (top / "a").symlink_to("f g")),
    "made executable": lambda top: (top / "a").chmod(0o755),
    "replaced by an edited copy": lambda top: (
        shutil.copy2(top / "a", top / "t"),
        (top / "t").write_bytes(b"7"),
        os.utime(top / "t", ns=(top / "a").stat().st_mtime_ns and (1, 1)),
        (top / "t").replace(top / "a"),
    ),
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("keep", [False, True])
def test_after_any_change_it_is_what_it_is_without_the_cache(top, cache, store, how, keep):
    source = {"keep": store} if keep else {}
    before = look(top, cache, **source)

    CHANGES[how](top)

    after = look(top, cache, **source)
    assert facts(fresh(top)) == facts(after) != facts(before)
    assert all_pages(fresh(top, **source)) == all_pages(after)
    assert facts(after) == facts(look(top, cache, **source))
    assert after.n_read <= 2


def test_a_change_taken_back_gives_the_digest_from_before(top, cache):
    before = look(top, cache)
    (top / "b/c").unlink()
    (top / "b/c").mkdir()
    write_files(top, {"b/c/x": "1"})
    assert facts(before) != facts(look(top, cache))

    shutil.rmtree(top / "b/c")
    write_files(top, {"b/c": "22"})

    assert facts(before) == facts(look(top, cache))


def test_a_touched_file_is_read_again_and_is_the_same(top, cache):
    before = look(top, cache)
    os.utime(top / "b/c", ns=(1, 1))

    after = look(top, cache)

    assert facts(before) == facts(after)
    assert 1 == after.n_read
    assert 0 == look(top, cache).n_read


@pytest.mark.parametrize("seconds", [0, 1, -1, 2**33, 2**34, 2**40, -(2**40)])
def test_a_file_of_any_age_is_read_once(cache, roomy, seconds):
    """Some file systems have times that no 64 bits of nanoseconds hold."""
    top = make_dataset(roomy / "data")
    os.utime(top / "b/c", ns=(seconds * 10**9, seconds * 10**9))
    before = look(top, cache, now_ns=lambda: 2**41 * 10**9)

    after = look(top, cache, now_ns=lambda: 2**41 * 10**9)

    assert (0, facts(before)) == (after.n_read, facts(after))


def test_an_edit_with_size_and_time_set_back_is_noticed(top, cache):
    status = (top / "b/c").stat()
    before = look(top, cache)
    (top / "b/c").write_bytes(b"99")
    os.utime(top / "b/c", ns=(status.st_atime_ns, status.st_mtime_ns))

    assert facts(before) != facts(look(top, cache)) == facts(fresh(top))


def test_an_edit_right_after_hashing_is_noticed(tmp_path, cache):
    """The clock of the kernel steps: two writes in one step leave the same times."""
    path = tmp_path / "data/x"
    path.parent.mkdir()
    opened = StatCache(cache)
    for number in range(50):
        path.write_bytes(b"%02d" % number)
        before = look(path.parent, opened, now_ns=time.time_ns).digest
        with path.open("r+b") as file:
            file.write(b"xy")

        after = look(path.parent, opened, now_ns=time.time_ns)

        assert before != after.digest
        assert digest_bytes(b"xy") == after.page_of("")[0].digest
    opened.close()


def test_a_file_that_was_new_when_it_was_hashed_is_read_once_more_and_then_believed(top, cache):
    born_ns = max(path.lstat().st_ctime_ns for path in top.rglob("*"))
    look(top, cache, now_ns=lambda: born_ns)
    later_ns = born_ns + 10**9

    assert 4 == look(top, cache, now_ns=lambda: later_ns).n_read
    assert 0 == look(top, cache, now_ns=lambda: later_ns).n_read


def test_a_clock_that_is_behind_costs_time_and_nothing_else(top, cache):
    for _ in range(2):
        found = look(top, cache, now_ns=lambda: 0)
        assert 4 == found.n_read
        assert facts(fresh(top)) == facts(found)


def test_only_the_changed_file_is_read_again(top, cache):
    look(top, cache)
    (top / "b/d/e").write_bytes(b"444")

    assert 1 == look(top, cache).n_read


def test_empty_files_and_nested_empty_folders_are_recorded(tmp_path, cache):
    top = tmp_path / "data"
    (top / "x/y/z").mkdir(parents=True)
    write_files(top, {"e": ""})

    found = look(top, cache)

    assert {"", "x", "x/y", "x/y/z"} == all_pages(found).keys()
    assert () == all_pages(found)["x/y/z"]
    assert FolderEntry("x", page(found)["x"].digest, 0, 2, 0) == page(found)["x"]
    assert (1, 0) == (found.files, found.size)


def test_an_empty_dataset_has_a_digest(tmp_path, cache):
    (tmp_path / "data").mkdir()

    assert (digest_bytes(b""), 0, 0) == facts(look(tmp_path / "data", cache))
    assert (digest_bytes(b""), 0, 0) == facts(look(tmp_path / "data", cache))


def test_inner_links_are_kept_as_links(top, cache):
    for name, target in {"b/up": "../a", "dangling": "gone", "l1": "l2", "l2": "l1"}.items():
        (top / name).symlink_to(target)

    found = look(top, cache)

    assert LinkEntry("up", "../a") == page(found, "b")["up"]
    assert LinkEntry("dangling", "gone") == page(found)["dangling"]
    assert (8, 7) == (found.files, found.size)
    (top / "l1").unlink()
    (top / "l1").symlink_to("a")
    assert LinkEntry("l1", "a") == page(look(top, cache))["l1"]


def test_a_link_out_is_refused_by_its_path_and_followed_on_request(top, cache, tmp_path):
    write_files(tmp_path, {"out/x": "xx", "out/sub/y": "yyy"})
    (top / "b/far").symlink_to(tmp_path / "out")
    (top / "b/one").symlink_to("../../../out/x")
    with pytest.raises(InvalidInputError, match="`b/far` is a link to"):
        look(top, cache)

    found = look(top, cache, follow=True)

    assert ("b/far", "b/one") == found.followed
    assert FileEntry("one", digest_bytes(b"xx"), 2) == page(found, "b")["one"]
    assert {"", "b", "b/d", "b/far", "b/far/sub"} == all_pages(found).keys()
    assert (7, 14) == (found.files, found.size)
    assert 0 == look(top, cache, follow=True).n_read
    (tmp_path / "out/sub/y").write_bytes(b"YYY")
    assert 1 == look(top, cache, follow=True).n_read
    with pytest.raises(InvalidInputError, match="`b/far` is a link to"):
        look(top, cache)


def test_links_in_a_followed_folder_mean_what_they_mean_where_it_lies(top, cache, tmp_path):
    """`out/up` leads to `secret` beside `out`; beside the link to `out` there is another one."""
    write_files(tmp_path, {"outer/secret": "real", "outer/out/x/y": "", "outer/out/z": "z"})
    (tmp_path / "outer/out/up").symlink_to("../secret")
    (tmp_path / "outer/out/x/inner").symlink_to("../z")
    (tmp_path / "outer/out/x/up").symlink_to("../../secret")
    (top / "b/far").symlink_to(tmp_path / "outer/out")

    found = look(top, cache, follow=True)

    secret = digest_bytes(b"real")
    assert FileEntry("up", secret, 4) == page(found, "b/far")["up"]
    assert FileEntry("up", secret, 4) == page(found, "b/far/x")["up"]
    assert LinkEntry("inner", "../z") == page(found, "b/far/x")["inner"]
    assert ("b/far", "b/far/up", "b/far/x/up") == found.followed


@pytest.mark.parametrize("target", ["{top}", "{top}/b", "{top}/.."])
def test_a_followed_link_to_a_folder_that_holds_it_is_refused_by_name(top, cache, target):
    (top / "b/loop").symlink_to(target.format(top=top))

    with pytest.raises(InvalidInputError, match=r"`b/loop[a-z/]*` is a link to a folder that it"):
        look(top, cache, follow=True)


def test_links_that_double_at_each_level_are_refused_at_the_first(top, cache, tmp_path):
    for level in range(30):
        folder = tmp_path / f"levels/{level}"
        folder.mkdir(parents=True)
        for name in ("one", "two"):
            (folder / name).symlink_to(tmp_path / f"levels/{level + 1}")
    (tmp_path / "levels/30").mkdir()
    (top / "b/far").symlink_to(tmp_path / "levels/0")

    with pytest.raises(
        InvalidInputError, match=r"`b/far/[two/]*one` and `b/far/[two/]*`"
    ) as caught:
        look(top, cache, follow=True)

    assert "take one of the links out" in caught.value.hint


@pytest.mark.parametrize("name", ["a0", "z"])  # looked at before the folder, and after it
def test_a_folder_of_the_dataset_that_a_link_leads_to_as_well_is_refused(top, cache, name):
    (top / name).symlink_to(top / "b/d")

    with pytest.raises(InvalidInputError, match=rf"`{min(name, 'b/d')}` and `{max(name, 'b/d')}`"):
        look(top, cache, follow=True)


def test_links_to_one_file_and_to_folders_apart_are_all_followed(top, cache, tmp_path):
    write_files(tmp_path, {"out/x": "x", "out/in/y": "y", "out/beside/y": "y"})
    for name in ("f1", "f2"):
        (top / name).symlink_to(tmp_path / "out/x")
    for name in ("in", "beside"):
        (top / name).symlink_to(tmp_path / "out" / name)

    found = look(top, cache, follow=True)

    assert ("beside", "f1", "f2", "in") == found.followed
    assert facts(found) == facts(look(top, cache, follow=True))


@pytest.mark.parametrize(("target", "reason"), [("/gone", "No such file"), ("/l2", "No such file")])
def test_a_followed_link_that_leads_nowhere_is_refused_by_name(top, cache, target, reason):
    (top / "b/l1").symlink_to(target)

    with pytest.raises(InvalidInputError, match=f"`b/l1` is a link to `{target}`: {reason}"):
        look(top, cache, follow=True)


def test_hard_links_are_files_each(top, cache):
    os.link(top / "a", top / "b/again")

    found = look(top, cache)

    assert page(found)["a"].digest == page(found, "b")["again"].digest
    assert (5, 8) == (found.files, found.size)


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"tab\t \x1b[2J", b"%41", b".page"])
def test_odd_names_are_recorded_as_they_are(top, cache, name):
    text = os.fsdecode(name)
    (top / text).mkdir()
    (top / text / text).write_bytes(b"x")

    for _ in range(2):
        found = look(top, cache)
        assert FileEntry(text, digest_bytes(b"x"), 1) == page(found, text)[text]
    assert 0 == found.n_read


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", ".. ", "..\\x"])
def test_a_name_that_no_record_may_hold_is_left_out_and_named(top, cache, name):
    before = look(top, cache)
    write_files(top, {f"b/{name}/config": "[core]\n"})

    found = look(top, cache)

    assert (f"b/{name}",) == found.left_out
    assert facts(before) == facts(found)
    assert (f"b/{name}",) == look(top, cache).left_out


def test_a_dataset_may_be_one_file(top, cache, store):
    found = look(top / "a", cache)

    assert (digest_bytes(b"1"), 1, 1) == facts(found)
    assert found.is_file
    assert {"": (FileEntry("a", digest_bytes(b"1"), 1),)} == all_pages(found)
    assert 0 == look(top / "a", cache).n_read
    (top / "a").write_bytes(b"2")
    assert (digest_bytes(b"2"), 1, 1) == facts(look(top / "a", cache, keep=store))


def test_a_file_and_a_folder_of_one_path_are_told_apart(top, cache):
    one = look(top / "a", cache)
    (top / "a").unlink()
    write_files(top, {"a/a": "1"})

    other = look(top / "a", cache)

    assert (True, False) == (one.is_file, other.is_file)
    assert facts(fresh(top / "a")) == facts(other)
    shutil.rmtree(top / "a")
    (top / "a").write_bytes(b"1")
    assert facts(one) == facts(look(top / "a", cache))


@pytest.mark.parametrize("is_file", [False, True])
def test_the_top_may_be_a_link_to_a_larger_disk(top, cache, tmp_path, is_file):
    target = top / "a" if is_file else top
    (tmp_path / target.name).symlink_to(target)

    assert facts(look(target, cache)) == facts(look(tmp_path / target.name, cache))


def make_socket(path):
    folder = os.open(path.parent, os.O_RDONLY)
    os.fchdir(folder)  # the name of a socket may have no more than 107 bytes
    os.close(folder)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "there is no dataset at `.*odd`: No such file"),
        (lambda path: path.symlink_to("gone"), "there is no dataset at `.*odd`: No such file"),
        (lambda path: path.symlink_to("odd"), "there is no dataset at `.*odd`: Too many levels"),
        (os.mkfifo, "`.*odd` is neither a file nor a folder"),
        (make_socket, "`.*odd` is neither a file nor a folder"),
    ],
    ids=["missing", "dangling", "loop", "fifo", "socket"],
)
def test_a_top_that_can_be_no_dataset_is_refused_by_name(tmp_path, cache, make, reason):
    make(tmp_path / "odd")

    with pytest.raises(InvalidInputError, match=reason):
        look(tmp_path / "odd", cache)


def test_a_thing_deep_inside_that_no_dataset_can_hold_is_refused_by_its_path(top, cache):
    os.mkfifo(top / "b/d/pipe")

    with pytest.raises(InvalidInputError, match="`b/d/pipe` is a named pipe"):
        look(top, cache)


@pytest.mark.parametrize(
    ("path", "mode", "reason"),
    [
        ("b/d", 0, "the folder `b/d` of the dataset cannot be read"),
        ("b", 0o400, "the folder `b` of the dataset cannot be read"),
        ("b", 0o100, "the folder `b` of the dataset cannot be read"),
        (".", 0, "the folder `.` of the dataset cannot be read"),
        ("b/c", 0, "`b/c` cannot be read: Permission denied"),
    ],
)
def test_what_may_not_be_read_is_named(top, cache, path, mode, reason):
    open_to_all(top)
    for one in ("", "b", "b/d"):
        (top / one).chmod(0o755)
    (top / path).chmod(mode)
    try:
        with as_nobody(), pytest.raises(InvalidInputError, match=reason) as caught:
            look(top, cache)
    finally:
        (top / path).chmod(0o755)

    assert "mend its permissions" in str(caught.value.hint)


def test_twenty_thousand_files_in_one_folder(roomy, cache):
    top = roomy / "data"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    for number in range(20_000):
        os.close(os.open(f"{number}", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)

    found = look(top, cache)

    assert (20_000, 20_000) == (found.files, found.n_read)
    again = look(top, cache)
    assert (found.digest, 0) == (again.digest, again.n_read)


def test_a_folder_so_deep_that_no_path_reaches_it_is_refused(tmp_path, cache):
    top = tmp_path / "data"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=fd)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)

    with pytest.raises(InvalidInputError, match="of the dataset cannot be read"):
        look(top, cache)


class StopHereError(Exception):
    pass


def stopping_after(count):
    def report(progress):
        if progress.files >= count:
            raise StopHereError

    return report


@pytest.mark.parametrize("keep", [False, True])
def test_a_second_call_reads_only_what_an_interrupted_one_has_not(tmp_path, cache, store, keep):
    source = {"keep": store} if keep else {}
    top = make_dataset(tmp_path / "data", {f"{n % 3}/{n}": f"{n}" for n in range(1500)})
    with pytest.raises(StopHereError):
        look(top, cache, on_progress=stopping_after(400), **source)

    found = look(top, cache, **source)

    assert 0 < found.n_read <= 1100
    assert facts(fresh(top)) == facts(found)
    assert all_pages(fresh(top, **source)) == all_pages(found)


def test_an_interrupted_keeping_leaves_what_was_known_before_whole(tmp_path, cache, store):
    """The pages of a folder come from the cache: half of its files are no page."""
    top = make_dataset(tmp_path / "data", {f"{n}": f"{n}" for n in range(600)})
    before = look(top, cache)
    with pytest.raises(StopHereError):
        look(top, cache, keep=store, on_progress=stopping_after(200))

    found = look(top, cache)

    assert facts(before) == facts(found)
    assert all_pages(before) == all_pages(found)
    assert all_pages(fresh(top, keep=store)) == all_pages(look(top, cache, keep=store))


def test_progress_ends_at_all_files_and_bytes(tmp_path, cache):
    top = make_dataset(tmp_path / "data", {f"{n}": "1234" for n in range(300)})
    (top / "large").write_bytes(bytes(3 << 20))
    seen = []

    look(top, cache, on_progress=seen.append)

    last = max(seen, key=lambda progress: progress.size)
    assert (301, 1200 + (3 << 20)) == (last.all_files, last.all_size)
    assert last.size <= last.all_size
    assert all(one.files <= one.all_files for one in seen)


def test_the_digest_does_not_depend_on_what_is_kept_or_known(top, cache, store):
    wanted = facts(fresh(top))
    for source in ({}, {"keep": store}, {}, {"keep": store, "recheck": True}, {"recheck": True}):
        assert wanted == facts(look(top, cache, **source))
        assert wanted == facts(fresh(top, **source))


def test_the_pages_vouch_for_files_that_are_kept_and_for_no_others(top, cache, store):
    """What is recorded depends on the dataset and its settings, never on what was known before."""
    kept = look(top, cache, keep=store)
    assert all(one.sha256 for one in page(kept).values() if isinstance(one, FileEntry))

    not_kept = look(top, cache)

    assert all_pages(fresh(top)) == all_pages(not_kept)
    assert all_pages(fresh(top / "a")) == all_pages(look(top / "a", cache))
    assert all_pages(fresh(top, keep=store)) == all_pages(look(top, cache, keep=store))


def test_kept_bytes_are_read_once_and_are_in_the_store(top, cache, store):
    first = look(top, cache, keep=store)
    second = look(top, cache, keep=store)

    assert (4, 0) == (first.n_read, second.n_read)
    for entry in page(second).values():
        if isinstance(entry, FileEntry):
            assert (top / entry.name).read_bytes() == store.read(f"sha256:{entry.sha256}")


def test_keeping_reads_what_was_only_hashed_before(top, cache, store):
    look(top, cache)

    assert 4 == look(top, cache, keep=store).n_read
    assert 0 == look(top, cache, keep=store).n_read


def test_what_went_from_the_store_comes_back(top, cache, store):
    look(top, cache, keep=store)
    assert 0 == look(top, cache, keep=store).n_read
    shutil.rmtree(store.dir)

    assert 4 == look(top, cache, keep=store).n_read
    assert 4 == len(list(store.entries()))
    assert 0 == look(top, cache, keep=store).n_read


def test_one_entry_that_was_set_aside_is_kept_again(top, cache, store):
    look(top, cache, keep=store)
    [(digest, _), *_] = store.entries()
    place = store.path_of(digest)
    place.chmod(0o644)
    place.write_bytes(b"damaged")
    store.set_aside(digest)

    assert 1 == look(top, cache, keep=store).n_read
    store.verify(digest)


def test_entries_that_could_not_get_their_names_are_not_believed_to_be_kept(top, cache, store):
    make_dataset(top, {f"{n:04d}": f"{n}" for n in range(1500)})
    look(top, cache, keep=None)
    (store.dir / "incoming").mkdir(parents=True)
    for first in range(256):
        (store.dir / f"{first:02x}").write_text("no folder")
    with pytest.raises(StorageError):
        look(top, cache, keep=store)
    for first in range(256):
        (store.dir / f"{first:02x}").unlink()

    look(top, cache, keep=store)

    assert all(
        store.has(f"sha256:{one.sha256}")
        for one in StatCache(cache).files(str(top))
        if one.target is None
    )


def test_a_file_that_cannot_be_kept_is_not_said_to_be_kept(top, cache, tmp_path):
    (tmp_path / "blocked").write_bytes(b"")
    with pytest.raises(StorageError):
        look(top, cache, keep=ContentStore(tmp_path / "blocked/store"))

    good = ContentStore(tmp_path / "good")
    look(top, cache, keep=good)
    assert 4 == len(list(good.entries()))


def test_large_files_in_many_folders_are_all_read(tmp_path, cache, store):
    top = make_dataset(tmp_path / "data", {f"{n}/x": bytes([n]) * (1 << 20) for n in range(40)})

    found = look(top, cache, keep=store)

    assert facts(fresh(top)) == facts(found)
    assert (40, 0) == (found.n_read, look(top, cache, keep=store).n_read)


def test_files_that_come_and_go_are_recorded_or_refused_and_nothing_else_escapes(tmp_path, cache):
    top = make_dataset(tmp_path / "data", {f"{n}/{m}": "x" for n in range(5) for m in range(5)})
    stop = threading.Event()

    def flip():
        while not stop.is_set():
            write_files(top, {"0/new": "1", "new/a": "2", "1/l": "3"})
            (top / "0/new").unlink()
            shutil.rmtree(top / "new")
            (top / "1/l").unlink()
            (top / "1/l").symlink_to("0")
            (top / "1/l").unlink()

    thread = threading.Thread(target=flip)
    thread.start()
    refused = 0
    try:
        for _ in range(150):
            try:
                look(top, StatCache(cache))
            except InvalidInputError:
                refused += 1
    finally:
        stop.set()
        thread.join()

    assert facts(fresh(top)) == facts(look(top, cache))
    assert refused < 150


def test_processes_that_measure_at_once_agree(tmp_path, cache):
    top = make_dataset(tmp_path / "data", {f"{n % 7}/{n}": f"{n}" for n in range(2000)})
    code = """
import sys, time
from pathlib import Path
from repro.core.measure import measure
from repro.core.measured import Source
from repro.store.statcache import StatCache
for _ in range(3):
    cache = StatCache(Path(sys.argv[2]))
    print(measure(Source(top=Path(sys.argv[1])), cache, now_ns=time.time_ns).digest)
    cache.close()
"""
    words = [sys.executable, "-c", code, str(top), str(cache)]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate()[0].split() for process in running]

    assert [[fresh(top).digest] * 3] * 3 == said
    assert facts(fresh(top)) == facts(look(top, cache))


def blocks_of(section):
    """The blocks of a section of the format, as text."""
    text = FORMAT.read_text().partition(f"\n### {section}\n")[2].partition("\n### ")[0]
    return re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def vectors():
    """The dataset of the test vectors: kind and bytes by path."""
    found = {}
    for line in blocks_of("Test vectors")[0].splitlines():
        kind, _, values = line.partition(" ")
        parts = ast.literal_eval("[" + values.replace('" b"', '", b"') + "]")
        found[os.fsdecode(parts[0])] = (kind, parts[-1])
    return found


def make_vectors(top):
    for path, (kind, data) in sorted(vectors().items()):
        place = top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "dir":
            place.mkdir(exist_ok=True)
        elif kind == "link":
            place.symlink_to(os.fsdecode(data))
        else:
            place.write_bytes(data)
            place.chmod(0o755 if kind == "exec" else 0o644)
    return top


def test_the_test_vectors_of_the_format_are_what_we_record(tmp_path, cache, store):
    top = make_vectors(tmp_path / "train")
    _, page, vouchers, inner_page, inner_vouchers, data, *_ = blocks_of("Test vectors")

    found = look(top, cache, keep=store)

    pages = all_pages(found)
    assert {"", "img", "none"} == pages.keys()
    assert (page, vouchers) == texts(pages[""])
    assert (inner_page, inner_vouchers) == texts(pages["img"])
    assert ("", "") == texts(pages["none"])
    facts = DataFacts("data/train", f"xxh3:{found.digest}", False, found.files, found.size, True)
    assert data.encode() == format_json({"train": encode_facts(facts)})


def texts(page):
    return format_page(page).decode(), format_vouchers(page).decode()


def test_a_writer_that_knows_the_page_of_the_format_only_gives_the_test_vectors():
    """Nothing of ours is used: the page is enough for a second implementation."""
    _, page, _, inner_page, _, data, *_ = blocks_of("Test vectors")

    def code(name):
        raw = re.sub(rb"[%~\\:\0-\x1f\x7f]|^\.", lambda one: b"%%%02X" % one[0][0], name)
        return re.sub(
            "[\udc80-\udcff]", lambda one: f"%{ord(one[0]) - 0xDC00:02X}", os.fsdecode(raw)
        )

    def write(folder):
        lines, files, folders, size = [], 0, 0, 0
        below = {os.fsencode(path): one for path, one in vectors().items()}
        for path, (kind, content) in sorted(below.items()):
            parent, _, name = path.rpartition(b"/")
            if parent != folder:
                continue
            if kind == "dir":
                text, *inner = write(path)
                digest = xxhash.xxh3_128(text.encode()).hexdigest()
                lines.append(f"dir {digest} {inner[0]} {inner[1]} {inner[2]} {code(name)}\n")
                files, folders, size = files + inner[0], folders + inner[1] + 1, size + inner[2]
            elif kind == "link":
                lines.append(f"link {content.decode().replace(' ', '%20')} {code(name)}\n")
                files += 1
            else:
                digest = xxhash.xxh3_128(content).hexdigest()
                lines.append(f"{kind} {digest} {len(content)} {code(name)}\n")
                files, size = files + 1, size + len(content)
        return "".join(lines), files, folders, size

    text, files, _, size = write(b"")
    assert (page, inner_page) == (text, write(b"img")[0])
    said = json.loads(data)["train"]
    assert f"xxh3:{xxhash.xxh3_128(text.encode()).hexdigest()}" == said["digest"]
    assert (files, size) == (said["files"], said["bytes"])


def test_the_lock_file_of_the_format_is_the_one_we_write(repository, cache):
    make_vectors(repository / "data/train")
    project = open_here(repository)
    dataset = Dataset(name="train", path="data/train", keep=True)
    found = look(repository / "data/train", cache, keep=ContentStore(project.store))

    lock_dataset(project, dataset, found)

    written = (repository / "repro.lock").read_text()
    assert "\n" + blocks_of("repro.lock")[0] == written.partition("\n")[2]
