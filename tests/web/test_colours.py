"""Which colour a run has."""

from repro.web.colours import count_turns, give_colours, parse_pins


def test_pins_are_read_and_what_is_none_is_left_out():
    text = "abc:3, def:9,ghi:10,jkl:x,mno,:4,pqr:-1,stu:99999999999999999999"

    assert parse_pins(text) == {"abc": 3, "def": 9, "": 4}
    assert parse_pins("") == {}


def test_a_pinned_colour_is_nobody_elses():
    assert give_colours(["a", "b", "c"], {"b": 0}) == {"a": 1, "b": 0, "c": 2}


def test_colours_come_again_when_there_are_no_more():
    ids = [str(n) for n in range(12)]

    assert list(give_colours(ids, {}).values()) == [*range(10), 0, 1]
    assert len(give_colours(ids, {one: n % 10 for n, one in enumerate(ids[:10])})) == 12


def test_runs_with_the_same_colour_are_told_apart_by_their_turn():
    assert count_turns(["a", "b", "c", "d"], {"a": 1, "b": 2, "c": 1, "d": 1}) == {
        "a": 0, "b": 0, "c": 1, "d": 2,
    }  # fmt: skip
