"""`repro fetch` and `repro pull`: what they print, and how they end."""

import json
import sys
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.clones import Team, a_run, give, project_at
from tests.support.datasets import entry_of

from repro.core.curate import rename_run
from repro.core.outputs import GIT_LIMIT
from repro.core.query import resolve_run
from repro.store.refs import RUNS


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


@pytest.fixture
def here(team: Team, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = team.clone("here")
    monkeypatch.chdir(root)
    return root


def test_fetch_sums_up_what_came(team: Team, here: Path, cli: Cli) -> None:
    one = team.clone("one")
    ids = sorted([a_run(one), a_run(one)])
    give(one)
    ended = cli("fetch", "-v")
    lines = ["origin: 2 new runs", *(f"    new      {run_id}" for run_id in ids)]
    assert (lines, "") == (ended.out.splitlines(), ended.err)
    assert cli("fetch").out == "origin: nothing new\n"
    git(team.hub, "update-ref", "-d", RUNS + ids[0])
    assert f"gone     {ids[0]}: the remote has it no more" in cli("fetch", "-v").out
    assert [ids[0]] == json.loads(cli("pull", "--json").out)["gone"]


@pytest.mark.parametrize("verb", ["fetch", "pull"])
def test_a_word_that_is_no_remote_but_an_id_is_a_run_of_the_usual_remote(
    team: Team, here: Path, cli: Cli, verb: str
) -> None:
    one = team.clone("one")
    wanted, _ = a_run(one), a_run(one)
    give(one)
    assert [wanted] == _new_of(cli(verb, wanted[:8], "--json").out)
    said = cli(verb, "teem", code=128).err
    assert said.startswith("repro: `origin` has no run whose id begins with `teem`")
    git(here, "remote", "add", "team", ".")
    assert "did you mean `team`?" in cli(verb, "teem", code=128).err
    assert "there is no remote `elsewhere`" in cli(verb, "elsewhere", wanted, code=128).err


def _new_of(printed: str) -> list[str]:
    value = json.loads(printed)
    [fetched] = value if isinstance(value, list) else [value]
    new: list[str] = fetched["new"]
    return new


def test_a_pull_says_which_words_gave_way_to_later_ones(team: Team, here: Path, cli: Cli) -> None:
    one = team.clone("one")
    run_id = a_run(one)
    give(one)
    cli("pull")
    cli("rename", run_id, "ours")
    project = project_at(one)
    rename_run(project, resolve_run(project, run_id), "theirs")
    give(one)
    assert f"run {run_id} was given another name here and there: the later" in cli("pull").err
    cli("rename", run_id, "last")
    rename_run(project, resolve_run(project, run_id), "theirs again")
    give(one)
    said = json.loads(cli("pull", "--json").out)
    assert [{"run": run_id, "what": "name"}] == said["overruled"]
    history = cli("show", run_id, "--history").out
    assert "theirs again" in history
    assert "last" in history


def test_a_refused_run_is_one_line_and_exit_code_1(team: Team, here: Path, cli: Cli) -> None:
    one = team.clone("one")
    good = a_run(one)
    give(one)
    git(team.hub, "update-ref", f"{RUNS}baaaaaaaaaaa", "main")
    git(team.hub, "update-ref", f"{RUNS}x\u202e", "main")
    ended = cli("fetch", code=1)
    assert ended.out == "origin: 1 new run, 2 refused\n"
    lines = [line for line in ended.err.splitlines() if not line.startswith("hint: ")]
    assert lines[0].startswith("repro: origin was refused: `refs/repro/runs/x\\u202e` is not named")
    assert lines[1].startswith("repro: run `baaaaaaaaaaa` was refused: ")
    value = json.loads(cli("pull", "--json", code=1).out)
    assert [None, "baaaaaaaaaaa"] == [refusal["run"] for refusal in value["refused"]]
    assert (value["new"], value["forwarded"], value["merged"]) == ([], [], [])
    assert good in cli("ls", "--json").out


def test_pull_with_data_brings_kept_bytes_of_the_runs_that_came(
    team: Team, here: Path, cli: Cli
) -> None:
    run_id = a_run(team.clone("one"))
    give(team.folder / "one")
    ended = cli("pull", "--data", "--json")
    value = json.loads(ended.out)
    assert ([run_id], None) == (value["new"], value["data"])
    assert ended.err == "repro: these runs keep nothing in the store\n"


def test_pull_with_data_completes_what_a_pull_without_it_brought(
    team: Team, here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = team.clone("one")
    store = team.folder / "store"
    store.mkdir()
    write_files(one, {
        "labels.csv": "a\n",
        ".gitignore": "big.bin\n",
        "repro.yaml": f"store: {store}\nartifacts: [big.bin]\n"
        "data:\n  labels: {path: labels.csv, keep: true}\n",
    })  # fmt: skip
    monkeypatch.chdir(one)
    cli("run", "--", sys.executable, "-c", f"open('big.bin', 'wb').write(bytes({GIT_LIMIT + 1}))")
    cli("push", "--data", "--yes")
    git(one, "add", "repro.yaml")
    git(one, "commit", "-q", "-m", "store")
    git(one, "push", "-q", "origin", "main")
    monkeypatch.chdir(here)
    git(here, "pull", "-q")
    cli("pull")

    value = json.loads(cli("pull", "--data", "--json").out)

    assert (value["new"], value["data"]["failed"]) == ([], [])
    assert [one["name"] for one in value["data"]["datasets"]] == ["labels"]
    assert value["data"]["objects"] == 2
    assert cli("pull", "--data").err == "repro: 0 objects (0 bytes) fetched; 2 were here\n"
    assert entry_of(here, bytes(GIT_LIMIT + 1)).is_file()


def test_all_remotes_are_asked(team: Team, here: Path, cli: Cli) -> None:
    git(here, "remote", "add", "other", f"file://{team.hub}")
    assert cli("fetch", "--all").out == "origin: nothing new\nother: nothing new\n"
    assert "exclude each other" in cli("fetch", "--all", "origin", code=129).err


def test_a_remote_that_is_not_there_is_one_line_with_the_next_command(
    team: Team, here: Path, cli: Cli
) -> None:
    git(here, "remote", "set-url", "origin", f"file://{team.folder}/gone.git")
    ended = cli("fetch", code=128)
    assert ended.err.startswith("repro: cannot read `origin`: there is no such repository")
    assert ended.err.count("\n") == 2
    assert "there is no remote `orgin`" in cli("fetch", "orgin", code=128).err
    git(here, "remote", "remove", "origin")
    assert "hint: `git remote add origin URL`" in cli("pull", code=128).err


def test_a_remote_that_is_gone_keeps_no_other_from_being_asked(
    team: Team, here: Path, cli: Cli
) -> None:
    git(here, "remote", "rename", "origin", "zeta")
    git(here, "remote", "add", "dead", f"file://{team.folder}/gone.git")
    git(here, "config", "remote.half.prune", "true")
    ended = cli("fetch", "--all", code=128)
    assert ended.out == "zeta: nothing new\n"
    assert ended.err.startswith("repro: cannot read `dead`")
    ended = cli("fetch", "--all", "--json", code=128)
    assert [one["remote"] for one in json.loads(ended.out)] == ["zeta"]
