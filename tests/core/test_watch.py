"""What there is to see of a run, whenever that has changed."""

import time
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import begin, end, make_run, open_here
from tests.support.records import move_ref

from repro.core.curate import set_note
from repro.core.query import resolve_run
from repro.core.watch import Watch, choose_watched, look_after_runs
from repro.errors import UnknownRunError
from repro.model.curve import sample_curve
from repro.store.refs import REMOTES, RUNS


def shape(view, name: str) -> list[float]:
    return sample_curve(view.curves[name], 40)


def test_a_look_gives_what_is_new_and_nothing_while_nothing_is(repository: Path) -> None:
    project = open_here(repository, time.time)
    live = begin(project)
    watch = Watch(project, live.id)
    try:
        live.journal.log(0, 1.0, {"loss": 4.0})
        first = watch.look()
        again = watch.look()
        live.journal.log(1, 2.0, {"loss": 2.0})
        (live.dir / "output.log").write_bytes(b"hello\n")
        second = watch.look()
    finally:
        live.journal.close()

    assert first is not None
    assert again is None
    assert second is not None
    assert shape(first, "loss") == [4.0]
    assert shape(second, "loss") == [4.0, 2.0]
    assert second.record.metrics["loss"].count == 2
    assert second.output == ("hello",)
    assert not second.is_over


def test_points_out_of_order_are_drawn_in_order(repository: Path) -> None:
    project = open_here(repository, time.time)
    live = begin(project)
    watch = Watch(project, live.id)
    try:
        live.journal.log(5, 1.0, {"loss": 5.0})
        watch.look()
        live.journal.log(2, 2.0, {"loss": 2.0})
        view = watch.look()
    finally:
        live.journal.close()

    assert view is not None
    assert shape(view, "loss") == [2.0, 5.0]


def test_a_run_that_was_sealed_meanwhile_is_over(repository: Path) -> None:
    project = open_here(repository, time.time)
    live = begin(project)
    watch = Watch(project, live.id)
    live.journal.log(0, 1.0, {"loss": 4.0})
    watch.look()
    end(live, repository)

    view = watch.look()

    assert view is not None
    assert view.is_over
    assert view.record.run.status == "finished"
    assert shape(view, "loss") == [4.0]


def test_a_run_that_is_continued_is_followed_on(repository: Path) -> None:
    project = open_here(repository, time.time)
    sealed = make_run(project, {"loss": 1.0}, steps=2)
    live = begin(project, resume=sealed.id)
    watch = Watch(project, sealed.id)
    try:
        live.journal.log(7, 1.0, {"acc": 4.0})
        view = watch.look()
    finally:
        live.journal.close()

    assert live.id == sealed.id
    assert view is not None
    assert not view.is_over
    assert shape(view, "acc") == [4.0]


def test_a_run_that_is_gone_is_said(repository: Path) -> None:
    project = open_here(repository)

    with pytest.raises(UnknownRunError, match="is gone"):
        Watch(project, "a" * 12).look()


def test_the_newest_run_in_progress_is_chosen_else_the_newest(repository: Path) -> None:
    project = open_here(repository, time.time)
    old = begin(project)
    live = begin(project)
    later = make_run(open_here(repository, lambda: time.time() + 60))
    chosen = choose_watched(project, None)
    for one in (old, live):
        end(one, repository)

    assert chosen == live.id
    assert choose_watched(project, None) == later.id
    assert choose_watched(project, live.id[:8]) == live.id


def test_whatever_happens_to_any_run_is_seen(repository: Path) -> None:
    project = open_here(repository, time.time)
    seen = [look_after_runs(project)]
    live = begin(project)
    seen.append(look_after_runs(project))
    live.journal.log(0, 1.0, {"loss": 4.0})
    seen.append(look_after_runs(project))
    end(live, repository)
    seen.append(look_after_runs(project))
    time.sleep(0.02)  # a folder's time of change has the grain of the system's clock
    set_note(project, resolve_run(project, live.id), "seen")
    seen.append(look_after_runs(project))
    move_ref(repository, RUNS + live.id, f"{REMOTES}a/b/{live.id}")
    seen.append(look_after_runs(project))
    time.sleep(0.02)
    git(repository, "update-ref", f"{REMOTES}a/b/{live.id}", "HEAD")
    seen.append(look_after_runs(project))

    assert len(set(seen)) == len(seen)
    assert look_after_runs(project) == seen[-1]


def test_a_run_whose_process_died_is_sealed_on_the_way(repository: Path) -> None:
    project = open_here(repository, time.time)
    live = begin(project)
    watch = Watch(project, live.id)
    watch.look()
    live.journal.close()  # as the system does when a process dies

    view = watch.look()

    assert view is not None
    assert view.record.run.status == "lost"
