"""A run in progress, read as it grows: at every moment what a whole reading says."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.projects import begin, open_here

from repro.core import growing
from repro.core.live import InProgress
from repro.core.started import Started, read_start
from repro.errors import NewerFormatError
from repro.model.run import Record
from repro.store.journal_reader import read_on
from repro.store.livestate import decode_state


def line(record: dict[str, Any]) -> bytes:
    body = msgspec.json.encode(record)
    return b"%08x %s\n" % (crc32(body), body)


def header(rank: int = 0, t: float = 1.0, **more: Any) -> bytes:
    return line({"k": "journal", "format": 1, "run": "abc", "rank": rank, "t": t, **more})


def log(step: int, t: float, **values: float | str) -> bytes:
    return line({"k": "log", "s": step, "t": t, "m": values})


@pytest.fixture
def started(repository: Path) -> Started:
    live = begin(open_here(repository), config={"lr": 0.1}, tags=("first",))
    live.journal.close()
    found = read_start(live.dir)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals of a few lines are read in several pieces, as long ones are."""
    monkeypatch.setattr(growing, "_PIECE", 200)


class Growing:
    """A live folder that is written to, and read on after each write."""

    def __init__(self, started: Started) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.live = InProgress(self.folder, started)
        self.state: bytes | None = None
        self.n_whole = 0

    def add(self, name: str, data: bytes) -> None:
        with (self.folder / name).open("ab") as file:
            file.write(data)

    def cut(self, name: str, n: int) -> None:
        path = self.folder / name
        path.write_bytes(path.read_bytes()[: -n or None])

    def read(self) -> Record:
        before = decode_state(self.state) if self.state else None
        self.n_whole += self.live.look(before).is_whole
        record, self.state = self.live.read_brief(self.state)
        return record

    def check(self) -> None:
        whole = replace(self.live.record(), randomness={})
        assert repr(self.read()) == repr(whole)  # of a NaN, too

    def close(self) -> None:
        shutil.rmtree(self.folder)


@pytest.fixture
def grow(started: Started):
    made = Growing(started)
    yield made
    made.close()


A, B = "journal-10-0.jsonl", "journal-11-0.jsonl"

numbers = st.one_of(st.floats(-9, 9), st.sampled_from(["NaN", "Infinity", "-Infinity", 1e308, 7]))
logs = st.builds(
    lambda s, m: {"k": "log", "s": s, "m": m},
    st.integers(0, 6),
    st.dictionaries(st.sampled_from(["loss", "acc", "rank1/loss"]), numbers, max_size=3),
)
others = st.sampled_from(
    [
        {"k": "config", "c": {"lr": 0.2, "model": {"width": 3}}},
        {"k": "config", "c": {"model": {"depth": 10**30}}},
        {"k": "summary", "s": {"best": 0.5}},
        {"k": "summary", "s": {"best": "NaN"}},
        {"k": "define", "n": "loss", "goal": "minimize"},
        {"k": "define", "n": "loss", "goal": "maximize"},
        {"k": "tags", "v": ["b"]},
        {"k": "tags", "v": ["a", 7]},
        {"k": "untag", "v": ["b", "first"]},
        {"k": "name", "v": "one"},
        {"k": "name", "v": "two"},
        {"k": "note", "v": "n"},
        {"k": "environment", "v": {"python": "3.11"}},
        {"k": "system", "m": {"cpu": 0.5}},
        {"k": "warning", "v": "w"},
        {"k": "log", "s": "no step", "m": {"loss": 1}},
        {"k": "log", "s": 1, "m": {"loss": 10**400}},
        {"k": ["odd"]},
        {"k": "artifact", "path": "a", "size": 1, "digest": "sha256:" + "0" * 64, "where": "git"},
        {"k": "artifact", "path": "a/b", "size": 1, "digest": "sha256:" + "1" * 64, "where": "git"},
        {"k": "end", "status": "finished"},
    ]
)


@st.composite
def acts(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """What happens to the journals: mostly forward in time and step, as in life."""
    found: list[tuple[str, Any]] = []
    for _ in range(draw(st.integers(1, 14))):
        kind = draw(
            st.sampled_from(["log", "log", "other", "other", "tear", "cut", "gone", "noise"])
        )
        who = draw(st.integers(0, 3))
        how = {"log": logs, "other": others, "tear": logs, "cut": st.integers(1, 80)}
        found.append((kind, (who, draw(how[kind]) if kind in how else None, draw(_LATER))))
    return found


_LATER = st.sampled_from([1.0, 1.0, 1.0, 0.0, -2.5, None])
_NAMES = [(A, 0), (B, 0), ("journal-12-0.jsonl", 1), ("words.jsonl", 0)]


def perform(grow: Growing, acts: list[tuple[str, Any]]) -> None:
    now = 100.0
    torn: dict[str, bytes] = {}
    for kind, (who, what, later) in acts:
        name, rank = _NAMES[who]
        path = grow.folder / name
        if kind == "gone":
            path.unlink(missing_ok=True)
            torn.pop(name, None)
        elif kind == "cut":
            if path.exists():
                grow.cut(name, what)
                torn.pop(name, None)
        elif kind == "noise":
            grow.add(name, b'deadbeef {"k":"lo')
        else:
            if not path.exists():
                grow.add(name, header(rank, 50.0 + who))
            grow.add(name, torn.pop(name, b""))
            now += later or 0.0
            data = line(what if later is None else {**what, "t": now})
            if kind == "tear":
                torn[name] = data[-9:]
                data = data[:-9]
            grow.add(name, data)
        grow.check()
    grow.state = None  # all of it again, a piece at a time
    grow.check()


def test_what_is_read_on_is_what_a_whole_reading_says_at_every_moment(started: Started) -> None:
    @settings(
        max_examples=2 * settings().max_examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(acts())
    def check(acts: list[tuple[str, Any]]) -> None:
        grow = Growing(started)
        try:
            perform(grow, acts)
        finally:
            grow.close()

    check()


def test_in_life_nothing_is_read_twice(grow: Growing) -> None:
    """Two ranks and the sampler of the machine, each behind the others now and then."""
    grow.add(A, header())
    grow.add(B, header(rank=1))
    grow.add("journal-9-0.jsonl", header())
    for step in range(50):
        grow.add(A, log(step, 10 + step, loss=1 / (step + 1), acc=step))
        grow.add(B, log(step, 9.5 + step - step % 3, loss=0.1))
        grow.add("journal-9-0.jsonl", line({"k": "system", "t": 8.0 + step, "m": {"cpu": 1.0}}))
        if step % 10 == 0:
            grow.add(A, line({"k": "summary", "t": 10 + step, "s": {"best": step}}))
        grow.check()

    assert grow.n_whole == 1


def test_a_look_gives_only_the_points_that_are_new(grow: Growing) -> None:
    grow.add(A, header() + log(0, 2.0, loss=3.0) + log(1, 3.0, loss=2.0))
    first = grow.live.look(None)
    grow.add(A, log(2, 4.0, loss=1.0))
    second = grow.live.look(first.state)

    assert [point.step for point in first.points["loss"]] == [0, 1]
    assert [point.step for point in second.points["loss"]] == [2]
    assert not second.is_whole
    assert second.metrics["loss"].count == 3


def test_a_line_that_is_being_written_is_neither_taken_nor_lost(grow: Growing) -> None:
    whole = log(1, 3.0, loss=2.0)
    grow.add(A, header() + log(0, 2.0, loss=3.0) + whole[:20])
    assert grow.read().metrics["loss"].count == 1

    grow.add(A, whole[20:])

    assert grow.read().metrics["loss"].count == 2
    assert grow.n_whole == 1


def test_what_was_said_earlier_and_is_read_later_does_not_win(grow: Growing) -> None:
    grow.add(A, header() + line({"k": "config", "t": 9.0, "c": {"lr": 9}}))
    grow.read()
    grow.add(B, header() + line({"k": "config", "t": 8.0, "c": {"lr": 8}}))

    grow.check()

    assert grow.read().config["lr"] == 9


def test_a_record_without_a_time_stays_behind_the_one_before_it(grow: Growing) -> None:
    grow.add(A, header() + line({"k": "config", "t": 9.0, "c": {"lr": 9}}))
    grow.add(B, header() + line({"k": "note", "t": 10.0, "v": "n"}))
    grow.read()
    grow.add(A, line({"k": "note", "v": "earlier"}))

    grow.check()


def test_a_step_before_the_last_one_is_read_with_all_others(grow: Growing) -> None:
    grow.add(A, header() + log(5, 2.0, loss=3.0))
    grow.read()
    grow.add(A, log(3, 3.0, loss=1.0))

    grow.check()

    assert grow.n_whole == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: b"",
        lambda state: b"nothing of ours",
        lambda state: state[:-1],
        lambda state: state[:12] + bytes([state[12] ^ 1]) + state[13:],
        lambda state: state + b"\0",
    ],
)
def test_a_state_that_is_not_what_was_written_changes_no_answer(grow: Growing, spoil) -> None:
    grow.add(A, header() + log(0, 2.0, loss=3.0))
    grow.read()
    grow.state = spoil(grow.state)
    grow.add(A, log(1, 3.0, loss=2.0))

    grow.check()

    assert grow.n_whole == 2


def test_a_state_of_another_attempt_is_not_used(grow: Growing) -> None:
    grow.add(A, header() + log(0, 2.0, loss=3.0))
    grow.read()
    again = replace(grow.live.started.run, started="2026-01-01T00:00:00.000000Z")
    grow.live = InProgress(grow.folder, replace(grow.live.started, run=again))
    grow.add(A, log(1, 3.0, loss=2.0))

    grow.check()

    assert grow.n_whole == 2


def test_a_journal_that_was_replaced_is_read_whole(grow: Growing) -> None:
    grow.add(A, header() + log(0, 2.0, loss=3.0))
    grow.read()
    path = grow.folder / A
    path.write_bytes(path.read_bytes().replace(b"3.0", b"4.0") + log(1, 3.0, loss=2.0))

    grow.check()

    assert grow.n_whole == 2


def test_values_whose_sum_depends_on_the_order_are_read_whole_each_time(grow: Growing) -> None:
    grow.add(A, header() + log(0, 2.0, loss=1e308) + log(1, 3.0, loss=1e308))
    grow.check()
    grow.add(A, log(2, 4.0, loss=-1e308))
    grow.check()

    assert grow.n_whole == 2


def test_the_journal_of_a_newer_version_is_refused(grow: Growing) -> None:
    grow.add(A, header(format=2))

    with pytest.raises(NewerFormatError):
        grow.read()


def test_the_stamp_changes_with_each_journal_and_with_nothing_else(grow: Growing) -> None:
    empty = grow.live.stamp()
    grow.add(A, header())
    one = grow.live.stamp()
    grow.add("output.log", b"hello\n")
    same = grow.live.stamp()
    grow.add(A, log(0, 2.0, loss=3.0))
    more = grow.live.stamp()
    grow.add(B, header())

    assert same == one
    assert len({empty, one, more, grow.live.stamp()}) == 4


def test_a_folder_that_is_gone_has_no_stamp(grow: Growing) -> None:
    gone = InProgress(grow.folder / "gone", grow.live.started)

    assert gone.stamp() == ""


def test_a_long_journal_is_read_piece_by_piece_and_never_whole(
    grow: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow.add(A, header() + b"".join(log(n, 2.0 + n, loss=1 / (n + 1)) for n in range(40)))
    grow.add(A, line({"k": "note", "t": 50.0, "v": "longer than a piece " * 30}))
    grow.add(A, log(40, 60.0, loss=7.0) + log(41, 61.0, loss=0.0)[:30])
    whole = replace(grow.live.record(), randomness={})
    monkeypatch.setattr(growing, "look_at", None)

    record, _ = grow.live.read_brief(None)

    assert record == whole
    assert record.metrics["loss"].count == 41


def test_a_second_look_starts_where_the_first_one_ended(grow: Growing) -> None:
    grow.add(A, header() + b"".join(log(step, 2.0 + step, loss=step) for step in range(2000)))
    state = grow.live.look(None).state
    assert state is not None
    grow.add(A, log(2000, 3000.0, loss=1.0))

    found = read_on(grow.folder, {place.name: place for place in state.places})

    assert found is not None
    [(journal, place)] = found
    assert len(journal.records) == 1
    assert place.offset == (grow.folder / A).stat().st_size
