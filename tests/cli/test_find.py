"""`repro find`: was this tried already, and what comes nearest to it?"""

import json
from pathlib import Path

import pytest
from tests.support import write_files
from tests.support.cli import Cli
from tests.support.projects import make_run, open_here


@pytest.fixture
def three(repository: Path) -> Path:
    """A repository with the runs `a`, `b` (another lr), `c` (another lr and other code)."""
    project = open_here(repository)
    make_run(project, {"loss": 0.5}, name="a", config={"lr": 0.1, "width": 3})
    make_run(project, {"loss": 0.4}, name="b", config={"lr": 0.2, "width": 3})
    write_files(repository, {"train.py": "print('changed')\n"})
    make_run(project, {"loss": 0.3}, name="c", config={"lr": 0.3, "width": 3})
    return repository


def names(text: str) -> list[str]:
    """The names in brackets, in the order of the lines that are not indented."""
    lines = [line for line in text.splitlines() if not line.startswith(" ")]
    return [line.partition("(")[2].partition(")")[0] for line in lines]


def test_a_run_with_the_values_is_found(three: Path, cli: Cli) -> None:
    done = cli("find", "lr=0.1", "width=3")
    assert names(done.out) == ["a"]
    assert "finished" in done.out
    assert "loss 0.5" in done.out
    assert done.err == ""


def test_where_none_has_them_the_nearest_are_listed_and_the_answer_is_no(
    three: Path, cli: Cli
) -> None:
    done = cli("find", "lr=0.19", "width=3", code=1)
    assert done.err == "no run has these values; the nearest are\n"
    assert names(done.out) == ["b", "c", "a"]
    assert "    lr: 0.19 → 0.2\n" in done.out


def test_values_are_typed_as_on_the_command_line_of_run(three: Path, cli: Cli) -> None:
    assert names(cli("find", "lr=1e-1").out) == ["a"]
    cli("find", 'lr="0.1"', code=1)


def test_other_runs_are_listed_by_what_differs(three: Path, cli: Cli) -> None:
    done = cli("find", "--like", "a", code=1)
    assert names(done.out) == ["b", "c"]
    lines = [line for line in done.out.splitlines() if line.startswith(" ")]
    assert lines == ["    lr: 0.1 → 0.2", "    lr: 0.1 → 0.3", "    code: 1 file (train.py)"]


def test_the_limit_is_of_each_kind(three: Path, cli: Cli) -> None:
    assert names(cli("find", "--like", "a", "--limit", "1", code=1).out) == ["b"]
    done = cli("find", "width=3", "--limit", "2")
    assert names(done.out) == ["c", "b"]
    assert done.err == "… and 1 more: `--limit 0` lists all\n"
    assert len(names(cli("find", "width=3", "--limit", "0").out)) == 3


def test_what_would_run_now_is_compared_and_not_recorded(three: Path, cli: Cli) -> None:
    # The runs of the fixture have no environment, so none is quite the same.
    done = cli(
        "find", "--this", "-c", "lr=0.3", "-c", "width=3", "--", "python", "train.py", code=1
    )
    assert names(done.out)[0] == "c"
    assert len(json.loads(cli("ls", "--json").out)) == 3


def test_porcelain_is_a_line_a_run(three: Path, cli: Cli) -> None:
    project = open_here(three)
    ids = {run["name"]: run["id"] for run in json.loads(cli("ls", "--json").out)}
    assert cli("find", "--porcelain", "--near", "lr=0.1").out.splitlines() == [
        f"{ids['a']}\texact",
        f"{ids['b']}\tnear\tlr: 0.1 → 0.2",
        f"{ids['c']}\tnear\tlr: 0.1 → 0.3",
    ]
    assert project.repository.root == three


def test_json_has_the_promised_shape(three: Path, cli: Cli) -> None:
    value = json.loads(cli("find", "--json", "--like", "b", code=1).out)
    assert value["exact"] == []
    assert [one["run"]["name"] for one in value["near"]] == ["a", "c"]
    assert value["near"][0]["differences"] == [
        {"part": "config", "what": "lr: 0.2 → 0.1", "key": "lr", "values": [0.2, 0.1]}
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to look for"),
        (["lr"], "`lr` is not `key=value`"),
        (["=1"], "`` in `=1` is not a config key"),
        (["nope=1"], "no run has a param `nope`"),
        (["widht=1"], "no run has a param `widht`; did you mean `width`?"),
        (["loss=1"], "no run has a param `loss`"),
        (["x" * 10_000 + "=1"], "no run has a param `xxx"),
        (["config.lr=1"], "no run has a param `config.lr`; did you mean `lr`?"),
        (["lr>0.1"], "`lr>0.1` is a filter"),
        (["lr <= 0.1"], "`lr <= 0.1` is a filter"),
        (["lr!=0.1"], "`lr!=0.1` is a filter"),
        (["lr=0.1", "lr=0.2"], "`lr` is given twice"),
        (["\x1b[2J=1"], "no run has a param `\\x1b[2J`"),
        (["--this"], "no command to look for"),
        (["--like", "a", "lr=1"], "`K=V` does not go with `--like`"),
        (["--like", "a", "--this"], "`--this` does not go with `--like`"),
        (["--like", "a", "--", "true"], "`CMD` does not go with `--like`"),
        (["--this", "lr=1", "--", "true"], "`K=V` does not go with `--this`"),
        (["-c", "lr=1"], "`-c` does not go with `K=V`"),
    ],
)
def test_wrong_use_is_one_error(three: Path, cli: Cli, words: list[str], message: str) -> None:
    done = cli("find", *words, code=129)
    assert done.err.startswith(f"repro: {message}")
    assert "hint: " in done.err
    assert "\x1b" not in done.err
    assert len(done.err) < 1000


def test_an_unknown_run_is_an_error(three: Path, cli: Cli) -> None:
    assert "there is no run `nope`" in cli("find", "--like", "nope", code=128).err


@pytest.mark.parametrize("text", ["lr = 0.1", "lr= 0.1", "lr =0.1 "])
def test_blanks_around_the_sign_are_no_part_of_the_value(three: Path, cli: Cli, text: str) -> None:
    assert names(cli("find", text).out) == ["a"]


def test_a_text_with_blanks_around_it_is_found_in_quotes(repository: Path, cli: Cli) -> None:
    make_run(open_here(repository), name="odd", config={"note": " a "})
    assert names(cli("find", 'note=" a "').out) == ["odd"]


def test_a_value_of_a_type_that_no_run_has_is_said(three: Path, cli: Cli) -> None:
    assert cli("find", "lr=abc", code=1).err == (
        "no run has these values: `lr` is a number in every run; the nearest are\n"
    )
    done = cli("find", "lr=", code=1)
    assert "`lr` is a number in every run" in done.err
    assert '    lr: "" → 0.3\n' in done.out


def test_a_text_is_told_from_the_number_that_reads_the_same(three: Path, cli: Cli) -> None:
    assert '    lr: "0.1" → 0.1\n' in cli("find", 'lr="0.1"', code=1).out


def test_near_ones_beside_exact_ones_are_said_to_be_such(three: Path, cli: Cli) -> None:
    done = cli("find", "lr=0.1", "--near")
    assert names(done.out) == ["a", "b", "c"]
    assert done.err == "the nearest others are\n"


def test_blanks_around_a_text_are_seen(three: Path, cli: Cli) -> None:
    assert '    lr: " a" → 0.3\n' in cli("find", 'lr=" a"', code=1).out
