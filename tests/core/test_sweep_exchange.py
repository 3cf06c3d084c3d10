"""Sweeps go to a remote and come from it; nobody's results are lost on the way."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.clones import Team, project_at
from tests.support.projects import make_run
from tests.support.remotes import push_all
from tests.support.sweeps import ask, make_sweep, tell

from repro.core.bundle import bundle_runs
from repro.core.fetch import Fetched, fetch_runs, pull_runs
from repro.core.needed import find_needed
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.sweep.book import LocalBook
from repro.core.unbundle import unbundle_runs
from repro.model.ids import new_id
from repro.model.space import Categorical
from repro.model.sweep import Entry
from repro.store.content import ContentStore
from repro.store.refs import SWEEPS
from repro.store.remoterefs import find_remote

SPACE = {"lr": Categorical((0.1, 0.2, 0.3, 0.4))}


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def finish(project: Project, sweep_id: str, number: int, lr: float, value: float = 0.5) -> str:
    run = new_id(project.entropy)
    entries: list[Entry] = [ask(number, run, params={"lr": lr}), tell(number, run, value)]
    LocalBook(project, sweep_id).write(lambda _: entries)
    return run


def fetch(project: Project, **options: object) -> Fetched:
    return fetch_runs(project, find_remote(project.repository.git, None), **options)


def pull(project: Project) -> Fetched:
    return pull_runs(project, find_remote(project.repository.git, None)).fetched


def tip(root: Path, sweep_id: str) -> str:
    return git(root, "rev-parse", SWEEPS + sweep_id)


def test_a_sweep_is_pushed_fetched_and_goes_on_elsewhere(team: Team):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    sweep = make_sweep(ada, space=SPACE).sweep
    finish(ada, sweep.id, 0, 0.1)
    assert push_all(ada).sweeps.new == (sweep.id,)
    assert fetch(bob).sweeps.new == (sweep.id,)
    at = LocalBook(bob, sweep.id).read()
    assert (at.sweep, at.progress.trials[0].value) == (sweep, 0.5)
    assert git(bob.repository.root, "show", f"{SWEEPS}{sweep.id}^^:train.py") == "print('hello')"
    finish(bob, sweep.id, 1, 0.2)
    assert push_all(bob).sweeps.moved == (sweep.id,)
    assert fetch(ada).sweeps.moved == (sweep.id,)
    assert tip(ada.repository.root, sweep.id) == tip(bob.repository.root, sweep.id)
    assert fetch(ada).sweeps == fetch(bob).sweeps == type(fetch(ada).sweeps)()


def test_results_of_a_sweep_that_went_on_apart_are_all_kept(team: Team):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    sweep = make_sweep(ada, space=SPACE).sweep
    finish(ada, sweep.id, 0, 0.1)
    push_all(ada)
    fetch(bob)
    same, alone = finish(ada, sweep.id, 1, 0.2, 1.0), finish(ada, sweep.id, 2, 0.3)
    finish(bob, sweep.id, 1, 0.2, 2.0)
    other = finish(bob, sweep.id, 2, 0.4)
    push_all(ada)
    assert fetch(bob).sweeps.apart == (sweep.id,)
    assert pull(bob).sweeps.merged == (sweep.id,)
    trials = LocalBook(bob, sweep.id).read().progress.trials
    assert [(one.params["lr"], one.value) for one in trials] == [
        (0.1, 0.5), (0.2, 1.0), (0.3, 0.5), (0.4, 0.5),
    ]  # fmt: skip
    assert [one.run for one in trials[1:]] == [same, alone, other]
    assert push_all(bob).sweeps.moved == (sweep.id,)
    assert pull(ada).sweeps.moved == (sweep.id,)
    assert push_all(ada).sweeps == type(push_all(ada).sweeps)()


def test_a_push_joins_what_somebody_else_pushed_first(team: Team):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    sweep = make_sweep(ada, space=SPACE).sweep
    push_all(ada)
    fetch(bob)
    finish(ada, sweep.id, 0, 0.1)
    finish(bob, sweep.id, 0, 0.2)
    push_all(ada)
    pushed = push_all(bob)
    assert (pushed.sweeps.merged, pushed.refused) == ((sweep.id,), ())
    assert tip(team.hub, sweep.id) == tip(bob.repository.root, sweep.id)
    values = [trial.params["lr"] for trial in LocalBook(bob, sweep.id).read().progress.trials]
    assert values == [0.1, 0.2]


def test_a_branch_carries_sweeps_where_a_host_takes_nothing_else(team: Team):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    for project in (ada, bob):
        git(project.repository.root, "config", "repro.origin.carrier", "refs/heads/repro")
    sweep = make_sweep(ada).sweep
    assert push_all(ada, sweep.id).sweeps.new == (sweep.id,)
    assert git(team.hub, "rev-parse", f"refs/heads/repro/sweeps/{sweep.id}")
    assert fetch(bob, names=[sweep.id[:6]]).sweeps.new == (sweep.id,)


def test_a_sweep_with_a_secret_in_its_code_stays(team: Team):
    ada = project_at(team.clone("ada"))
    safe = make_sweep(ada).sweep
    root = ada.repository.root
    git(root, "config", "repro.snapshot.secrets", "keep")
    (root / "train.py").write_text('print("x")\nkey = "AKIAIOSFODNN7REALKEY"\n')
    git(root, "add", "train.py")
    git(root, "commit", "-qm", "leak")
    leaking = make_sweep(ada).sweep
    pushed = push_all(ada)
    assert pushed.sweeps.new == (safe.id,)
    [refusal] = pushed.refused
    assert (refusal.run, refusal.kind) == (leaking.id, "sweep")
    assert "looks like a secret" in refusal.reason


def test_only_sweeps_of_this_clone_or_of_the_remote_are_pushed(team: Team, tmp_path: Path):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    sweep = make_sweep(ada).sweep
    push_all(ada)
    fetch(bob)
    other = tmp_path / "other.git"
    git(tmp_path, "init", "-q", "--bare", str(other))
    assert push_all(bob, remote=str(other)).sweeps.new == ()
    assert push_all(bob, sweep.id, remote=str(other)).sweeps.new == (sweep.id,)


def test_the_data_that_a_sweep_starts_from_is_kept_by_a_gc(team: Team):
    ada = project_at(team.clone("ada"))
    root = ada.repository.root
    (root / "data").mkdir()
    (root / "data/a.csv").write_text("1,2\n")
    (root / "repro.yaml").write_text("data: {train: {path: data, keep: true}}\n")
    ada = project_at(root)
    make_sweep(ada)
    kept = [digest for digest, _ in ContentStore(ada.store).entries()]
    assert kept
    (root / "repro.yaml").unlink()
    (ada.repository.private / "stat.db").unlink(missing_ok=True)
    words = find_needed(project_at(root))
    assert {digest.removeprefix("sha256:").encode() for digest in kept} <= words


def test_a_bundle_of_all_trials_has_their_sweep(team: Team, tmp_path: Path):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    sweep = make_sweep(ada, space=SPACE).sweep
    runs = [make_run(ada, sweep=sweep.id, trial=number) for number in range(2)]
    for number, (run, lr) in enumerate(zip(runs, (0.1, 0.2), strict=True)):
        entries = [ask(number, run.id, params={"lr": lr}), tell(number, run.id)]
        LocalBook(ada, sweep.id).write(lambda _, new=entries: new)
    records = [resolve_run(ada, run.id) for run in runs]
    assert bundle_runs(ada, records[:1], tmp_path / "half").sweeps == ()
    assert bundle_runs(ada, records, tmp_path / "whole").sweeps == (sweep.id,)
    assert unbundle_runs(bob, tmp_path / "half").sweeps.new == ()
    assert unbundle_runs(bob, tmp_path / "whole").sweeps.new == (sweep.id,)
    assert unbundle_runs(bob, tmp_path / "whole").sweeps.new == ()
    assert LocalBook(bob, sweep.id).read() == LocalBook(ada, sweep.id).read()
