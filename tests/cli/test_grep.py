"""`repro grep`: lines of the code, configs, notes and outputs of runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import begin, open_here
from tests.support.records import NOW, make_record, open_at, run_id, write_run

from repro.model.times import format_time


def commit(root: Path, files: dict[str, str | bytes]) -> None:
    write_files(root, files)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "more", "--allow-empty")


def write(root: Path, letter: str, output: str = "", **changes) -> str:
    facts = {"id": run_id(letter * 8), "created": format_time(NOW + ord(letter))}
    files = {"output.log": output.encode()} if output else {}
    return write_run(open_at(root), make_record(**{**facts, **changes}), files=files).run.id


@pytest.fixture
def four(repository: Path) -> Path:
    """Four runs of three states of the code; `b` and `c` share one."""
    commit(repository, {"train.py": "import x\nlr = 0.1\n", "lib/a.py": "LR = 5\n"})
    write(repository, "a", "lr is on\nepoch 1\n", config={"lr": 0.1, "width": 8})
    commit(repository, {"train.py": "import x\nlr = 0.2\n"})
    write(repository, "b", "epoch 1\n", config={"lr": 0.1, "width": 8}, note="the lr\nis odd")
    write(repository, "c", "epoch 1\nlr is off\n", config={"rate": 1})
    commit(repository, {"other.py": "nothing\n"})
    write(repository, "d", config={"rate": 1})
    return repository


def test_each_line_is_told_once_for_the_newest_run_that_has_it(four: Path, cli: Cli) -> None:
    assert cli("grep", "lr").out == (
        "dddddd +2 runs: train.py:2: lr = 0.2\n"
        "aaaaaa: train.py:2: lr = 0.1\n"
        "bbbbbb +1 run: [config]:1: lr: 0.1\n"
        "bbbbbb: [note]:1: the lr\n"
        "cccccc: [output]:2: lr is off\n"
        "aaaaaa: [output]:1: lr is on\n"
    )


def test_parts_are_chosen(four: Path, cli: Cli) -> None:
    def starts(*words: str) -> list[str]:
        return [line.split(":")[1].strip() for line in cli("grep", "lr", *words).out.splitlines()]

    assert starts("--code") == ["train.py", "train.py"]
    assert starts("--config", "--output") == ["[config]", "[output]", "[output]"]
    assert starts("--note") == ["[note]"]


def test_pathspecs_choose_files_of_the_code(
    four: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("grep", "-i", "lr", "--", "lib").out == "dddddd +3 runs: lib/a.py:1: LR = 5\n"
    assert cli("grep", "-i", "lr", "--", ":(exclude)train.py").out.count("\n") == 1
    monkeypatch.chdir(four / "lib")
    assert cli("grep", "-i", "lr", "--", "a.py").out.count("\n") == 1
    assert cli("grep", "lr", "--note", "--", "a.py").out == "bbbbbb: [note]:1: the lr\n"
    assert "a pathspec is wrong" in cli("grep", "lr", "--", ":(x)y", code=129).err


def test_the_same_line_of_configs_that_differ_is_told_once(four: Path, cli: Cli) -> None:
    write(four, "e", config={"lr": 0.1, "width": 9})
    live = begin(open_here(four, lambda: NOW + 999), config={"lr": 0.1, "width": 10})

    value = json.loads(cli("grep", "lr", "--config", "--json").out)
    assert [(one["text"], [run[0] for run in one["runs"][1:]]) for one in value] == [
        ("lr: 0.1", ["e", "b", "a"])
    ]
    assert value[0]["runs"][0] == live.id
    assert cli("grep", "width", "--config").out.count("\n") == 3
    live.journal.close()


def test_where_nothing_is_searched_is_said(four: Path, cli: Cli) -> None:
    ended = cli("grep", "lr", "--where", "lr > 9", code=1)
    assert ended.err == "none of the 4 runs fits: `repro ls` lists them\n"
    ended = cli("grep", "lr", "--", "nothing.py", code=1)
    assert "no code of these runs has a file that fits `nothing.py`" in ended.err
    assert cli("grep", "absent", "--", "train.py", code=1).err == ""


def test_a_filter_and_a_limit_choose_runs(four: Path, cli: Cli) -> None:
    assert cli("grep", "lr = ", "--where", "lr = 0.1").out == (
        "bbbbbb: train.py:2: lr = 0.2\naaaaaa: train.py:2: lr = 0.1\n"
    )
    assert cli("grep", "lr", "--limit", "1").out == "dddddd: train.py:2: lr = 0.2\n"
    assert cli("grep", "lr", "--where", "lr <", code=129).out == ""


def test_only_places_or_only_counts(four: Path, cli: Cli) -> None:
    assert cli("grep", "-l", "lr", "--code").out == "dddddd +2 runs: train.py\naaaaaa: train.py\n"
    assert cli("grep", "-c", "-e", "lr", "-e", "import", "--code").out == (
        "dddddd +2 runs: train.py:2\naaaaaa: train.py:2\n"
    )


def test_json_names_all_runs(four: Path, cli: Cli) -> None:
    value = json.loads(cli("grep", "lr", "--json").out)
    assert value[0] == {
        "part": "code", "path": "train.py", "line": 2, "text": "lr = 0.2",
        "runs": ["dddddddd0000", "cccccccc0000", "bbbbbbbb0000"],
    }  # fmt: skip
    assert [one["path"] for one in value[2:]] == [None] * 4
    counted = json.loads(cli("grep", "lr", "--json", "-c", "--note").out)
    assert counted == [{"part": "note", "path": None, "count": 1, "runs": ["bbbbbbbb0000"]}]
    assert json.loads(cli("grep", "absent", "--json", code=1).out) == []


def test_the_code_is_0_where_a_line_fits_and_else_1(four: Path, cli: Cli) -> None:
    ended = cli("grep", "absent", code=1)
    assert (ended.out, ended.err) == ("", "")


def test_a_repository_without_runs_has_no_line(repository: Path, cli: Cli) -> None:
    assert cli("grep", "x", code=1).err == "there is no run to search\n"


def test_patterns_with_a_dash_before_them_are_no_options(four: Path, cli: Cli) -> None:
    write(four, "e", note="--open-files-in-pager=touch evil")
    text = cli("grep", "--note", "-e", "--open-files-in-pager=touch evil").out
    assert text == "eeeeee: [note]:1: --open-files-in-pager=touch evil\n"
    assert not (four / "evil").exists()


@pytest.mark.parametrize(
    "words",
    [[], ["x[y"], ["-P", "("], ["a\0b"], ["a" * 70_000], ["a", "-e", "b"], ["a", "b"],
     ["a", "--", "b\0"], ["a", "--limit", "-1"]],
)  # fmt: skip
def test_a_wrong_line_is_one_error_with_code_129(four: Path, cli: Cli, words: list[str]) -> None:
    ended = cli("grep", *words, code=129)
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 2


def test_syntaxes_are_those_of_git(four: Path, cli: Cli) -> None:
    assert cli("grep", "-F", "0.2", "--code").out.count("\n") == 1
    assert cli("grep", "-E", "^(lr|x) = 0\\.1$", "--code").out.startswith("aaaaaa")
    assert cli("grep", "-P", "lr(?= = 0.1)", "--code").out.startswith("aaaaaa")


def test_what_a_terminal_would_obey_is_escaped(four: Path, cli: Cli) -> None:
    commit(four, {"a\x1b.txt": b"evil \x1b[2J \xff\r\n"})
    write(four, "e", "evil \x1b[2J\n", note="evil \u202e")
    for words in ([], ["--json"]):
        text = cli("grep", "evil", *words).out
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert text.count("evil") >= 3
    assert "eeeeee: a\\x1b.txt:1: evil \\x1b[2J \\xff\\r\n" in cli("grep", "evil").out


def test_binary_files_are_named_and_not_shown(four: Path, cli: Cli) -> None:
    commit(four, {"w.bin": b"\0\1lr\n"})
    write(four, "e")
    assert "eeeeee: w.bin: binary file matches\n" in cli("grep", "lr", "--code").out


def test_a_state_of_the_code_that_comes_back_is_one_place(four: Path, cli: Cli) -> None:
    git(four, "checkout", "-q", "HEAD~2")
    write(four, "e")
    assert cli("grep", "lr = 0.1", "--code").out == "eeeeee +1 run: train.py:2: lr = 0.1\n"
    assert cli("grep", "lr = 0.2", "--code").out == "dddddd +2 runs: train.py:2: lr = 0.2\n"


def test_the_same_file_at_two_paths_is_two_places(four: Path, cli: Cli) -> None:
    commit(four, {"copy.py": "unique\n", "copy2.py": "unique\n"})
    write(four, "e")
    assert cli("grep", "unique").out == "eeeeee: copy.py:1: unique\neeeeee: copy2.py:1: unique\n"


def test_a_run_in_progress_is_searched_as_it_is(four: Path, cli: Cli) -> None:
    live = begin(open_here(four, lambda: NOW + 999), config={"speed": "quick"})
    (live.dir / "output.log").write_text("so far quick\n")
    lines = cli("grep", "quick").out.splitlines()
    short = live.id[:6]
    assert lines == [f"{short}: [config]:1: speed: quick", f"{short}: [output]:1: so far quick"]
    assert cli("grep", "lr = 0.2", "--code").out.startswith(f"{short} +3 runs: ")
    live.journal.close()


def test_what_is_lost_is_a_warning_and_hides_nothing_else(four: Path, cli: Cli) -> None:
    blob = git(four, "rev-parse", "HEAD~2:train.py")
    loose = four / f".git/objects/{blob[:2]}/{blob[2:]}"
    assert loose.exists()
    loose.unlink()
    ended = cli("grep", "lr = ", "--code")
    assert ended.out == "dddddd +2 runs: train.py:2: lr = 0.2\n"
    assert ended.err == (
        "repro: warning: `train.py` of run `aaaaaaaa0000` cannot be read, and is not searched\n"
    )


def test_a_damaged_run_is_a_warning(four: Path, cli: Cli) -> None:
    write_run(open_at(four), make_record(), files={"run.json": b"{}"})
    ended = cli("grep", "lr = 0.1", "--code")
    assert ended.out == "aaaaaa: train.py:2: lr = 0.1\n"
    assert ended.err.count("cannot be read") == 1


def test_a_closed_pipe_ends_it_quietly(four: Path) -> None:
    commit(four, {"long.txt": "line\n" * 200_000})
    write(four, "e")
    process = subprocess.Popen(
        [sys.executable, "-m", "repro", "grep", "line"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"eeeeee: long.txt:1: line\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_the_pager_gets_all_of_it(four: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("repro.cli.render.width", lambda: 80)
    assert cli("grep", "lr", "--note").out == "bbbbbb: [note]:1: the lr\n"
    assert cli("grep", "absent", code=1).out == ""
    write(four, "e", note="lr" * 1000)
    assert len(cli("grep", "lrlr", "--note").out) < 500
