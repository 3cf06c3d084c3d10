"""The index follows every change of refs, and asks git for no more than what changed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import git
from tests.support.records import make_record, move_ref, open_at, run_id, write_run

from repro.errors import StorageError
from repro.model.condition import Comparison, Key, Matches, Space
from repro.model.run import Record
from repro.store import index_place, refstamp
from repro.store.git import Git, Repository
from repro.store.index import RunIndex
from repro.store.index_refresh import IndexRefresh
from repro.store.refs import ARCHIVE, REMOTES, RUNS, TRASH, RunRefs

LATER = 60_000_000_000


def later() -> int:
    """A minute on: no file is young any more."""
    return time.time_ns() + LATER


def ask(repository: Repository) -> list[Record]:
    with RunIndex(repository, RunRefs(repository, now_ns=later)) as index:
        return index.select()


EVERYTHING = [RUNS, TRASH, ARCHIVE, REMOTES]


class Asked:
    """The git processes that are started, by their arguments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, ...]] = []
        run = Git.run

        def noted(git: Git, *args: str, **rest: object) -> object:
            self.calls.append(args)
            return run(git, *args, **rest)  # type: ignore[arg-type]

        monkeypatch.setattr(Git, "run", noted)

    def listed(self) -> list[str]:
        """What was asked of refs since the last time."""
        found = [word for call in self.calls if call[0] == "for-each-ref" for word in call[2:]]
        self.calls.clear()
        return found


@pytest.fixture
def packed(repository: Path) -> tuple[Repository, list[Record]]:
    """A repository with three runs whose refs are packed, and these, newest first."""
    opened = open_at(repository)
    records = [write_run(opened, make_record(name=str(n))) for n in range(3)]
    git(repository, "pack-refs", "--all")
    return opened, records[::-1]


def test_where_nothing_is_new_no_git_process_is_started(
    packed: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = packed
    assert expected == ask(repository)
    monkeypatch.delattr(Git, "run")
    monkeypatch.delattr(Git, "spawn")
    assert expected == ask(repository)


def test_only_refs_whose_files_changed_are_asked_for(
    packed: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = packed
    ask(repository)
    asked = Asked(monkeypatch)
    newest = write_run(repository, make_record())
    asked.listed()
    assert [newest, *expected] == ask(repository)
    assert [RUNS + newest.run.id] == asked.listed()
    assert [newest, *expected] == ask(repository)
    assert [] == asked.listed()
    git(repository.root, "pack-refs", "--all")
    assert [newest, *expected] == ask(repository)
    assert EVERYTHING == asked.listed()


def test_a_young_file_is_asked_for_until_it_is_old(
    packed: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = packed
    ask(repository)
    newest = write_run(repository, make_record())
    asked = Asked(monkeypatch)
    stamps = []
    for now_ns in (lambda: time.time_ns() - LATER, lambda: time.time_ns() - LATER, later, later):
        with RunIndex(repository, RunRefs(repository, now_ns=now_ns)) as index:
            assert [newest, *expected] == index.select()
        stamps.append(len(asked.listed()))
    assert stamps[:2] == [len(EVERYTHING)] * 2
    assert stamps[3] == 0


def test_a_ref_behind_a_loose_one_comes_to_light(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, (third, second, first) = packed
    tagged = make_record(id=first.run.id, created=first.run.created, tags=("new",))
    amended = write_run(repository, tagged, ref_id=run_id("zzzz"))
    git(repository.root, "update-ref", RUNS + first.run.id, amended.commit)
    git(repository.root, "update-ref", "-d", RUNS + run_id("zzzz"))
    assert [third, second, amended] == ask(repository)
    (repository.common_dir / RUNS / first.run.id).unlink()
    assert [third, second, first] == ask(repository)
    git(repository.root, "update-ref", "-d", RUNS + first.run.id)
    assert [third, second] == ask(repository)


def test_refs_that_go_and_come_back_are_followed(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, (third, second, first) = packed
    for _ in range(2):
        git(repository.root, "update-ref", "-d", RUNS + second.run.id)
        assert [third, first] == ask(repository)
        git(repository.root, "update-ref", RUNS + second.run.id, second.commit)
        assert [third, second, first] == ask(repository)


def test_runs_of_remotes_come_and_go_as_their_refs_do(
    packed: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, (third, second, first) = packed
    root = repository.root
    ask(repository)
    fetched = f"{REMOTES}origin/{second.run.id}"
    git(root, "update-ref", fetched, second.commit)
    git(root, "update-ref", "-d", RUNS + second.run.id)
    assert [third, second, first] == ask(repository)
    asked = Asked(monkeypatch)
    newest = write_run(repository, make_record())
    move_ref(root, RUNS + newest.run.id, f"{REMOTES}origin/{newest.run.id}")
    assert [newest, third, second, first] == ask(repository)
    assert RUNS not in asked.listed()
    git(root, "update-ref", TRASH + second.run.id, second.commit)
    assert [newest, third, first] == ask(repository)
    git(root, "update-ref", "-d", fetched)
    git(root, "update-ref", "-d", TRASH + second.run.id)
    git(root, "update-ref", RUNS + second.run.id, second.commit)
    assert [newest, third, second, first] == ask(repository)


def test_an_odd_ref_is_named_for_as_long_as_it_is_there(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, expected = packed
    root, name = repository.root, RUNS + run_id("zzzz")
    told = []
    for command in ("status", "symbolic-ref", "status", "update-ref"):
        odd = {"symbolic-ref": [name, "refs/heads/main"], "update-ref": ["--no-deref", "-d", name]}
        git(root, command, *odd.get(command, []))
        with RunIndex(repository, RunRefs(repository, now_ns=later)) as index:
            assert expected == index.select()
            told.append([problem.id for problem in index.problems])
    assert told == [[], [name], [name], []]


@pytest.mark.parametrize("kind", ["blob", "tree", "tag", "missing"])
def test_a_ref_to_something_else_is_named_and_hides_no_run(
    packed: tuple[Repository, list[Record]], kind: str
) -> None:
    repository, expected = packed
    root, odd = repository.root, run_id("zzzz")
    git(root, "tag", "-a", "-m", "x", "v1")
    oids = {"blob": f"{expected[0].commit}:run.json", "tree": "HEAD^{tree}", "tag": "v1"}
    path = repository.common_dir / REMOTES / "origin" / odd
    path.parent.mkdir(parents=True)
    path.write_text((git(root, "rev-parse", oids[kind]) if kind in oids else "1" * 40) + "\n")
    with RunIndex(repository, RunRefs(repository, now_ns=later)) as index:
        assert expected == index.select()
        [problem] = index.problems
    assert problem.id == odd
    assert ("missing" if kind == "missing" else f"a {kind}") in problem.error.message


def test_a_linked_worktree_has_the_same_runs(packed: tuple[Repository, list[Record]]) -> None:
    repository, expected = packed
    ask(repository)
    beside = repository.root.parent / "beside"
    git(repository.root, "worktree", "add", "-q", "--detach", str(beside))
    linked = open_at(beside)
    assert expected == ask(linked)
    newest = write_run(linked, make_record())
    assert [newest, *expected] == ask(repository)


def test_a_ref_that_names_nothing_hides_no_run(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, expected = packed
    ask(repository)
    path = repository.common_dir / RUNS / run_id("zzzz")
    # Some versions of git take it away with the last ref in it.
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("1" * 40 + "\n")
    for _ in range(2):
        assert expected == ask(repository)
    path.unlink()
    assert expected == ask(repository)


def test_on_a_network_file_system_refs_are_listed_and_the_file_lies_elsewhere(
    packed: tuple[Repository, list[Record]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = packed
    root = repository.root
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    for module in (index_place, refstamp):
        monkeypatch.setattr(module, "is_network", lambda path: path.is_relative_to(root))
    opened = open_at(root)
    asked = Asked(monkeypatch)
    for _ in range(2):
        assert expected == ask(opened)
        assert EVERYTHING == asked.listed()
    assert not (opened.private / "index.db").exists()
    assert len(list(runtime.iterdir())) == 1


def test_how_far_it_is_is_told_where_many_are_read(
    packed: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = packed
    monkeypatch.setattr("repro.store.index_refresh._MANY", 1)
    monkeypatch.setattr("repro.store.index_refresh._TOLD", 2)
    told: list[tuple[int, int]] = []
    for _ in range(2):
        refs = RunRefs(repository, now_ns=later)
        with RunIndex(repository, refs, on_progress=lambda *far: told.append(far)) as index:
            assert expected == index.select()
    assert told == [(0, 3), (2, 3)]


def test_an_interrupt_while_many_are_read_loses_what_was_read_only_so_far(
    packed: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = packed
    monkeypatch.setattr("repro.store.index_refresh._MANY", 1)
    monkeypatch.setattr("repro.store.index_refresh._BATCH", 1)
    monkeypatch.setattr("repro.store.index_refresh._TOLD", 1)

    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    refs = RunRefs(repository, now_ns=later)
    with pytest.raises(KeyboardInterrupt):
        RunIndex(repository, refs, on_progress=interrupt)
    with sqlite3.connect(repository.private / "index.db") as db:
        assert db.execute("SELECT count(*) FROM run").fetchone() == (2,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    assert expected == ask(repository)


def interrupted(work: Callable[[], object]) -> None:
    """Do some work, with ^C as soon as it has begun."""
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c"


def test_an_interrupt_ends_a_long_query(packed: tuple[Repository, list[Record]]) -> None:
    repository, expected = packed
    with RunIndex(repository, RunRefs(repository, now_ns=later)) as index:
        interrupted(lambda: index._ask(lambda: index._db.execute(ENDLESS).fetchone()))
        assert expected == index.select()


def test_an_interrupt_ends_a_search_for_a_pattern(repository: Path) -> None:
    opened = open_at(repository)
    record = write_run(opened, make_record(name="a" * 40))
    endless = Matches(Key(Space.FIELD, "name"), "regex", "^(a+)+$b")
    with RunIndex(opened, RunRefs(opened, now_ns=later)) as index:
        interrupted(lambda: index.matching(endless))
        assert [record] == index.select()


def test_a_file_that_breaks_between_two_questions_is_built_anew(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, expected = packed
    ask(repository)
    with RunIndex(repository, RunRefs(repository, now_ns=later)) as index:
        index._db.execute("COMMIT")
        path = repository.private / "index.db"
        data = bytearray(path.read_bytes())
        data[4096:] = os.urandom(len(data) - 4096)
        path.write_bytes(data)
        index._db.execute("PRAGMA cache_size = 0")
        index._db.execute("PRAGMA shrink_memory")
        condition = Comparison(Key(Space.FIELD, "status"), "=", "finished")
        assert index.matching(condition) == 3
        assert expected == index.select(condition)
    assert expected == ask(repository)


def test_a_file_that_cannot_be_written_is_read_on_in_memory(
    packed: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = packed
    ask(repository)
    newest = write_run(repository, make_record())
    decoded: list[str] = []
    decode = IndexRefresh._decode

    def noted(self: IndexRefresh, name: str, oid: str) -> object:
        decoded.append(name)
        return decode(self, name, oid)

    monkeypatch.setattr(IndexRefresh, "_decode", noted)
    monkeypatch.setattr("repro.store.index._PATIENCE_S", 0.01)
    holder = sqlite3.connect(repository.private / "index.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert [newest, *expected] == ask(repository)
    holder.execute("ROLLBACK")
    holder.close()
    assert set(decoded) == {newest.run.id}


ASK = """
import os, sys, time
from pathlib import Path
from repro.store.git import open_repository
from repro.store.index import RunIndex
from repro.store.refs import RunRefs

repository = open_repository(Path(sys.argv[1]), os.environ)
for _ in range(int(sys.argv[2])):
    with RunIndex(repository, RunRefs(repository, now_ns=time.time_ns)) as index:
        names = [record.run.name for record in index.select()]
    assert names[-3:] == ["2", "1", "0"], names
print(len(names))
"""


def test_eight_processes_and_a_writer_do_not_disturb_each_other(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, _ = packed
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, str(repository.root), "3"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(8)
    ]  # fmt: skip
    writer = threading.Thread(
        target=lambda: [write_run(repository, make_record()) for _ in range(5)]
    )
    writer.start()
    ends = [reader.communicate() for reader in readers]
    writer.join()
    assert [reader.returncode for reader in readers] == [0] * 8, ends
    assert len(ask(repository)) == 8
    with sqlite3.connect(repository.private / "index.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_run_that_is_sealed_after_its_ref_was_asked_for_is_found(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, expected = packed
    assert expected == ask(repository)
    new = make_record()
    refs = RunRefs(repository, now_ns=later)
    assert new.run.id not in refs  # as it is in progress
    new = write_run(repository, new)
    with RunIndex(repository, refs) as index:
        assert [new, *expected] == index.select()
    assert [new, *expected] == ask(repository)


def test_a_run_that_is_sealed_as_the_refs_are_listed_is_found_by_the_next_question(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, expected = packed
    refs = RunRefs(repository, now_ns=later)
    assert len(expected) == refs.n_refs
    new = write_run(repository, make_record())
    with RunIndex(repository, refs) as index:
        index.select()
    assert [new, *expected] == ask(repository)


def test_who_takes_what_is_old_gets_it_while_another_process_writes(
    packed: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = packed
    assert expected == ask(repository)
    newest = write_run(repository, make_record())
    monkeypatch.setattr("repro.store.index._PATIENCE_S", 0.01)
    holder = sqlite3.connect(repository.private / "index.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    def look() -> tuple[bool, list[Record]]:
        with RunIndex(repository, RunRefs(repository, now_ns=later), may_be_old=True) as index:
            return index.is_old, index.select()

    assert look() == (True, expected)
    holder.execute("ROLLBACK")
    assert look() == (False, [newest, *expected])
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="another process"):
        look()
    holder.close()


def test_who_is_in_a_hurry_does_not_wait_for_a_locked_index(
    packed: tuple[Repository, list[Record]],
) -> None:
    repository, expected = packed
    assert expected == ask(repository)
    db = sqlite3.connect(repository.private / "index.db", isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="another process"):
        RunIndex(repository, RunRefs(repository, now_ns=later), is_patient=False)
    db.close()
    with RunIndex(repository, RunRefs(repository, now_ns=later), is_patient=False) as index:
        assert expected == index.select()
