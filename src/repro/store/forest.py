"""A random forest of scikit-learn, where that is installed."""

from collections.abc import Sequence
from dataclasses import dataclass

FEWEST = 20  # runs below which a forest guesses no better than anybody
MOST = 5000  # runs that it learns from; more take minutes and tell the same
_FOLDS = 4
_TREES = 100
_SHUFFLES = 5
_SEED = 0  # the same runs shall give the same answer


@dataclass(frozen=True, slots=True)
class Forest:
    """What a forest says of the columns that it guesses a value from.

    Attributes:
        score: How well it guesses what it has not seen: R², 1 for perfectly, 0 or less for no
            better than the mean.
        importances: By how much the score falls when a column is shuffled, for each of them.
    """

    score: float
    importances: tuple[float, ...]


def is_installed() -> bool:
    """Whether there can be a forest."""
    try:
        import sklearn  # noqa: F401, PLC0415  # 0.3 s, and few have it
    except ImportError:
        return False
    return True


def grow_forest(columns: Sequence[Sequence[float]], ys: Sequence[float]) -> Forest:
    """Learn to guess `ys` from columns, and say what each column contributes to that.

    Score and importances are of rows that the forest has not learnt from, in four parts.

    Args:
        columns: Shape (k, n), finite.
        ys: Shape (n,), finite; n is at least 20.

    Cost: about 2 s for 1,000 rows of 20 columns.

    Source: L. Breiman, "Random forests", Machine Learning 45, 2001 (the importance that
    shuffling tells is of section 10).
    """
    import numpy as np  # noqa: PLC0415  # likewise
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415
    from sklearn.inspection import permutation_importance  # noqa: PLC0415
    from sklearn.model_selection import KFold  # noqa: PLC0415

    table = np.array(columns, dtype=float).T
    wanted = np.array(ys, dtype=float)
    scores, parts = [], []
    for learnt, unseen in KFold(_FOLDS, shuffle=True, random_state=_SEED).split(table):
        forest = RandomForestRegressor(_TREES, random_state=_SEED, min_samples_leaf=2)
        forest.fit(table[learnt], wanted[learnt])
        scores.append(forest.score(table[unseen], wanted[unseen]))
        shuffled = permutation_importance(
            forest, table[unseen], wanted[unseen], n_repeats=_SHUFFLES, random_state=_SEED
        )
        parts.append(shuffled.importances_mean)
    return Forest(
        score=float(np.mean(scores)), importances=tuple(map(float, np.mean(parts, axis=0)))
    )
