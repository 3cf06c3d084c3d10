import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import open_here
from tests.support.sweeps import make_spec, make_sweep

from repro.core.sweep.program import first_command


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--launcher", "ray"], 128, "Ray is not installed"),
        (["--launcher", "slurm"], 128, "submitit is not installed"),
        (["--launcher", "ray", "-l", "cpus=none"], 129, "cpus"),
    ],
)
def test_no_sweep_is_made_for_an_engine_that_is_not_there(
    repository: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    said: str,
) -> None:
    for name in ("ray", "submitit"):
        monkeypatch.setitem(sys.modules, name, None)  # as where it is not installed

    refused = cli("sweep", "-p", "lr=1,2", *words, "--", "true", code=code)

    assert said in refused.err
    assert git(repository, "for-each-ref", "refs/repro/sweeps") == ""


def test_a_sweep_that_cannot_run_here_is_not_made(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)  # as where it is not installed
    search = ("sweep", "-p", "lr=uniform(0,1)", "--method", "gp", "--metric", "loss", "--min")

    refused = cli(*search, "-n", "3", "--", "true", code=128)

    assert "`pip install torch scipy`" in refused.err
    assert git(repository, "for-each-ref", "refs/repro/sweeps") == ""
    # Where others run it, it can be made all the same.
    cli(*search, "-n", "3", "--create", "--", "true")
    assert git(repository, "for-each-ref", "refs/repro/sweeps") != ""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["nosuchcommand"], "`nosuchcommand` is not found on the PATH"),
        (["python", "-u", "missing.py", "--x"], "there is no file `missing.py`"),
        (["/usr/bin/env", "A=1", "python", "missing.py"], "there is no file `missing.py`"),
    ],
)
def test_a_command_that_is_not_there_makes_no_sweep(
    repository: Path, cli: Cli, command: list[str], said: str
) -> None:
    for more in ((), ("--dry-run",)):
        assert said in cli("sweep", "-p", "x=1,2", *more, "--", *command, code=127).err
    assert git(repository, "for-each-ref", "refs/repro/sweeps") == ""


def test_a_program_with_words_behind_it_is_split(repository: Path, cli: Cli) -> None:
    write_files(repository, {"train.py": "", "my train.py": ""})
    rest = "parameters: {x: {values: [1]}}\n"
    for program, words in [
        ("train.py --epochs 3", ["train.py", "--epochs", "3"]),
        ("my train.py", ["my train.py"]),
        ("-m pkg.train", ["-m", "pkg.train"]),
    ]:
        write_files(repository, {"sweep.yaml": f"program: {program}\n{rest}"})
        plan = json.loads(cli("sweep", "sweep.yaml", "--dry-run", "--json").out)
        assert plan["trials"][0]["command"][2:-1] == words


def test_where_no_python_is_on_the_path_trials_run_by_the_one_of_repro(
    repository: Path,
) -> None:
    project = open_here(repository)
    bare = replace(project, environ={**project.environ, "PATH": "/nowhere"})
    assert first_command(bare, make_spec(command=("${interpreter}", "a.py"))) == (
        sys.executable,
        "a.py",
    )


def test_a_dry_run_refuses_what_has_no_end(repository: Path, cli: Cli) -> None:
    words = ("sweep", "-p", "x=uniform(0,1)", "--dry-run")
    assert "has no end of its own" in cli(*words, "--", "true", code=129).err
    assert cli(*words, "-n", "2", "--", "true").out


def test_the_first_line_names_the_sweep(repository: Path, cli: Cli) -> None:
    done = cli("sweep", "-p", "x=1", "--name", "one", "--no-args", "--", "true")
    [ref] = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/sweeps").split()
    short = ref.rpartition("/")[2][:6]
    assert done.err.startswith(f"repro: sweep {short} (one): 1 trial, by grid\n")


def test_a_command_without_dashes_before_it_is_told_about_them(repository: Path, cli: Cli) -> None:
    failed = cli("sweep", "-p", "x=1", "python", "train.py", code=129)
    assert "put `--` before the command" in failed.err


def test_a_dry_run_says_that_it_shows_some_of_the_trials_only(repository: Path, cli: Cli) -> None:
    words = ("sweep", "-p", "x=uniform(0,1)", "--dry-run")
    assert "… and 5 more\n" in cli(*words, "-n", "15", "--", "true").err
    assert "…\n" in cli(*words, "-n", "0", "--", "true").err
    assert "…" not in cli(*words, "-n", "10", "--", "true").err


def test_a_list_of_sweeps_fits_a_narrow_terminal(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sweep(open_here(repository), name="wide")
    monkeypatch.setattr("repro.cli.render.width", lambda: 40)
    done = cli("sweep", "ls")
    assert max(map(len, done.out.splitlines())) <= 40
    assert "repro sweep ls --json" in done.err


def test_a_param_that_is_a_section_too_is_a_mistake_of_the_line(repository: Path, cli: Cli) -> None:
    failed = cli("sweep", "-p", "a=1", "-p", "a.b=2", "--no-args", "--", "true", code=129)
    assert "`a` is a param, and a section too" in failed.err
    assert "leave out or rename" in failed.err
