"""Agents in many clones share a sweep: nothing is done twice, nothing that one leaves is lost.

The short form runs in the test command; with `REPRO_SHARED_TRIALS=60` there are that many.
"""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from tests.support.clones import Team
from tests.support.projects import make_run
from tests.support.remotes import add_hook, push_all, runs_of
from tests.support.sweeploops import Launcher, Play
from tests.support.sweeps import AGENT, ask, make_sweep
from tests.support.waiting import until

from repro.core.project import Project, open_project
from repro.core.sweep.agent import join_sweep, share_sweep
from repro.core.sweep.book import LocalBook
from repro.core.sweep.loop import run_sweep
from repro.core.sweep.options import Options, Outcome, Reason, Stop
from repro.core.sweep.protocols import Task
from repro.errors import UnknownRunError
from repro.model.ids import new_id
from repro.model.space import Uniform
from repro.model.sweep import Agent, Beat, Dropped, Entry, Stopped, SweepAt, Trial
from repro.model.sweepspec import Method
from repro.store.process import host_name, this_process
from repro.store.remoterefs import GitRemote, find_remote

TRIALS = int(os.environ.get("REPRO_SHARED_TRIALS", "8"))
ELSEWHERE = Agent("bertbertbert", "another-machine", this_process().as_json())


@pytest.fixture
def hub(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def remote_of(project: Project) -> GitRemote:
    return find_remote(project.repository.git, None, push=True)


def lived(root: Path) -> Project:
    """A project with the real clock: agents are processes of their own."""
    return open_project(root, environ=os.environ, clock=time.time, entropy=os.urandom)


def make_shared(hub: Team, n_trials: int) -> tuple[SweepAt, Project, Project]:
    ada, bob = lived(hub.clone("ada")), lived(hub.clone("bob"))
    at = make_sweep(
        ada, method=Method.RANDOM, space={"lr": Uniform(0.0, 1.0)}, metric="loss", run_cap=n_trials
    )
    push_all(ada)
    return at, ada, bob


def work(
    project: Project,
    sweep_id: str,
    *,
    lease_s: float = 60.0,
    lasts: bool = False,
    reused: str | None = None,
    begun: Callable[[], None] = lambda: None,
    **options: object,
) -> tuple[Outcome, Launcher]:
    """Be an agent whose trials log one value each and execute nothing.

    Args:
        begun: Called while a trial is in progress.
    """
    remote = remote_of(project)
    at = join_sweep(project, remote, sweep_id)
    book, team = share_sweep(project, remote, at.sweep.id, lease_s=lease_s)

    def play(task: Task) -> Play:
        begun()
        return Play((float(str(task.params["lr"])),), lasts=lasts, reused=reused)

    launcher = Launcher(project, play)
    should_stop = options.pop("should_stop", lambda: None)
    done = run_sweep(
        project, book, launcher, Options(**{"look_s": 0.2, "beat_s": 1.0, **options}),
        tell=lambda _: None, should_stop=should_stop, others=team,
    )  # fmt: skip
    return done, launcher


def work_there(root: Path, sweep_id: str, names: tuple[str, str]) -> int:
    """Be such an agent, whose first trial lasts until the other began one; how many it began."""
    mine, other = (root.parent / f"{name}-is-at-work" for name in names)

    def meet() -> None:
        mine.touch()
        until(other.exists, "a trial of the other agent")

    return work(lived(root), sweep_id, begun=meet)[0].n_begun


def assert_whole(hub: Team, project: Project, sweep_id: str, n_trials: int) -> tuple[Trial, ...]:
    """Each trial of a sweep is over once, by a run of its own that the hub has, and no other."""
    book, _ = share_sweep(project, remote_of(project), sweep_id)
    trials = book.read().progress.trials
    assert [trial.state for trial in trials] == ["finished"] * n_trials
    assert len({trial.params["lr"] for trial in trials}) == n_trials
    assert {trial.run for trial in trials} == set(runs_of(hub.hub))
    return trials


def test_two_clones_share_a_sweep_and_each_trial_is_run_once(hub: Team):
    at, ada, bob = make_shared(hub, TRIALS)
    roots = [project.repository.root for project in (ada, bob)]
    # Not by fork: a process of a test may have threads.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        begun = pool.map(work_there, roots, [at.sweep.id] * 2, [("ada", "bob"), ("bob", "ada")])
    assert sum(begun) == TRIALS
    trials = assert_whole(hub, ada, at.sweep.id, TRIALS)
    assert len({trial.agent.id for trial in trials}) == 2


def claim_elsewhere(project: Project, at: SweepAt, agent: Agent = ELSEWHERE) -> str:
    """Have an agent of another machine claim the first trial; the id of its run."""
    run = new_id(project.entropy)
    asked = ask(0, run, params={"lr": 0.5}, agent=agent)
    book, _ = share_sweep(project, remote_of(project), at.sweep.id)
    book.write(lambda _: [asked])
    return run


def test_an_agent_of_another_machine_is_gone_once_it_was_silent_for_the_lease(hub: Team):
    at, ada, bob = make_shared(hub, 1)
    run = claim_elsewhere(ada, at)
    book, team = share_sweep(bob, remote_of(bob), at.sweep.id, lease_s=0.1)
    assert team.find_gone(book.read(), "annaannaanna") == []
    time.sleep(0.2)
    # By no clock but that of the observer, from when it saw that: the time in a beat may be any.
    book.write(lambda _: [Beat(agent=ELSEWHERE.id, time=-1e9)])
    assert team.find_gone(book.read(), "annaannaanna") == []
    time.sleep(0.2)
    [gone] = team.find_gone(book.read(), "annaannaanna")
    assert (gone.run, gone.is_lost) == (run, True)
    assert "nothing was heard of its agent on another-machine" in gone.why
    assert team.find_gone(book.read(), ELSEWHERE.id) == []


def test_an_agent_of_this_machine_is_gone_with_its_process(hub: Team):
    at, ada, bob = make_shared(hub, 1)
    process = replace(this_process(), start="long ago").as_json()
    run = claim_elsewhere(ada, at, Agent(ELSEWHERE.id, host_name(), process))
    book, team = share_sweep(bob, remote_of(bob), at.sweep.id)
    [gone] = team.find_gone(book.read(), AGENT.id)
    assert (gone.run, gone.is_lost) == (run, False)
    # One of the same name that started at another time, or elsewhere, may be another machine.
    other = {**process, "boot": "another"}
    twin = Agent("carncarncarn", host_name(), other)
    book.write(lambda _: [ask(1, new_id(ada.entropy), agent=twin)])
    assert [one.run for one in team.find_gone(book.read(), AGENT.id)] == [run]


def test_a_run_that_was_pushed_and_not_told_is_not_done_again(hub: Team):
    at, ada, bob = make_shared(hub, 1)
    run = claim_elsewhere(ada, at, Agent(ELSEWHERE.id, host_name(),
                                         replace(this_process(), start="x").as_json()))  # fmt: skip
    launcher = Launcher(ada, lambda _: Play((0.125,)))
    task = Task(sweep=at.sweep.id, base=at.sweep.base, number=0, run=run, params={"lr": 0.5})
    launcher.submit(task)
    launcher.wait(0.0)
    push_all(ada, run)
    done, others = work(bob, at.sweep.id)
    assert others.tasks == []
    assert [(one.run, one.value) for one in done.at.progress.trials] == [(run, 0.125)]


def _give(entries: Sequence[Entry], _: SweepAt) -> Sequence[Entry]:
    return entries


def test_a_run_that_is_reused_is_given_to_the_others(hub: Team):
    at, ada, _ = make_shared(hub, 1)
    earlier = make_run(ada, {"loss": 0.25}).id
    done, _ = work(ada, at.sweep.id, reused=earlier)
    assert [(one.run, one.value) for one in done.at.progress.trials] == [(earlier, 0.25)]
    assert list(runs_of(hub.hub)) == [earlier]


def test_an_agent_that_lost_its_claim_ends_its_trial_and_pushes_nothing_of_it(hub: Team):
    at, ada, bob = make_shared(hub, 1)
    theirs, _ = share_sweep(bob, remote_of(bob), at.sweep.id)

    def take_over() -> Stop | None:
        now = theirs.read()
        if len(now.ledger.entries) > 1:
            return Stop.SOON
        for trial in now.progress.trials:
            entries = (
                Dropped(number=0, run=trial.run, why="x", is_lost=True, time=1.0),
                ask(0, new_id(os.urandom), params=trial.params, agent=ELSEWHERE),
            )
            theirs.write(partial(_give, entries))
        return None

    done, launcher = work(ada, at.sweep.id, lasts=True, should_stop=take_over)
    assert done.reason is Reason.INTERRUPTED
    assert [run for run, _ in launcher.stopped][:1] == [launcher.tasks[0].run]
    assert runs_of(hub.hub) == {}


def test_a_stop_in_any_clone_ends_all_agents(hub: Team):
    at, ada, bob = make_shared(hub, 100)
    join_sweep(bob, remote_of(bob), at.sweep.id[:6])
    LocalBook(bob, at.sweep.id).write(lambda _: [Stopped(why="enough", time=1.0)])
    push_all(bob, at.sweep.id)
    done, launcher = work(ada, at.sweep.id)
    assert (done.reason, launcher.tasks) == (Reason.STOPPED, [])


def test_what_cannot_be_joined_is_told_with_the_next_command(hub: Team):
    ada = lived(hub.clone("ada"))
    at = make_sweep(ada)
    with pytest.raises(UnknownRunError, match="does not have the sweep") as caught:
        join_sweep(ada, remote_of(ada), "@")
    assert caught.value.hint == f"`repro push origin {at.sweep.id}` gives it"
    with pytest.raises(UnknownRunError, match="neither `origin` nor this clone"):
        join_sweep(ada, remote_of(ada), "zzzz")


def test_an_agent_that_carries_a_large_run_for_long_is_heard_of_meanwhile(hub: Team):
    at, ada, _ = make_shared(hub, 1)
    book, team = share_sweep(ada, remote_of(ada), at.sweep.id, lease_s=1.0)
    mine = Agent(new_id(os.urandom), host_name(), this_process().as_json())
    run = make_run(ada, {"loss": 1.0}).id
    seen = book.write(lambda _: [ask(0, run, params={"lr": 0.5}, agent=mine)])
    team.find_gone(seen, mine.id)
    # The run takes until more of the sweep has come.
    wait = "for i in $(seq 3000); do test -e heard && break; sleep .02; done"
    slow = f"case $1 in refs/repro/sweeps/*) touch heard;; refs/repro/runs/*) {wait};; esac"
    add_hook(hub.hub, "update", slow)
    team.publish([run])
    assert Beat in {type(entry) for entry in book.read().ledger.entries}
    assert run in runs_of(hub.hub)
