"""`PYTHONPATH`: recorded, given back, and named where it leads out of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support import write_files
from tests.support.cli import REPRO

COMMAND = ("--", sys.executable, "train.py")


def repro(root: Path, *words: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [*REPRO, *words],
        cwd=root,
        env={**environ, **env},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stderr + done.stdout
    return done


def read_json(root: Path, *words: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(repro(root, *words, code=code).stdout)
    return found


def recorded(root: Path, run: str) -> object:
    return read_json(root, "show", "--json", run)["environment"]["variables"].get("PYTHONPATH")


@pytest.fixture
def project(repository: Path) -> Path:
    write_files(
        repository,
        {
            "train.py": "import helper\nprint(helper.VALUE, helper.__file__)\n",
            "src/helper.py": "VALUE = 1\n",
        },
    )
    return repository


def test_a_path_into_the_repository_is_given_back_in_the_worktree(project):
    repro(project, "run", "-n", "a", *COMMAND, PYTHONPATH="src")
    repro(project, "run", "-n", "b", *COMMAND, PYTHONPATH=str(project / "src"))

    assert recorded(project, "a") == recorded(project, "b") == "src"
    verdict = read_json(project, "rerun", "--verify", "--json", "a")
    assert verdict["verdict"] == "identical"
    assert recorded(project, verdict["run"]) == "src"
    said = repro(project, "exec", "a", "--", sys.executable, "train.py").stdout
    assert "/worktrees/" in said
    assert repro(project, "doctor", "a").returncode == 0


def test_another_path_is_a_difference(project):
    write_files(project, {"lib/helper.py": "VALUE = 2\n"})
    repro(project, "run", "-n", "a", *COMMAND, PYTHONPATH="src")
    repro(project, "run", "-n", "b", *COMMAND, PYTHONPATH="lib")

    changes = read_json(project, "diff", "--json", "a", "b")["environment"]

    assert changes == {"variables.PYTHONPATH": ["src", "lib"]}


def test_what_lies_outside_is_named_and_given_back(project, tmp_path):
    write_files(tmp_path / "outside", {"helper.py": "VALUE = 3\n"})
    outside = str(tmp_path / "outside")

    done = repro(project, "run", "-n", "a", *COMMAND, PYTHONPATH=outside)

    assert f"`{outside}` stays as it is" in done.stderr
    assert read_json(project, "rerun", "--verify", "--json", "a")["verdict"] == "identical"
    items = read_json(project, "doctor", "--json", "a")["items"]
    [item] = [one for one in items if outside in one["detail"]]
    assert item["state"] == "degraded"
