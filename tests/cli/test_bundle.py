"""`repro bundle`, `unbundle` and `clone`, as they are typed."""

import json
import os
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import Cli
from tests.support.clones import Team, a_run, give
from tests.support.projects import make_run, open_here
from tests.support.secrets import KINDS, make_secret


def test_a_run_goes_from_one_clone_to_another_as_a_file(
    repository: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(open_here(repository), {"loss": 0.5}, name="base")
    target = str(tmp_path / "base.bundle")

    assert cli("bundle", "base", "-o", target).out.startswith(f"{target}: 1 run, ")
    monkeypatch.chdir(make_repository(tmp_path / "other"))
    assert cli("unbundle", target, "--dry-run").out == f"{run.id}\n"
    assert cli("unbundle", target).out == "base.bundle: 1 new run\n"
    assert cli("unbundle", target).out == "base.bundle: 1 run, all known here\n"
    [listed] = json.loads(cli("ls", "--json").out)
    assert listed["id"] == run.id


def test_runs_are_chosen_by_a_filter_or_by_name_not_by_both(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    for loss in (0.5, 1.5):
        make_run(project, {"loss": loss})
    target = str(repository.parent / "x.bundle")

    done = json.loads(cli("bundle", "--where", "loss < 1", "-o", target, "--json").out)
    assert len(done["runs"]) == 1
    cli("bundle", "-o", target, code=129)
    cli("bundle", "@", "--where", "loss < 1", "-o", target, code=129)


def test_a_run_with_a_secret_in_its_history_is_not_bundled(repository: Path, cli: Cli) -> None:
    secret = make_secret(next(iter(KINDS)))
    write_files(repository, {"key.py": f'KEY = "{secret}"\n'})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "oops")
    git(repository, "rm", "-q", "key.py")
    git(repository, "commit", "-q", "-m", "gone")
    run = make_run(open_here(repository))
    target = repository.parent / "x.bundle"

    said = cli("bundle", run.id, "-o", str(target), code=128).err

    assert "key.py" in said
    assert secret not in said
    assert not target.exists()


def test_a_clone_has_the_runs_and_the_code_of_the_one_that_is_named(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path / "team")
    ann = team.clone("ann")
    monkeypatch.chdir(ann)
    write_files(ann, {"new.py": "new\n"})
    run = make_run(open_here(ann), name="mine")
    other = a_run(ann)
    give(ann)
    monkeypatch.chdir(tmp_path)

    done = json.loads(cli("clone", f"file://{team.hub}", "all", "--run", "mine", "--json").out)
    assert (set(done["runs"]), done["run"]) == ({run.id, other}, run.id)
    assert (tmp_path / "all/new.py").read_text() == "new\n"

    monkeypatch.chdir(tmp_path)
    cli("clone", f"file://{team.hub}", "one", "--run", run.id[:8])
    assert [one["id"] for one in json.loads(cli("ls", "--json").out)] == [run.id]


def test_a_clone_goes_to_the_folder_that_git_would_make(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path / "team")
    monkeypatch.chdir(tmp_path)
    assert cli("clone", str(team.hub)).out == "hub: 0 runs\n"
    assert (tmp_path / "hub/.git").is_dir()


def test_a_folder_that_is_there_is_left_as_it_is(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path / "team")
    write_files(tmp_path, {"hub/mine": "mine"})
    monkeypatch.chdir(tmp_path)
    assert "not empty" in cli("clone", str(team.hub), code=128).err
    assert (tmp_path / "hub/mine").read_text() == "mine"


def test_a_clone_without_the_branch_that_its_remote_names_says_which_there_are(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path / "team")
    monkeypatch.chdir(tmp_path)
    a_run(ann := team.clone("ann"))
    give(ann)
    git(team.hub, "symbolic-ref", "HEAD", "refs/heads/trunk")
    ended = cli("clone", str(team.hub), "mine")
    assert ended.out == "mine: 1 run\n"
    said, hint = ended.err.splitlines()
    assert said.startswith("repro: warning: remote HEAD refers to nonexistent ref")
    assert hint == "hint: `cd mine` and `git switch main` checks a branch out"
    git(tmp_path / "mine", "switch", "-q", "main")


def test_a_run_that_is_not_there_leaves_the_clone_and_says_how_to_go_on(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path / "team")
    monkeypatch.chdir(tmp_path)
    said = cli("clone", str(team.hub), "--run", "zzzzzzzz", code=128).err
    assert "cd hub" in said
    assert (tmp_path / "hub/.git").is_dir()


def test_a_repository_that_is_not_there_is_named(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = cli("clone", str(tmp_path / "nowhere.git"), code=128).err
    assert "nowhere.git" in said
    assert not (tmp_path / "nowhere").exists()


def test_what_ssh_is_denied_is_no_fault_of_the_disk(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = "ada@example.org: Permission denied (publickey)."
    monkeypatch.setenv("GIT_SSH_COMMAND", f"sh -c 'echo \"{said}\" >&2; exit 255'")
    ended = cli("clone", "ssh://ada@example.org/x.git", code=128)
    assert "ssh could not log in" in ended.err


def test_a_clone_has_its_runs_whatever_its_remote_is_called(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path / "team")
    a_run(ann := team.clone("ann"))
    give(ann)
    monkeypatch.chdir(tmp_path)
    settings = tmp_path / "settings"
    settings.write_text("[clone]\n\tdefaultRemoteName = upstream\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert cli("clone", str(team.hub), "mine").out == "mine: 1 run\n"


def test_a_device_or_a_pipe_is_neither_replaced_nor_waited_for(
    repository: Path, tmp_path: Path, cli: Cli
) -> None:
    make_run(open_here(repository))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "no file" in cli("bundle", "@", "-o", str(pipe), "--force", code=128).err
    assert pipe.is_fifo()
    assert "no file" in cli("unbundle", str(pipe), code=128).err
