"""The run index is a cache: whatever happens to its file, the answers are the same."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import git
from tests.support.records import a_summary, make_record, open_at, run_id, write_run

from repro.model.condition import Comparison, Key, Space
from repro.model.run import Record, Status
from repro.store.git import Repository
from repro.store.index import RunIndex
from repro.store.index_refresh import IndexRefresh
from repro.store.index_rows import Row
from repro.store.refs import RUNS, RefUpdate, RunRefs, update_refs


def open_index(repository: Repository) -> RunIndex:
    return RunIndex(repository, RunRefs(repository, now_ns=time.time_ns))


def answers(repository: Repository) -> list[Record]:
    with open_index(repository) as index:
        return index.select()


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


def test_of_two_runs_with_one_name_the_newest_is_found(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, (third, second, _) = three
    with open_index(repository) as index:
        assert third.run.id == index.named("one")
        assert index.named("absent") is None
        assert index.run_names() == ["one", "two"]
        assert [second.run.id, None] == [index.nth(1), index.nth(3)]


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
    """How many stamps of refs the file has: one when it need not list them, else none."""
    with sqlite3.connect(index_file(repository)) as db:
        [number] = db.execute("SELECT count(*) FROM noted").fetchone()
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


def test_what_names_no_run_and_what_cannot_be_read_is_said_each_time(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, expected = three
    bad = write_run(repository, make_record(), files={"run.json": b"{}"}).run.id
    update_refs(repository.git, [RefUpdate(RUNS + "no-id", new=expected[0].commit)])
    for _ in range(3):
        with open_index(repository) as index:
            assert expected == index.select()
            assert ["no-id", bad] == [problem.id for problem in index.problems]
    update_refs(repository.git, [RefUpdate(RUNS + "no-id", None, old=expected[0].commit)])
    git(repository.root, "update-ref", "-d", RUNS + bad)
    for _ in range(2):
        with open_index(repository) as index:
            assert (expected, []) == (index.select(), index.problems)
    assert noted(repository) == 1


def test_goals_of_a_metric_are_those_of_the_runs_and_of_the_ones_that_fit_where_they_differ(
    repository: Path,
) -> None:
    opened = open_at(repository)
    for name, goal in (("a", "minimize"), ("b", None), ("c", "minimize")):
        write_run(opened, make_record(name=name, metrics={"loss": a_summary(1.0, goal=goal)}))
    with open_index(opened) as index:
        assert index.goals("loss") == {"minimize"}
        assert index.goals("absent") == set()

    write_run(opened, make_record(name="d", metrics={"loss": a_summary(1.0, goal="maximize")}))
    name = Key(Space.FIELD, "name")
    with open_index(opened) as index:
        assert index.goals("loss") == {"minimize", "maximize"}
        assert index.goals("loss", Comparison(name, "=", "d")) == {"maximize"}
        assert index.goals("loss", Comparison(name, "=", "b")) == set()


def test_neighbours_are_the_ids_before_and_after(repository: Path) -> None:
    opened = open_at(repository)
    names = [run_id(start) for start in ("aaaa", "bbbb", "cccc", "dddd")]
    for name in names[1:]:
        write_run(opened, make_record(id=name))
    with open_index(opened) as index:
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
        db.execute("UPDATE doc SET doc = '{}'")
    db.close()


def spoil_documents_not_json(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE doc SET doc = x'00ff'")
    db.close()


def spoil_rows(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM run WHERE name = 'two'")
    db.close()


def spoil_digest(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE noted SET refs = x'00'")
    db.close()


def spoil_listing(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE noted")
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
        db.execute("DELETE FROM noted")
    db.close()
    holder = sqlite3.connect(index_file(repository), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(IndexRefresh, "_decode", None)  # what is in the file is not read again
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
        with open_index(repository) as index:
            assert expected == index.select()
            problems = {problem.id: problem.error.message for problem in index.problems}
        assert set(problems) == {bad, run_id("zzzz")}
        assert other in problems[run_id("zzzz")]


def test_readers_see_what_a_writer_has_done_at_some_moment(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, [_, removed, *_] = three
    states = [frozenset(record.run.id for record in answers(repository))]
    wrong: list[object] = []
    is_over = threading.Event()

    def read() -> None:
        seen = 0
        while not is_over.is_set():
            first = seen
            found = frozenset(record.run.id for record in answers(repository))
            after = list(states)
            fits = [n for n, state in enumerate(after) if state == found and n >= first]
            if fits:
                seen = fits[0]
            elif len(found ^ after[-1]) > 1:  # one that the writer has not told of yet
                wrong.append((found, after))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(8):
        states.append(states[-1] | {write_run(repository, make_record()).run.id})
    ref = RUNS + removed.run.id
    update_refs(repository.git, [RefUpdate(ref, new=None, old=removed.commit)])
    states.append(states[-1] - {removed.run.id})
    git(repository.root, "pack-refs", "--all")
    is_over.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert states[-1] == {record.run.id for record in answers(repository)}


def test_what_another_process_changes_meanwhile_is_put_right(
    three: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, (third, second, first) = three
    answers(repository)
    newest = write_run(repository, make_record())
    tagged = make_record(id=second.run.id, created=second.run.created, tags=("new",))
    amended = write_run(repository, tagged, ref_id=run_id("zzzz"))
    ours = RunRefs(repository, now_ns=time.time_ns)
    moved = [
        RefUpdate(RUNS + second.run.id, new=amended.commit, old=second.commit),
        RefUpdate(RUNS + run_id("zzzz"), new=None, old=amended.commit),
        RefUpdate(RUNS + newest.run.id, new=None, old=newest.commit),
        RefUpdate(RUNS + first.run.id, new=None, old=first.commit),
    ]
    decode = IndexRefresh._decode

    def disturbed(self: IndexRefresh, name: str, oid: str) -> Row:
        monkeypatch.setattr(IndexRefresh, "_decode", decode)
        update_refs(repository.git, moved)
        assert [third, amended] == answers(repository)
        return decode(self, name, oid)

    monkeypatch.setattr(IndexRefresh, "_decode", disturbed)
    with RunIndex(repository, ours) as index:  # as git said just before
        assert [newest, third, second, first] == index.select()
        assert [run_id("zzzz")] == [problem.id for problem in index.problems]
    assert [third, amended] == answers(repository)


def test_hundreds_of_new_runs_are_read_as_a_few_are(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_at(repository)
    expected = [write_run(opened, make_record(config={"n": n})) for n in range(5)][::-1]
    few = answers(opened)
    index_file(opened).unlink()
    monkeypatch.setattr("repro.store.index_refresh._MANY", 1)
    assert expected == few == answers(opened)


def test_a_text_that_looks_like_a_list_is_one_however_many_were_read_at_once(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_at(repository)
    texts = ["[1, 2]", "[ü]", "[\x7f]", '["]', "{", "[\n"]
    values = [*texts, [1, 2], ["ü"], ["[1]"], {"a": [1]}, float("nan"), 1 << 70]
    records = [
        write_run(opened, make_record(config={"x": [value], "y": value})) for value in values
    ]
    monkeypatch.setattr("repro.store.index_refresh._MANY", 1)
    keys = [Key(Space.CONFIG, "x"), Key(Space.CONFIG, "y")]
    with open_index(opened) as index:
        assert repr(records[::-1]) == repr(index.select())
        first, second = index.columns(keys, [record.run.id for record in records])
    assert first[:9] == [[value] for value in values[:9]]
    assert second[:9] == values[:9]


def test_a_run_whose_document_is_lost_is_not_left_out(
    three: tuple[Repository, list[Record]],
) -> None:
    repository, expected = three
    assert expected == answers(repository)
    with sqlite3.connect(index_file(repository)) as db:
        db.execute("DELETE FROM doc")
    db.close()
    with open_index(repository) as index:
        assert expected == index.records([record.run.id for record in expected])
        assert index.records([run_id("gone")]) == []
