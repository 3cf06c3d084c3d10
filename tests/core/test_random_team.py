"""Whatever three people do in any order, each sees each run once, with all that was said of it.

A model in memory does what they do, too: of each tag it knows how often it was put on and taken
off, as only its owner does either, and so what is newer.
The short form plays once; `REPRO_TEAM_SEEDS=20` plays that often (see docs/contributing.md).
"""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import git
from tests.support.clones import Team
from tests.support.projects import NOW, open_here, ticking
from tests.support.records import make_record, write_run
from tests.support.remotes import push_all

from repro.core.curate import tag_run, untag_run
from repro.core.fetch import fetch_runs, pull_runs
from repro.core.fold import fold_runs
from repro.core.query import list_runs, resolve_run
from repro.core.trash import forget_removed, list_trash, remove_runs, restore_run
from repro.model.ids import new_id
from repro.store.index_place import index_path
from repro.store.refs import ARCHIVE, REMOTES, RUNS, RunRefs
from repro.store.remoterefs import find_remote

SEEDS = int(os.environ.get("REPRO_TEAM_SEEDS", "1"))
HOURS = (-7, 0, 5)  # by how much their clocks are off
Tell = Callable[[str], None]
Said = dict[str, int]  # by tag: how often it was put on or taken off


def union(one: Said, other: Said) -> Said:
    return {tag: max(one.get(tag, 0), other.get(tag, 0)) for tag in {*one, *other}}


def tags_of(said: Said) -> list[str]:
    return sorted(tag for tag, times in said.items() if times % 2)


class Clone:
    """One clone, beside what it should have: own runs, fetched ones, removed ones."""

    def __init__(self, team: Team, name: str, hours: int, hub: dict[str, Said]) -> None:
        self.name = name
        self.root = team.clone(name)
        self.project = open_here(self.root, ticking(NOW + 3600 * hours))
        self.hub = hub
        self.own: dict[str, Said] = {}
        self.fetched: dict[str, Said] = {}
        self.removed: dict[str, tuple[Said | None, Said | None]] = {}
        self.count = 0

    @property
    def seen(self) -> dict[str, Said]:
        return self.fetched | self.own

    def record(self, chance: random.Random) -> None:
        record = make_record(id=new_id(chance.randbytes))
        run = write_run(self.project.repository, record).run
        self.own[run.id] = {}

    def tag(self, chance: random.Random) -> None:
        if not self.seen:
            return
        run_id = chance.choice(sorted(self.seen))
        said = self.seen[run_id]
        mine = [tag for tag in sorted(said) if tag.startswith(self.name)]
        record = resolve_run(self.project, run_id)
        if mine and chance.random() < 0.6:
            tag = chance.choice(mine)
            change = untag_run if said[tag] % 2 else tag_run
        else:
            self.count += 1
            tag, change = f"{self.name}{self.count}", tag_run
        change(self.project, record, [tag])
        self.own[run_id] = said | {tag: said.get(tag, 0) + 1}

    def remove(self, chance: random.Random) -> None:
        if not self.seen:
            return
        run_id = chance.choice(sorted(self.seen))
        remove_runs(self.project, [run_id])
        self.removed[run_id] = (self.own.pop(run_id, None), self.fetched.pop(run_id, None))

    def restore(self, chance: random.Random) -> None:
        entries, problems = list_trash(self.project, with_forgotten=True)
        assert not problems
        assert {entry.run for entry in entries} == self.removed.keys()
        if not entries:
            return
        entry = chance.choice(sorted(entries, key=lambda one: one.run))
        restore_run(self.project, entry)
        own, fetched = self.removed.pop(entry.run)
        if own is not None:
            self.own[entry.run] = own
        if fetched is not None:
            self.fetched[entry.run] = fetched
        if not entry.refs:
            self.fetch(chance)

    def forget(self, _: random.Random) -> None:
        forget_removed(self.project, list_trash(self.project)[0])
        self.removed = dict.fromkeys(self.removed, (None, None))

    def fold(self, _: random.Random) -> None:
        fold_runs(self.project, keep=1, at_least=2, size=2)

    def fetch(self, _: random.Random) -> None:
        done = fetch_runs(self.project, find_remote(self.project.repository.git, None))
        assert done.refused == ()
        self._took_in()

    def pull(self, _: random.Random) -> None:
        done = pull_runs(self.project, find_remote(self.project.repository.git, None))
        assert done.refused == done.fetched.refused == ()
        self._took_in()
        for run_id in self.own.keys() & self.hub.keys():
            self.own[run_id] = union(self.own[run_id], self.hub[run_id])

    def _took_in(self) -> None:
        self.fetched |= {one: said for one, said in self.hub.items() if one not in self.removed}

    def push(self, _: random.Random) -> None:
        assert push_all(self.project).refused == ()
        listed = self.listed()
        for run_id, said in self.hub.items():
            # Where ours were merged with some in archives there, these came whole.
            if run_id in listed and run_id not in self.own and listed[run_id][1] == tags_of(said):
                self.fetched[run_id] = said
        for run_id, said in self.own.items():
            self.own[run_id] = self.hub[run_id] = union(said, self.hub.get(run_id, {}))

    def archive_at_hub(self, _: random.Random) -> None:
        """What the remote has as our archives say goes into these there."""
        listed = git(self.root, "ls-remote", "origin", f"{RUNS}*").splitlines()
        there = {ref.removeprefix(RUNS): oid for oid, ref in map(str.split, listed)}
        for ref, archive in RunRefs(self.project.repository).archives().items():
            runs = dict(archive.items())
            if ref.startswith(ARCHIVE) and runs.items() <= there.items():
                gone = [f":{RUNS}{run_id}" for run_id in runs]
                git(self.root, "push", "-q", "origin", f"{ref}:{ref}", *gone)

    def collect(self, _: random.Random) -> None:
        git(self.root, "-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now")
        git(self.root, "fsck", "--strict")

    def check(self) -> None:
        before = self.listed()
        expected = {run_id: tags_of(said) for run_id, said in self.seen.items()}
        assert {run_id: tags for run_id, (_, tags) in before.items()} == expected
        path = index_path(self.project.repository.private, self.project.repository.git.environ)
        assert path is not None
        path.unlink(missing_ok=True)
        assert self.listed() == before
        assert RunRefs(self.project.repository).refused == []

    def listed(self) -> dict[str, tuple[str, list[str]]]:
        listing = list_runs(self.project)
        assert listing.problems == ()
        found: dict[str, tuple[str, list[str]]] = {
            one.run.id: (one.commit, sorted(one.run.tags)) for one in listing.records
        }
        assert len(found) == len(listing.records)
        return found


ACTIONS: list[tuple[int, Callable[[Clone, random.Random], None]]] = [
    (6, Clone.record), (8, Clone.tag), (3, Clone.remove), (3, Clone.restore), (1, Clone.forget),
    (3, Clone.fold), (3, Clone.fetch), (5, Clone.pull), (5, Clone.push),
    (2, Clone.archive_at_hub), (1, Clone.collect),
]  # fmt: skip


def play(folder: Path, seed: int, n_steps: int, tell: Tell = lambda _: None) -> None:
    """Do things at random, and look at everything after each of them."""
    chance = random.Random(seed)
    hub: dict[str, Said] = {}
    team = Team(folder)
    clones = [Clone(team, name, hours, hub) for name, hours in zip("abc", HOURS, strict=True)]
    weights, actions = zip(*ACTIONS, strict=True)
    for step in range(n_steps):
        clone = chance.choice(clones)
        [action] = chance.choices(actions, weights)
        tell(f"{step} {clone.name} {action.__name__}")
        action(clone, chance)
        clone.check()
    for clone in (*clones, *clones):
        while clone.removed:
            clone.restore(chance)
        clone.push(chance)
        clone.pull(chance)
        clone.check()
    assert clones[0].listed() == clones[1].listed() == clones[2].listed()
    assert not git(team.hub, "for-each-ref", REMOTES)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_three_people_do_each_sees_each_run_with_all_that_was_said(
    tmp_path: Path, seed: int
) -> None:
    play(tmp_path, seed, 30)
