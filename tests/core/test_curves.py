"""Curves of many runs, as charts draw them."""

import math
import time

import pytest
from tests.support.projects import begin, end, open_here
from tests.support.records import (
    NOW,
    a_summary,
    make_record,
    open_at,
    run_id,
    write_run,
    write_runs,
)

from repro.core.curvecache import CurveCache
from repro.core.curves import CurveWish, describe_x, quantity_of, read_curves
from repro.errors import UsageError
from repro.model.axis import Quantity
from repro.model.series import Point, format_series, summarise
from repro.model.times import format_time


def write(root, series, *, name="a", **changes):
    """Write a run with these points; its id."""
    record = make_record(
        id=run_id(name), created=format_time(NOW), metrics=summarise(series), **changes
    )
    return write_run(open_at(root), record, files=format_series(series)).run.id


def points(*values, every=1, start=NOW):
    return [Point(n * every, value, start + n) for n, value in enumerate(values)]


@pytest.mark.parametrize(("low", "high"), [(9.0, 3.0), (math.nan, None), (0.0, math.nan)])
def test_a_window_that_ends_before_it_begins_is_said(repository, low, high):
    with pytest.raises(UsageError, match="nothing lies from"):
        read_curves(open_here(repository), CurveWish(runs=(), metric="loss", low=low, high=high))


@pytest.fixture
def curves(repository):
    """Read the curves of a wish."""
    project = open_here(repository)

    def read(*runs, cache=None, **wish):
        wish = {"metric": "loss", **wish}
        return read_curves(project, CurveWish(runs=runs, **wish), cache=cache)

    return read


def test_a_curve_is_drawn_over_steps_time_clock_or_another_metric(repository, curves):
    series = {"loss": points(3.0, 2.0, 1.0, every=10), "epoch": points(0.0, 0.5, 1.0, every=10)}
    run = write(repository, series)

    assert [curves(run, x=x)[0].x for x in ("step", "time", "wall", "epoch", "metrics.epoch")] == [
        [0, 10, 20],
        [0.0, 1.0, 2.0],
        [NOW, NOW + 1, NOW + 2],
        [0.0, 0.5, 1.0],
        [0.0, 0.5, 1.0],
    ]
    assert curves(run)[0].y == [3.0, 2.0, 1.0]
    assert curves(run)[0].n_points == 3


def test_metrics_of_other_steps_are_joined_where_both_have_one(repository, curves):
    series = {
        "loss": points(3.0, 2.0, 1.0, 0.0),
        "epoch": [Point(1, 7.0, NOW), Point(3, 8.0, NOW), Point(5, 9.0, NOW)],
    }
    run = write(repository, series)

    [curve] = curves(run, x="epoch")

    assert (curve.x, curve.y) == ([7.0, 8.0], [2.0, 0.0])


def test_runs_are_in_the_order_of_the_wish_and_one_without_the_metric_is_empty(repository, curves):
    a = write(repository, {"loss": points(1.0)}, name="a")
    b = write(repository, {"acc": points(1.0)}, name="b")

    found = curves(b, a)

    assert [(one.run, one.n_points, one.problem) for one in found] == [(b, 0, None), (a, 1, None)]
    assert curves(a, x="acc")[0].n_points == 0


def test_a_window_has_one_point_beyond_each_end(repository, curves):
    run = write(repository, {"loss": points(*map(float, range(10)))})

    [curve] = curves(run, low=3, high=5)

    assert curve.x == [2, 3, 4, 5, 6]
    assert curve.n_points == 3
    assert curves(run, low=8.5)[0].x == [8, 9]
    assert curves(run, low=20)[0].n_points == 0


def test_a_window_of_values_that_go_back_and_forth_has_all_of_its_points(repository, curves):
    series = {"loss": points(1.0, 2.0, 3.0, 4.0, 5.0), "lr": points(0.0, 9.0, 1.0, 9.0, 9.0)}
    run = write(repository, series)

    [curve] = curves(run, x="lr", high=1.0)

    assert curve.y == [1.0, 2.0, 3.0, 4.0]
    assert curve.n_points == 2


def test_smooth_values_come_from_the_whole_curve_also_in_a_window(repository, curves):
    run = write(repository, {"loss": points(8.0, 0.0, 0.0, 0.0)})

    [whole] = curves(run, smoothing=0.5)
    [part] = curves(run, smoothing=0.5, low=2)

    assert whole.y == [8.0, 0.0, 0.0, 0.0]
    assert whole.smooth == pytest.approx([8.0, 8 / 3, 8 / 7, 8 / 15])
    assert part.smooth == pytest.approx(whole.smooth[1:])


def test_many_points_are_thinned_and_a_spike_stays_at_its_step(repository, curves):
    values = [math.sin(n / 50) for n in range(5000)]
    values[3210] = 40.0
    run = write(repository, {"loss": points(*values, every=1_000_000_000_000)})

    [curve] = curves(run, most=100)

    assert curve.n_points == 5000
    assert len(curve.x) <= 100
    assert curve.x[curve.y.index(40.0)] == 3210 * 1_000_000_000_000
    assert curve.x[-1] == 4999 * 1_000_000_000_000


def test_what_is_not_finite_is_given_as_it_is(repository, curves):
    run = write(repository, {"loss": points(math.nan, math.inf, 1.0)})

    [curve] = curves(run)

    assert math.isnan(curve.y[0])
    assert curve.y[1:] == [math.inf, 1.0]


def test_a_run_that_is_damaged_or_gone_hides_no_other(repository, curves):
    good = write(repository, {"loss": points(1.0)}, name="a")
    series = {"loss": points(1.0, 2.0)}
    record = make_record(id=run_id("b"), metrics=summarise(series))
    files = {"metrics/0.csv": b"step,time,loss\n0,1.0\n"}
    bad = write_run(open_at(repository), record, files=files).run.id
    gone = run_id("c")

    found = curves(bad, good, gone)

    assert [one.n_points for one in found] == [0, 1, 0]
    assert "metrics/0.csv" in found[0].problem
    assert found[1].problem is None
    assert "not there" in found[2].problem


def test_a_run_of_so_many_metrics_that_they_have_no_summaries_has_its_curves(repository, curves):
    record = make_record(id=run_id("a"), metrics={})
    write_runs(open_at(repository), [record], files=format_series({"loss": points(1.0, 2.0)}))

    assert curves(record.run.id)[0].y == [1.0, 2.0]


@pytest.mark.parametrize("wish", [{"smoothing": 1.0}, {"smoothing": math.nan}, {"most": 3}])
def test_what_cannot_be_drawn_is_refused(repository, curves, wish):
    run = write(repository, {"loss": points(1.0)})

    with pytest.raises(UsageError):
        curves(run, **wish)


def test_a_run_in_progress_is_read_as_it_grows_and_after_its_end(repository):
    project = open_here(repository, time.time)
    cache = CurveCache()
    live = begin(project)
    wish = CurveWish(runs=(live.id,), metric="loss")
    seen = []

    def look():
        for given in (cache, None):
            [curve] = read_curves(project, wish, cache=given)
            assert curve.problem is None
            seen.append(list(zip(curve.x, curve.y, strict=True)))

    live.journal.log(0, 1.0, {"loss": 4.0})
    look()
    live.journal.log(2, 2.0, {"loss": 2.0, "acc": 0.5})
    look()
    live.journal.log(1, 3.0, {"loss": 3.0})  # late
    live.journal.log(2, 4.0, {"loss": 1.0})  # again
    look()
    end(live, repository)
    look()

    first, second, third = [(0, 4.0)], [(0, 4.0), (2, 2.0)], [(0, 4.0), (1, 3.0), (2, 1.0)]
    assert seen == [first, first, second, second, third, third, third, third]


def test_time_is_told_from_the_first_start_of_a_run_that_was_continued(repository, curves):
    series = {"loss": points(2.0, 1.0, start=NOW + 60)}
    run = write(repository, series, started=format_time(NOW + 60))

    assert curves(run, x="time")[0].x == [60.0, 61.0]


def test_axes_are_called_what_they_are():
    assert describe_x("time") == "time since the start"
    assert describe_x("epoch") == "epoch"
    assert quantity_of("wall") is Quantity.MOMENT
    assert quantity_of("epoch") is Quantity.NUMBER


def test_what_was_read_is_kept_until_there_is_too_much(repository, curves):
    series = {"loss": points(*map(float, range(100))), "acc": points(1.0)}
    runs = [write(repository, series, name=name) for name in "abc"]
    cache = CurveCache(most_bytes=2 * 100 * 24 + 900)

    for run in runs:
        assert curves(run, cache=cache)[0].n_points == 100
        assert cache.n_bytes() <= 2 * 100 * 24 + 900

    assert curves(runs[0], cache=cache)[0].n_points == 100


def test_points_that_are_kept_are_not_read_again(repository):
    project = open_here(repository)
    series = {"loss": points(1.0, 2.0)}
    written = write_run(
        open_at(repository),
        make_record(metrics={**summarise(series), "none": a_summary(1.0)}),
        files=format_series(series),
    )
    cache = CurveCache()
    for metric in ("loss", "none"):
        read_curves(project, CurveWish(runs=(written.run.id,), metric=metric), cache=cache)

    assert list(cache.find(written.commit, "loss").values) == [1.0, 2.0]
    assert cache.find(written.commit, "none") is None
    with pytest.raises(KeyError):
        cache.find(written.commit, "acc")
