"""A random forest, where scikit-learn is installed."""

import random

import pytest

from repro.store import forest
from repro.store.forest import grow_forest


def test_whether_there_can_be_a_forest_is_told_without_one():
    try:
        import sklearn  # noqa: F401, PLC0415
    except ImportError:
        assert not forest.is_installed()
    else:
        assert forest.is_installed()


def test_a_forest_finds_the_column_that_counts_and_says_the_same_again():
    pytest.importorskip("sklearn")
    drawing = random.Random(1)
    counting = [drawing.random() for _ in range(80)]
    idle = [drawing.random() for _ in range(80)]
    ys = [10 * x + drawing.gauss(0, 0.1) for x in counting]
    grown = grow_forest([idle, counting], ys)

    assert grown.score > 0.9
    assert grown.importances[1] > 0.5 > 0.1 > abs(grown.importances[0])
    assert grown == grow_forest([idle, counting], ys)
