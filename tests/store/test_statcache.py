"""The stat cache: whatever is wrong with it, digests are right and nothing else happens."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.manifests import all_pages, as_nobody, look, make_dataset, open_to_all

from repro.errors import DamagedRecordError
from repro.model.ids import new_id
from repro.model.manifest import FolderEntry, Total
from repro.store import statcache
from repro.store.statcache import KnownFile, KnownFolder, StatCache, is_racy

FLIPS = int(os.environ.get("REPRO_CRASH_STEP", "97"))  # every so many-th byte
SECOND = 1_000_000_000


@pytest.fixture
def top(tmp_path: Path) -> Path:
    files = {f"{n % 4}/{n}": f"{n}" for n in range(60)}
    return make_dataset(tmp_path / "data", files)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "private/stat.db"


def facts(measured):
    return measured.digest, measured.files, measured.size


def truth(top):
    return look(top, StatCache(Path(os.devnull) / "none"))


def holding(path):
    """Every value of a cache, for a comparison."""
    with sqlite3.connect(path) as db:
        found = [db.execute(f"SELECT * FROM {name}").fetchall() for name in ("folder", "entries")]
    db.close()
    return found


def a_file(name="a", **changes):
    return KnownFile(name, 0o100644, 1, 2, 3, 4, None, "0" * 32, None)._replace(**changes)


def a_folder(digest="0" * 32):
    inner = (FolderEntry("\udcff", "1" * 32, 1, 0, 2),)
    return KnownFolder("s", digest, Total(1, 2, 3), "1" * 32, inner)


def test_what_was_put_in_is_seen_at_once_and_after_a_flush_by_others(path):
    one, other = StatCache(path), StatCache(path)
    files = [a_file(), a_file("\udcff\n", target="x\udcfe"), a_file("c", sha256="2" * 64)]

    one.put_files("/d/\udcff", files)
    one.put_folder("/d/\udcff", a_folder())
    assert files == one.files("/d/\udcff")
    assert [] == other.files("/d/\udcff")
    one.flush()

    assert files == other.files("/d/\udcff") == one.files("/d/\udcff")
    assert {"/d/\udcff": a_folder()} == other.folders("/d") == one.folders("/d")
    one.close()
    other.close()


def test_only_the_folders_at_and_below_a_path_are_given(path):
    cache = StatCache(path)
    for place in ("/d", "/d/a", "/d/a/b", "/d/a.b", "/d/a0", "/d/a-", "/d/ab", "/e"):
        cache.put_files(place, [])
        cache.put_folder(place, a_folder())
    for _ in range(2):
        assert {"/d/a", "/d/a/b"} == cache.folders("/d/a").keys()
        cache.flush()
    cache.close()


def test_one_folder_is_given_as_it_is_among_all(path):
    cache = StatCache(path)
    places = ("/d", "/d/\udcff", "/d/a")
    for place in places[:2]:
        cache.put_folder(place, a_folder())
    cache.flush()
    cache.put_folder("/d/a", a_folder("1" * 32))
    cache.put_folder("/d", a_folder("2" * 32))
    cache.put_files("/d/\udcff", [])

    assert [a_folder("2" * 32), None, a_folder("1" * 32)] == [cache.folder(one) for one in places]
    assert cache.folders("/d") == {one: cache.folder(one) for one in ("/d", "/d/a")}
    cache.drop()
    assert [a_folder(), a_folder(), None] == [cache.folder(one) for one in places]
    assert cache.folder("/never") is None
    cache.close()


def test_the_page_of_one_folder_does_not_cost_a_look_at_all(top, path):
    class Counting(StatCache):
        asked = 0

        def folders(self, top):
            self.asked += 1
            return super().folders(top)

    cache = Counting(path)
    found = look(top, cache)
    before = cache.asked

    assert 5 == len(all_pages(found))
    assert before == cache.asked
    cache.close()


def test_the_page_of_a_folder_is_forgotten_with_new_files_until_it_is_put_again(path):
    """A page is believed with the files that stand beside it, so half of them must not."""
    cache = StatCache(path)
    cache.put_files("/d", [a_file("a"), a_file("b")])
    cache.put_folder("/d", a_folder())
    cache.flush()

    cache.put_files("/d", [a_file("a")])

    assert {} == cache.folders("/d")
    cache.flush()
    assert {} == cache.folders("/d")
    cache.put_folder("/d", a_folder())
    assert {"/d"} == cache.folders("/d").keys()
    cache.close()
    assert {"/d"} == StatCache(path).folders("/d").keys()


def test_folders_that_are_gone_are_forgotten(path):
    cache = StatCache(path)
    cache.put_files("/d", [a_file()])
    cache.put_folder("/d", a_folder())
    cache.flush()

    cache.forget(["/d", "/never"])

    assert ({}, []) == (cache.folders("/d"), cache.files("/d"))
    cache.close()


def test_the_newest_holders_of_a_dataset_come_first_and_few_are_remembered(path):
    cache = StatCache(path)
    ids = [new_id(os.urandom) for _ in range(20)]
    for run in ids:
        cache.put_holder("train", run)
    cache.put_holder("other", ids[0])

    assert list(reversed(ids))[:16] == cache.holders("train")
    assert [ids[0]] == cache.holders("other")
    cache.close()


@pytest.mark.parametrize(
    ("newest", "looked", "racy"),
    [
        (10 * SECOND + 1, 10 * SECOND, True),
        (10 * SECOND + 5, 10 * SECOND + 5, True),
        (10 * SECOND - 19_999_999, 10 * SECOND, True),
        (10 * SECOND - 20_000_001, 10 * SECOND, False),
        (8 * SECOND, 10 * SECOND - 1, True),
        (8 * SECOND, 10 * SECOND + 1, False),
        (0, 10 * SECOND, False),
    ],
)
def test_a_time_is_racy_that_a_later_write_could_leave_again(newest, looked, racy):
    assert racy == is_racy(newest, looked)


def test_a_deleted_cache_is_made_anew(top, path):
    before = look(top, path)
    path.unlink()

    assert facts(before) == facts(look(top, path))
    assert 0 == look(top, path).n_read


def test_a_cache_that_goes_while_it_is_in_use_harms_nobody(top, path):
    cache = StatCache(path)
    before = look(top, cache)
    path.unlink()

    assert facts(before) == facts(look(top, cache)) == facts(look(top, path))
    assert all_pages(truth(top)) == all_pages(look(top, cache))
    cache.close()


def test_a_truncated_cache_is_right(top, path):
    wanted = truth(top)
    look(top, path)
    data = path.read_bytes()
    places = {*range(0, 120, 7), *range(0, len(data), 4096), *range(0, len(data), 1531)}

    for size in sorted(places):
        path.write_bytes(data[:size])
        looks = [look(top, path) for _ in range(3)]
        assert [facts(wanted)] * 3 == [facts(one) for one in looks], size
        assert 0 == looks[-1].n_read, size


def test_a_cache_with_flipped_bits_is_right(top, path):
    wanted = truth(top)
    pages = all_pages(wanted)
    look(top, path)
    data = path.read_bytes()

    for place in [*range(0, 108, 3), *range(108, len(data), FLIPS)]:
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        cache = StatCache(path)
        assert facts(wanted) == facts(look(top, cache)), place
        assert pages == pages_within_two_looks(top, cache), place
        assert [] == cache.holders("train")
        cache.close()


def pages_within_two_looks(top, cache):
    """That the files of a folder are garbled is seen when its page is asked for."""
    try:
        return all_pages(look(top, cache))
    except DamagedRecordError:
        return all_pages(look(top, cache))


@pytest.mark.parametrize("value", ["text", 1, 1.5, b"", b"x" * 40], ids=repr)
@pytest.mark.parametrize("column", ["path", "data"])
@pytest.mark.parametrize("table", ["folder", "entries"])
def test_a_row_of_another_type_is_not_believed(top, path, table, column, value):
    look(top, path)
    with sqlite3.connect(path) as db:
        db.execute(
            f"UPDATE {table} SET {column} = ?"
            f" WHERE path = (SELECT path FROM {table} ORDER BY path LIMIT 1)",
            (value,),
        )
    db.close()

    cache = StatCache(path)
    assert facts(truth(top)) == facts(look(top, cache))
    assert all_pages(truth(top)) == pages_within_two_looks(top, cache)
    cache.close()


def test_a_row_with_a_wrong_checksum_is_not_believed(top, path):
    wanted = truth(top)
    look(top, path)
    with sqlite3.connect(path) as db:
        for table in ("folder", "entries"):
            for raw, data in db.execute(f"SELECT path, data FROM {table}").fetchall():
                changed = data.replace(wanted.digest.encode(), b"0" * 32)
                changed = changed[:32] + changed[32:].replace(b"1", b"2")
                db.execute(f"UPDATE {table} SET data = ? WHERE path = ?", (changed, raw))
    db.close()

    assert facts(wanted) == facts(look(top, path))


def test_a_row_of_another_folder_is_not_believed(top, path):
    look(top, path)
    with sqlite3.connect(path) as db:
        [one, other] = db.execute("SELECT data FROM entries ORDER BY path LIMIT 2").fetchall()
        db.execute("UPDATE entries SET data = ? WHERE data = ?", (*one, *other))
        db.execute("DELETE FROM folder")
    db.close()

    assert facts(truth(top)) == facts(look(top, path))


@pytest.mark.parametrize("run", ["", "../../heads/main", "a\0b", 7, None, b"x", "x" * 12], ids=repr)
def test_a_holder_that_is_no_id_is_passed_over(path, run):
    StatCache(path).close()
    with sqlite3.connect(path) as db:
        db.execute("INSERT OR IGNORE INTO holder (dataset, run) VALUES ('train', ?)", (run,))
    db.close()

    assert StatCache(path).holders("train") in ([], ["x" * 12])


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"SQLite format 3\0", os.urandom(5000), bytes(8192), b"\xff" * 100_000],
    ids=["empty", "a byte", "a header", "noise", "zeros", "ones"],
)
def test_garbage_in_its_place_is_replaced(top, path, data):
    path.parent.mkdir()
    path.write_bytes(data)

    assert facts(truth(top)) == facts(look(top, path))
    assert 0 == look(top, path).n_read


def test_a_database_of_somebody_else_in_its_place_is_replaced(top, path):
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE folder (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT)")
        db.execute("CREATE VIEW entries AS SELECT * FROM folder")
        db.execute("INSERT INTO folder (x) VALUES ('y')")
    db.close()

    assert facts(truth(top)) == facts(look(top, path))
    assert 0 == look(top, path).n_read


def test_one_of_another_version_is_made_anew(top, path):
    look(top, path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    assert facts(truth(top)) == facts(look(top, path))
    assert 0 == look(top, path).n_read


@pytest.mark.parametrize("name", ["stat.db", "stat.db-journal", "stat.db-wal"])
@pytest.mark.parametrize(
    "make",
    [
        Path.mkdir,
        os.mkfifo,
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to("gone"),
    ],
    ids=["folder", "fifo", "link", "dangling"],
)
def test_an_odd_thing_in_its_place_is_not_waited_for(top, path, make, name):
    path.parent.mkdir()
    make(path.with_name(name))

    for _ in range(2):
        assert facts(truth(top)) == facts(look(top, path))


def test_a_file_in_the_place_of_its_folder_is_gone_without(top, path):
    path.parent.write_bytes(b"")

    assert facts(truth(top)) == facts(look(top, path))


LOCK = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locked(path, monkeypatch):
    """Another process holds the file from now on, and we have little patience."""
    monkeypatch.setattr(statcache, "_PATIENCE_S", 0.2)
    held = []

    def lock():
        held.append(
            subprocess.Popen(
                [sys.executable, "-c", LOCK, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert "locked\n" == held[-1].stdout.readline()

    yield lock
    for process in held:
        process.communicate("")


def test_one_that_is_locked_for_long_is_gone_without(top, path, locked):
    look(top, path)
    before = holding(path)
    locked()
    start = time.monotonic()

    for _ in range(2):
        found = look(top, path)
        assert (60, facts(truth(top))) == (found.n_read, facts(found))

    assert time.monotonic() - start < 30
    assert path.exists()
    assert before


def test_one_that_is_locked_while_it_is_in_use_is_gone_without(top, path, locked):
    cache = StatCache(path)
    look(top, cache)
    locked()

    found = look(top, cache)

    assert (60, facts(truth(top))) == (found.n_read, facts(found))
    assert all_pages(truth(top)) == all_pages(found)
    cache.put_holder("train", "x")
    assert [] == cache.holders("train")
    cache.close()


@pytest.mark.parametrize("is_new", [True, False])
def test_one_in_a_folder_that_may_not_be_written_is_read_or_gone_without(top, path, is_new):
    path.parent.mkdir()
    open_to_all(path.parent)
    if not is_new:
        look(top, path)
    path.parent.chmod(0o555)
    try:
        with as_nobody():
            for _ in range(2):
                found = look(top, path)
                assert facts(found)[1] == 60
                assert is_new or found.n_read == 0
    finally:
        path.parent.chmod(0o755)

    assert facts(truth(top)) == facts(found)


def test_one_that_may_not_be_read_is_gone_without(top, path):
    look(top, path)
    open_to_all(path.parent)
    path.chmod(0)

    with as_nobody():
        found = look(top, path)

    assert facts(truth(top)) == facts(found)


def test_it_is_used_by_many_processes_at_once(path):
    code = """
import sys
from pathlib import Path
from repro.store.statcache import StatCache, KnownFile
cache = StatCache(Path(sys.argv[1]))
for number in range(40):
    name = f"{sys.argv[2]}-{number}"
    cache.put_files(f"/{name}", [KnownFile(name, 1, 1, 1, 1, 1, None, "0" * 32, None)])
    cache.flush()
    assert cache.files(f"/{name}")[0].name == name
cache.close()
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(number)])
        for number in range(4)
    ]

    assert [0] * 4 == [process.wait() for process in running]
    cache = StatCache(path)
    assert all(cache.files(f"/{n}-{m}") for n in range(4) for m in range(40))
    cache.close()
