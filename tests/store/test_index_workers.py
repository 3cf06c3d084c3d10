"""Processes that read for the run index change no answer, whatever becomes of them."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.support import git
from tests.support.records import a_summary, make_record, open_at, run_id, write_run
from tests.support.waiting import until

from repro.store import index_workers
from repro.store.git import Repository
from repro.store.index import RunIndex
from repro.store.index_rows import decode_document
from repro.store.index_workers import count_workers, read_parts
from repro.store.refs import RunRefs

N_RUNS = 12
PART = 2
NEVER_ANSWERS = """
import sys
sys.stdin.buffer.read(1)
open({asked!r}, "w").close()
sys.stdin.read()
"""
DIES = "raise SystemExit(1)"
NONSENSE = "import os, sys; os.write(1, bytes(100)); sys.stdin.read()"
OTHER_MESSAGE = """
import os, sys
os.write(1, (4).to_bytes(8, "big") + b"\\x93\\x01\\x02\\x03")
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def left_behind() -> Iterator[set[psutil.Process]]:
    """Processes that other tests left; ours leave none."""
    before = set(psutil.Process().children())
    yield before
    assert children(before) == []


def children(before: set[psutil.Process]) -> list[psutil.Process]:
    """The processes that this one started since."""
    return [one for one in psutil.Process().children() if one not in before]


def changed(code: str) -> str:
    """The worker's program with its `read_items` replaced by what `code` defines as `change`."""
    program = index_workers._PROGRAM
    patch = f"from repro.store import index_worker\nread_items = index_worker.read_items\n{code}\n"
    return program.replace("main(sys", f"{patch}index_worker.read_items = change\nmain(sys")


DIES_AT_THE_SECOND = """
import os
asked = []
def change(objects, items, seen):
    asked.append(1)
    if len(asked) > 1:
        os._exit(9)
    return read_items(objects, items, seen)
"""
LEAVES_ONE_OUT = """
def change(objects, items, seen):
    return read_items(objects, items[1:], seen)
"""
GIVES_A_CELL_THAT_IS_NONE = """
def change(objects, items, seen):
    answer = read_items(objects, items, seen)
    answer.batch.heads[0].cells[0] = [1]
    return answer
"""
GIVES_A_SHORT_COLUMN = """
def change(objects, items, seen):
    answer = read_items(objects, items, seen)
    answer.batch.values["config"]["lr"].cells.pop()
    return answer
"""
GIVES_A_PLACE_OF_NO_RUN = """
def change(objects, items, seen):
    answer = read_items(objects, items, seen)
    answer.batch.values["config"]["lr"].runs[-1] = 99
    return answer
"""
GIVES_NO_ENVIRONMENT = """
def change(objects, items, seen):
    answer = read_items(objects, items, seen)
    answer.environments.clear()
    return answer
"""


@pytest.fixture
def many(repository: Path) -> Repository:
    """Runs that differ in all that the index holds."""
    opened = open_at(repository)
    for number in range(N_RUNS):
        record = make_record(
            name=f"run {number}" if number % 2 else None,
            tags=("ä", f"t{number % 3}"),
            config={"lr": number / 7, "deep": {"x": [number, "ü"], "big": 1 << 70}},
            metrics={"loss": a_summary(number / 3), "odd": a_summary(float("nan"), min=None)},
            summary={"text": "é", "none": None},
            data={"train": {"path": "data", "digest": "sha256:" + "1" * 64, "files": number}},
            environment={"python": f"3.{number % 2}", "packages": {"list": [{"name": "a"}]}},
        )  # fmt: skip
        write_run(opened, record)
    git(repository, "pack-refs", "--all")
    return opened


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many processes read, however few runs there are."""
    monkeypatch.setattr("repro.store.index_refresh._MANY", 1)
    monkeypatch.setattr("repro.store.index_refresh._PART", PART)
    monkeypatch.setattr("repro.store.index_refresh._BATCH", 5)
    monkeypatch.setattr(index_workers, "_AHEAD", 2)

    def use(n_workers: int) -> None:
        monkeypatch.setattr(index_workers, "count_workers", lambda *_: n_workers)

    return use


def rebuilt(repository: Repository) -> tuple[dict[str, list[object]], list[str]]:
    """All tables of a new index, documents read, and what could not be read."""
    (repository.private / "index.db").unlink(missing_ok=True)
    with RunIndex(repository, RunRefs(repository, now_ns=time.time_ns)) as index:
        problems = [f"{problem.id} {problem.error}" for problem in index.problems]
    db = sqlite3.connect(repository.private / "index.db")
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables: dict[str, list[object]] = {
        name: sorted(map(repr, db.execute(f"SELECT * FROM {name}")))
        for name in names
        if name not in ("doc", "noted")
    }
    tables["doc"] = [
        (run, repr(decode_document(doc, "")), state)
        for run, doc, state in db.execute("SELECT * FROM doc ORDER BY run")
    ]
    db.close()
    return tables, problems


@pytest.mark.parametrize("n_workers", [1, 2, 3, 8])
def test_the_index_is_the_same_whoever_reads(
    many: Repository, eager: Callable[[int], None], n_workers: int
) -> None:
    eager(0)
    alone = rebuilt(many)
    assert len(alone[0]["run"]) == N_RUNS
    eager(n_workers)
    assert rebuilt(many) == alone


def test_the_processes_do_read(
    many: Repository, eager: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    eager(2)
    monkeypatch.setattr("repro.store.index_refresh.IndexRefresh._decode", None)
    assert len(rebuilt(many)[0]["run"]) == N_RUNS


@pytest.mark.parametrize(
    "program",
    [
        DIES,
        NEVER_ANSWERS,
        NONSENSE,
        OTHER_MESSAGE,
        changed(DIES_AT_THE_SECOND),
        changed(LEAVES_ONE_OUT),
        changed(GIVES_A_CELL_THAT_IS_NONE),
        changed(GIVES_A_SHORT_COLUMN),
        changed(GIVES_A_PLACE_OF_NO_RUN),
        changed(GIVES_NO_ENVIRONMENT),
    ],
)
def test_what_a_process_does_not_read_well_is_read_here(
    many: Repository,
    eager: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    program: str,
) -> None:
    eager(0)
    alone = rebuilt(many)
    eager(2)
    monkeypatch.setattr(index_workers, "_PROGRAM", program)
    if program == NEVER_ANSWERS:
        monkeypatch.setattr(index_workers, "_PATIENCE_S", 0.1)
    assert rebuilt(many) == alone


@pytest.mark.parametrize("python", ["", None, "/nowhere/python3", "/bin/false", sys.prefix])
def test_without_a_python_of_ours_all_is_read_here(
    many: Repository,
    eager: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    python: str | None,
) -> None:
    eager(0)
    alone = rebuilt(many)
    eager(2)
    monkeypatch.setattr(sys, "executable", python)
    assert rebuilt(many) == alone


def test_a_damaged_run_among_many_is_told_and_hides_no_other(
    many: Repository, eager: Callable[[int], None]
) -> None:
    write_run(many, make_record(id=run_id("aaaa")), files={"run.json": b"{"})
    write_run(many, make_record(id=run_id("bbbb")), files={"config.yaml": b"no form of ours"})
    write_run(many, make_record(id=run_id("cccc")), ref_id=run_id("dddd"))
    write_run(many, make_record(id=run_id("eeee")), files={"environment.json": b"{"})
    eager(0)
    alone = rebuilt(many)
    assert len(alone[1]) == 3
    eager(2)
    assert rebuilt(many) == alone


def test_too_much_for_one_answer_is_left(
    many: Repository, eager: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    eager(0)
    alone = rebuilt(many)
    eager(2)
    small = index_workers._PROGRAM.replace(
        "main(sys", "from repro.store import index_worker\nindex_worker._ENOUGH = 0\nmain(sys"
    )
    monkeypatch.setattr(index_workers, "_PROGRAM", small)
    assert rebuilt(many) == alone


def test_an_interrupt_leaves_no_process(
    many: Repository, eager: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    eager(2)
    monkeypatch.setattr("repro.store.index_refresh._TOLD", 1)

    def interrupt(done: int, _total: int) -> None:
        if done >= PART:
            raise KeyboardInterrupt

    refs = RunRefs(many, now_ns=time.time_ns)
    with pytest.raises(KeyboardInterrupt):
        RunIndex(many, refs, on_progress=interrupt)


def test_a_process_that_never_answers_ends_with_the_question(
    many: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    monkeypatch.setattr(index_workers, "_PROGRAM", NEVER_ANSWERS.format(asked=str(asked)))
    answers = read_parts(many.objects, iter([(0, [("a", "b")])]), 2)
    waiting = threading.get_ident()

    def interrupt() -> None:
        until(asked.exists, "the question")
        signal.pthread_kill(waiting, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        next(answers)
    thread.join()


KILLED = """
import os, sys, psutil
from pathlib import Path
from repro.store.index_workers import read_parts

answers = read_parts(Path(sys.argv[1]), ((0, []) for _ in range(100)), 2)
next(answers)
print(*(child.pid for child in psutil.Process().children()), flush=True)
os.kill(os.getpid(), 9)
"""


def test_they_end_with_a_process_that_is_killed(many: Repository) -> None:
    asker = subprocess.run(
        [sys.executable, "-c", KILLED, str(many.objects)], capture_output=True, check=False
    )
    assert asker.returncode == -signal.SIGKILL, asker.stderr
    pids = [int(word) for word in asker.stdout.split()]
    assert len(pids) == 2
    until(lambda: not any(map(is_there, pids)), "their end")


def is_there(pid: int) -> bool:
    """Whether it still does something."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_files_beside_the_program_are_not_loaded(
    many: Repository, eager: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mark = tmp_path / "loaded"
    for name in ("json", "msgspec", "signal", "repro"):
        (tmp_path / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    eager(2)
    assert len(rebuilt(many)[0]["run"]) == N_RUNS
    assert not mark.exists()


def test_processes_are_started_only_where_they_pay_off() -> None:
    assert count_workers(1999, 64) == 0
    assert count_workers(2000, 1) == 0
    assert count_workers(2000, 64) == 2
    assert count_workers(100_000, 2) == 2
    assert count_workers(100_000, 64) == 8
    assert index_workers.count_cores() >= 1
