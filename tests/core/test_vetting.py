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
