"""A stamp tells of every change of a ref, and never that there was none without proof."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import git
from tests.support.records import run_id

from repro.store.refs import ARCHIVE, REMOTES, RUNS, TRASH
from repro.store.refstamp import RefStamp, take_stamp

FIRST, SECOND = RUNS + run_id("aaaa"), RUNS + run_id("bbbb")
FETCHED = f"{REMOTES}origin/{run_id('aaaa')}"
NESTED = f"{REMOTES}lab/gpu/archive/{run_id('aaaa')}"
REMOVED = TRASH + run_id("bbbb")
ARCHIVED = ARCHIVE + run_id("aaaa")
LATER = 60_000_000_000  # a look at files that are a minute old


def look(root: Path, after_ns: int = LATER) -> RefStamp:
    found = take_stamp(root / ".git", time.time_ns() + after_ns)
    assert found is not None
    return found


def commit(root: Path) -> str:
    git(root, "commit", "-q", "--allow-empty", "-m", "more")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def refs(repository: Path) -> Path:
    """A repository with a run whose ref is packed, and one whose ref is not."""
    git(repository, "update-ref", FIRST, "HEAD")
    git(repository, "pack-refs", "--all")
    git(repository, "update-ref", SECOND, "HEAD")
    return repository


def change_nothing(root: Path) -> None:
    git(root, "for-each-ref")


def move_loose(root: Path) -> None:
    git(root, "update-ref", SECOND, commit(root))


def move_packed(root: Path) -> None:
    git(root, "update-ref", FIRST, commit(root))


def add(root: Path) -> None:
    git(root, "update-ref", RUNS + run_id("cccc"), "HEAD")


def delete_loose(root: Path) -> None:
    git(root, "update-ref", "-d", SECOND)


def delete_packed(root: Path) -> None:
    git(root, "update-ref", "-d", FIRST)


def pack(root: Path) -> None:
    git(root, "pack-refs", "--all")


def rewrite_in_place(root: Path) -> None:
    path = root / ".git" / SECOND
    before = path.stat()
    time.sleep(0.02)  # a tick of the clock of the file system
    path.write_text("0" * 40 + "\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def fetch(root: Path) -> None:
    for ref in (FETCHED, NESTED):
        git(root, "update-ref", ref, "HEAD")


def remove(root: Path) -> None:
    git(root, "update-ref", REMOVED, "HEAD")
    git(root, "update-ref", "-d", SECOND)


def archive(root: Path) -> None:
    git(root, "update-ref", ARCHIVED, "HEAD")


def proves(now: RefStamp, earlier: RefStamp) -> bool:
    """Whether no ref can have changed meanwhile."""
    return now.differing(earlier) == set()


def test_where_nothing_changed_the_stamp_proves_it(refs: Path) -> None:
    before = look(refs)
    change_nothing(refs)
    assert proves(look(refs), before)


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        (move_loose, {SECOND}), (move_packed, {FIRST}), (add, {RUNS + run_id("cccc")}),
        (delete_loose, {SECOND}), (delete_packed, None), (pack, None),
        (rewrite_in_place, {SECOND}), (fetch, {FETCHED, NESTED}), (remove, {SECOND, REMOVED}),
        (archive, {ARCHIVED}),
    ],
)  # fmt: skip
def test_each_change_shows(
    refs: Path, change: Callable[[Path], None], differing: set[str] | None
) -> None:
    before = look(refs)
    change(refs)
    after = look(refs)
    assert not proves(after, before)
    if differing is None:
        assert after.packed != before.packed
    else:
        assert after.packed == before.packed
        assert after.differing(before) == differing


def test_a_file_as_young_as_the_look_proves_nothing(refs: Path) -> None:
    files = [refs / ".git" / name for name in ("packed-refs", SECOND)]
    born_ns = min(path.stat().st_ctime_ns for path in files)
    before, again = (take_stamp(refs / ".git", born_ns) for _ in range(2))
    assert before is not None
    assert again is not None
    assert (before.packed, before.loose) == (None, {SECOND: None})
    assert not proves(again, before)
    assert not proves(look(refs), before)


def test_a_clock_that_is_late_proves_nothing(refs: Path) -> None:
    before = look(refs, after_ns=-LATER)
    assert not proves(look(refs, after_ns=-LATER), before)


def test_a_time_in_whole_seconds_proves_nothing_for_two_seconds(refs: Path) -> None:
    path = refs / ".git" / "packed-refs"
    now_ns = path.stat().st_ctime_ns // 1_000_000_000 * 1_000_000_000 + 1_000_000_000
    os.utime(path, ns=(now_ns, now_ns))
    stamps = [take_stamp(refs / ".git", now_ns + later) for later in (1_000_000_000, 3_000_000_000)]
    assert [stamp is not None and stamp.packed is not None for stamp in stamps] == [False, True]


def test_without_refs_there_is_nothing_to_change(repository: Path) -> None:
    before = look(repository)
    assert (before.packed, before.loose) == ("", {})
    assert proves(look(repository), before)
    add(repository)
    assert not proves(look(repository), before)


def test_a_lock_of_git_is_no_ref(refs: Path) -> None:
    before = look(refs)
    (refs / ".git" / f"{SECOND}.lock").write_text("")
    assert proves(look(refs), before)


def make_file(root: Path) -> None:
    (root / ".git" / REMOTES.rstrip("/")).write_text("")


def make_link(root: Path) -> None:
    (root / ".git" / RUNS / "link").symlink_to(root / ".git" / SECOND)


def link_folder(root: Path) -> None:
    folder = root / ".git" / RUNS
    folder.rename(root / ".git" / "elsewhere")
    folder.symlink_to(root / ".git" / "elsewhere")


def make_reftable(root: Path) -> None:
    (root / ".git" / "reftable").mkdir()


@pytest.mark.parametrize("odd", [make_file, make_link, link_folder, make_reftable])
def test_an_odd_form_has_no_stamp(refs: Path, odd: Callable[[Path], None]) -> None:
    odd(refs)
    assert take_stamp(refs / ".git", time.time_ns() + LATER) is None
