"""The environment part of a record."""

import json
import os
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from tests.support import git
from tests.support.projects import open_here

from repro.core.environment import capture_environment
from repro.core.project import Project, open_project
from repro.model.canonical import format_json, parse_json


def project_at(root: Path, **variables: str) -> Project:
    environ = {**os.environ, **variables}
    return open_project(root, environ=environ, clock=lambda: 0.0, entropy=os.urandom)


def captured(root: Path, *command: str, **variables: str) -> dict[str, Any]:
    return capture_environment(project_at(root, **variables), command)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment with one package."""
    root = tmp_path / "venv"
    venv.create(root, with_pip=False, symlinks=True)
    install(root, "numpy-2.0.dist-info")
    return root


def install(environment: Path, entry: str, origin: object = None) -> None:
    [site] = environment.glob("lib/python*/site-packages")
    (site / entry).mkdir()
    if origin is not None:
        (site / entry / "direct_url.json").write_text(json.dumps(origin))


def python_of(environment: Path) -> str:
    return str(environment / "bin/python")


def test_every_part_is_there_and_can_be_written_down(repository):
    found = captured(repository, sys.executable, "train.py")

    parts = {"interpreter", "platform", "packages", "hardware", "variables", "git", "repro"}
    assert parts | {"cuda", "container", "conda", "indexes"} == set(found)
    assert found == parse_json(format_json(found), name="environment.json")
    assert "Linux" in found["platform"]["system"] or found["platform"]["system"]
    assert found["git"].startswith("2.")


def test_our_own_packages_are_listed_with_repro_among_them(repository):
    found = captured(repository)

    names = [package["name"] for package in found["packages"]["list"]]
    assert "pytest" in names
    assert sorted(names) == names
    assert len(names) == found["packages"]["count"]
    assert found["repro"] in {
        package["version"]
        for package in found["packages"]["list"]
        if package["name"] == "git-repro"
    }


def test_the_same_environment_is_the_same_value(repository, environment):
    first = captured(repository, python_of(environment), "train.py")
    second = captured(repository, python_of(environment), "train.py", "--lr", "2")

    assert format_json(first) == format_json(second)


def test_the_packages_are_those_of_the_interpreter_of_the_command(repository, environment):
    found = captured(repository, python_of(environment), "train.py")

    assert found["packages"]["list"] == [{"name": "numpy", "version": "2.0"}]
    assert str(environment) == found["interpreter"]["prefix"]


def test_an_installed_package_changes_the_digest(repository, environment):
    before = captured(repository, python_of(environment))["packages"]
    install(environment, "scipy-1.0.dist-info")
    after = captured(repository, python_of(environment))["packages"]

    assert before["digest"] != after["digest"]
    assert after["count"] == 2


def test_another_origin_of_the_same_version_changes_the_digest(repository, environment):
    install(environment, "demo-1.0.dist-info", {"url": "https://e.org/a", "archive_info": {}})
    before = captured(repository, python_of(environment))["packages"]["digest"]
    [direct_url] = environment.glob("lib/python*/site-packages/demo*/direct_url.json")
    direct_url.write_text(json.dumps({"url": "https://e.org/b", "archive_info": {}}))

    assert before != captured(repository, python_of(environment))["packages"]["digest"]


def test_the_project_installed_in_place_is_named_relative_to_its_root(repository, environment):
    where = (repository / "python lib").as_uri()
    install(environment, "demo-1.0.dist-info", {"url": where, "dir_info": {"editable": True}})

    [demo, _] = captured(repository, python_of(environment))["packages"]["list"]

    assert demo["origin"] == {
        "path": "python lib",
        "editable": True,
        "import_roots": [],
    }


def test_a_package_elsewhere_keeps_its_url(repository, environment, tmp_path):
    url = (tmp_path / "sibling").as_uri()
    install(environment, "demo-1.0.dist-info", {"url": url, "dir_info": {"editable": True}})

    [demo, _] = captured(repository, python_of(environment))["packages"]["list"]

    assert {"url": url, "editable": True, "import_roots": []} == demo["origin"]


def test_no_secret_gets_in(repository, environment):
    url = "git+https://ada:hunter2@git.example.org/demo.git"
    vcs = {"vcs": "git", "commit_id": "7a3f"}
    install(environment, "demo-1.0.dist-info", {"url": url, "vcs_info": vcs})

    found = captured(
        repository,
        python_of(environment),
        AWS_SECRET_ACCESS_KEY="hunter2",
        MY_SETTING="hunter2",
        OMP_NUM_THREADS="4",
    )

    assert b"hunter2" not in format_json(found)
    assert "MY_SETTING" not in json.dumps(found)
    assert found["variables"]["OMP_NUM_THREADS"] == "4"


def test_an_interpreter_that_fails_is_a_fact_and_no_error(repository, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)

    found = captured(repository, str(broken), "train.py")

    assert found["interpreter"]["error"] == "ended with exit code 3"
    assert found["packages"]["digest"] is None
    assert found["packages"]["error"]


@pytest.mark.parametrize("command", [("absent",), ("true",), ("\0",), ("-x",), ("",), (".",)])
def test_any_command_has_an_environment(repository, command):
    assert captured(repository, *command)["hardware"]["cores"]


def test_a_read_only_repository_is_no_failure(repository, environment):
    (repository / ".git" / "repro").write_text("a file where the private folder should be")

    assert captured(repository, python_of(environment))["packages"]["count"] == 1


def test_a_linked_worktree_shares_what_was_learnt(repository, environment, tmp_path):
    captured(repository, python_of(environment))
    [kept] = (repository / ".git/repro/interpreters").iterdir()
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))

    captured(tmp_path / "linked", python_of(environment))

    assert [kept] == list((repository / ".git/repro/interpreters").iterdir())


@pytest.mark.skipif(
    not list(Path("/usr/lib/python3/dist-packages").glob("*-info")),
    reason="this system has no packages of its own",
)
def test_packages_of_the_operating_system_are_known_as_such(repository):
    project = open_here(repository)

    of_system = capture_environment(project, ["/usr/bin/python3"])["packages"]
    own = capture_environment(project, [sys.executable])["packages"]

    assert of_system["system"] == ["/usr/lib/python3/dist-packages"]
    assert "system" not in own
