"""Folding loses no run, whoever amends, kills or folds meanwhile, and changes no answer."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import git
from tests.support.projects import begin, end, open_here
from tests.support.records import make_record, write_archive, write_run
from tests.support.restores import make_once

from repro.core import fold
from repro.core.curate import tag_run
from repro.core.fold import Folded, drop_from_archives, fold_runs
from repro.core.project import Project
from repro.core.query import list_runs, resolve_run
from repro.errors import ConflictError
from repro.model.run import Record
from repro.store.quarantine import Quarantine, open_quarantine, publish
from repro.store.refs import ARCHIVE, REMOTES, RUNS, TRASH, RefUpdate, RunRefs, list_refs

N = 9


@pytest.fixture
def project(repository: Path, shelf: Path) -> Project:
    """A project with nine runs."""
    make_once(shelf, "project", repository, lambda: _record(repository))
    return open_here(repository)


def _record(root: Path) -> None:
    opened = open_here(root).repository
    for number in range(N):
        write_run(opened, make_record(name=str(number)))


def shown(project: Project) -> dict[str, str]:
    """The commit of each run by its name, as the index says; no run is a problem."""
    listing = list_runs(project)
    assert listing.problems == ()
    return {str(record.run.name): record.commit for record in listing.records}


def fold_small(project: Project) -> Folded:
    return fold_runs(project, keep=2, at_least=4, size=3)


def assert_sound(project: Project) -> None:
    git(project.repository.root, "fsck", "--strict", "--connectivity-only")


def test_the_oldest_runs_go_into_archives_and_nothing_else_changes(project: Project) -> None:
    before = shown(project)
    assert fold_small(project) == Folded(6, 2)
    # A newer archive would have git look at its thousand parents first, at each fetch.
    root = project.repository.root
    for ref in list_refs(project.repository.git, ARCHIVE):
        [date] = git(root, "log", "--no-walk", "--format=%ct", ref).split()
        dates = git(root, "log", "--no-walk", "--format=%ct", f"{ref}^@").split()
        assert int(date) == min(map(int, dates)) - 1
    own = RunRefs(project.repository).tips()
    assert {before[name] for name in "678"} == set(own.values())
    assert len(list_refs(project.repository.git, ARCHIVE)) == 2
    assert shown(project) == before
    git(project.repository.root, "gc", "-q", "--prune=now")
    assert shown(project) == before
    assert RunRefs(project.repository).own == RunRefs(project.repository).commits
    assert_sound(project)


def test_few_runs_stay_as_they_are(project: Project) -> None:
    assert fold_runs(project, keep=2, at_least=N, size=3) == Folded(0, 0)
    assert fold_runs(project, keep=N - 2, at_least=4, size=3) == Folded(0, 0)
    assert fold_runs(project) == Folded(0, 0)
    assert list_refs(project.repository.git, ARCHIVE) == {}


def test_runs_in_progress_of_remotes_and_damaged_ones_are_not_folded(project: Project) -> None:
    root = project.repository.root
    *_, fetched, damaged = list_runs(project).records
    live = begin(project)
    git(root, "update-ref", RUNS + damaged.run.id, "HEAD")
    git(root, "update-ref", f"{REMOTES}origin/{fetched.run.id}", fetched.commit)
    git(root, "update-ref", "-d", RUNS + fetched.run.id)
    assert fold_small(project) == Folded(3, 1)
    assert damaged.run.id in RunRefs(project.repository).tips()
    assert fetched.run.id not in RunRefs(project.repository).own
    end(live, root)
    assert resolve_run(project, live.id).run.status.value == "finished"


def test_an_amended_run_has_a_ref_again_and_is_folded_once_more(project: Project) -> None:
    fold_small(project)
    oldest = list_runs(project).records[-1]
    tag_run(project, oldest, ["late"])
    amended = resolve_run(project, oldest.run.id)
    assert amended.run.tags == ("late",)
    assert RunRefs(project.repository).tips()[oldest.run.id] == amended.commit
    for number in range(5):
        write_run(project.repository, make_record(name=f"new {number}"))
    before = shown(project)
    assert fold_small(project) == Folded(6, 2)
    assert resolve_run(project, oldest.run.id) == amended
    assert oldest.run.id not in RunRefs(project.repository).tips()
    assert shown(project) == before
    # The older archive lost its line: else two of them would disagree.
    assert len(RunRefs(project.repository).places(oldest.run.id)) == 1
    assert_sound(project)


def test_a_run_that_is_amended_meanwhile_keeps_its_tag(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest = list_runs(project).records[-1]
    publish_archive = fold._publish_archive
    tagged: list[str] = []

    def amend_first(project: Project, tips: dict[str, str]) -> None:
        if not tagged:
            tagged.append("x")
            tag_run(project, oldest, tagged)
        publish_archive(project, tips)

    monkeypatch.setattr(fold, "_publish_archive", amend_first)
    assert fold_small(project) == Folded(6, 2)
    assert resolve_run(project, oldest.run.id).run.tags == ("x",)


def test_a_run_that_never_rests_is_left_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(project)

    def refuse(*_: object) -> None:
        raise ConflictError("somebody else moved a ref first")

    monkeypatch.setattr(fold, "_publish_archive", refuse)
    assert fold_small(project) == Folded(0, 0)
    assert shown(project) == before


def test_two_that_fold_at_once_fold_once(project: Project) -> None:
    before = shown(project)
    code = (
        "import os, sys, time; from repro.core.project import open_project;"
        "from repro.core.fold import fold_runs; from pathlib import Path;"
        "p = open_project(Path('.'), environ=os.environ, clock=time.time, entropy=os.urandom);"
        "print(fold_runs(p, keep=2, at_least=4, size=3).archives)"
    )
    words = [sys.executable, "-c", code]
    both = [
        subprocess.Popen(words, cwd=project.repository.root, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert sorted(one.communicate()[0].strip() for one in both) == ["0", "2"]
    assert shown(project) == before


@pytest.mark.parametrize("step", ["write_commits", "publish", "updated"])
def test_a_kill_loses_no_run_and_the_next_fold_goes_on(project: Project, step: str) -> None:
    before = shown(project)
    pid = os.fork()
    if pid == 0:
        die: Callable[..., None] = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
        if step == "updated":

            def and_die(quarantine: Quarantine, **words: Any) -> None:
                publish(quarantine, **words)
                die()

            setattr(fold, "publish", and_die)  # noqa: B010  # no module exports it
        else:
            setattr(fold, step, die)
        fold_small(project)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert shown(project) == before
    fold_small(project)
    assert shown(project) == before
    assert len(RunRefs(project.repository).tips()) == 3
    assert_sound(project)


def test_refs_that_a_kill_left_beside_an_archive_go(project: Project) -> None:
    before = shown(project)
    records = list_runs(project).records
    old = {record.run.id: record.commit for record in records[-3:]}
    write_archive(project.repository, old, f"{ARCHIVE}{records[0].run.id}")
    assert shown(project) == before
    assert fold_small(project) == Folded(3, 1)
    assert shown(project) == before
    assert len(RunRefs(project.repository).tips()) == 3


def drop(project: Project, records: list[Record], ref: str) -> None:
    """Remove runs as `repro rm` does."""
    with open_quarantine(project.repository) as quarantine:
        done = drop_from_archives(project, quarantine, [record.run.id for record in records])
        trash = [RefUpdate(ref + record.run.id, record.commit) for record in records]
        publish(quarantine, tips=done.tips, exclude=done.exclude, refs=[*done.updates, *trash])


def test_runs_are_dropped_from_archives_and_the_others_stay(project: Project) -> None:
    before = shown(project)
    fold_small(project)
    records = {str(record.run.name): record for record in list_runs(project).records}
    refs = set(list_refs(project.repository.git, ARCHIVE))
    drop(project, [records["1"], records["4"]], TRASH)
    assert shown(project) == {name: before[name] for name in before if name not in ("1", "4")}
    assert set(list_refs(project.repository.git, ARCHIVE)) == refs
    drop(project, [records[name] for name in "02"], TRASH)  # the archive is empty then
    assert len(list_refs(project.repository.git, ARCHIVE)) == 1
    assert shown(project) == {name: before[name] for name in before if name not in "0124"}
    git(project.repository.root, "gc", "-q", "--prune=now")
    assert_sound(project)
    assert resolve_run(project, records["3"].run.id) == records["3"]


def test_a_damaged_archive_is_left_as_it_is(project: Project) -> None:
    records = list_runs(project).records
    odd = f"{ARCHIVE}{records[0].run.id}"
    old = {record.run.id: record.commit for record in records[-3:]}
    commit = write_archive(project.repository, old, odd, files={"runs": b"x"})
    assert fold_small(project) == Folded(6, 2)
    assert list_refs(project.repository.git, odd) == {odd: commit}


def test_archives_that_were_fetched_are_dropped_from_on_request(project: Project) -> None:
    [newest, *_] = list_runs(project).records
    ref = f"{REMOTES}origin/archive/{newest.run.id}"
    write_archive(project.repository, {newest.run.id: newest.commit}, ref)
    with open_quarantine(project.repository) as quarantine:
        assert drop_from_archives(project, quarantine, [newest.run.id]).updates == ()
        done = drop_from_archives(project, quarantine, [newest.run.id], of_remotes=True)
    assert [update.ref for update in done.updates] == [ref]
    assert done.updates[0].new is None


def test_amends_during_a_fold_are_all_kept(project: Project) -> None:
    records = list_runs(project).records
    threads = [
        threading.Thread(target=tag_run, args=[project, record, ["t"]]) for record in records[-4:]
    ]
    for thread in threads:
        thread.start()
    fold_small(project)
    for thread in threads:
        thread.join()
    assert [record.run.tags for record in list_runs(project).records[-4:]] == [("t",)] * 4
    assert_sound(project)
