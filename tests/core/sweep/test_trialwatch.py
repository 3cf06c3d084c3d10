"""A trial in progress, as whoever may stop it early sees it."""

import time
from math import isnan
from pathlib import Path

from tests.support.projects import begin, open_here

from repro.core.sweep.trialwatch import TrialWatch


def test_a_look_gives_all_values_so_far_and_nothing_while_none_is_new(repository: Path):
    project = open_here(repository, time.time)
    assert TrialWatch(project, "a" * 12, "loss").look() is None
    live = begin(project)
    watch = TrialWatch(project, live.id, "loss.min")
    try:
        nothing_yet = watch.look()
        live.journal.log(3, 1.0, {"loss": 3.0, "acc": 0.1})
        first, again = watch.look(), watch.look()
        live.journal.log(4, 2.0, {"acc": 0.2})
        other = watch.look()
        live.journal.log(1, 3.0, {"loss": 5.0})
        live.journal.log(5, 4.0, {"loss": "NaN"})
        last = watch.look()
    finally:
        live.journal.close()
    assert (nothing_yet, first, again, other) == (None, ((3, 3.0),), None, None)
    assert last is not None
    assert last[:2] == ((1, 5.0), (3, 3.0))
    assert (last[2][0], isnan(last[2][1])) == (5, True)
