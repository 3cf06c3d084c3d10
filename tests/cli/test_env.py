"""`repro env` and `repro checkout --env`: what they print, and how they end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git
from tests.support.cli import Cli
from tests.support.environments import World, make_world, versions_in

from repro.core.rebuild import envs_folder, folder_name


@pytest.fixture
def world(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(repository, tmp_path, monkeypatch)


def test_create_prints_the_folder_and_nothing_else(cli: Cli, world: World) -> None:
    world.offer([("foo", "1.0")])
    record = world.run({"foo": "1.0"})

    first, second = cli("env", "create", "@"), cli("env", "create", "@")

    folder = Path(first.out.removesuffix("\n"))
    assert folder == envs_folder(world.project) / folder_name(record.environment)
    assert versions_in(folder / "bin/python", "foo") == ["1.0"]
    assert second.out == first.out
    assert "is built" in first.err
    assert "was there already" in second.err


def test_create_as_json_says_what_was_taken(cli: Cli, world: World) -> None:
    world.offer([("foo", "1.1")])
    world.run({"foo": "1.0"})

    said = json.loads(cli("env", "create", "@", "--nearest", "--json").out)

    assert said["new"] is True
    assert said["substitutes"] == [{"name": "foo", "wanted": "1.0", "taken": "1.1"}]
    assert Path(said["python"]).is_file()


def test_what_cannot_be_had_is_an_error_with_its_items(cli: Cli, world: World) -> None:
    world.offer([("foo", "1.1")])
    run = world.run({"foo": "1.0"}).run

    text = cli("env", "create", "@", code=1)
    said = json.loads(cli("env", "create", "@", "--json", code=1).err)

    assert f"a part of the environment of run `{run.id[:6]}` cannot be had as recorded" in text.err
    assert "    foo 1.0: the index has no such version any more; the nearest is 1.1\n" in text.err
    assert f"hint: `repro env create {run.id[:6]} --nearest` takes the nearest" in text.err
    assert text.out == ""
    assert said["error"] == "missing-packages"
    assert len(said["items"]) == 1


def test_what_has_no_nearest_choice_ends_with_what_can_be_done(cli: Cli, world: World) -> None:
    run = world.run({"foo": "1.0"}).run

    text = cli("env", "create", "@", code=1)

    assert f"`repro rerun {run.id[:6]} --env current` takes the present packages" in text.err
    assert "--nearest" not in text.err


def test_packages_of_others_need_yes_without_a_terminal(cli: Cli, world: World) -> None:
    info = {"vcs": "git", "commit_id": "0" * 40}
    url = (world.tmp / "nowhere").as_uri()
    world.run({"foo": {"url": url, "vcs_info": info}})

    words = ("exec", "--env", "recorded")
    refused = [cli("env", "create", "@", code=1), cli(*words, "@", "true", code=1)]
    tried = [cli("env", "create", "@", "--yes", code=1), cli(*words, "--yes", "@", "true", code=1)]

    assert all("`--yes` agrees to install it" in one.err for one in refused)
    assert all("`--yes`" not in one.err for one in tried)


def test_ls_and_rm(cli: Cli, world: World) -> None:
    world.offer([("foo", "1.0"), ("foo", "2.0")])
    one, other = world.run({"foo": "1.0"}), world.run({"foo": "2.0"})
    assert cli("env", "ls").out == ""
    for record in (one, other):
        cli("env", "create", record.run.id)
    half = envs_folder(world.project) / ("f" * 64)
    half.mkdir()

    listed = cli("env", "ls").out
    facts = {each["digest"]: each for each in json.loads(cli("env", "ls", "--json").out)}
    name = folder_name(one.environment)
    assert listed.splitlines()[0].split()[:4] == ["DIGEST", "SIZE", "PYTHON", "PACKAGES"]
    assert "half made" in listed
    assert facts[name]["runs"] == [one.run.id]
    assert facts[name]["packages"] == 1
    assert facts[name]["bytes"] > 0

    assert "removed 1 environment " in cli("env", "rm", name[:12]).err
    removed = json.loads(cli("env", "rm", "--unused", "--json").out)
    assert [each["digest"] for each in removed] == [half.name]
    left = json.loads(cli("env", "ls", "--json").out)
    assert [each["digest"] for each in left] == [folder_name(other.environment)]


def test_an_environment_that_no_run_has_any_more_is_unused(cli: Cli, world: World) -> None:
    world.offer([("foo", "1.0")])
    run = world.run({"foo": "1.0"}).run
    cli("env", "create", "@")
    git(world.root, "update-ref", "-d", f"refs/repro/runs/{run.id}")

    cli("env", "rm", "--unused")

    assert json.loads(cli("env", "ls", "--json").out) == []


def test_rm_refuses_what_it_does_not_know(cli: Cli, world: World) -> None:
    cli("env", "rm", code=129)
    cli("env", "rm", "--unused", "abcdef", code=129)

    unknown = cli("env", "rm", "../../../etc", code=128)
    assert "no rebuilt environment is called" in unknown.err
    assert "`repro env ls` lists them" in unknown.err


def test_an_environment_that_is_just_being_made_is_not_removed(cli: Cli, world: World) -> None:
    world.offer([("foo", "1.0")])
    record = world.run({"foo": "1.0"})
    cli("env", "create", "@")
    lock = envs_folder(world.project) / f".{folder_name(record.environment)}.lock"
    code = (
        "import sys; from pathlib import Path; from repro.atomic import FileLock\n"
        "FileLock(Path(sys.argv[1])).acquire(); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        refused = cli("env", "rm", folder_name(record.environment), code=128)
        holder.communicate()

    assert "is just being made" in refused.err


def test_checkout_builds_it_in_place_and_beside(cli: Cli, world: World) -> None:
    world.offer([("foo", "1.0")])
    world.run({"foo": "1.0"})
    git(world.root, "add", "-A")
    git(world.root, "commit", "-q", "-m", "more")

    beside = cli("checkout", "-w", str(world.tmp / "beside"), "--env", "@")
    placed = json.loads(cli("checkout", "--env", "--json", "@").out)

    assert "bin/activate` enters its environment" in beside.err
    assert placed["env"]["new"] is False
    assert Path(placed["env"]["python"]).is_file()
    assert (world.tmp / "beside/train.py").is_file()


def test_options_of_the_environment_need_one(cli: Cli, world: World) -> None:
    world.run({})

    assert (
        "`--nearest` says something about `--env`"
        in cli("checkout", "--nearest", "@", code=129).err
    )
    assert "is no run" in cli("checkout", "--env", "HEAD", code=129).err
