"""The tables of W&B's charts have the right numbers."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from repro.sdk import plot
from repro.sdk.mediatable import Table

TABLE = Table(columns=["x", "y", "name"], data=[[1, 2, "a"], [2, 4, "b"]])


def test_a_chart_of_a_table_is_the_table_with_its_title(sdk: ModuleType, repository: Path) -> None:
    with sdk.init():
        sdk.log(
            {
                "line": sdk.plot.line(TABLE, "x", "y", stroke="name", title="Line"),
                "scatter": sdk.plot.scatter(TABLE, x="x", y="y", split_table=False),
                "bar": sdk.plot.bar(TABLE, "name", "y", title="Bar"),
                "histogram": sdk.plot.histogram(TABLE, "y"),
            }
        )

    found = sdk.get_run("@")
    assert [(one.name, one.caption) for one in found.media] == [
        ("bar", "Bar"),
        ("histogram", None),
        ("line", "Line"),
        ("scatter", None),
    ]
    assert found.read_medium(found.media[2]).rows == ((1, 2, "a"), (2, 4, "b"))
    assert TABLE.caption is None
    with pytest.raises(ValueError, match="no column `z`"):
        plot.line(TABLE, "x", "z")


def test_lines_are_a_row_a_point() -> None:
    shared = plot.line_series(xs=[0, 1], ys=[[1, 2], np.array([3, 4])], keys=["a", "b"], xname="s")
    apart = plot.line_series(xs=[[0], [0, 1]], ys=[[1], [3, 4]])

    assert shared.columns == ["s", "line", "y"]
    assert shared.data == [[0, "a", 1], [1, "a", 2], [0, "b", 3], [1, "b", 4]]
    assert apart.data == [[0, "line_0", 1], [0, "line_1", 3], [1, "line_1", 4]]


@pytest.mark.parametrize(
    "given",
    [{"preds": [0, 1, 1]}, {"probs": np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])}],
)
def test_a_confusion_matrix_counts_each_pair(given: dict[str, Any]) -> None:
    table = plot.confusion_matrix(y_true=np.array([0, 0, 1]), class_names=["cat", "dog"], **given)

    assert table.data == [
        ["cat", "cat", 1],
        ["cat", "dog", 1],
        ["dog", "cat", 0],
        ["dog", "dog", 1],
    ]


def test_labels_of_a_confusion_matrix_may_be_texts_and_of_any_size() -> None:
    said, guessed = ["cat", "dog", "cat"], ["cat", "cat", "dog"]
    plain = plot.confusion_matrix(y_true=said, preds=guessed)
    named = plot.confusion_matrix(y_true=said, preds=guessed, class_names=["dog", "cat"])
    scored = plot.confusion_matrix(y_true=["b", "a"], probs=[[0.9, 0.1], [0.8, 0.2]])
    stray = plot.confusion_matrix(y_true=[0, 10**9], preds=[0.0, 0.0])
    many = plot.confusion_matrix(y_true=range(1000), preds=range(1000))

    assert [row[2] for row in plain.data] == [1, 1, 1, 0]
    assert named.data[1:3] == [["dog", "cat", 1], ["cat", "dog", 1]]
    assert scored.data[2:] == [["b", "a", 1], ["b", "b", 0]]
    assert stray.data[2] == ["1000000000", "0", 1]
    assert [tuple(row) for row in many.data] == [(str(n), str(n), 1) for n in range(1000)]


def test_classes_of_a_curve_are_whole_numbers_of_any_type() -> None:
    scores = [[0.5, 0.5], [0.3, 0.7]]
    for labels in ([0, 1], [0.0, 1.0], [False, True]):
        assert [row[0] for row in plot.roc_curve(labels, scores).data] == ["0"] * 3 + ["1"] * 3
    assert plot.roc_curve([1.0, 1.0], scores).data == []


def test_curves_are_of_each_class_against_the_others() -> None:
    y_true = np.array([0, 1, 1, 0])
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.4, 0.6]])

    roc = plot.roc_curve(y_true, scores, labels=["no", "yes"], classes_to_plot=[1])
    assert roc.data == [["yes", 0.0, 0.0], ["yes", 0.0, 0.5], ["yes", 0.5, 0.5], ["yes", 0.5, 1.0],
                        ["yes", 1.0, 1.0]]  # fmt: skip
    found = plot.pr_curve(["a", "b", "b", "a"], scores)
    assert [row for row in found.data if row[0] == "b"] == [
        ["b", 0.0, 1.0], ["b", 0.5, 1.0], ["b", 0.5, 0.5], ["b", 1.0, 2 / 3], ["b", 1.0, 0.5],
    ]  # fmt: skip


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match="y_true"):
        plot.confusion_matrix(y_true=[0])
    with pytest.raises(TypeError, match="y_true"):
        plot.roc_curve([0])
    with pytest.raises(ValueError, match="scores for 3"):
        plot.pr_curve(["a", "b"], [[1, 0, 0], [0, 1, 0]])
    with pytest.raises(ValueError, match="a row for each label"):
        plot.roc_curve([0, 1], [0.2, 0.7])
    with pytest.raises(ValueError, match="1 names for 2 classes"):
        plot.roc_curve([0, 1], [[1, 0], [0, 1]], labels=["one"])
    with pytest.raises(ValueError, match="class 4"):
        plot.confusion_matrix(y_true=[0, 4], preds=[0, 1], class_names=["a", "b"])
