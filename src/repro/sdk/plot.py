"""W&B's `wandb.plot`: the tables behind its charts, with their titles."""

# ruff: noqa: ARG001  they take words of W&B about how a chart looks, which a table has no use for

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from repro.model.classified import count_confusions, precision_points, roc_points
from repro.model.medium import LONGEST_CAPTION
from repro.sdk.mediatable import Table

Curve = Callable[[Sequence[bool], Sequence[float]], list[tuple[float, float]]]


def line(
    table: Table,
    x: str,
    y: str,
    stroke: str | None = None,
    title: str | None = None,
    **ignored: Any,
) -> Table:
    """Give the table, to log it as what it is: points of a line.

    Args:
        x: Name of a column; `y` likewise.
        stroke: Of the column that tells lines apart.
        ignored: Other words of W&B about how a chart looks, without a meaning here.

    Raises:
        ValueError: There is no such column.
    """
    return _shown(table, title, *filter(None, (x, y, stroke)))


def scatter(table: Table, x: str, y: str, title: str | None = None, **ignored: Any) -> Table:
    """Give the table of points; see `line`."""
    return _shown(table, title, x, y)


def bar(table: Table, label: str, value: str, title: str | None = None, **ignored: Any) -> Table:
    """Give the table of bars, a row each; see `line`."""
    return _shown(table, title, label, value)


def histogram(table: Table, value: str, title: str | None = None, **ignored: Any) -> Table:
    """Give the table of values; see `line`. `repro.Histogram` counts them in bins."""
    return _shown(table, title, value)


def line_series(
    xs: Any,
    ys: Any,
    keys: Sequence[str] | None = None,
    title: str | None = None,
    xname: str = "x",
    **ignored: Any,
) -> Table:
    """Give the points of several lines as a table, a row each.

    Args:
        xs: Shape (n,) for all lines, or one such list for each.
        ys: A list for each line.
        keys: Names of the lines.

    Raises:
        ValueError: The shapes differ.
    """
    lines = [_plain(one) for one in ys]
    places = _plain(xs)
    is_shared = not places or not isinstance(places[0], (list, tuple))
    several = [places] * len(lines) if is_shared else [_plain(one) for one in places]
    names = [f"line_{number}" for number in range(len(lines))] if keys is None else [*keys]
    rows = [
        [x, name, y]
        for name, these, those in zip(names, several, lines, strict=True)
        for x, y in zip(these, those, strict=True)
    ]
    return _titled(Table(columns=[xname, "line", "y"], data=rows), title)


def confusion_matrix(
    probs: Any = None,
    y_true: Any = None,
    preds: Any = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    **ignored: Any,
) -> Table:
    """Count how often each class was predicted for each, a row a pair.

    Args:
        probs: Shape (n, classes), of which the highest counts; or `preds`, shape (n,).
        y_true: Shape (n,): numbers of the classes, from 0 on, or their names.
        class_names: In their order. Without them: of `probs` as for `roc_curve`, of `preds` the
            labels that there are, sorted.

    Raises:
        TypeError: Labels are missing, or there is not exactly one of `probs` and `preds`.
        ValueError: The shapes differ, or a class has no name.
    """
    if y_true is None or (probs is None) == (preds is None):
        raise TypeError("a confusion matrix needs `y_true`, and either `probs` or `preds`")
    actual = _labels(y_true)
    if probs is None:
        predicted = _labels(preds)
        classes = sorted({*actual, *predicted})
    else:
        scores = _scores(probs)
        classes = _find_classes(actual, scores) if class_names is None else []
        best = [row.index(max(row)) for row in scores]
        predicted = [classes[one] for one in best] if class_names is None else best
    names = [str(one) for one in (classes if class_names is None else class_names)]
    places = {label: place for place, label in enumerate(classes)}
    if class_names is not None:
        places = {label: place for place, name in enumerate(names) for label in (place, name)}
    for one in (*actual, *predicted):
        if one not in places:
            raise ValueError(f"class {one} is none of the {len(names)}")
    rows = [
        [names[one], names[other], count]
        for one, other, count in count_confusions(
            [places[one] for one in actual], [places[one] for one in predicted], len(names)
        )
    ]
    return _titled(Table(columns=["Actual", "Predicted", "nPredictions"], data=rows), title)


def roc_curve(
    y_true: Any = None,
    y_probas: Any = None,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    title: str | None = None,
    **ignored: Any,
) -> Table:
    """Give the ROC curve of each class against all others, exactly.

    Args:
        y_true: Shape (n,): classes.
        y_probas: Shape (n, classes): the columns are in the order of the sorted classes, or, where
            classes are numbers below the count of columns, those of these numbers.
        labels: Names of the classes, in the order of the columns.
        classes_to_plot: Only these.

    Raises:
        TypeError: One of the two is missing.
        ValueError: The shapes differ, or a score is NaN.
    """
    found = _curves(roc_points, y_true, y_probas, labels, classes_to_plot)
    rows = [[name, *point] for name, points in found for point in points]
    return _titled(Table(columns=["class", "fpr", "tpr"], data=rows), title or "ROC")


def pr_curve(
    y_true: Any = None,
    y_probas: Any = None,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    title: str | None = None,
    **ignored: Any,
) -> Table:
    """Give precision by recall of each class against all others, exactly; see `roc_curve`."""
    found = _curves(precision_points, y_true, y_probas, labels, classes_to_plot)
    rows = [[name, *point] for name, points in found for point in points]
    return _titled(
        Table(columns=["class", "recall", "precision"], data=rows), title or "Precision and recall"
    )


def _curves(
    curve: Curve, y_true: Any, y_probas: Any, labels: Sequence[str] | None, wanted: Any
) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Name and points of each class."""
    if y_true is None or y_probas is None:
        raise TypeError("a curve needs `y_true` and `y_probas`")
    actual, scores = _labels(y_true), _scores(y_probas)
    classes = _find_classes(actual, scores)
    if labels is not None and len(labels) != len(classes):
        raise ValueError(f"{len(labels)} names for {len(classes)} classes")
    for place, one in enumerate(classes):
        if wanted is None or one in wanted:
            points = curve([other == one for other in actual], [row[place] for row in scores])
            yield str(labels[place] if labels is not None else one), points


def _find_classes(actual: Sequence[Any], scores: Sequence[Sequence[float]]) -> list[Any]:
    """What the columns of scores stand for."""
    n_columns = len(scores[0]) if scores else 0
    if any(len(row) != n_columns for row in scores):
        raise ValueError("some rows have more scores than others")
    is_numbered = all(type(one) is int and 0 <= one < n_columns for one in actual)
    classes = list(range(n_columns)) if is_numbered else sorted(set(actual))
    if len(classes) != n_columns:
        raise ValueError(f"{len(classes)} classes, but scores for {n_columns}")
    return classes


def _labels(values: Any) -> list[Any]:
    """Labels of classes; a whole number is an integer, whatever its type."""
    found = _plain(values)
    return [
        int(one) if isinstance(one, (bool, float)) and one == one // 1 else one for one in found
    ]


def _scores(values: Any) -> list[list[float]]:
    rows = _plain(values)
    if not all(hasattr(row, "__len__") for row in rows):
        raise ValueError("scores have the shape (n, classes): a row for each label")
    return [_plain(row) for row in rows]


def _plain(values: Any) -> list[Any]:
    """An array, a tensor or any sequence as a list."""
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
    found = values.tolist() if hasattr(values, "tolist") else values
    return [*found]


def _shown(table: Table, title: str | None, *columns: str) -> Table:
    for name in columns:
        if name not in table.columns:
            raise ValueError(f"the table has no column `{name}`: {', '.join(table.columns)}")
    return _titled(table, title)


def _titled(table: Table, title: str | None) -> Table:
    """The rows of a table with a title of their own, which stay those of the table."""
    shown = Table(columns=table.columns)
    shown.data = table.data
    shown.caption = None if title is None else str(title)[:LONGEST_CAPTION]
    return shown
