"""`repro run` of what was run before: told, and skipped where that is wished."""

import json
import subprocess
import sys
import textwrap
import venv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, write_files
from tests.support.cli import REPRO
from tests.support.projects import open_here
from tests.support.records import a_summary, make_record, open_at, write_run
from tests.support.waiting import until
from tests.support.warm import repro

from repro.core.query import resolve_run

PYTHON = sys.executable


def runs(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(repro("ls", "--json", cwd=root).stdout)
    return found


def before(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was said before the command started."""
    lines = done.stderr.splitlines()
    end = next((n for n, line in enumerate(lines) if "recorded run" in line), len(lines))
    return lines[:end]


LOGGED = """
    import repro
    run = repro.init(config={"width": 8})
    run.define_metric("val_loss", goal="minimize")
    repro.log({"acc": 0.9, "val_loss": 0.21})
"""


def test_the_same_again_is_told_before_it_starts(repository: Path) -> None:
    write_files(repository, {"train.py": textwrap.dedent(LOGGED)})
    assert before(repro("run", "-n", "baseline", "--", PYTHON, "train.py", "--lr", "0.1")) == []

    done = repro("run", "--", PYTHON, "train.py", "--lr", "0.1")

    assert done.returncode == 0
    [first] = [run for run in runs(repository) if run["name"] == "baseline"]
    [line] = before(done)
    assert line == (
        f"repro: this was run before: {first['id'][:6]} (baseline), finished just now,"
        " val_loss 0.21, acc 0.9; `--skip-existing` gives it instead"
    )
    assert len(runs(repository)) == 2


@pytest.mark.parametrize(("code", "lr"), [("print('hello')\n", "0.2"), ("print('else')\n", "0.1")])
def test_what_differs_is_not_the_same(repository: Path, code: str, lr: str) -> None:
    repro("run", "--", PYTHON, "train.py", "--lr", "0.1")

    write_files(repository, {"train.py": code})
    done = repro("run", "--skip-existing", "--", PYTHON, "train.py", "--lr", lr)

    assert before(done) == []
    assert len(runs(repository)) == 2


def test_an_existing_run_is_given_in_place_of_a_new_one(repository: Path) -> None:
    command = ["--", PYTHON, "-c", "print('ran'); open('.git/ran', 'a').write('x')"]
    repro("run", "-n", "first", *command)
    refs = git(repository, "for-each-ref")

    done = repro("run", "--skip-existing", *command)

    [run] = runs(repository)
    assert done.returncode == 0
    assert done.stdout == ""
    assert done.stderr == f"repro: not run again: {run['id'][:6]} (first), finished just now\n"
    assert (repository / ".git/ran").read_text() == "x"
    assert git(repository, "for-each-ref") == refs
    assert list((repository / ".git/repro/live").iterdir()) == []
    assert not list((repository / ".git/repro").glob("quarantine/*"))


def test_json_of_a_skipped_run_is_the_existing_one(repository: Path) -> None:
    first = json.loads(repro("run", "--json", "--", "true").stdout)
    again = json.loads(repro("run", "--json", "--skip-existing", "--", "true").stdout)
    assert again == first


@pytest.mark.parametrize("words", [["sh", "-c", "exit 3"], ["sh", "-c", "kill -9 $$"]])
def test_a_run_that_did_not_finish_does_not_count(repository: Path, words: list[str]) -> None:
    repro("run", "--", *words)
    done = repro("run", "--skip-existing", "--", *words)
    assert before(done) == []
    assert done.returncode != 0
    assert len(runs(repository)) == 2


def test_the_same_in_progress_is_told_and_run_all_the_same(repository: Path) -> None:
    command = [
        "--",
        "sh",
        "-c",
        "echo >> .git/started; while [ ! -e .git/go ]; do sleep 0.05; done",
    ]
    with subprocess.Popen([*REPRO, "run", *command], stderr=subprocess.DEVNULL):
        until((repository / ".git/started").exists, "the first run")
        with subprocess.Popen(
            [*REPRO, "run", "--skip-existing", *command], stderr=subprocess.PIPE, text=True
        ) as second:
            until(lambda: len((repository / ".git/started").read_text()) == 2, "the second run")
            (repository / ".git/go").touch()
            _, said = second.communicate()
    assert said.startswith("repro: the same is in progress: ")
    assert len(runs(repository)) == 2


def test_a_file_that_a_run_left_is_named_as_what_makes_the_difference(repository: Path) -> None:
    command = ["--", PYTHON, "-c", "open('model.pt', 'w').write('x')"]
    repro("run", "-n", "first", *command)

    done = repro("run", "--skip-existing", *command)

    first = next(run["id"] for run in runs(repository) if run["name"] == "first")
    assert before(done) == [
        f"repro: as {first[:6]} (first) but for 1 file that is new since: model.pt (name it"
        " under `artifacts:` in repro.yaml, or have git ignore it)"
    ]
    write_files(repository, {"repro.yaml": "artifacts: [model.pt]\n"})
    # Nobody is to have git ignore that.
    assert before(repro("run", *command)) == [
        f"repro: as {first[:6]} (first) but for 1 file that is new since: repro.yaml"
    ]
    assert "not run again" in repro("run", "--skip-existing", *command).stderr


def test_another_package_is_named_as_what_makes_the_difference(
    repository: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv")
    [packages] = (tmp_path / "venv").glob("lib/*/site-packages")
    command = ["--", str(tmp_path / "venv/bin/python"), "train.py"]
    repro("run", "-n", "first", *command, "--lr", "0.1")
    repro("run", "-n", "other", *command, "--lr", "0.2")
    write_files(packages, {"pandas-2.1.dist-info/METADATA": "Name: pandas\nVersion: 2.1\n"})

    done = repro("run", "--skip-existing", *command, "--lr", "0.1")

    first = next(run["id"] for run in runs(repository) if run["name"] == "first")
    assert before(done) == [f"repro: as {first[:6]} (first) but for packages: added pandas 2.1"]
    assert before(repro("run", *command, "--lr", "0.3")) == []


def test_new_code_that_is_not_tracked_yet_is_no_leftover(repository: Path) -> None:
    repro("run", "--", PYTHON, "train.py")
    write_files(repository, {"helper.py": "x = 1\n"})
    assert before(repro("run", "--", PYTHON, "train.py")) == []


def test_where_a_command_runs_makes_a_difference(repository: Path) -> None:
    write_files(repository, {"a/x.txt": "", "b/x.txt": ""})
    repro("run", "--", "true", cwd=repository / "a")
    assert before(repro("run", "--skip-existing", "--", "true", cwd=repository / "b")) == []
    assert len(runs(repository)) == 2


def test_data_that_cannot_be_pinned_is_never_the_same(repository: Path) -> None:
    write_files(repository, {"repro.yaml": "data:\n  train: data\n"})
    repro("run", "--", "true")
    done = repro("run", "--skip-existing", "--", "true")
    assert before(done)[0] == (
        "repro: warning: a dataset cannot be pinned, so nothing can tell whether this was run"
        " before"
    )
    assert len(runs(repository)) == 2


def test_a_record_that_only_claims_the_identity_is_not_taken(repository: Path) -> None:
    repro("run", "--", "true")
    [real] = runs(repository)
    git(repository, "update-ref", "-d", f"refs/repro/runs/{real['id']}")
    write_run(
        open_at(repository),
        make_record(identity=real["identity"], command=("true",), config={"lr": 1}),
    )
    done = repro("run", "--skip-existing", "--", "true")
    assert "not run again" not in done.stderr
    assert len(runs(repository)) == 2


def test_without_the_index_the_answer_is_the_same(repository: Path) -> None:
    repro("run", "--", "true")
    repro("ls")
    for path in (repository / ".git/repro").glob("index.db*"):
        path.unlink()
    assert "this was run before" in repro("run", "--", "true").stderr


def test_a_broken_index_stops_no_run(repository: Path) -> None:
    repro("run", "--", "true")
    repro("ls")
    for path in (repository / ".git/repro").glob("index.db*"):
        path.write_bytes(b"\0" * 4096)
    done = repro("run", "--", "true")
    assert done.returncode == 0
    assert "this was run before" in done.stderr


def test_a_rerun_is_not_told_that_it_is_one(repository: Path) -> None:
    repro("run", "--", PYTHON, "train.py")
    assert "this was run before" not in repro("rerun", "@").stderr


def test_hostile_names_are_shown_escaped(repository: Path) -> None:
    repro("run", "--", "true")
    record = resolve_run(open_here(repository), "@")
    git(repository, "update-ref", "-d", f"refs/repro/runs/{record.run.id}")
    evil = "\x1b[2J"
    run = replace(record.run, name=evil)
    write_run(open_at(repository), replace(record, run=run, metrics={evil: a_summary(1.0)}))
    said = repro("run", "--", "true").stderr
    assert "this was run before" in said
    assert "\x1b" not in said


def test_one_changed_param_is_the_one_difference_of_find(repository: Path) -> None:
    repro("run", "-n", "a", "--", PYTHON, "train.py", "--lr", "0.1")
    repro("run", "-n", "b", "--", PYTHON, "train.py", "--lr", "0.2")

    value = json.loads(repro("find", "--like", "a", "--json").stdout)

    assert value["exact"] == []
    [one] = value["near"]
    assert one["run"]["name"] == "b"
    assert [each["what"] for each in one["differences"]] == ["lr: 0.1 → 0.2"]


def test_what_would_be_skipped_is_what_find_this_finds(repository: Path) -> None:
    repro("run", "-n", "a", "--", PYTHON, "train.py", "--lr", "0.1")
    same = repro("find", "--this", "--", PYTHON, "train.py", "--lr", "0.1")
    assert same.returncode == 0
    assert "(a), finished just now" in same.stdout
    other = repro("find", "--this", "--", PYTHON, "train.py", "--lr", "0.2")
    assert other.returncode == 1
    assert "    lr: 0.2 → 0.1\n" in other.stdout
    assert len(runs(repository)) == 1
