"""States of dataset paths as text: what is written reads back, and no text does harm."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repro.errors import DamagedRecordError
from repro.model.moves import (
    FileState,
    FolderState,
    LinkState,
    format_states,
    is_as,
    parse_states,
)

NAMES = (
    st.binary(min_size=1, max_size=20)
    .filter(lambda raw: not {0, ord("/")} & set(raw))
    .map(lambda raw: raw.decode(errors="surrogateescape"))
) | st.text("ab.%~\\: \n\r\té\u200c\u202e\U0001f600", min_size=1, max_size=10)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join) | st.just("")
TARGETS = st.lists(NAMES | st.sampled_from(["..", ".", ""]), min_size=1, max_size=5).map("/".join)
DIGESTS = st.integers(0, 2**256 - 1).map("{:064x}".format)
BITS = st.none() | st.integers(0, 0o777)
STATES = (
    st.builds(FileState, DIGESTS, st.integers(0, 2**63 - 1), st.booleans(), BITS, st.none())
    | st.builds(FolderState, BITS)
    | st.builds(LinkState, TARGETS.filter(bool))
)
S = "0" * 64


@given(st.dictionaries(PATHS, STATES | st.none(), max_size=8))
@example({"": FileState(S, 0, True, 0)})
@example({"a b": LinkState("/etc/a b\n"), "a": None})
def test_what_is_written_reads_back(states):
    text = format_states(states)

    assert parse_states(text) == {path: one for path, one in states.items() if one is not None}
    assert text.count(b"\n") == len([one for one in states.values() if one is not None])


@given(st.dictionaries(PATHS, STATES, max_size=8))
def test_the_order_of_what_is_written_is_that_of_the_bytes_of_the_paths(states):
    backwards = dict(reversed(states.items()))

    assert format_states(states) == format_states(backwards)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
@example(f"file {S} 1 a%00b\n".encode())
@example(f"file {S} {'9' * 19} a\n".encode())
@example(b"link a%00b c\n")
@example(b"\xff\n")
@example(b"dir \n")
@example(b"link %ZZ %\n")
def test_any_text_is_read_or_refused_in_one_way(text):
    try:
        found = parse_states(text)
    except DamagedRecordError:
        return
    assert all(isinstance(path, str) for path in found)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "file",
        "file a",
        f"file {S} a",
        f"file {S}",
        f"file {S[1:]} 1 a",
        f"file {'A' * 64} 1 a",
        f"file {S} -1 a",
        f"file {S} 1.5 a",
        f"file {S} {10**19} a",
        "file None 1 a",
        f"file:8 {S} 1 a",
        f"file:0888 {S} 1 a",
        f"file:4755 {S} 1 a",
        f"fifo {S} 1 a",
        f" file {S} 1 a",
        "link  a",
        "link a",
        "link a%00b c",
        "dir",
        "dir:77 a",
        f"exec{S} 1 a",
    ],
)
def test_a_line_of_another_shape_is_refused(line):
    with pytest.raises(DamagedRecordError):
        parse_states(f"file {S} 1 before\n{line}\n".encode())


FILE = FileState(S, 1, False)


@pytest.mark.parametrize(
    ("state", "wanted", "answer"),
    [
        (None, None, True),
        (FILE, None, False),
        (None, FILE, False),
        (FILE, FILE, True),
        (FILE._replace(bits=0o600), FILE, True),
        (FILE, FILE._replace(bits=0o600), False),
        (FILE._replace(bits=0o600), FILE._replace(bits=0o600), True),
        (FILE, FILE._replace(xxh3="0" * 32), True),
        (FILE, FILE._replace(is_executable=True), False),
        (FILE, FILE._replace(size=2), False),
        (FILE, FILE._replace(sha256=None), False),
        (FolderState(0o700), FolderState(), True),
        (FolderState(), FolderState(0o700), False),
        (FolderState(), LinkState("a"), False),
        (LinkState("a"), LinkState("a"), True),
        (LinkState("a"), LinkState("b"), False),
        (LinkState("a"), FolderState(), False),
        (FolderState(), FILE, False),
        (FILE, FolderState(), False),
    ],
)
def test_permission_bits_matter_where_they_are_said(state, wanted, answer):
    assert is_as(state, wanted) is answer
