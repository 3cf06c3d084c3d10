"""The Python that a command turns out to run, which its words do not name."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support import warm, write_files

WAYS = {
    "script": ("./run.sh",),
    "exec": ("./exec.sh",),
    "activated": ("sh", "-c", ". .venv/bin/activate && python t.py && true"),
}


def repro(root: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = warm.repro(*words, cwd=root)
    assert done.returncode == code, done.stderr + done.stdout
    return done


def install(root: Path, version: str) -> None:
    """Let the environment of the project have one package, of this version."""
    site = next(root.glob(".venv/lib/*/site-packages"))
    for old in site.glob("ever_absent-*.dist-info"):
        old.rename(site / f"ever_absent-{version}.dist-info")
    (site / f"ever_absent-{version}.dist-info").mkdir(exist_ok=True)
    (site / "thing.py").write_text(f"VERSION = {version!r}\n")


def facts(root: Path, run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(repro(root, "show", "--json", run).stdout)
    return found


@pytest.fixture
def project(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an environment of its own that is not the one on the PATH."""
    write_files(
        repository,
        {
            "run.sh": "#!/bin/sh\n.venv/bin/python t.py\ntrue\n",
            "exec.sh": "#!/bin/sh\nexec .venv/bin/python t.py\n",
            "t.py": "import thing\nprint(thing.VERSION)\n",
            ".gitignore": ".venv/\n",
        },
    )
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    for name in ("run.sh", "exec.sh"):
        (repository / name).chmod(0o755)
    made = [sys.executable, "-m", "venv", "--without-pip", str(repository / ".venv")]
    subprocess.run(made, check=True)
    install(repository, "1.0")
    return repository


def test_the_same_again_is_known_by_the_python_that_ran(project):
    repro(project, "run", "--", "./run.sh")

    assert "not run again" in repro(project, "run", "--skip-existing", "--", "./run.sh").stderr
    repro(project, "find", "--this", "--", "./run.sh")
    install(project, "2.0")
    assert "not run again" not in repro(project, "run", "--skip-existing", "--", "./run.sh").stderr


@pytest.mark.parametrize("way", WAYS)
def test_the_environment_is_that_of_the_python_that_ran(project, way):
    repro(project, "run", "-n", "a", "--", *WAYS[way])

    environment = facts(project, "a")["environment"]
    assert environment["interpreter"]["prefix"] == str(project / ".venv")
    assert {one["name"]: one["version"] for one in environment["packages"]["list"]} == {
        "ever-absent": "1.0"
    }


def test_a_changed_package_there_is_the_first_cause(project):
    repro(project, "run", "-n", "a", "--", "./run.sh")
    install(project, "2.0")
    repro(project, "run", "-n", "b", "--", "./run.sh")

    assert "ever-absent 1.0 → 2.0" in repro(project, "diff", "a", "b").stdout
    verdict = json.loads(repro(project, "verify", "--json", "a", "b", code=1).stdout)
    assert verdict["causes"][0] == {"part": "environment", "what": "ever-absent 1.0 → 2.0"}
    assert facts(project, "a")["identity"] != facts(project, "b")["identity"]


@pytest.mark.parametrize("way", WAYS)
def test_such_a_run_is_done_again_with_the_environment_in_its_place(project, way):
    repro(project, "run", "-n", "a", "--", *WAYS[way])

    verdict = json.loads(repro(project, "rerun", "--verify", "--json", "a").stdout)

    assert verdict["verdict"] == "identical"
    again = facts(project, verdict["run"])
    assert again["environment"]["packages"] == facts(project, "a")["environment"]["packages"]
    code = repro(project, "diff", "--json", "a", verdict["run"]).stdout
    assert json.loads(code)["code"]["files"] == []


def test_packages_that_cannot_be_recorded_are_said_never_guessed(project):
    write_files(project, {"gone.sh": "#!/bin/sh\n.venv/bin/python t.py\nrm -r .venv\n"})
    (project / "gone.sh").chmod(0o755)

    done = repro(project, "run", "-n", "a", "--", "./gone.sh")

    assert "reproducible: no" in done.stderr
    environment = facts(project, "a")["environment"]
    assert environment["interpreter"]["executable"] == str(project / ".venv/bin/python")
    assert "error" in environment["interpreter"]
    assert environment["packages"]["list"] == []
    assert ".venv/bin/python" in facts(project, "a")["warnings"][0]


def test_a_second_python_of_a_command_is_named(project):
    words = ("sh", "-c", f"{sys.executable} -c 1 && .venv/bin/python t.py && true")

    repro(project, "run", "-n", "a", "--", *words)

    assert str(project / ".venv/bin/python") in facts(project, "a")["warnings"][0]


def test_a_tree_that_needs_its_environment_in_place_has_it_for_any_command(project):
    repro(project, "run", "-n", "a", "--", "./run.sh")

    done = repro(project, "exec", "a", "--", "sh", "-c", "./run.sh; git status --porcelain")

    assert done.stdout == "1.0\n"


def test_the_doctor_looks_at_the_environment_that_ran(project):
    repro(project, "run", "-n", "a", "--", "./run.sh")

    items = json.loads(repro(project, "doctor", "--json", "a").stdout)["items"]

    assert [one for one in items if one["state"] != "ok"] == []


def test_another_environment_on_the_path_does_not_hide_that_which_ran(project):
    repro(project, "run", "-n", "a", "--", *WAYS["activated"])

    assert json.loads(repro(project, "diff", "--json", "a").stdout)["environment"] == {}
