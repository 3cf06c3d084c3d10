"""A wrong filter on the command line is told with its place, for people and for programs."""

import json

import pytest
from tests.support.cli import Cli
from tests.support.projects import make_run, open_here


@pytest.fixture
def repro(repository, capsys):
    make_run(open_here(repository), {"loss": 0.5}, config={"lr": 0.1, "optimizer": "adam"})
    return Cli(capsys)


def test_a_wrong_name_has_carets_under_it(repro):
    done = repro("ls", "--where", "loss < 1 and lrr < 1", code=129)

    assert done.out == ""
    assert done.err.splitlines()[:3] == [
        "repro: no run has `lrr`; did you mean `lr`?",
        "    loss < 1 and lrr < 1",
        "                 ^^^",
    ]


def test_a_program_gets_the_place_in_numbers(repro):
    done = repro("ls", "--json", "--where", "optimizer = 1", code=129)

    error = json.loads(done.err)
    assert error["error"] == "filter"
    assert (error["text"], error["start"], error["end"]) == ("optimizer = 1", 12, 13)


def test_a_wrong_key_to_sort_by_has_carets_under_it(repro):
    done = repro("ls", "--sort=-lrr", code=129)

    assert done.err.splitlines()[1:3] == ["    -lrr", "     ^^^"]


@pytest.mark.parametrize(
    "text",
    ["lr<1; drop table x", "1=1 --", "lr<1 union select", "\x1b[2J", "x" * 10_000, "(" * 999],
    ids=lambda text: text[:9],
)
def test_whatever_is_written_ends_in_one_clear_error(text, repro):
    done = repro("ls", "--where", text, code=129)

    lines = done.err.splitlines()
    assert lines[0].startswith("repro: ")
    assert "^" in lines[2]
    assert len(lines) <= 4
    assert max(map(len, lines)) < 250
    assert done.err.replace("\n", "").isprintable()
