"""Three researchers and one remote: all of them see every run, whatever git is told meanwhile.

The short form runs in the test command; with `REPRO_TEAM=50` each records that many runs.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support import git
from tests.support.clones import Team
from tests.support.gitservers import PASSWORD, USER, git_daemon, git_http
from tests.support.projects import make_run
from tests.support.remotes import runs_of
from tests.support.teammates import EVERY, Teammate, work_at_once

from repro.core.query import full_json, list_runs, read_points, resolve_run

RUNS = int(os.environ.get("REPRO_TEAM", "0"))
HOURS = {"ada": 0.0, "bo": -9.0, "cy": 14.0}

Serve = Callable[[Path], Any]


@contextmanager
def over_git(folder: Path) -> Iterator[str]:
    with git_daemon(folder) as url:
        yield url


@contextmanager
def over_http(folder: Path) -> Iterator[str]:
    with git_http(folder, password=PASSWORD) as url:
        yield url


def join(team: Team, url: str) -> list[Teammate]:
    """Three clones of the remote at an address, whose user has the password for it."""
    helper = f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f"
    git(team.hub, "config", "http.receivepack", "true")
    words = ("-c", f"credential.helper={helper}")
    return [
        Teammate(name, team.clone(name, *words, url=f"{url}/hub.git"), hours)
        for name, hours in HOURS.items()
    ]


def seen_by(mate: Teammate) -> dict[str, Any]:
    """Every run that somebody sees, with all that is known of it, its commit included."""
    listing = list_runs(mate.project)
    assert listing.problems == ()
    ids = [record.run.id for record in listing.records]
    assert len(ids) == len(set(ids)) == listing.total
    records = [resolve_run(mate.project, run_id) for run_id in ids]
    return {one.run.id: (full_json(one), read_points(mate.project, one)) for one in records}


def meet(mates: list[Teammate]) -> None:
    """Everybody gives what they have, then takes what there is."""
    for mate in mates:
        assert mate.push().refused == ()
    for mate in mates:
        pulled = mate.pull()
        assert (*pulled.refused, *pulled.fetched.refused) == ()


def disturb(team: Team, mates: list[Teammate]) -> None:
    """Branches rewritten and deleted, refs pruned, and all that no ref reaches taken away."""
    ada, bo, _ = (mate.root for mate in mates)
    git(ada, "switch", "-qc", "topic")
    git(ada, "push", "-q", "origin", "topic")
    git(bo, "fetch", "-q")
    git(ada, "push", "-q", "origin", ":topic")
    git(ada, "switch", "-q", "main")
    git(ada, "commit", "-q", "--amend", "-m", "written anew")
    git(ada, "push", "-q", "--force", "origin", "main")
    for mate in mates:
        git(mate.root, "config", "fetch.prune", "true")
        git(mate.root, "config", "fetch.pruneTags", "true")
        git(mate.root, "fetch", "-q", "--prune")
        git(mate.root, "reset", "-q", "--hard", "origin/main")
        git(mate.root, "reflog", "expire", "--expire=now", "--all")
    for root in (team.hub, *(mate.root for mate in mates)):
        git(root, "gc", "-q", "--prune=now")


@pytest.mark.parametrize(("serve", "number"), [(over_git, 4), (over_http, 1)])
def test_all_see_every_run_as_it_is(serve: Serve, number: int, tmp_path: Path) -> None:
    n_runs = RUNS or number
    team = Team(tmp_path / "team")
    with serve(team.folder) as url:
        mates = join(team, url)
        common = [make_run(mates[0].project, name=name, tags=["old"]).id for name in ("x", "y")]
        meet(mates)
        # The base of later runs is a commit that a rewritten branch will leave behind.
        git(mates[1].root, "commit", "-q", "--allow-empty", "-m", "only here")

        made = work_at_once(mates, common, n_runs)
        meet(mates)
        before = [seen_by(mate) for mate in mates]
        disturb(team, mates)
        meet(mates)
        after = [seen_by(mate) for mate in mates]

    assert set(before[0]) == {*common, *(run_id for ids in made for run_id in ids)}
    assert len(before[0]) == 3 * n_runs + 2
    assert before[0] == before[1] == before[2]
    assert [*before, *after] == [before[0]] * 6
    assert runs_of(team.hub) == {run_id: facts["commit"] for run_id, (facts, _) in after[0].items()}
    words = [f"{name}-{number}" for name in HOURS for number in range(0, n_runs, EVERY)]
    said = [sorted(before[0][one][0]["tags"]) for one in common]
    assert said == [sorted(words), sorted([*words, "old"])]
    last = max(range(0, n_runs, EVERY))  # who heard of a note writes a later one, by any clock
    assert {before[0][one][0]["note"] for one in common} <= {f"{name}: {last}" for name in HOURS}
    for root in (team.hub, *(mate.root for mate in mates)):
        git(root, "fsck", "--strict", "--no-dangling")
