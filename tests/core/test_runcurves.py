"""Curves of one run are there while it is in progress, when it is over, and in between."""

from pathlib import Path

import pytest
from tests.support.projects import begin, open_here

from repro.core.curvecache import CurveCache
from repro.core.media import list_media
from repro.core.query import resolve_run
from repro.core.record import seal_run
from repro.core.runcurves import read_run_curves, read_system_curves


@pytest.mark.parametrize("is_over", [False, True])
def test_a_run_that_ends_before_its_curves_are_read_has_them(
    repository: Path, *, is_over: bool
) -> None:
    project = open_here(repository)
    live = begin(project)
    live.journal.log(0, project.clock(), {"loss": 0.5})
    live.journal.log(1, project.clock(), {"loss": 0.25})
    record = resolve_run(project, live.id)
    if is_over:
        live.journal.append({"k": "end", "t": 2.0, "status": "finished", "exit_code": 0})
        live.journal.close()
        seal_run(project, live.dir)

    curves = read_run_curves(project, record, ["loss"], most=10, cache=CurveCache())

    assert list(curves["loss"].ys) == [0.5, 0.25]
    assert read_system_curves(project, record, most=10) == {}
    assert list_media(project, record) == []
