"""Entries of a ledger come back from their lines as they were; hostile lines are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import DamagedRecordError
from repro.model.sweep import (
    Agent,
    Asked,
    Beat,
    Dropped,
    Entry,
    Reopened,
    Resumed,
    Stopped,
    Told,
    TrialState,
)
from repro.store.sweepentries import format_page, parse_page

IDS = st.sampled_from(["aaaaaaaaaaaa", "bbbbbbbbbbbb", "k7h3m9x2q4wz"])
TIMES = st.floats(0, 4e9)
NUMBERS = st.integers(0, 99_999)
VALUES = st.floats(allow_nan=False, allow_infinity=False)
PARAMS = st.dictionaries(
    st.sampled_from(["lr", "model.width", "opt"]),
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), VALUES, st.text()),
)
AGENTS = st.builds(
    Agent, IDS, st.text(), st.fixed_dictionaries({"pid": st.integers(1, 9999), "start": st.text()})
)
ENTRIES = st.one_of(
    st.builds(Asked, number=NUMBERS, params=PARAMS, run=IDS, agent=AGENTS, time=TIMES),
    st.builds(
        Told,
        number=NUMBERS,
        run=IDS,
        state=st.sampled_from([TrialState.FINISHED, TrialState.FAILED, TrialState.PRUNED]),
        time=TIMES,
        value=st.none() | VALUES,
        steps=st.lists(st.tuples(st.integers(-5, 10**12), VALUES), max_size=4).map(tuple),
        duration_s=st.none() | VALUES,
        reused=st.none() | IDS,
        why=st.text(),
    ),
    st.builds(Dropped, number=NUMBERS, run=IDS, why=st.text(), is_lost=st.booleans(), time=TIMES),
    st.builds(Beat, agent=IDS, time=TIMES),
    st.builds(Stopped, why=st.text(), time=TIMES, is_hard=st.booleans()),
    st.builds(Reopened, number=NUMBERS, time=TIMES),
    st.builds(Resumed, time=TIMES, run_cap=st.none() | NUMBERS),
)


@given(st.lists(ENTRIES, max_size=5))
def test_entries_come_back_from_their_lines(entries: list[Entry]):
    page = format_page(entries)
    assert page.count(b"\n") == len(entries)
    assert parse_page(page, "journal/000000.jsonl") == entries


ASK = (
    b'{"k":"ask","n":0,"p":{"lr":1},"run":"aaaaaaaaaaaa",'
    b'"by":{"id":"bbbbbbbbbbbb","host":"h","process":{}},"t":1.0}'
)
TELL = (
    b'{"k":"tell","n":0,"run":"aaaaaaaaaaaa","state":"finished","v":1,"s":[[1,2]],'
    b'"d":1.0,"reused":null,"t":1.0}'
)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json",
        b"[]",
        b'{"k":"gift","t":1.0}',
        b'{"k":"beat","by":"../../etc","t":1.0}',
        b'{"k":"beat","by":"aaaaaaaaaaaa","t":"NaN"}',
        ASK.replace(b'"n":0', b'"n":-1'),
        ASK.replace(b'"n":0', b'"n":99999999999'),
        ASK.replace(b'"lr"', b'"a..b"'),
        ASK.replace(b'"run":"aaaaaaaaaaaa"', b'"run":"--upload-pack"'),
        TELL.replace(b"finished", b"running"),
        TELL.replace(b"[[1,2]]", b'[[1,"x"]]'),
        TELL.replace(b"[[1,2]]", b"[" + b",".join([b"[1,2]"] * 1001) + b"]"),
        TELL.replace(b'"v":1', b'"v":"NaN"'),
        TELL.replace(b'"reused":null', b'"reused":"x"'),
        TELL.replace(b'"reused":null', b'"reused":null,"why":1'),
        TELL.replace(b'"reused":null', b'"reused":null,"why":"' + b"x" * 1001 + b'"'),
        b'{"k":"again","n":-1,"t":1.0}',
    ],
)
def test_a_line_that_breaks_the_format_is_refused_by_its_place(line: bytes):
    assert parse_page(ASK + b"\n", "p")
    assert parse_page(TELL + b"\n", "p")
    with pytest.raises(DamagedRecordError, match=r"journal/000003\.jsonl:2"):
        parse_page(ASK + b"\n" + line + b"\n", "journal/000003.jsonl")


def test_a_page_that_is_cut_off_is_refused():
    with pytest.raises(DamagedRecordError, match="cut off in its line 2"):
        parse_page(ASK + b"\n" + ASK[:20], "p")
