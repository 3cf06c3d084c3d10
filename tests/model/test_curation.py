"""What is said of a run merges in any order, as often as wanted, and no word is lost."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.records import make_record, run_id

from repro.model.curation import (
    count_words,
    find_differing_facts,
    is_later_attempt,
    merge,
    stamp_changes,
    stamp_of,
)
from repro.model.run import Attempt, Curation, Run, Status
from repro.model.times import parse_time

CREATED = "2026-11-24T20:05:01.000000Z"
NOW = parse_time(CREATED) + 10

TAGS = ["a", "b", "c", "é"]
texts = st.one_of(st.none(), st.sampled_from(["x", "y"]))


def a_run(**changes) -> Run:
    return make_record(id=run_id("a"), created=CREATED, **changes).run


def change(run: Run, now: float = NOW, **changes) -> Run:
    return stamp_changes(run, replace(run, **changes), now)


@st.composite
def edits(draw):
    """One change of a run, by a clock that may be hours off."""
    now = NOW + draw(st.sampled_from([-9e6, -20_000, 0, 1e-6, 1, 20_000]))
    kind = draw(st.sampled_from(["name", "note", "tags", "files", "extra"]))
    if kind == "tags":
        value = tuple(draw(st.lists(st.sampled_from(TAGS), unique=True)))
    else:
        value = draw(texts)
    return kind, value, now


def apply(run: Run, edit) -> Run:
    kind, value, now = edit
    if kind == "files":
        return stamp_changes(run, run, now, files=["verdict.json"])
    if kind == "extra":  # as a newer version writes it
        return replace(run, extra={**run.extra, "colour": value})
    return stamp_changes(run, replace(run, **{kind: value}), now)


@st.composite
def replicas(draw, count=3):
    """States of one run in some clones, each after changes of its own and merges with others."""
    first = a_run(name=draw(texts), tags=tuple(draw(st.lists(st.sampled_from(TAGS), unique=True))))
    states = [first] * count
    for place, other, edit in draw(
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), edits()), max_size=12
        )
    ):
        states[place] = apply(merge(states[place], states[other]), edit)
    return states


@given(replicas(2))
def test_merging_is_commutative(states) -> None:
    a, b = states
    assert merge(a, b) == merge(b, a)


@given(replicas())
def test_merging_is_associative(states) -> None:
    a, b, c = states
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(replicas(2))
def test_merging_is_idempotent(states) -> None:
    a, b = states
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)


@given(replicas(), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=8))
def test_three_replicas_are_equal_after_any_exchange_that_reaches_all(states, exchanges) -> None:
    states = list(states)
    for into, source in [*exchanges, (0, 1), (0, 2), (1, 0), (2, 0)]:
        states[into] = merge(states[into], states[source])
    assert states[0] == states[1] == states[2]


@given(replicas(1), st.sampled_from(TAGS), st.sampled_from([-1e7, 0.0, 1e7]))
def test_a_word_wins_over_one_that_it_had_seen(states, tag, offset) -> None:
    [seen] = states
    name, tags = "seen " + str(seen.name), tuple(one for one in seen.tags if one != tag)
    newer = change(seen, NOW + offset, name=name, tags=tags)
    for merged in (merge(seen, newer), merge(newer, seen)):
        assert merged.name == name
        assert tag not in merged.tags


@given(replicas(2))
def test_what_one_side_alone_added_is_there(states) -> None:
    a, b = states
    assert "mine" in merge(change(a, tags=(*a.tags, "mine")), b).tags


def test_a_run_that_nobody_changed_has_no_stamps() -> None:
    run = a_run(name="x", tags=("b", "a"))
    assert merge(run, run) == run
    assert stamp_changes(run, run, NOW) == run
    assert run.curation is None


def test_tags_are_in_the_order_of_adding_then_of_their_text() -> None:
    run = a_run(tags=("z", "y"))
    one, other = change(run, tags=("z", "y", "c", "b")), change(run, tags=("z", "y", "a"))
    assert one.tags == ("z", "y", "c", "b")
    assert merge(one, other).tags == ("z", "y", "a", "c", "b")


def test_of_two_names_given_apart_the_later_one_is_kept_and_a_tie_is_decided_by_the_text() -> None:
    run = a_run(name="old")
    first, second = change(run, NOW, name="z"), change(run, NOW + 1, name="a")
    assert merge(first, second).name == "a"
    assert merge(change(run, NOW, name="y"), first).name == "z"
    assert merge(change(run, NOW, name=None), first).name == "z"


def test_a_removal_beats_an_older_addition_and_a_newer_addition_beats_it() -> None:
    run = a_run()
    added = change(run, NOW, tags=("a",))
    removed = change(added, NOW + 1, tags=())
    assert merge(removed, added).tags == ()
    assert merge(change(run, NOW + 2, tags=("a",)), removed).tags == ("a",)


def test_a_clock_that_is_behind_still_counts_as_later_by_a_microsecond() -> None:
    ahead = change(a_run(), NOW + 50_000, name="x")
    behind = change(ahead, NOW, name="y")
    assert behind.curation is not None
    assert parse_time(behind.curation.name) == pytest.approx(NOW + 50_000 + 1e-6, abs=1e-7)


def test_the_last_moment_of_the_calendar_breaks_nothing() -> None:
    run = replace(a_run(tags=("a", "b")), created="9999-12-31T23:59:59.999999Z")
    changed = change(run, NOW, tags=("c",), name="x")
    assert merge(changed, run) == changed
    assert changed.tags == ("c",)


def test_what_a_program_without_stamps_changed_is_taken_as_it_stands() -> None:
    stamped = change(a_run(tags=("a", "b")), tags=("a", "c"))
    by_other = replace(stamped, tags=("b", "c"), name="new")
    assert set(merge(by_other, stamped).tags) == {"b", "c"}
    assert merge(by_other, stamped) == merge(stamped, by_other)


def test_keys_of_newer_versions_are_kept_from_both_sides() -> None:
    run = change(a_run(), name="x")
    assert run.curation is not None
    one = replace(run, curation=replace(run.curation, extra={"stars": 3}), extra={"colour": "red"})
    other = replace(run, extra={"shape": [1]})
    merged = merge(one, other)
    assert merged.extra == {"colour": "red", "shape": [1]}
    assert merged.curation is not None
    assert merged.curation.extra == {"stars": 3}


def test_the_stamp_of_a_file_is_that_of_its_last_change() -> None:
    run = a_run()
    newer = stamp_changes(run, run, NOW, files=["verdict.json"])
    assert stamp_of(run, "verdict.json") == CREATED < stamp_of(newer, "verdict.json")


def test_two_accounts_of_what_happened_do_not_merge() -> None:
    run = a_run()
    other = replace(run, exit_code=3, command=("x",))
    assert find_differing_facts(run, other) == ("command", "exit_code")
    with pytest.raises(ValueError):
        merge(run, other)


def test_a_later_attempt_takes_over_what_was_said_of_the_one_before() -> None:
    first = Attempt(
        started=CREATED, ended=CREATED, status=Status.FAILED, exit_code=1, host="h", snapshot=None
    )
    run = a_run(attempts=(first,), exit_code=1)
    again = replace(run, attempts=(first, replace(first, exit_code=0)), exit_code=0)
    said = change(run, name="x", tags=("a",))
    assert is_later_attempt(again, run)
    assert not is_later_attempt(run, again)
    merged = merge(said, again)
    assert (merged.exit_code, merged.name, merged.tags) == (0, "x", ("a",))
    assert merged == merge(again, said)


def test_tags_taken_off_are_counted_too() -> None:
    run = change(change(a_run(), tags=("a", "b")), NOW + 1, tags=("b",))
    assert count_words(run) == 2
    assert isinstance(run.curation, Curation)


def test_a_run_with_more_tags_than_anybody_has_is_written_without_stamps() -> None:
    run = a_run(tags=tuple(f"t{number}" for number in range(20_001)))
    changed = change(run, name="x")
    assert (changed.name, changed.tags, changed.curation) == ("x", run.tags, None)
