"""Sweeps are shared over a remote by the command line, and nothing of others runs unasked."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tests.support import git
from tests.support.cli import Cli
from tests.support.clones import Team, project_at
from tests.support.remotes import runs_of
from tests.support.sweeps import ask, make_sweep, tell

from repro.core.sweep.book import LocalBook
from repro.core.sweep.remote_book import RemoteBook
from repro.model.ids import new_id
from repro.model.space import Categorical
from repro.model.sweep import Agent
from repro.store.refs import SWEEPS
from repro.store.remoterefs import find_remote


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A hub, and in the folder `ada` a clone of it, entered."""
    made = Team(tmp_path / "team")
    monkeypatch.chdir(made.clone("ada"))
    return made


def shared(cli: Cli, **values: object) -> str:
    """A sweep of the clone around, pushed; its id."""
    sweep_id = make_sweep(project_at(Path.cwd()), **values).sweep.id
    assert "origin: 1 sweep pushed" in cli("push", "--yes").out
    return sweep_id


def test_a_sweep_of_somebody_else_is_not_run_unasked(
    cli: Cli, team: Team, monkeypatch: pytest.MonkeyPatch
):
    sweep_id = shared(cli)
    monkeypatch.chdir(team.clone("bob"))
    said = cli("sweep", "agent", sweep_id, code=1).err
    assert "was not recorded in this clone, and there is nobody to ask" in said
    assert "`--yes` agrees to run the trials of this sweep" in said
    assert (
        git(team.hub, "rev-list", "--count", f"{SWEEPS}{sweep_id}", f"^{SWEEPS}{sweep_id}^") == "1"
    )


def test_an_agent_does_the_trials_it_was_asked_for_and_pushes_their_runs(cli: Cli, team: Team):
    Path("train.py").write_text("print('trained')\n")
    sweep_id = shared(cli)
    cli("sweep", "stop", sweep_id)
    said = cli("sweep", "agent", sweep_id[:6], "-n", "1", code=1).err
    assert f"`repro sweep agent {sweep_id[:6]} --resume` goes on" in said
    said = cli("sweep", "agent", sweep_id[:6], "-n", "1", "--resume").err
    assert "has no more for this process" in said
    assert len(runs_of(team.hub)) == 1
    mine = git(Path.cwd(), "rev-parse", SWEEPS + sweep_id)
    assert mine == git(team.hub, "rev-parse", SWEEPS + sweep_id)


def test_the_first_push_of_an_agent_asks(cli: Cli, team: Team):
    sweep_id = make_sweep(project_at(Path.cwd())).sweep.id
    git(Path.cwd(), "push", "-q", "origin", SWEEPS + sweep_id)
    said = cli("sweep", "agent", sweep_id, code=1).err
    assert "the runs of all trials are pushed to `origin`" in said
    assert "`--yes` agrees to that" in said


def test_a_sweep_the_remote_lacks_names_the_next_command(cli: Cli, team: Team):
    sweep_id = make_sweep(project_at(Path.cwd())).sweep.id
    said = cli("sweep", "agent", sweep_id, code=128).err
    assert f"`repro push origin {sweep_id}` gives it" in said
    assert "neither `origin` nor this clone" in cli("sweep", "agent", "nothing", code=128).err


def test_a_removed_sweep_is_not_fetched_again_and_comes_back(cli: Cli, team: Team):
    sweep_id = shared(cli)
    cli("sweep", "rm", sweep_id)
    assert json.loads(cli("sweep", "ls", "--json").out) == []
    assert cli("fetch").out == "origin: nothing new\n"
    cli("fsck")
    assert cli("restore", sweep_id).err == f"repro: sweep {sweep_id[:6]} is back\n"
    [listed] = json.loads(cli("sweep", "ls", "--json").out)
    assert listed["id"] == sweep_id


def test_programs_read_what_became_of_sweeps(cli: Cli, team: Team, monkeypatch: pytest.MonkeyPatch):
    sweep_id = make_sweep(project_at(Path.cwd())).sweep.id
    plan = json.loads(cli("push", "--dry-run", "--json").out)
    assert plan["sweeps"] == [sweep_id]
    pushed = json.loads(cli("push", "--yes", "--json").out)["sweeps"]
    assert pushed == {"new": [sweep_id], "updated": [], "merged": []}
    ada, bob = Path.cwd(), team.clone("bob")
    monkeypatch.chdir(bob)
    assert f"    sweep    {sweep_id}" in cli("fetch", "-v").out
    for root, lr in ((ada, 0.1), (bob, 0.2)):
        monkeypatch.chdir(root)
        run = new_id(project_at(root).entropy)
        entries = [ask(0, run, params={"lr": lr}), tell(0, run)]
        LocalBook(project_at(root), sweep_id).write(lambda _, new=entries: new)
        if root != bob:
            cli("push")
    assert f"sweep `{sweep_id}` went on here and there apart" in cli("fetch").err
    [fetched] = json.loads(cli("fetch", "--json").out)
    assert fetched["sweeps"] == {"new": [], "changed": [], "merged": [], "apart": [sweep_id]}
    pulled = json.loads(cli("pull", "--json").out)
    assert pulled["sweeps"] == {"new": [], "changed": [], "merged": [sweep_id], "apart": []}


def test_a_clone_of_a_remote_has_its_sweeps(cli: Cli, team: Team, tmp_path: Path):
    sweep_id = shared(cli)
    cli("clone", str(team.hub), str(tmp_path / "new"))
    assert git(tmp_path / "new", "rev-parse", SWEEPS + sweep_id)


def test_fsck_names_a_sweep_whose_frozen_record_is_gone(cli: Cli, repository: Path):
    at = make_sweep(project_at(repository))
    assert cli("fsck").code == 0
    pack = next((repository / ".git/objects/pack").glob("*.pack"))
    loose = repository / "loose"
    shutil.move(str(pack), str(loose))
    pack.with_suffix(".idx").unlink()
    with loose.open("rb") as file:
        git_unpack(repository, file.read())
    loose.unlink()
    base = at.sweep.base
    tree = git(repository, "rev-parse", f"{base}:run.json")
    (repository / ".git/objects" / tree[:2] / tree[2:]).unlink()
    faults = json.loads(cli("fsck", "--json", code=1).out)["faults"]
    assert [one["where"] for one in faults if one["where"] == "sweep"] == ["sweep"]
    assert any(at.sweep.id in one["what"] for one in faults)


def git_unpack(root: Path, data: bytes) -> None:
    subprocess.run(["git", "unpack-objects", "-q"], input=data, cwd=root, check=True)


def test_a_stop_reaches_agents_of_other_clones_or_says_that_it_does_not(
    cli: Cli, team: Team, monkeypatch: pytest.MonkeyPatch
):
    sweep_id = shared(cli)
    bob = team.clone("bob")
    monkeypatch.chdir(bob)
    cli("fetch")
    ada, run = project_at(team.folder / "ada"), new_id(project_at(bob).entropy)
    claim = ask(0, run, agent=Agent("annaannaanna", "elsewhere"), time=time.time())
    book = RemoteBook(ada, find_remote(ada.repository.git, None, push=True), sweep_id)
    book.write(lambda _: [claim])
    said = cli("sweep", "stop", sweep_id).err
    assert "starts no trial any more, also for the agents that share it over `origin`" in said
    there = git(team.hub, "rev-parse", SWEEPS + sweep_id)
    assert there == git(bob, "rev-parse", SWEEPS + sweep_id)
    stopped = book.read().progress.stopped
    assert stopped is not None
    assert not stopped.is_hard
    team.hub.rename(team.hub.with_name("away"))
    said = cli("sweep", "stop", "--hard", sweep_id, code=1).err
    assert "`origin` could not be told" in said
    assert f"go on until `repro push origin {sweep_id[:6]}` was done" in said
    here = LocalBook(project_at(bob), sweep_id).read().progress.stopped
    assert here is not None
    assert here.is_hard


def test_no_trial_of_a_live_agent_elsewhere_is_taken_over_unasked(cli: Cli, team: Team):
    sweep_id = shared(cli, space={"lr": Categorical((0.1,))})
    ada = project_at(Path.cwd())
    agent = Agent("annaannaanna", "faraway")
    claim = ask(0, new_id(ada.entropy), agent=agent, time=time.time())
    bob = project_at(team.clone("bob"))
    RemoteBook(bob, find_remote(bob.repository.git, None, push=True), sweep_id).write(
        lambda _: [claim]
    )
    cli("fetch")
    said = cli("sweep", "resume", sweep_id, code=1).err
    assert "trials of this sweep run on faraway (1 of them)" in said
    assert f"`repro sweep agent {sweep_id[:6]}` works beside them" in said
    assert list(LocalBook(ada, sweep_id).read().ledger.entries) == [claim]
    assert "1 finished" in cli("sweep", "resume", sweep_id, "--yes").err
