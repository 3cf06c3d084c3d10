import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import InvalidInputError
from repro.model.judge import Side, judge
from repro.model.run import Status
from repro.model.series import Point
from repro.model.verdict import (
    ArtifactState,
    Deviation,
    First,
    Outcome,
    Tolerance,
)

NAN, INF = math.nan, math.inf


def series(**metrics):
    """Points at the steps 0, 1, … whose times tell all apart; None stands for no point."""
    return {
        name: [Point(n, v, 1000 * number + n * 0.1) for n, v in enumerate(values) if v is not None]
        for number, (name, values) in enumerate(metrics.items())
    }


def side(run="aaaaaaaaaaaa", *, status=Status.FINISHED, exit_code=0, **parts):
    return Side(run=run, status=status, exit_code=exit_code, **parts)


def judged(before, after, **options):
    """The verdict on two sides with these metrics alone."""
    return judge(side(series=series(**before)), side(series=series(**after)), **options)


def test_equal_points_are_identical_whatever_their_times():
    before = {"loss": [Point(0, 0.5, 1.0), Point(1, NAN, 2.0)]}
    after = {"loss": [Point(0, 0.5, 9.0), Point(1, -NAN, 9.5)]}

    verdict = judge(side(series=before), side(series=after))

    assert verdict.outcome is Outcome.IDENTICAL
    assert verdict.metrics["loss"].points == 2
    assert verdict.first is None


@pytest.mark.parametrize(
    ("x", "y", "outcome"),
    [
        (1.0, 1.0, Outcome.IDENTICAL),
        (NAN, NAN, Outcome.IDENTICAL),
        (INF, INF, Outcome.IDENTICAL),
        (0.0, -0.0, Outcome.WITHIN),
        (1.0, math.nextafter(1.0, 2.0), Outcome.DIVERGED),
        (NAN, 1.0, Outcome.DIVERGED),
        (1.0, NAN, Outcome.DIVERGED),
        (INF, -INF, Outcome.DIVERGED),
        (INF, 1e308, Outcome.DIVERGED),
        (5e-324, 0.0, Outcome.DIVERGED),
    ],
)
def test_values_are_equal_bit_for_bit(x, y, outcome):
    assert judged({"m": [x]}, {"m": [y]}).outcome is outcome


@pytest.mark.parametrize("y", [NAN, INF, -INF])
def test_no_tolerance_covers_what_is_not_finite(y):
    verdict = judged({"m": [1.0]}, {"m": [y]}, tolerance=Tolerance(1e300, 1e300))

    assert verdict.outcome is Outcome.DIVERGED
    assert verdict.metrics["m"].largest_absolute == Deviation(INF, 0, (1.0, y))


def test_the_first_step_counts_and_of_it_the_first_metric_by_name():
    before = {"a": [1.0, 1.0, 1.0], "b": [1.0, 1.0, 1.0], "c": [1.0, 1.0, 1.0]}
    after = {"a": [1.0, 1.0, 2.0], "b": [1.0, 3.0, 1.0], "c": [1.0, 4.0, 1.0]}

    verdict = judged(before, after)

    assert verdict.outcome is Outcome.DIVERGED
    assert verdict.first == First("b", 1, (1.0, 3.0))
    assert verdict.metrics["a"].first == First("a", 2, (1.0, 2.0))


def test_a_step_that_only_one_side_has_is_a_divergence():
    longer = judged({"m": [1.0]}, {"m": [1.0, 2.0]})
    shorter = judged({"m": [1.0, None, 2.0]}, {"m": [1.0]})

    assert longer.first == First("m", 1, (None, 2.0))
    assert shorter.first == First("m", 2, (2.0, None))
    assert {longer.outcome, shorter.outcome} == {Outcome.DIVERGED}
    assert longer.metrics["m"].points == 1


def test_a_tolerance_is_relative_to_the_original_and_says_where_most_of_it_was_used():
    before, after = {"m": [100.0, 10.0, 0.0]}, {"m": [101.0, 10.2, 0.0]}

    verdict = judged(before, after, tolerance=Tolerance(rtol=0.02))

    assert verdict.outcome is Outcome.WITHIN
    one = verdict.metrics["m"]
    assert one.largest_absolute == Deviation(1.0, 0, (100.0, 101.0))
    assert one.largest_relative is not None
    assert one.largest_relative.step == 1
    assert one.largest_relative.size == pytest.approx(0.02)
    assert judged(before, after, tolerance=Tolerance(rtol=0.019)).first == First(
        "m", 1, (10.0, 10.2)
    )
    assert judged(before, after, tolerance=Tolerance(atol=1.0)).outcome is Outcome.WITHIN


def test_a_deviation_from_zero_is_absolute_alone():
    verdict = judged({"m": [0.0]}, {"m": [1e-9]}, tolerance=Tolerance(atol=1e-8))

    assert verdict.metrics["m"].largest_absolute == Deviation(1e-9, 0, (0.0, 1e-9))
    assert verdict.metrics["m"].largest_relative is None


def test_a_metric_that_one_side_lacks_makes_it_incomparable():
    verdict = judged({"loss": [1.0], "acc": [0.5]}, {"loss": [1.0], "f1": [0.5]})

    assert verdict.outcome is Outcome.INCOMPARABLE
    assert verdict.missing == (
        "only the original has the metric `acc`",
        "only the rerun has the metric `f1`",
    )


def test_a_divergence_is_one_even_if_metrics_are_missing():
    verdict = judged({"loss": [1.0], "acc": [0.5]}, {"loss": [2.0]})

    assert verdict.outcome is Outcome.DIVERGED
    assert verdict.missing == ("only the original has the metric `acc`",)


def test_only_chosen_metrics_count():
    before = side(series=series(loss=[1.0], time=[2.0]), artifacts={"a": "1"}, output=b"x")
    after = side(series=series(loss=[1.0], time=[3.0]), artifacts={"a": "2"}, output=b"y")

    verdict = judge(before, after, metrics=["loss"])

    assert verdict.outcome is Outcome.IDENTICAL
    assert list(verdict.metrics) == ["loss"]
    assert verdict.artifacts == {}
    assert verdict.output is None
    assert judge(before, after, metrics=["loss", "time"]).outcome is Outcome.DIVERGED


def test_a_chosen_metric_that_neither_has_is_an_error_with_near_names():
    with pytest.raises(InvalidInputError, match=r"metric `los`; did you mean `loss`\?"):
        judged({"loss": [1.0]}, {"loss": [1.0]}, metrics=["los"])
    assert judged({"a": [1.0]}, {"b": [1.0]}, metrics=["a"]).outcome is Outcome.INCOMPARABLE


def test_artifacts_are_equal_by_digest_only_whatever_the_tolerance():
    before = side(series=series(m=[1.0]), artifacts={"a.pt": "1", "b.pt": "2"})
    after = side(series=series(m=[1.5]), artifacts={"a.pt": "1", "b.pt": "3"})

    verdict = judge(before, after, tolerance=Tolerance(1.0))

    assert verdict.outcome is Outcome.DIVERGED
    assert verdict.first is None
    assert verdict.artifacts == {"a.pt": ArtifactState.SAME, "b.pt": ArtifactState.DIFFERS}
    assert judge(before, replace(before, series={"m": []})).first is not None


def test_an_artifact_that_one_side_lacks_makes_it_incomparable():
    verdict = judge(side(artifacts={"a": "1"}), side(artifacts={"b": "1"}))

    assert verdict.outcome is Outcome.INCOMPARABLE
    assert verdict.artifacts == {"a": ArtifactState.MISSING, "b": ArtifactState.ADDED}
    assert len(verdict.missing) == 2


def test_output_carries_the_verdict_only_where_nothing_else_does():
    assert judge(side(output=b"a\n"), side(output=b"a\n")).outcome is Outcome.IDENTICAL
    assert judge(side(output=b"a\n"), side(output=b"b\n")).outcome is Outcome.DIVERGED
    assert judge(side(output=b"took 1 s"), side(output=b"took 2 s")).outcome is Outcome.IDENTICAL
    with_metric = {"series": series(m=[1.0])}
    verdict = judge(side(output=b"a\n", **with_metric), side(output=b"b\n", **with_metric))
    assert verdict.outcome is Outcome.IDENTICAL
    assert verdict.output is not None
    assert verdict.output.first is not None


def test_an_output_of_which_a_part_is_not_here_carries_no_verdict():
    verdict = judge(side(output=b"a", is_cut=True), side(output=b"a"))

    assert verdict.outcome is Outcome.INCOMPARABLE
    assert "the middle of an output" in verdict.missing[0]


def test_the_exit_code_alone_carries_the_verdict_of_silent_runs():
    assert judge(side(), side()).outcome is Outcome.IDENTICAL
    assert judge(side(exit_code=None), side(exit_code=None)).outcome is Outcome.INCOMPARABLE


@pytest.mark.parametrize(
    "other",
    [
        side(status=Status.FAILED, exit_code=1),
        side(status=Status.FAILED, exit_code=2),
        side(status=Status.KILLED, exit_code=137, signal="SIGKILL"),
    ],
)
def test_runs_that_ended_in_other_ways_diverged(other):
    metrics = series(m=[1.0])
    original = side(status=Status.FAILED, exit_code=3, series=metrics)

    verdict = judge(original, replace(other, series=metrics))

    assert verdict.outcome is Outcome.DIVERGED
    assert verdict.ends[0] == "failed, exit code 3"


def test_a_run_whose_code_nobody_knows_ended_like_one_that_finished():
    metrics = series(m=[1.0])
    verdict = judge(side(exit_code=None, series=metrics), side(series=metrics))

    assert verdict.outcome is Outcome.IDENTICAL


@pytest.mark.parametrize("status", [Status.RUNNING, Status.LOST])
def test_what_did_not_end_is_incomparable_on_either_side(status):
    metrics = series(m=[1.0])
    whole = side(series=metrics)
    other = side(status=status, exit_code=None, series=series(m=[2.0]))

    assert judge(whole, other).outcome is Outcome.INCOMPARABLE
    assert judge(other, whole).outcome is Outcome.INCOMPARABLE
    assert "the rerun" in judge(whole, other).missing[0]


def test_code_of_the_original_tree_is_never_a_false_identical():
    metrics = series(m=[1.0])
    verdict = judge(side(series=metrics), side(series=metrics, foreign=["a.py", "b.py"]))

    assert verdict.outcome is Outcome.INCOMPARABLE
    assert verdict.missing == ("the rerun took code from the tree of its original: `a.py`, `b.py`",)


_VALUES = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0, 1.5, NAN, INF]))
_SERIES = st.dictionaries(
    st.sampled_from("abc"),
    st.dictionaries(st.integers(0, 4), _VALUES, min_size=1).map(
        lambda points: [Point(step, points[step], 0.0) for step in sorted(points)]
    ),
    max_size=3,
)
_SIDES = st.builds(
    side,
    series=_SERIES,
    artifacts=st.dictionaries(st.sampled_from("xy"), st.sampled_from("12")),
    output=st.sampled_from([b"", b"a\n", b"took 1 s\n", b"took 2 s\n"]),
    status=st.sampled_from([Status.FINISHED, Status.FAILED]),
    exit_code=st.sampled_from([0, 1]),
)
_TOLERANCES = st.builds(Tolerance, st.floats(0, 10), st.floats(0, 10))


@given(_SIDES, _TOLERANCES)
def test_every_run_gives_its_own_results(one, tolerance):
    assert judge(one, one, tolerance=tolerance).outcome is Outcome.IDENTICAL


@given(_SIDES, _SIDES, st.floats(0, 10))
def test_the_outcome_is_the_same_from_both_sides_unless_a_tolerance_is_relative(a, b, atol):
    tolerance = Tolerance(0.0, atol)
    there, back = judge(a, b, tolerance=tolerance), judge(b, a, tolerance=tolerance)

    assert there.outcome is back.outcome
    assert (there.first is None) == (back.first is None)
    if there.first is not None and back.first is not None:
        assert (there.first.metric, there.first.step) == (back.first.metric, back.first.step)
        assert repr(there.first.values) == repr(back.first.values[::-1])


_ORDER = [Outcome.IDENTICAL, Outcome.WITHIN, Outcome.INCOMPARABLE, Outcome.DIVERGED]


@given(_SIDES, _SIDES, _TOLERANCES, _TOLERANCES)
def test_a_larger_tolerance_never_makes_the_verdict_worse(a, b, tolerance, more):
    larger = Tolerance(tolerance.rtol + more.rtol, tolerance.atol + more.atol)
    small = judge(a, b, tolerance=tolerance).outcome
    large = judge(a, b, tolerance=larger).outcome

    assert large.is_success or not small.is_success
    assert _ORDER.index(large) <= _ORDER.index(small)


@given(_SIDES, _SIDES, _TOLERANCES)
def test_no_success_hides_a_point_beyond_the_tolerance(a, b, tolerance):
    verdict = judge(a, b, tolerance=tolerance)
    if not verdict.outcome.is_success:
        return
    assert a.series.keys() == b.series.keys()
    for name in a.series:
        for x, y in zip(a.series[name], b.series[name], strict=True):
            assert x.step == y.step
            assert (
                x.value == y.value
                or (math.isnan(x.value) and math.isnan(y.value))
                or abs(x.value - y.value) <= tolerance.atol + tolerance.rtol * abs(x.value)
            )


@pytest.mark.parametrize(
    ("x", "y", "outcome"),
    [
        (0.5, 0.5, Outcome.IDENTICAL),
        (1, 1.0, Outcome.IDENTICAL),
        ({"a": [1, NAN]}, {"a": [1, NAN]}, Outcome.IDENTICAL),
        (0.5, 0.6, Outcome.DIVERGED),
        ("good", "bad", Outcome.DIVERGED),
        (True, 1, Outcome.DIVERGED),
        (2**53, 2**53 + 1, Outcome.DIVERGED),
        (INF, 1.0, Outcome.DIVERGED),
        (0.0, -0.0, Outcome.WITHIN),
        (10**400, 10**400 + 1, Outcome.DIVERGED),
        (0.5, math.nextafter(0.5, 1), Outcome.WITHIN),
    ],
)
def test_what_the_user_set_as_summary_decides_too(x, y, outcome):
    tolerance = Tolerance(rtol=1e-9) if outcome is Outcome.WITHIN else Tolerance()
    alike = {"series": series(m=[1.0]), "output": b"the same\n"}

    for parts in ({}, alike):
        verdict = judge(
            side(summary={"acc": x}, **parts),
            side(summary={"acc": y}, **parts),
            tolerance=tolerance,
        )
        assert verdict.outcome is outcome
        assert verdict.summary == {"acc": outcome}


def test_a_summary_that_one_side_lacks_is_incomparable():
    verdict = judge(side(summary={"acc": 1}), side())

    assert verdict.outcome is Outcome.INCOMPARABLE
    assert verdict.missing == ("only the original has `acc` in its summary",)


def test_of_chosen_metrics_the_summary_has_some():
    before, after = side(summary={"a": 1, "b": 1}), side(summary={"a": 1, "b": 2})

    assert judge(before, after, metrics=["a"]).outcome is Outcome.IDENTICAL
    assert judge(before, after, metrics=["b"]).outcome is Outcome.DIVERGED


def test_points_that_could_not_be_kept_make_no_identical_series():
    one = side(series=series(m=[1.0]), lost_points=2)

    assert judge(one, one).outcome is Outcome.INCOMPARABLE
    assert judge(one, side(series=series(m=[2.0]))).outcome is Outcome.DIVERGED


def test_a_divergence_that_was_measured_counts_whatever_is_missing():
    before = side(series=series(m=[1.0]), artifacts={"a": "x"})

    assert judge(before, side(artifacts={"a": "y"})).outcome is Outcome.DIVERGED


@pytest.mark.parametrize(
    ("signal", "outcome"), [("SIGTERM", Outcome.INCOMPARABLE), ("SIGSEGV", Outcome.IDENTICAL)]
)
def test_two_runs_that_were_both_killed_prove_nothing(signal, outcome):
    one = side(status=Status.KILLED, exit_code=None, signal=signal, series=series(m=[1.0]))

    assert judge(one, one).outcome is outcome
    assert judge(one, side()).outcome is Outcome.DIVERGED
