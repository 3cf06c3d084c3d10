"""`repro diff`: differences first, equal parts in one line."""

import json
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import make_run, open_here


@pytest.fixture
def two(repository: Path) -> Path:
    """A repository with the runs `a` and `b`, which differ in code, config and results."""
    project = open_here(repository)
    make_run(project, {"loss": 0.5, "same": 1.0}, name="a", config={"lr": 0.1, "depth": 3})
    write_files(repository, {"train.py": "print('changed')\n"})
    make_run(project, {"loss": 0.25, "same": 1.0}, name="b", config={"lr": 0.2, "depth": 3})
    return repository


def test_differences_come_first_and_equal_parts_are_one_line(two: Path, cli: Cli) -> None:
    assert cli("diff", "a", "b").out == (
        "code: 1 file\n"
        "  M train.py\n"
        "config: 1 entry\n"
        "  lr  0.1 → 0.2\n"
        "metrics: 1 entry\n"
        "  loss  0.5 → 0.25\n"
        "equal: command, data, environment, hardware, randomness\n"
        "\n" + git(two, "diff", "HEAD", "--", "train.py") + "\n"
    )


def test_stat_is_how_much_only(two: Path, cli: Cli) -> None:
    text = cli("diff", "--stat", "a", "b").out
    assert text.startswith("code: 1 file\nconfig: 1 entry\nmetrics: 1 entry\nequal: ")
    assert " train.py | 2 +-\n" in text
    assert "→" not in text


def test_json_has_the_promised_shape(two: Path, cli: Cli) -> None:
    assert json.loads(cli("diff", "a", "b", "--json").out) == {
        "code": {"files": [{"path": "train.py", "status": "M"}]},
        "command": None,
        "config": {"lr": [0.1, 0.2]},
        "data": {},
        "environment": {},
        "hardware": {},
        "randomness": {},
        "metrics": {"loss": [0.5, 0.25]},
    }


def test_the_exit_code_says_whether_anything_differs(two: Path, cli: Cli) -> None:
    cli("diff", "--exit-code", "a", "b", code=1)
    cli("diff", "--exit-code", "a", "a", code=0)
    cli("diff", "a", "b", code=0)


def test_equal_runs_are_one_line(two: Path, cli: Cli) -> None:
    assert cli("diff", "a", "a").out == (
        "equal: code, command, config, data, environment, hardware, randomness, metrics\n"
    )


def test_without_b_it_is_the_working_tree(two: Path, cli: Cli) -> None:
    value = json.loads(cli("diff", "a", "--json").out)
    assert value["code"] == {"files": [{"path": "train.py", "status": "M"}]}
    assert "+print('changed')" in cli("diff", "a").out
    assert json.loads(cli("diff", "b", "--json").out)["code"] == {"files": []}


def test_git_revisions_and_code_states_compare_as_code(two: Path, cli: Cli) -> None:
    expected = {"files": [{"path": "train.py", "status": "M"}]}
    for a, b in (("HEAD", "b"), ("a^{code}", "b^{code}"), ("main", "b")):
        value = json.loads(cli("diff", a, b, "--json").out)
        assert value["code"] == expected
        assert value["config"] == {}


def test_names_from_elsewhere_are_escaped(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    make_run(project, name="a")
    write_files(repository, {"e\x1b[2Jvil\n.txt": "x\n"})
    make_run(project, name="b", config={"k\x1b": "v\x1b"})
    text = cli("diff", "a", "b").out
    assert "  A e\\x1b[2Jvil\\n.txt\n" in text
    assert "k\\x1b  - → v\\x1b" in text
    assert "\x1b" not in text


def test_a_long_part_is_cut_and_said(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    make_run(project, name="a")
    make_run(project, name="b", config={f"k{number}": number for number in range(100)})
    assert "  … and 60 more: `--json` has all\n" in cli("diff", "a", "b").out


def test_files_of_datasets_that_differ_are_named(repository: Path, cli: Cli) -> None:
    write_files(repository, {"data/train/1": "one", "data/train/2": "two"})
    cli("data", "add", "data/train")
    make_run(open_here(repository), name="a")
    write_files(repository, {"data/train/2": "changed", "data/train/3\x1b": "xx"})
    make_run(open_here(repository), name="b")
    summary = "data: 1 dataset\n  train  1 added (2 bytes), 1 changed (3 bytes → 7 bytes)\n"
    files = "    M 2\n    A 3\\x1b\n"

    assert cli("diff", "a", "b").out.startswith(f"{summary}{files}equal: code, ")
    assert cli("diff", "a", "b", "--stat").out.startswith(f"{summary}equal: code, ")
    assert cli("diff", "a", "--exit-code", code=1).out.startswith(f"{summary}{files}")
    assert "equal: code, config, data, " in cli("diff", "b").out
    value = json.loads(cli("diff", "a", "b", "--json").out)["data"]["train"]
    assert (value["added"], value["removed"], value["changed"]) == (["3\x1b"], [], ["2"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["a", "nothing"], 128, "nothing"),
        (["--output=x", "a"], 129, "no such option"),
        (["--", "--output=x", "a"], 128, "--output=x"),
        (["HEAD"], 129, "git diff"),
        ([], 129, "missing argument"),
    ],
)
def test_a_wrong_question_is_one_error(
    two: Path, cli: Cli, words: list[str], code: int, said: str
) -> None:
    ended = cli("diff", *words, code=code)
    assert ended.out == ""
    assert said in ended.err
    assert not (two / "x").exists()
