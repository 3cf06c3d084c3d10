import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.model.output import collapse_output, cut_output

# Few symbols, so that returns, newlines and cut characters meet often.
_OUTPUT = st.lists(
    st.sampled_from(
        [b"a", b"bb", b" ", b"\r", b"\n", b"\r\n", b"\b", b"\x1b[K", "█".encode(), b"\xff"]
    )
).map(b"".join)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"", b""),
        (b"plain\nlines\n", b"plain\nlines\n"),
        (b"one\r\ntwo\r\n", b"one\ntwo\n"),
        (b"one\r\r\ntwo", b"one\ntwo"),
        (b"\r 10%|#   |\r 20%|##  |\n", b" 20%|##  |\n"),
        (b"\r 10%\r 20%", b" 20%"),
        (b" 10%\r 20%\r", b" 20%"),
        (b" 10%\r 20%\r\nnext\n", b" 20%\nnext\n"),
        (b"long state\rend\n", b"endg state\n"),
        (b"wipe me out\r           \rend\n", b"end        \n"),
        ("█████\rab\n".encode(), "ab███\n".encode()),
        (b"\x1b[31mlong and red\x1b[0m\r\x1b[32mgreen\x1b[0m\n", b"\x1b[32mgreen\x1b[0m\n"),
        (b"done\r\x1b[K\n", b"\x1b[K\n"),
        (b"spin |\b/\b-\n", b"spin |\b/\b-\n"),
        (b"\r\r\r\n", b"\n"),
        (b"\xff\xfe\r\xfd\n", b"\xfd\xfe\n"),
    ],
)
def test_each_line_is_kept_as_a_terminal_shows_it_last(raw, shown):
    assert shown == collapse_output(raw)


@settings(deadline=None)
@given(_OUTPUT)
def test_collapsing_twice_is_collapsing_once(raw):
    once = collapse_output(raw)

    assert once == collapse_output(once)
    assert b"\r" not in once


@settings(deadline=None)
@given(_OUTPUT)
def test_no_line_is_lost_or_made(raw):
    assert raw.count(b"\n") == collapse_output(raw).count(b"\n")


def test_a_progress_bar_of_a_million_states_costs_linear_time():
    raw = b"x" * 1_000_000 + b"".join(b"\r%d" % i for i in range(1_000_000)) + b"\n"

    assert collapse_output(raw).startswith(b"999999xxx")


def test_output_within_the_limit_stays_as_it_is():
    data = b"abc\n" * 4

    assert data == cut_output(data, 16, "sha256:00")


def test_head_and_tail_are_whole_lines_around_an_exact_count():
    data = b"".join(b"line %06d\n" % i for i in range(10_000))

    lines = cut_output(data, 1000, "sha256:ab").splitlines(keepends=True)

    [middle] = [number for number, line in enumerate(lines) if line.startswith(b"[")]
    head, tail = b"".join(lines[:middle]), b"".join(lines[middle + 1 :])
    left_out = len(data) - len(head) - len(tail)
    mark = f"[… {left_out:,} bytes left out; all of it in the store as sha256:ab …]\n".encode()
    assert mark == lines[middle]
    assert data.startswith(head)
    assert data.endswith(tail)
    assert tail.startswith(b"line ")


def test_output_without_line_ends_is_not_cut_inside_a_character():
    cut = cut_output("é█".encode() * 1000, 101, "sha256:ab")

    head, _, tail = cut.decode().split("\n")
    assert {"é", "█"} == set(head) == set(tail)


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(2, 60))
def test_a_cut_keeps_no_more_than_the_limit_and_counts_the_rest(data, limit):
    cut = cut_output(data, limit, "sha256:ab")

    if len(data) <= limit:
        assert data == cut
    else:
        head, _, rest = cut.partition("[… ".encode())
        count, _, rest = rest.partition(b" bytes")
        tail = rest.partition("…]\n".encode())[2]
        kept = len(data) - int(count.replace(b",", b""))
        assert kept <= limit
        assert data.endswith(tail)
        assert data.startswith((head, head.removesuffix(b"\n")))
