"""Curves of classifiers agree with what they stand for, threshold by threshold."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.classified import count_confusions, precision_points, roc_points

labelled = st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=12)


def rates(pairs: list[tuple[bool, int]], threshold: int) -> tuple[int, int]:
    """True and false positives of those at or above a threshold."""
    taken = [is_true for is_true, score in pairs if score >= threshold]
    return sum(taken), len(taken) - sum(taken)


@given(labelled)
def test_each_threshold_is_on_the_curve_and_its_corners_are_thresholds(
    pairs: list[tuple[bool, int]],
) -> None:
    labels, scores = [one for one, _ in pairs], [float(score) for _, score in pairs]
    n_true, n_false = sum(labels), len(labels) - sum(labels)
    corners = roc_points(labels, scores)
    if not n_true or not n_false:
        assert corners == []
        return
    every = [(0, 0), *(rates(pairs, one) for one in sorted({*scores}, reverse=True))]
    points = [(false / n_false, true / n_true) for true, false in every]
    assert (corners[0], corners[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert set(corners) <= set(points)
    area = sum((b[0] - a[0]) * (a[1] + b[1]) for a, b in pairwise(points))
    found = sum((b[0] - a[0]) * (a[1] + b[1]) for a, b in pairwise(corners))
    assert found == pytest.approx(area)


@given(labelled)
def test_precision_and_recall_are_those_of_each_threshold(pairs: list[tuple[bool, int]]) -> None:
    labels, scores = [one for one, _ in pairs], [float(score) for _, score in pairs]
    n_true = sum(labels)
    every = [rates(pairs, one) for one in sorted({*scores}, reverse=True)] if n_true else []

    found = precision_points(labels, scores)

    assert found[1:] == [(true / n_true, true / (true + false)) for true, false in every]


def test_labels_and_scores_are_of_the_same_length_and_no_score_is_nan() -> None:
    for curve in (roc_points, precision_points):
        with pytest.raises(ValueError, match="labels"):
            curve([True], [1.0, 2.0])
        with pytest.raises(ValueError, match="NaN"):
            curve([True, False], [1.0, float("nan")])
    with pytest.raises(ValueError, match="predictions"):
        count_confusions([0], [0, 1], 2)
