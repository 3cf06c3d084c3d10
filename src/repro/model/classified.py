"""How well scores tell classes apart: confusion matrix, ROC curve, precision and recall."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isnan

from repro.model.medium import MOST_ROWS


def count_confusions(
    actual: Sequence[int], predicted: Sequence[int], n_classes: int
) -> list[tuple[int, int, int]]:
    """Count how often each class was taken for each.

    Args:
        actual: Shape (n,), from 0 to `n_classes` - 1; `predicted` likewise.

    Returns:
        Shape (n_classes ** 2,): actual class, predicted class, count; in the order of the classes.
        Of more pairs than a table has rows only those that occur.

    Raises:
        ValueError: The shapes differ.
    """
    if len(actual) != len(predicted):
        raise ValueError(f"{len(actual)} labels, but {len(predicted)} predictions")
    counts = Counter(zip(actual, predicted, strict=True))
    if n_classes**2 > MOST_ROWS:
        return [(*pair, counts[pair]) for pair in sorted(counts)]
    every = range(n_classes)
    return [(one, other, counts[one, other]) for one in every for other in every]


def roc_points(is_of_class: Sequence[bool], scores: Sequence[float]) -> list[tuple[float, float]]:
    """Give the corners of the ROC curve: rate of false positives, rate of true ones.

    Args:
        is_of_class: Shape (n,).
        scores: Shape (n,), higher for what is more likely of the class.

    Returns:
        From (0, 0) to (1, 1), neither falling; points between two others on a line are left out.
        Empty where all are of the class, or none: there is no curve then.

    Raises:
        ValueError: The shapes differ, or a score is NaN.

    Source: Tom Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters, 2006.
    """
    n_true = sum(is_of_class)
    n_false = len(is_of_class) - n_true
    if not n_true or not n_false:
        _require_fit(is_of_class, scores)
        return []
    counts = [(0, 0)]
    for true, false in _cumulated(is_of_class, scores):
        new = false, true
        while len(counts) > 1 and _is_between(counts[-2], counts[-1], new):
            counts.pop()
        counts.append(new)
    return [(false / n_false, true / n_true) for false, true in counts]


def precision_points(
    is_of_class: Sequence[bool], scores: Sequence[float]
) -> list[tuple[float, float]]:
    """Give recall and precision for each threshold, from the strictest on.

    Args:
        is_of_class: Shape (n,).
        scores: Shape (n,), higher for what is more likely of the class.

    Returns:
        Recall from 0 to 1, never falling; the first point is (0, 1). Empty where none is of the
        class.

    Raises:
        ValueError: The shapes differ, or a score is NaN.
    """
    _require_fit(is_of_class, scores)
    n_true = sum(is_of_class)
    if not n_true:
        return []
    found = _cumulated(is_of_class, scores)
    return [(0.0, 1.0), *((true / n_true, true / (true + false)) for true, false in found)]


def _cumulated(is_of_class: Sequence[bool], scores: Sequence[float]) -> Iterator[tuple[int, int]]:
    """True and false positives at each distinct score, the highest first."""
    _require_fit(is_of_class, scores)
    ordered = sorted(zip(scores, is_of_class, strict=True), key=lambda pair: -pair[0])
    true = false = 0
    for place, (score, is_true) in enumerate(ordered):
        true += bool(is_true)
        false += not is_true
        if place + 1 == len(ordered) or ordered[place + 1][0] != score:
            yield true, false


def _is_between(before: tuple[int, int], middle: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether `middle` lies on the line from `before` to `after`."""
    (x0, y0), (x1, y1), (x2, y2) = before, middle, after
    return (x1 - x0) * (y2 - y0) == (x2 - x0) * (y1 - y0)


def _require_fit(labels: Sequence[object], scores: Sequence[float]) -> None:
    if len(labels) != len(scores):
        raise ValueError(f"{len(labels)} labels, but {len(scores)} scores")
    if any(map(isnan, scores)):
        raise ValueError("a score is NaN, which is neither higher nor lower than others")
