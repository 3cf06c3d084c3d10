"""Mean curves of groups of runs."""

import pytest
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, open_at, run_id, write_run

from repro.core.curves import CurveWish
from repro.core.groupcurves import make_groups, read_group_curves
from repro.core.wanted import resolve_keys
from repro.model.meancurve import Band, MeanCurve
from repro.model.series import Point, format_series, summarise


def write(root, name, values, **config):
    """Write a run that logged these losses, one a step; its id."""
    series = {"loss": [Point(step, value, 0.0) for step, value in enumerate(values)]}
    record = make_record(id=run_id(name), config=config, metrics=summarise(series))
    return write_run(open_at(root), record, files=format_series(series)).run.id


@pytest.fixture
def means(repository):
    """Read the mean curves of runs in groups."""
    project = open_here(repository)

    def read(runs, by, **wish):
        band = wish.pop("band", Band.RANGE)
        keys = resolve_keys(project, by) if by else []
        wish = CurveWish(runs=tuple(runs), metric="loss", **wish)
        return read_group_curves(project, wish, keys, band=band)

    return read


def test_runs_with_the_same_value_have_one_curve_with_a_band(repository, means):
    a = write(repository, "a", [1.0, 2.0], lr=0.1, seed=1)
    b = write(repository, "b", [3.0, 4.0], lr=0.1, seed=2)
    c = write(repository, "c", [9.0, 9.0], lr=0.01, seed=1)
    low, high = means([a, b, c], "lr")

    assert (low.label, low.runs) == ("lr=0.01 (1 run)", (c,))
    assert (high.label, high.runs) == ("lr=0.1 (2 runs)", (a, b))
    assert low.curve == MeanCurve([0, 1], [9.0, 9.0], [9.0, 9.0], [9.0, 9.0])
    assert high.curve == MeanCurve([0, 1], [2.0, 3.0], [1.0, 2.0], [3.0, 4.0])
    assert high.group.values == {"lr": 0.1}


def test_without_a_key_all_runs_are_one_group(repository, means):
    runs = [write(repository, name, [value]) for name, value in (("a", 1.0), ("b", 3.0))]
    [found] = means(runs, "", band=Band.DEVIATION)

    assert found.label == "all runs (2 runs)"
    assert found.curve.low[0] == pytest.approx(2 - 2**0.5)


def test_a_key_that_runs_lack_is_told_and_several_keys_make_finer_groups(repository, means):
    a = write(repository, "a", [1.0], lr=0.1, opt="adam")
    b = write(repository, "b", [1.0], lr=0.1)

    labels = [one.label for one in means([a, b], "lr,opt")]
    assert labels == ["lr=0.1, opt=adam (1 run)", "lr=0.1, no opt (1 run)"]


def test_a_group_without_points_keeps_its_place(repository, means):
    a = write(repository, "a", [], lr=1)
    b = write(repository, "b", [5.0], lr=2)
    empty, full = means([a, b], "lr")

    assert (empty.label, empty.curve) == ("lr=1 (0 runs)", MeanCurve())
    assert full.runs == (b,)


def test_a_mean_is_of_all_points_of_smooth_curves_in_the_window(repository, means):
    runs = [write(repository, name, [0.0] * 50 + [1.0] * 50) for name in "ab"]
    [found] = means(runs, "", most=10)
    [smooth] = means(runs, "", low=45, high=55, smoothing=0.5)

    assert found.curve.mean == [0.0] * 5 + [1.0] * 5
    assert smooth.curve.x == list(range(44, 57))
    assert 0 < smooth.curve.mean[6] < 1


def test_a_run_in_progress_counts_with_what_it_has_logged(repository, means):
    project = open_here(repository)
    make_run(project, {"loss": 1.0}, name="done")
    live = begin(project)
    live.journal.log(0, 1.0, {"loss": 3.0})
    [found] = means(["gone", live.run.id], "")
    live.journal.close()

    assert found.runs == (live.run.id,)
    assert found.curve.mean == [3.0]


def test_groups_are_of_no_runs_where_there_is_none():
    assert make_groups([], []) == []
