"""The run index finds by any filter exactly what reading every record with patience does."""

import os
import random
import signal

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from tests.bench.generate import make_base, write_runs
from tests.support.evaluate import holds, select, value_of
from tests.support.filters import (
    ODD_KEYS,
    conditions,
    make_odd_records,
    random_condition,
    sort_keys,
    texts_about_odd_runs,
)
from tests.support.records import NOW, make_record, open_at, write_run

from repro.errors import FilterError
from repro.model.binding import parse_filter
from repro.model.condition import Key, Matches, Space
from repro.model.run import Record
from repro.model.values import Absent
from repro.store.filtersql import like_pattern
from repro.store.index import RunIndex
from repro.store.objects import open_objects
from repro.store.refs import RunRefs
from repro.store.runs import decode_record, read_record_files

N_RUNS = 60
N_FILTERS = int(os.environ.get("REPRO_FILTERS_EACH", "400"))  # of each of ten batches


class OddRuns:
    """Odd runs in a repository: the index of them, and each as it is read from its commit."""

    def __init__(self, index: RunIndex, records: list[Record]) -> None:
        self.index = index
        self.records = records


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    repository, base = make_base(tmp_path_factory.mktemp("odd"))
    write_runs(repository, make_odd_records(N_RUNS), base=base)
    objects = open_objects(repository, many=False)
    commits = RunRefs(repository).commits.values()
    records = [decode_record(read_record_files(objects, oid, brief=False)) for oid in commits]
    objects.close()
    with RunIndex(repository, RunRefs(repository)) as index:
        yield OddRuns(index, records)


@pytest.mark.parametrize("batch", range(10))
def test_thousands_of_filters_find_what_they_say(batch, runs):
    chance = random.Random(batch)
    for _ in range(N_FILTERS):
        condition = random_condition(chance)
        expected = {one.run.id for one in runs.records if holds(condition, one)}

        found = runs.index.select_ids(condition)

        assert set(found) == expected, condition
        assert len(found) == len(expected), condition


@given(
    condition=st.none() | conditions(),
    sort=st.lists(sort_keys(), max_size=2),
    limit=st.sampled_from([None, 0, 1, 5, 50]),
)
def test_any_filter_finds_the_first_in_any_order(condition, sort, limit, runs):
    found = runs.index.select(condition, sort=sort, limit=limit)

    assert [record.run.id for record in found] == select(runs.records, condition, sort, limit)
    assert runs.index.matching(condition) == len(select(runs.records, condition))


@given(text=texts_about_odd_runs())
def test_any_text_finds_what_it_says_or_is_refused(text, runs):
    try:
        condition = parse_filter(text, runs.index, now=NOW)
    except FilterError as error:
        event(error.message.partition("`")[2].partition("`")[2])
        return

    found = [record.run.id for record in runs.index.select(condition)]

    assert found == select(runs.records, condition)


def test_the_odd_runs_are_as_odd_as_they_were_made(runs):
    kinds = {type(value_of(key, record)) for key in ODD_KEYS for record in runs.records}

    assert len(runs.records) == N_RUNS
    assert kinds == {bool, int, float, str, Absent}


@given(
    pattern=st.text("ab%_.\n", max_size=8),
    text=st.text("aAb.\n", max_size=12),
    style=st.sampled_from(["like", "ilike"]),
)
def test_a_like_pattern_fits_as_sql_says(pattern, text, style):
    leaf = Matches(Key(Space.FIELD, "note"), style, pattern)
    said = holds(leaf, make_record(note=text))

    assert bool(like_pattern(leaf).search(text)) == said


@pytest.fixture
def long_notes(repository):
    opened = open_at(repository)
    write_run(opened, make_record(note="a" * 40_000))
    with RunIndex(opened, RunRefs(opened)) as index:
        yield index


def test_many_signs_for_any_text_cost_no_more_than_one(long_notes):
    pattern = "%a" * 2_000 + "%b"
    assert long_notes.select(Matches(Key(Space.FIELD, "note"), "like", pattern)) == []


def test_a_search_that_explodes_ends_with_an_error_and_the_index_stays(long_notes):
    condition = Matches(Key(Space.FIELD, "note"), "regex", "(a+)+$|(a|aa)+b")
    exploding = Matches(Key(Space.FIELD, "note"), "regex", "^(a|aa)+b")
    assert len(long_notes.select(condition)) == 1
    before = long_notes.columns([], long_notes.ids())
    with pytest.raises(FilterError, match="takes too long"):
        long_notes.select(exploding)
    assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_DFL
    assert before == long_notes.columns([], long_notes.ids())
    assert len(long_notes.select(condition)) == 1
    assert list(long_notes._path.parent.glob("index.db"))


@pytest.mark.parametrize("is_left", [True, False])
@pytest.mark.parametrize("depth", [1, 7, 20, 49, 99])
def test_a_filter_as_deep_as_may_be_is_answered(depth, is_left, runs):
    text = "status = finished"
    for number in range(depth):
        word, term = (
            ("and", "or")[number % 2],
            f"config.lr {('<', '>')[number % 3 % 2]} 0.{number:02}",
        )
        text = f"({text} {word} {term})" if is_left else f"({term} {word} {text})"
    condition = parse_filter(text, runs.index, now=NOW)

    found = [record.run.id for record in runs.index.select(condition)]

    assert found == select(runs.records, condition)


def test_a_filter_of_as_many_terms_as_may_be_is_answered(runs):
    numbers = ", ".join(map(str, range(20)))
    terms = [f"(note not in ({numbers}, {n}) and name != x{n})" for n in range(250)]
    terms += [f"status ~ 'x{n}'" for n in range(500)]
    condition = parse_filter(" or ".join(terms), runs.index, now=NOW)

    found = [record.run.id for record in runs.index.select(condition)]

    assert found == select(runs.records, condition)
