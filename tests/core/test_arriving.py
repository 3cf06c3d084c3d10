"""Runs of a remote taken in: archives, odd repositories, and several at it at once."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support import git
from tests.support.clones import Team, a_run, give, project_at
from tests.support.records import ADA, NOW, open_at

from repro.core.curate import tag_run
from repro.core.fetch import Fetched, fetch_runs
from repro.core.query import resolve_run
from repro.model.ids import new_id
from repro.store.archive import FILE, format_lines
from repro.store.quarantine import CommitSpec, open_quarantine, publish, write_commits
from repro.store.refs import ARCHIVE, REMOTES, RUNS, RefUpdate, RunRefs, list_refs
from repro.store.remoterefs import find_remote

ORIGIN = f"{REMOTES}origin/"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def fetch(root: Path) -> Fetched:
    project = project_at(root)
    return fetch_runs(project, find_remote(project.repository.git, "origin"))


def tips(root: Path) -> dict[str, str]:
    return RunRefs(project_at(root).repository).commits


def refs(root: Path, *prefixes: str) -> dict[str, str]:
    return list_refs(project_at(root).repository.git, *prefixes)


def archive(root: Path, lines: dict[str, str], name: str = "") -> str:
    """Give the hub an archive in the place of the refs of its runs; its name."""
    name = name or new_id(os.urandom)
    spec = CommitSpec(
        message="archive\n", when=NOW, author=ADA, parents=list(lines.values()),
        files={FILE: format_lines(lines)},
    )  # fmt: skip
    with open_quarantine(open_at(root)) as quarantine:
        [oid] = write_commits(quarantine, [spec])
        update = RefUpdate(f"refs/work/{oid}", new=oid)
        publish(quarantine, tips=[oid], exclude=list(lines.values()), refs=[update])
    gone = [f":{RUNS}{run_id}" for run_id in lines if f"{RUNS}{run_id}" in hub_refs(root)]
    git(root, "push", "-q", "--force", "origin", f"{oid}:{ARCHIVE}{name}", *gone)
    return name


def hub_refs(root: Path) -> str:
    return git(root, "ls-remote", "origin")


def test_an_archive_comes_as_one_ref_with_all_of_its_runs(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    ids = sorted(a_run(one) for _ in range(3))
    give(one)
    name = archive(one, tips(one))

    assert tuple(ids) == fetch(two).new
    assert [f"{ORIGIN}archive/{name}"] == list(refs(two, REMOTES))
    assert tips(one) == tips(two)
    assert fetch(two) == Fetched(remote="origin")


def test_runs_that_were_archived_after_they_came_need_no_ref_of_their_own(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    a_run(one)
    give(one)
    fetch(two)
    name = archive(one, tips(one))
    assert fetch(two) == Fetched(remote="origin")
    assert [f"{ORIGIN}archive/{name}"] == list(refs(two, REMOTES))
    assert tips(one) == tips(two)


def test_an_archive_that_was_written_anew_takes_no_run_away(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    first, second, third = (a_run(one) for _ in range(3))
    give(one)
    name = archive(one, {run_id: tips(one)[run_id] for run_id in (first, second)})
    fetch(two)
    before = tips(two)
    archive(one, {run_id: tips(one)[run_id] for run_id in (first, third)}, name)

    fetch(two)

    assert before == tips(two)
    assert {f"{ORIGIN}archive/{name}", ORIGIN + second} == set(refs(two, REMOTES))


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_run_that_was_amended_from_one_archive_to_another_is_listed_as_amended(
    team: Team, names: str, is_known: bool
) -> None:
    one, two = team.clone("one"), team.clone("two")
    run, other = a_run(one), a_run(one)
    give(one)
    archive(one, tips(one), names[0] * 12)
    if is_known:
        fetch(two)
    tag_run(project_at(one), resolve_run(project_at(one), run), ["late"])
    give(one, run)
    archive(one, {run: tips(one)[run]}, names[1] * 12)

    assert fetch(two).refused == ()
    assert tips(two) == tips(one)
    assert RunRefs(project_at(two).repository).refused == []
    assert set(refs(two, ORIGIN)) >= {ORIGIN + run}
    assert ORIGIN + other not in refs(two, ORIGIN)
    assert fetch(two) == Fetched(remote="origin")
    assert tips(two) == tips(one)


def test_a_bad_run_in_an_archive_does_not_hide_the_others(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    good = a_run(one)
    archive(one, {good: tips(one)[good], "baaaaaaaaaaa": git(one, "rev-parse", "main")})
    fetched = fetch(two)
    assert (good,) == fetched.new
    assert ["baaaaaaaaaaa"] == [refusal.run for refusal in fetched.refused]
    assert [ORIGIN + good] == list(refs(two, REMOTES))


def test_an_archive_that_is_none_is_refused_by_name(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    good = a_run(one)
    give(one)
    git(team.hub, "update-ref", f"{ARCHIVE}baaaaaaaaaaa", "main")
    fetched = fetch(two)
    assert (good,) == fetched.new
    [refusal] = fetched.refused
    assert refusal.run == "archive/baaaaaaaaaaa"
    assert refusal.reason.startswith("this archive of runs is none: ")


def test_fetches_at_once_beside_gc_all_end_with_all_runs(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    for _ in range(5):
        a_run(one)
    give(one)
    with ThreadPoolExecutor(4) as pool:
        fetches = [pool.submit(fetch, two) for _ in range(3)]
        pool.submit(git, two, "gc", "-q", "--prune=now").result()
        ends = [one.result() for one in fetches]
    assert all(end.refused == () for end in ends)
    assert tips(one) == tips(two)
    git(two, "fsck", "--strict", "--no-dangling")


@pytest.mark.parametrize(
    "options", [("--depth=1",), ("--filter=blob:none",), ("--filter=tree:0", "--no-checkout")]
)
def test_runs_come_into_shallow_and_partial_clones(team: Team, options: tuple[str, ...]) -> None:
    one = team.clone("one")
    git(one, "commit", "-q", "--allow-empty", "-m", "second")
    git(one, "push", "-q", "origin", "main")
    run_id = a_run(one)
    git(one, "commit", "-q", "--allow-empty", "-m", "third")
    git(one, "push", "-q", "origin", "main")
    give(one)
    two = team.clone("two", *options)
    assert fetch(two) == Fetched(remote="origin", new=(run_id,))
    assert resolve_run(project_at(two), run_id).run.id == run_id


def test_runs_come_into_sha256_repositories(tmp_path: Path) -> None:
    team = Team(tmp_path / "team", "--object-format=sha256")
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    give(one)
    assert (run_id,) == fetch(two).new
    assert len(tips(two)[run_id]) == 64
