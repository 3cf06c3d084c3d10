"""A ledger keeps every entry in one order, whoever appends at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import open_here
from tests.support.sweeps import AGENT, ask, make_sweep, tell

from repro.core.sweep.book import LocalBook
from repro.errors import DamagedRecordError, UnknownRunError
from repro.model.ids import new_id
from repro.model.sweep import Beat, Entry, SweepAt
from repro.store.refs import SWEEPS

RUN = "aaaaaaaaaaaa"


def test_what_is_written_is_there_for_the_next_reader(repository: Path):
    project = open_here(repository)
    sweep = make_sweep(project).sweep
    LocalBook(project, sweep.id).write(lambda _: [ask(0, RUN)])
    LocalBook(project, sweep.id).write(lambda _: [tell(0, RUN, 0.25)])
    [trial] = LocalBook(project, sweep.id).read().progress.trials
    assert (trial.run, trial.value, trial.is_over) == (RUN, 0.25, True)


def test_more_entries_than_a_page_holds_come_back_in_order(repository: Path):
    project = open_here(repository)
    sweep = make_sweep(project).sweep
    book = LocalBook(project, sweep.id)
    for start in (0, 130, 200, 201):
        more = 199 if start == 201 else {0: 130, 130: 70, 200: 1}[start]
        book.write(lambda _, s=start, n=more: [Beat(agent=AGENT.id, time=s + i) for i in range(n)])
    entries = LocalBook(project, sweep.id).read().ledger.entries
    assert [entry.time for entry in entries] == list(range(400))
    pages = git(repository, "ls-tree", "--name-only", f"{SWEEPS}{sweep.id}:journal").split()
    assert pages == [f"00000{n}.jsonl" for n in range(4)]


def test_nothing_to_say_writes_nothing(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    assert LocalBook(project, at.sweep.id).write(lambda _: []).commit == at.commit


def test_many_writers_at_once_lose_nothing_and_decide_on_what_is_there(repository: Path):
    project = open_here(repository)
    sweep = make_sweep(project).sweep

    def claim_next(at: SweepAt) -> list[Entry]:
        return [ask(len(at.progress.trials), new_id(project.entropy))]

    def work(_: int) -> None:
        book = LocalBook(project, sweep.id)
        for _ in range(4):
            book.write(claim_next)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    trials = LocalBook(project, sweep.id).read().progress.trials
    assert [trial.number for trial in trials] == list(range(12))


def test_a_sweep_that_is_gone_is_said(repository: Path):
    project = open_here(repository)
    sweep = make_sweep(project).sweep
    book = LocalBook(project, sweep.id)
    git(repository, "update-ref", "-d", SWEEPS + sweep.id)
    with pytest.raises(UnknownRunError, match=sweep.id):
        book.write(lambda _: [ask(0, RUN)])


def test_a_ledger_that_somebody_cut_off_is_refused(repository: Path):
    project = open_here(repository)
    sweep = make_sweep(project).sweep
    LocalBook(project, sweep.id).write(lambda _: [ask(0, RUN)])
    ref = SWEEPS + sweep.id
    page = git(repository, "show", f"{ref}:journal/000000.jsonl")
    (repository / "page").write_text(page[:40])
    blob = git(repository, "hash-object", "-w", "page")
    head = git(repository, "rev-parse", f"{ref}:sweep.json")
    inner = _tree(repository, f"100644 blob {blob}\t000000.jsonl")
    tree = _tree(repository, f"100644 blob {head}\tsweep.json", f"040000 tree {inner}\tjournal")
    commit = git(repository, "commit-tree", "-p", f"{ref}^", "-m", "cut", tree)
    git(repository, "update-ref", ref, commit)
    with pytest.raises(DamagedRecordError, match="cut off"):
        LocalBook(project, sweep.id).read()


def _tree(repository: Path, *lines: str) -> str:
    return git(repository, "mktree", stdin="".join(f"{line}\n" for line in lines).encode())
