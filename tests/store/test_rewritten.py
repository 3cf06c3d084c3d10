import pytest
from tests.support.projects import open_here

from repro.errors import StorageError
from repro.store.rewritten import FILE, add_rewritten, find_rewritten, parse_pairs

A, B, C, D = (letter * 40 for letter in "abcd")


@pytest.fixture
def here(repository):
    return open_here(repository).repository


def test_a_chain_leads_to_its_end(here):
    add_rewritten(here, [(A, B)])
    add_rewritten(here, [(C, D), (B, C)])

    assert [find_rewritten(here, oid) for oid in (A, B, C, D)] == [D, D, D, None]


def test_of_several_the_last_one_counts(here):
    add_rewritten(here, [(A, B), (A, C)])

    assert find_rewritten(here, A) == C


def test_a_circle_ends(here):
    add_rewritten(here, [(A, B), (B, C), (C, A)])

    assert [find_rewritten(here, oid) for oid in (A, B, C)] == [C, A, B]


def test_a_commit_in_its_own_place_is_not_kept(here):
    add_rewritten(here, [(A, A)])

    assert not (here.private / FILE).exists()


@pytest.mark.parametrize("junk", ["x\n", f"{A} {D}"[:60], f"{A}\n", "\0\n"])
def test_what_is_torn_or_strange_is_passed_over(here, junk):
    here.private.mkdir(exist_ok=True)
    (here.private / FILE).write_text(junk)

    add_rewritten(here, [(A, B)])

    assert find_rewritten(here, A) == B


def test_the_file_stays_small_and_the_newest_lines_stay(here, monkeypatch):
    monkeypatch.setattr("repro.store.rewritten._LARGEST", 1000)
    for n in range(30):
        add_rewritten(here, [(f"{n:040x}", f"{n + 1:040x}")])

    assert (here.private / FILE).stat().st_size <= 1000
    assert find_rewritten(here, f"{29:040x}") == f"{30:040x}"
    assert find_rewritten(here, f"{0:040x}") is None


def test_a_place_that_cannot_be_written_is_an_error(here):
    here.private.write_text("")

    with pytest.raises(StorageError, match="something else stands in its place"):
        add_rewritten(here, [(A, B)])


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        (f"{A} {B}\n{B} {C} extra words\n", [(A, B), (B, C)]),
        (f"{A}\n{A} xyz\n{A[:39]} {B}\n", []),
        (f"{'a' * 64} {'b' * 64}\n", [("a" * 64, "b" * 64)]),
    ],
)
def test_pairs_are_read_as_git_writes_them(text, pairs):
    assert parse_pairs(text) == pairs
