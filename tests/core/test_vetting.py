"""Runs from elsewhere: the sound ones come in, each other one is named."""

from pathlib import Path

import pytest
from tests.hostile.making import FILE, Maker
from tests.support import git
from tests.support.projects import open_here
from tests.support.records import a_summary, run_id

from repro.core.vetting import Vetted, vet_runs
from repro.store.quarantine import open_quarantine


def vet(root: Path, make) -> Vetted:
    project = open_here(root)
    with open_quarantine(project.repository) as quarantine:
        maker = Maker(quarantine.folders[0], git(root, "rev-parse", "HEAD"))
        arrivals = make(maker)
        maker.flush()
        return vet_runs(project, quarantine, arrivals)


GOOD, BAD = run_id("sane"), run_id("bad")


def test_a_sound_run_is_accepted(repository: Path) -> None:
    vetted = vet(
        repository,
        lambda maker: {GOOD: maker.run(GOOD, config={"lr": 0.1}, metrics={"loss": a_summary(0.5)})},
    )
    assert vetted == Vetted(accepted=(GOOD,), refused=())


@pytest.mark.parametrize("n_good", [3, 60])
def test_a_bad_run_is_named_and_hides_no_other(repository: Path, n_good: int) -> None:
    good = [run_id(f"g{n:02d}") for n in range(n_good)]

    def make(maker: Maker) -> dict[str, str]:
        bad = maker.tree([(FILE, b"..", maker.hello)])
        return {BAD: maker.run(BAD, code=bad), **{name: maker.run(name) for name in good}}

    vetted = vet(repository, make)
    assert vetted.accepted == tuple(good)
    [refused] = vetted.refused
    assert refused.run == BAD
    assert refused.reason == "`..` in its code leads out of its folder"


def test_odd_commits_of_a_history_that_comes_along_are_no_fault(repository: Path) -> None:
    def make(maker: Maker) -> dict[str, str]:
        padded = maker.tree([(b"0100644", b"a", maker.hello)])
        old = maker.commit(
            padded, author=b"A a@b <a@b>foo", committer=b"B <b@b> 99999999999999999 +9"
        )
        maker.base = maker.commit(padded, [old], author=b"A <a@b> 007 +051800")
        return {GOOD: maker.run(GOOD)}

    assert vet(repository, make).accepted == (GOOD,)


def test_what_the_repository_had_before_is_not_looked_at_again(repository: Path) -> None:
    mine = Maker(repository / ".git/objects", git(repository, "rev-parse", "HEAD"))
    code = mine.tree([(FILE, b"git~1", mine.hello)])
    mine.flush()
    vetted = vet(repository, lambda maker: {GOOD: maker.run(GOOD, code=code)})
    assert vetted.accepted == (GOOD,)


def test_a_run_that_was_amended_by_several_comes_in(repository: Path) -> None:
    def make(maker: Maker) -> dict[str, str]:
        first = maker.run(GOOD)
        return {GOOD: maker.run(GOOD, earlier=[first, maker.run(GOOD, tags=("a",))])}

    assert vet(repository, make).accepted == (GOOD,)


def test_nothing_new_is_nothing_to_refuse(repository: Path) -> None:
    assert vet(repository, lambda maker: {}) == Vetted((), ())
