"""The run index is a cache: whatever happens to its file, the answers are the same."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support import git
from tests.support.records import a_summary, make_record, open_at, run_id, write_run

from repro.model.run import Record, Status
from repro.store.git import Repository
from repro.store.index import RunIndex
from repro.store.refs import RUNS, RefUpdate, RunRefs, list_run_refs, update_refs


def answers(repository: Repository) -> list[Record]:
    with RunIndex(repository, list_run_refs(repository.git)) as index:
        return index.newest()


def index_file(repository: Repository) -> Path:
    return repository.private / "index.db"


@pytest.fixture
def three(repository: Path) -> tuple[Repository, list[Record]]:
    """A repository with three runs, and these, newest first."""
    opened = open_at(repository)
    records = [
        write_run(opened, make_record(name="one", tags=("a", "b"), config={"z": 1, "a": {"b": 2}})),
        write_run(opened, make_record(name="two", tags=("b",), status=Status.FAILED)),
        write_run(opened, make_record(name="one", metrics={"loss": a_summary(float("inf"))})),
    ]
    return opened, records[::-1]


def test_runs_come_newest_first_from_the_refs_and_from_the_file(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, expected = three
    assert expected == answers(repository)
    assert index_file(repository).exists()
    assert expected == answers(repository)
    assert list(expected[2].config) == list(answers(repository)[2].config)


def test_limit_status_and_tag_choose(three: tuple[Repository, list[Record]]) -> None:
    repository, (third, second, first) = three
    with RunIndex(repository, list_run_refs(repository.git)) as index:
        assert [third, second] == index.newest(limit=2)
        assert [second] == index.newest(status="failed")
        assert [second, first] == index.newest(tag="b")
        assert [second] == index.newest(tag="b", limit=1)
        assert index.newest(tag="b' OR 1 --") == []


def test_of_two_runs_with_one_name_the_newest_is_found(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, (third, second, _) = three
    with RunIndex(repository, list_run_refs(repository.git)) as index:
        assert (third.run.id, third.run.created) == index.named("one")
        assert index.named("absent") is None
        assert index.names() == ["one", "two"]
        assert (second.run.id, second.run.created) == index.order()[1]


def test_new_changed_and_removed_refs_are_followed(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, (third, second, first) = three
    answers(repository)
    ref = RUNS + second.run.id
    update_refs(repository.git, [RefUpdate(ref, new=None, old=second.commit)])
    assert [third, first] == answers(repository)
    newest = write_run(repository, make_record())
    assert [newest, third, first] == answers(repository)
    ref = RUNS + first.run.id
    moved = write_run(
        repository, make_record(id=first.run.id, created=first.run.created, note="x"), ref_id="x"
    )
    update_refs(repository.git, [RefUpdate(ref, new=moved.commit, old=first.commit)])
    update_refs(repository.git, [RefUpdate(RUNS + "x", new=None, old=moved.commit)])
    assert [newest, third, moved] == answers(repository)


def noted(repository: Repository) -> int:
    """How many digests of refs the file has: one when it need not compare them, else none."""
    with sqlite3.connect(index_file(repository)) as db:
        [number] = db.execute("SELECT count(*) FROM listing").fetchone()
    db.close()
    return int(number)


def test_a_ref_that_moves_is_seen_although_there_are_as_many(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, (third, second, first) = three
    answers(repository)
    assert noted(repository) == 1
    # An amended record of the run, put at a ref of its own first.
    tagged = make_record(id=second.run.id, created=second.run.created, tags=("new",))
    amended = write_run(repository, tagged, ref_id=run_id("zzzz"))
    update_refs(
        repository.git,
        [
            RefUpdate(RUNS + second.run.id, new=amended.commit, old=second.commit),
            RefUpdate(RUNS + run_id("zzzz"), new=None, old=amended.commit),
        ],
    )
    assert [third, amended, first] == answers(repository)
    assert [third, amended, first] == answers(repository)
    assert noted(repository) == 1


def test_one_run_in_place_of_another_is_seen_although_there_are_as_many(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, (third, second, first) = three
    answers(repository)
    newest = write_run(repository, make_record())
    update_refs(repository.git, [RefUpdate(RUNS + second.run.id, new=None, old=second.commit)])
    assert [newest, third, first] == answers(repository)
    assert noted(repository) == 1


def test_refs_that_the_file_was_made_from_are_not_taken_apart(
    three: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = three
    answers(repository)
    monkeypatch.delattr(RunRefs, "commits")
    assert expected == answers(repository)


def test_runs_that_are_left_out_come_back(three: tuple[Repository, list[Record]]) -> None:
    repository, (third, second, first) = three
    answers(repository)
    for _ in range(2):
        refs = list_run_refs(repository.git)
        with RunIndex(repository, refs, without=[second.run.id]) as index:
            assert [third, first] == index.newest()
            assert index.count() == 2
        assert noted(repository) == 0
    assert [third, second, first] == answers(repository)
    assert noted(repository) == 1


def test_what_names_no_run_and_what_cannot_be_read_is_said_each_time(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, expected = three
    bad = write_run(repository, make_record(), files={"run.json": b"{}"}).run.id
    update_refs(repository.git, [RefUpdate(RUNS + "no-id", new=expected[0].commit)])
    for _ in range(3):
        with RunIndex(repository, list_run_refs(repository.git)) as index:
            assert expected == index.newest()
            assert ["no-id", bad] == [problem.id for problem in index.problems]
    update_refs(repository.git, [RefUpdate(RUNS + "no-id", None, old=expected[0].commit)])
    git(repository.root, "update-ref", "-d", RUNS + bad)
    for _ in range(2):
        with RunIndex(repository, list_run_refs(repository.git)) as index:
            assert (expected, []) == (index.newest(), index.problems)
    assert noted(repository) == 1


def test_neighbours_are_the_ids_before_and_after(repository: Path) -> None:
    opened = open_at(repository)
    names = [run_id(start) for start in ("aaaa", "bbbb", "cccc", "dddd")]
    for name in names[1:]:
        write_run(opened, make_record(id=name))
    with RunIndex(opened, list_run_refs(opened.git)) as index:
        assert index.neighbours([names[2]]) == {names[1], names[3]}
        assert index.neighbours([names[1], names[3]]) == {names[2]}
        assert index.neighbours([names[0]]) == {names[1]}
        assert index.neighbours([]) == set()


def spoil_garbage(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)


def spoil_empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_truncated(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size // 2)


def spoil_header_only(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(100)


def spoil_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def spoil_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def spoil_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def spoil_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


def spoil_version(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("DROP TABLE run")
        db.execute("CREATE TABLE run (other INTEGER)")
    db.close()


def spoil_schema(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE run RENAME COLUMN commit_id TO oid")
    db.close()


def spoil_documents(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE run SET doc = '{}'")
    db.close()


def spoil_documents_not_json(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE run SET doc = x'00ff'")
    db.close()


def spoil_rows(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM run WHERE name = 'two'")
    db.close()


def spoil_digest(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE listing SET digest = x'00'")
    db.close()


def spoil_listing(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE listing")
    db.close()


def spoil_permission(path: Path) -> None:
    path.chmod(0)


def spoil_journal(path: Path) -> None:
    path.with_name("index.db-journal").write_bytes(os.urandom(4096))


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_garbage, spoil_empty, spoil_truncated, spoil_header_only, spoil_pages, spoil_folder,
        spoil_fifo, spoil_dangling_link, spoil_version, spoil_schema, spoil_documents,
        spoil_documents_not_json, spoil_rows, spoil_digest, spoil_listing, spoil_permission,
        spoil_journal, Path.unlink,
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_the_file_the_answers_are_the_same(
    three: tuple[Repository, list[Record]], spoil: Callable[[Path], None]
) -> None:
    repository, expected = three
    answers(repository)
    spoil(index_file(repository))
    assert expected == answers(repository)
    assert expected == answers(repository)


def test_a_broken_file_is_mended_on_disk(three: tuple[Repository, list[Record]]) -> None:
    repository, _ = three
    answers(repository)
    spoil_garbage(index_file(repository))
    answers(repository)
    with sqlite3.connect(index_file(repository)) as db:
        assert db.execute("SELECT count(*) FROM run").fetchone() == (3,)
    db.close()


def test_a_locked_file_is_not_waited_for_and_not_touched(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, expected = three
    answers(repository)
    newest = write_run(repository, make_record())
    holder = sqlite3.connect(index_file(repository), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    inode = index_file(repository).stat().st_ino
    assert [newest, *expected] == answers(repository)
    assert inode == index_file(repository).stat().st_ino
    holder.execute("ROLLBACK")
    holder.close()


def test_a_folder_that_cannot_be_written_changes_nothing(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, expected = three
    answers(repository)
    newest = write_run(repository, make_record())
    repository.private.chmod(0o500)
    try:
        assert [newest, *expected] == answers(repository)
    finally:
        repository.private.chmod(0o700)


def test_a_file_that_cannot_be_written_answers_although_no_digest_is_in_it(
    three: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = three
    answers(repository)
    with sqlite3.connect(index_file(repository)) as db:
        db.execute("DELETE FROM listing")
    db.close()
    holder = sqlite3.connect(index_file(repository), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(RunIndex, "_rows", None)  # what is in the file is not read again
    assert expected == answers(repository)
    holder.execute("ROLLBACK")
    holder.close()
    assert expected == answers(repository)
    assert noted(repository) == 1


def test_no_file_is_made_where_there_is_no_run(repository: Path) -> None:
    opened = open_at(repository)
    assert answers(opened) == []
    assert not opened.private.exists()


def test_a_damaged_run_hides_no_other(three: tuple[Repository, list[Record]]) -> None:
    repository, expected = three
    bad = write_run(repository, make_record(), files={"run.json": b"{}"}).run.id
    other = write_run(repository, make_record(), ref_id=run_id("zzzz")).run.id
    for _ in range(2):
        with RunIndex(repository, list_run_refs(repository.git)) as index:
            assert expected == index.newest()
            problems = {problem.id: problem.error.message for problem in index.problems}
        assert set(problems) == {bad, run_id("zzzz")}
        assert other in problems[run_id("zzzz")]


def test_two_readers_with_other_refs_do_not_disturb_each_other(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, expected = three
    old = list_run_refs(repository.git)
    newest = write_run(repository, make_record())
    new = list_run_refs(repository.git)
    wrong: list[object] = []

    def ask(refs: RunRefs, right: list[Record]) -> None:
        for _ in range(20):
            with RunIndex(repository, refs) as index:
                found = index.newest()
            if found != right:
                wrong.append(found)

    readers = [
        threading.Thread(target=ask, args=(old, expected)),
        threading.Thread(target=ask, args=(new, [newest, *expected])),
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_what_another_process_changes_meanwhile_is_put_right(
    three: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, (third, second, first) = three
    answers(repository)
    newest = write_run(repository, make_record())
    ours = list_run_refs(repository.git)
    tagged = make_record(id=second.run.id, created=second.run.created, tags=("new",))
    amended = write_run(repository, tagged, ref_id=run_id("zzzz"))
    moved = [
        RefUpdate(RUNS + second.run.id, new=amended.commit, old=second.commit),
        RefUpdate(RUNS + run_id("zzzz"), new=None, old=amended.commit),
        RefUpdate(RUNS + newest.run.id, new=None, old=newest.commit),
        RefUpdate(RUNS + first.run.id, new=None, old=first.commit),
    ]
    update_refs(repository.git, moved)
    read_rows = RunIndex._rows

    def disturbed(self: RunIndex, new: dict[str, str]) -> Iterator[tuple[str | None, ...]]:
        monkeypatch.setattr(RunIndex, "_rows", read_rows)
        assert [third, amended] == answers(repository)
        return read_rows(self, new)

    monkeypatch.setattr(RunIndex, "_rows", disturbed)
    for _ in range(2):
        with RunIndex(repository, ours) as index:
            assert [newest, third, second, first] == index.newest()
    assert [third, amended] == answers(repository)


def test_hundreds_of_new_runs_are_read_as_a_few_are(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_at(repository)
    expected = [write_run(opened, make_record(config={"n": n})) for n in range(5)][::-1]
    few = answers(opened)
    index_file(opened).unlink()
    monkeypatch.setattr("repro.store.index._MANY", 1)
    assert expected == few == answers(opened)
