"""Runs in progress are in the index like sealed ones, with what they logged so far."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.records import a_summary, make_record, open_at, run_id, write_run

from repro.errors import DamagedRecordError
from repro.model.condition import Comparison, Condition, IsNull, Key, SortKey, Space
from repro.model.run import Record, Status
from repro.store.git import Repository
from repro.store.index import LiveSource, RunIndex
from repro.store.refs import RUNS, RefUpdate, RunRefs, update_refs

LOSS = Key(Space.METRIC, "loss")
STATUS = Key(Space.FIELD, "status")


class Journal:
    """A run in progress that logs when the test says so, and counts how often it is read."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.states: list[bytes | None] = []

    def log(self, loss: float) -> None:
        self.record = replace(self.record, metrics={"loss": a_summary(loss)})

    def source(self) -> LiveSource:
        return LiveSource(repr(self.record.metrics), self.read)

    def read(self, state: bytes | None) -> tuple[Record, bytes]:
        self.states.append(state)
        return self.record, repr(self.record.metrics).encode()


def a_live_run(**changes: object) -> Journal:
    journal = Journal(make_record(status=Status.RUNNING, duration_s=None, **changes))
    journal.log(1.0)
    return journal


def ask(
    repository: Repository,
    *live: Journal,
    condition: Condition | None = None,
    sort: tuple[SortKey, ...] = (),
) -> list[Record]:
    sources = {journal.record.run.id: journal.source() for journal in live}
    refs = RunRefs(repository, now_ns=time.time_ns)
    with RunIndex(repository, refs, live=sources) as index:
        assert index.matching(condition) == len(index.select(condition))
        return index.select(condition, sort=sort)


def test_it_is_found_and_sorted_by_its_latest_values(repository: Path) -> None:
    opened = open_at(repository)
    sealed = write_run(opened, make_record(metrics={"loss": a_summary(0.5)}))
    live = a_live_run()
    below = Comparison(LOSS, "<", 0.7)
    assert ask(opened, live) == [live.record, sealed]
    assert ask(opened, live, condition=below) == [sealed]
    live.log(0.25)
    assert ask(opened, live, condition=below) == [live.record, sealed]
    assert ask(opened, live, sort=(SortKey(LOSS, descending=True),)) == [sealed, live.record]
    running = Comparison(STATUS, "=", "running")
    assert ask(opened, live, condition=running) == [live.record]


def test_it_is_read_when_there_is_something_new_and_from_where_it_was_left(
    repository: Path,
) -> None:
    opened = open_at(repository)
    live = a_live_run()
    for _ in range(3):
        ask(opened, live)
    assert live.states == [None]
    before = repr(live.record.metrics).encode()
    live.log(0.25)
    for _ in range(3):
        ask(opened, live)
    assert live.states == [None, before]


def test_once_sealed_it_is_there_once(repository: Path) -> None:
    opened = open_at(repository)
    live = a_live_run()
    ask(opened, live)
    sealed = write_run(
        opened, replace(live.record, run=replace(live.record.run, status=Status.LOST))
    )
    assert ask(opened) == [sealed]


def test_one_that_vanished_is_gone(repository: Path) -> None:
    opened = open_at(repository)
    live = a_live_run()
    assert ask(opened, live) == [live.record]
    assert ask(opened) == []


def test_one_that_is_continued_takes_the_place_of_its_sealed_state_meanwhile(
    repository: Path,
) -> None:
    opened = open_at(repository)
    sealed = write_run(opened, make_record(metrics={"loss": a_summary(0.5)}))
    other = write_run(opened, make_record())
    ask(opened)
    live = a_live_run(id=sealed.run.id, created=sealed.run.created)
    assert ask(opened, live) == [other, live.record]
    assert ask(opened, live, condition=Comparison(LOSS, "=", 0.5)) == []
    assert ask(opened) == [other, sealed]
    assert ask(opened, condition=Comparison(LOSS, "=", 0.5)) == [sealed]


def test_one_whose_journals_cannot_be_read_hides_no_other(repository: Path) -> None:
    opened = open_at(repository)
    sealed = write_run(opened, make_record())
    bad = run_id("zzzz")

    def fail(state: bytes | None) -> tuple[Record, bytes]:
        raise DamagedRecordError("its journal cannot be read")

    for _ in range(2):
        refs = RunRefs(opened, now_ns=time.time_ns)
        with RunIndex(opened, refs, live={bad: LiveSource("x", fail)}) as index:
            assert index.select() == [sealed]
            assert [problem.id for problem in index.problems] == [bad]


def test_one_that_is_sealed_as_it_is_read_is_the_sealed_one(repository: Path) -> None:
    opened = open_at(repository)
    sealed = make_record()

    def fail(state: bytes | None) -> tuple[Record, bytes]:
        write_run(opened, sealed)
        raise DamagedRecordError("its folder is gone")

    refs = RunRefs(opened, now_ns=time.time_ns)
    with RunIndex(opened, refs, live={sealed.run.id: LiveSource("x", fail)}) as index:
        assert [record.run.id for record in index.select()] == [sealed.run.id]
        assert index.problems == []


def forget(repository: Repository, record: Record) -> None:
    update_refs(repository.git, [RefUpdate(RUNS + record.run.id, new=None, old=record.commit)])


def test_names_whose_runs_are_gone_are_gone(repository: Path) -> None:
    opened = open_at(repository)
    kept = write_run(opened, make_record(config={"lr": 0.1}, environment={"a": {"b": 1}}))
    gone = write_run(
        opened,
        make_record(
            config={"depth": 2}, summary={"note": "x"}, environment={"a": {"c": 1}},
            data={"train": {"digest": "xxh3:" + "0" * 32, "path": "data"}},
        ),
    )  # fmt: skip

    def names() -> list[list[str]]:
        with RunIndex(opened, RunRefs(opened, now_ns=time.time_ns)) as index:
            spaces = (Space.CONFIG, Space.SUMMARY, Space.ENV, Space.DATA)
            return [index.names(space) for space in spaces]

    train = ["train", *(f"train.{part}" for part in ("bytes", "digest", "files", "kept", "path"))]
    assert names() == [["depth", "lr"], ["note"], ["a.b", "a.c"], train]
    forget(opened, gone)
    assert names() == [["lr"], [], ["a.b"], []]
    forget(opened, kept)
    assert names() == [[], [], [], []]


def test_a_version_of_a_package_is_a_value_of_each_run_that_had_it(repository: Path) -> None:
    opened = open_at(repository)
    listed = [{"name": "numpy", "version": "2.1.0"}, {"name": "ruamel.yaml", "version": "0.18"}]
    with_numpy: dict[str, object] = {"packages": {"count": 2, "list": listed}}
    runs = [write_run(opened, make_record(environment=with_numpy)) for _ in range(2)]
    other = write_run(opened, make_record(environment={"packages": {"count": 0, "list": []}}))
    numpy = Key(Space.ENV, "packages.numpy")
    brief = [replace(run, environment={}) for run in (other, *reversed(runs))]
    assert ask(opened, condition=Comparison(numpy, "=", "2.1.0")) == brief[1:]
    assert ask(opened, condition=IsNull(numpy)) == brief[:1]
    yaml = Key(Space.ENV, "packages.ruamel.yaml")
    assert ask(opened, condition=Comparison(yaml, "=", "0.18")) == brief[1:]
    assert ask(opened, sort=(SortKey(numpy),)) == [*brief[1:], brief[0]]


def test_a_live_run_has_its_environment_too(repository: Path) -> None:
    opened = open_at(repository)
    live = a_live_run(environment={"platform": {"machine": "x86_64"}})
    machine = Comparison(Key(Space.ENV, "platform.machine"), "=", "x86_64")
    [found] = ask(opened, live, condition=machine)
    assert found.run.id == live.record.run.id


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"x" * 5000)])
def test_a_file_that_goes_changes_no_answer(
    repository: Path, spoil: Callable[[Path], None]
) -> None:
    opened = open_at(repository)
    sealed = write_run(opened, make_record())
    live = a_live_run()
    assert ask(opened, live) == [live.record, sealed]
    spoil(opened.private / "index.db")
    assert ask(opened, live) == [live.record, sealed]
