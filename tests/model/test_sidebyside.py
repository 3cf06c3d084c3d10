"""Runs side by side: rows, letters of code, differences, the best."""

import math
import string

from tests.support.records import a_summary, make_record

from repro.model.sidebyside import PARTS, Code, Row, lay_out, name_codes
from repro.model.values import ABSENT


def row(*values, goal=None):
    return Row(part="metrics", key="loss", values=values, goal=goal)


def test_there_is_a_row_for_each_item_in_the_order_of_the_parts():
    first = make_record(
        config={"lr": 0.1, "model": {"width": 64}},
        metrics={"loss": a_summary(0.5), "f1": a_summary(0.9, goal="maximize")},
        data={"train": {"digest": "sha256:aa", "path": "x"}},
        environment={"packages": {"list": [{"name": "numpy", "version": "1"}]}},
    )
    second = make_record(
        config={"lr": 0.1, "seed": 1},
        metrics={"loss": a_summary(0.4)},
        summary={"best": {"epoch": 3}},
        data={"train": {"digest": "sha256:aa", "path": "y"}},
    )
    rows = lay_out([first, second], [Code("A", 0), Code("B", 2)])

    assert [(row.part, row.key, row.values) for row in rows] == [
        ("metrics", "f1", (0.9, ABSENT)),
        ("metrics", "loss", (0.5, 0.4)),
        ("summary", "best.epoch", (ABSENT, 3)),
        ("config", "lr", (0.1, 0.1)),
        ("config", "model.width", (64, ABSENT)),
        ("config", "seed", (ABSENT, 1)),
        ("code", "", ("A", "B")),
        ("data", "train", ("sha256:aa", "sha256:aa")),
        ("environment", "packages.numpy", ("1", ABSENT)),
    ]
    assert [row.key for row in rows if not row.differs] == ["lr", "train"]
    assert rows[0].goal == "maximize"
    assert {row.part for row in rows} <= set(PARTS)


def test_a_state_that_differs_without_a_seed_tells_runs_apart_and_with_one_it_does_not():
    def telling(*seeds):
        runs = [
            make_record(randomness={**seed, "states": {"python": f"xxh3:{n}"}})
            for n, seed in enumerate(seeds)
        ]
        rows = lay_out(runs, [None] * len(runs))
        assert all(row.differs for row in rows if row.part == "randomness")
        return [row.key for row in rows if row.tells]

    assert telling({}, {}) == ["states.python"]
    assert telling({"seed": 1}, {"seed": 2}) == ["seed"]
    assert telling({"seed": 1}, {"seed": 2}, {"seed": 3}) == ["seed"]


def test_runs_that_disagree_on_a_goal_have_none():
    runs = [
        make_record(metrics={"loss": a_summary(1, goal=goal)}) for goal in ("minimize", "maximize")
    ]

    assert lay_out(runs, [None, None])[0].goal is None


def test_the_best_are_marked_by_goal_and_nan_never_is():
    assert row(3.0, 1, 1.0, goal="minimize").best() == {1, 2}
    assert row(3.0, math.nan, 1.0, goal="maximize").best() == {0}
    assert row(ABSENT, "x", 3.0, 2.0, goal="maximize").best() == {2}
    assert row(1.0, 1.0, goal="minimize").best() == set()
    assert row(1.0, 2.0).best() == set()


def test_differences_are_to_the_first_run():
    assert row(1.0, 0.5, ABSENT, math.nan, math.inf, 10**400, "x", True).differences() == [
        0, -0.5, None, None, None, None, None, None,
    ]  # fmt: skip
    assert row(math.nan, 1.0).differences() == [None, None]


def test_the_same_code_has_the_same_letter():
    codes = name_codes(["t", "u", None, "t"], {"t": 0, "u": 3})

    assert codes == [Code("A", 0), Code("B", 3), None, Code("A", 0)]


def test_letters_go_on_behind_z():
    names = [code.letter for code in name_codes([str(n) for n in range(704)], {}) if code]

    assert names[:26] == list(string.ascii_uppercase)
    assert (names[26], names[51], names[52], names[701], names[702]) == (
        "AA", "AZ", "BA", "ZZ", "AAA",
    )  # fmt: skip
    assert len(set(names)) == 704
