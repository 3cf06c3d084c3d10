"""Which commit a run is, where several places know it; what is no ref of a run hides none."""

import os
import shutil
from pathlib import Path

import pytest
from tests.support import git
from tests.support.records import make_record, open_at, run_id, write_archive, write_run

from repro.store.git import open_repository
from repro.store.refs import ARCHIVE, LIVE, REMOTES, RUNS, TRASH, RunPlace, RunRefs

FIRST, SECOND, THIRD = run_id("aaaa"), run_id("bbbb"), run_id("cccc")
# Names of remotes that look like something else.
ODD_REMOTES = ("runs", "archive", "live", "trash", "a/b", "a-b", "é'$(x)`;&|", FIRST)


def commits(root: Path, number: int) -> list[str]:
    """Commits that differ."""
    made = []
    for n in range(number):
        git(root, "commit", "-q", "--allow-empty", "-m", str(n))
        made.append(git(root, "rev-parse", "HEAD"))
    return made


def point(root: Path, ref: str, oid: str) -> None:
    git(root, "update-ref", ref, oid)


def answers(root: Path, name: str) -> list[str | None]:
    """What is said of a run, asked for alone, by its start, and among all."""
    opened = open_at(root)
    listed = RunRefs(opened)
    found = [RunRefs(opened).get(name), listed.commits.get(name), listed.get(name)]
    places = RunRefs(opened).places(name)
    assert RunRefs(opened).starting(name[:6]) == ([name] if found[0] else [])
    assert found[0] is None or places[0].commit == found[0]
    return found


def test_the_own_ref_counts_then_remotes_in_order_then_runs_in_progress(repository: Path) -> None:
    own, near, far, live = commits(repository, 4)
    order = {
        f"{REMOTES}b/live/{FIRST}": live,
        f"{REMOTES}b-2/{FIRST}": far,
        f"{REMOTES}b/{FIRST}": near,
        RUNS + FIRST: own,
    }
    for ref, oid in order.items():
        point(repository, ref, oid)
        assert answers(repository, FIRST) == [oid] * 3
    assert RunRefs(open_at(repository)).places(FIRST) == [
        RunPlace(RUNS + FIRST, own),
        RunPlace(f"{REMOTES}b/{FIRST}", near, "b"),
        RunPlace(f"{REMOTES}b-2/{FIRST}", far, "b-2"),
        RunPlace(f"{REMOTES}b/live/{FIRST}", live, "b", is_live=True),
    ]
    assert RunRefs(open_at(repository)).own == {FIRST: own}
    assert RunRefs(open_at(repository)).tips([FIRST, SECOND]) == {FIRST: own}


@pytest.mark.parametrize("remote", ODD_REMOTES)
def test_a_remote_may_have_any_name(repository: Path, remote: str) -> None:
    [oid] = commits(repository, 1)
    point(repository, f"{REMOTES}{remote}/{SECOND}", oid)
    assert answers(repository, SECOND) == [oid] * 3
    refs = RunRefs(open_at(repository))
    assert [place.remote for place in refs.places(SECOND)] == [remote]
    assert (refs.own, refs.refused) == ({}, [])


def test_a_removed_run_is_nowhere_until_it_has_a_ref_again(repository: Path) -> None:
    [oid] = commits(repository, 1)
    point(repository, f"{REMOTES}origin/{FIRST}", oid)
    point(repository, TRASH + FIRST, oid)
    assert answers(repository, FIRST) == [None] * 3
    refs = RunRefs(open_at(repository))
    assert [place.remote for place in refs.places(FIRST)] == ["origin"]
    point(repository, RUNS + FIRST, oid)
    assert answers(repository, FIRST) == [oid] * 3


def test_a_run_in_progress_here_is_none_of_these(repository: Path) -> None:
    point(repository, LIVE + FIRST, "HEAD")
    assert answers(repository, FIRST) == [None] * 3


def test_a_ref_that_is_no_run_is_named_and_hides_none(repository: Path) -> None:
    [oid] = commits(repository, 1)
    folder = repository / ".git" / RUNS
    point(repository, RUNS + FIRST, oid)
    point(repository, f"{REMOTES}{SECOND}", oid)  # of no remote
    point(repository, f"{REMOTES}origin/no-id", oid)
    point(repository, f"{REMOTES}origin/{FIRST}/{FIRST}x", oid)
    git(repository, "symbolic-ref", RUNS + SECOND, "HEAD")
    (folder / THIRD).write_text("junk\n")
    refs = RunRefs(open_at(repository))
    assert refs.commits == {FIRST: oid}
    assert {one.run: one.reason for one in refs.refused} == {
        f"{REMOTES}{SECOND}": "this is no run id",
        f"{REMOTES}origin/no-id": "this is no run id",
        f"{REMOTES}origin/{FIRST}/{FIRST}x": "this is no run id",
        RUNS + SECOND: f"it is a symbolic ref to `{git(repository, 'symbolic-ref', 'HEAD')}`, and"
        " runs have none",
        RUNS + THIRD: "git calls this ref broken",
    }
    assert answers(repository, SECOND) == answers(repository, THIRD) == [None] * 3


def test_a_name_from_a_remote_is_quoted_where_it_is_to_be_pasted(repository: Path) -> None:
    ref = f"{REMOTES}o/x;touch$IFS{os.sep}tmp"
    point(repository, ref, "HEAD")
    [refusal] = RunRefs(open_at(repository)).refused
    assert refusal.hint == f"`git update-ref -d '{ref}'` deletes it"


def test_runs_that_are_many_are_found_as_few_are(repository: Path) -> None:
    [oid] = commits(repository, 1)
    ids = [run_id(f"{letter}{digit}") for letter in "abc" for digit in range(9)]
    for name in ids:
        point(repository, f"{REMOTES}origin/{name}", oid)
    assert RunRefs(open_at(repository)).look_up([*ids, SECOND]) == dict.fromkeys(ids, oid)


@pytest.mark.parametrize("whose", [ARCHIVE, f"{REMOTES}origin/archive/"])
def test_a_run_that_goes_into_an_archive_while_git_lists_is_not_missed(
    repository: Path, tmp_path: Path, whose: str
) -> None:
    """git reads a folder of refs after the other: here all but the archives after the fold."""
    opened = open_at(repository)
    place = RUNS if whose == ARCHIVE else f"{REMOTES}origin/"
    record = write_run(opened, make_record())
    git(repository, "update-ref", place + record.run.id, record.commit)
    if place != RUNS:
        git(repository, "update-ref", "-d", RUNS + record.run.id)
    archive = write_archive(opened, {record.run.id: record.commit}, f"{whose}{FIRST}")
    git(repository, "update-ref", "-d", f"{whose}{FIRST}")
    moves = tmp_path / "moves"
    moves.write_text(f"create {whose}{FIRST} {archive}\ndelete {place}{record.run.id}\n")
    real = shutil.which("git")
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh
case " $* " in *" for-each-ref "*) test -e "{moves}" ;; *) false ;; esac || exec "{real}" "$@"
"{real}" "$@" | grep "{whose}"
"{real}" update-ref --stdin < "{moves}"
rm "{moves}"
"{real}" "$@" | grep -v "{whose}"
exit 0
"""
    )
    program.chmod(0o755)
    environ = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    racing = open_repository(repository, environ)
    assert RunRefs(racing).commits == {record.run.id: record.commit}
    assert not moves.exists()
