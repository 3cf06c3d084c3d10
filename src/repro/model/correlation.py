"""How strongly the ranks of two lists of values go together, with honest chances of luck."""

import math
import random
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import permutations
from operator import mul

FEWEST = 5  # values below which no chance says anything: of 4 there are 24 orders
_SHUFFLED = 200  # values up to which orders are drawn; above, the limit of their law is as good
_DRAWS = 999
_ALL_ORDERS = 6  # values up to which all orders are gone through: 720


def rank(values: Sequence[float]) -> list[float]:
    """Give each value its rank from 1 on; equal values share the mean of theirs.

    Args:
        values: None of them NaN.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for position in order[start:end]:
            ranks[position] = (start + 1 + end) / 2
        start = end
    return ranks


def correlate_ranks(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Spearman's rank correlation, from -1 to 1; None where either side is constant.

    Args:
        xs: Shape (n,), none of them NaN.
        ys: The same.

    Cost: O(n log n).

    Source: C. Spearman, "The proof and measurement of association between two things",
    American Journal of Psychology 15, 1904; with the mean of the ranks of equal values, after
    M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945.
    """
    a, b = _centred(rank(xs)), _centred(rank(ys))
    size = math.sqrt(sum(map(mul, a, a)) * sum(map(mul, b, b)))
    return max(-1.0, min(1.0, sum(map(mul, a, b)) / size)) if size else None


def chance_of_ranks(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """How often chance alone gives a rank correlation as far from 0; None below 5 values.

    The share of orders of `ys` that do: of all of them up to 6 values, of 999 drawn ones (always
    the same) up to 200. Beyond, the correlation of a random order is normal, with a variance
    of 1 / (n - 1).

    Source: E. J. G. Pitman, "Significance tests which may be applied to samples from any
    populations. II", Journal of the Royal Statistical Society, Supplement 4, 1937; that the
    order itself is counted as a draw: B. Phipson and G. K. Smyth, "Permutation p-values should
    never be zero", Statistical Applications in Genetics and Molecular Biology 9, 2010.
    """
    found = correlate_ranks(xs, ys)
    if len(xs) < FEWEST or found is None:
        return None
    if len(xs) > _SHUFFLED:
        return math.erfc(abs(found) * math.sqrt((len(xs) - 1) / 2))
    a, b = _centred(rank(xs)), _centred(rank(ys))
    reached = abs(sum(map(mul, a, b))) - 1e-9 * len(a) ** 2
    orders = _orders(len(xs))
    hits = sum(abs(sum(map(mul, a, map(b.__getitem__, order)))) >= reached for order in orders)
    return _share(hits, orders, len(xs))


def correlate_groups(groups: Sequence[Hashable], ys: Sequence[float]) -> float | None:
    """The correlation ratio eta of the ranks of `ys` in groups, from 0 to 1.

    The square of it is the share of the variance of the ranks that lies between the groups;
    times n - 1 it is the H of Kruskal and Wallis. For two groups it is the size of Spearman's
    correlation. None where there is one group, or `ys` is constant.

    Args:
        groups: Shape (n,): which group each value is in.
        ys: Shape (n,), none of them NaN.

    Cost: O(n log n).

    Source: K. Pearson, "On the general theory of skew correlation", Drapers' Company Research
    Memoirs, 1905; W. H. Kruskal and W. A. Wallis, "Use of ranks in one-criterion variance
    analysis", Journal of the American Statistical Association 47, 1952.
    """
    b = _centred(rank(ys))
    whole = sum(map(mul, b, b))
    if not whole or len(set(groups)) < 2:
        return None
    return math.sqrt(min(1.0, _between(_number(groups), b) / whole))


def chance_of_groups(groups: Sequence[Hashable], ys: Sequence[float]) -> float | None:
    """How often chance alone gives a correlation ratio as high; None below 5 values.

    As `chance_of_ranks`; beyond 200 values H has the chi-square law with as many degrees of
    freedom as there are groups, less one.
    """
    found = correlate_groups(groups, ys)
    if len(ys) < FEWEST or found is None:
        return None
    numbers = _number(groups)
    if len(ys) > _SHUFFLED:
        return _chi_square_above((len(ys) - 1) * found * found, max(numbers))
    b = _centred(rank(ys))
    reached = _between(numbers, b) - 1e-9 * len(b) ** 3
    orders = _orders(len(ys))
    hits = sum(_between(numbers, [b[n] for n in order]) >= reached for order in orders)
    return _share(hits, orders, len(ys))


def _centred(ranks: Sequence[float]) -> list[float]:
    mean = (len(ranks) + 1) / 2
    return [one - mean for one in ranks]


def _number(groups: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(group, len(numbers)) for group in groups]


def _between(numbers: Sequence[int], centred: Sequence[float]) -> float:
    """The variance between groups, times n."""
    sums: dict[int, float] = {}
    for number, value in zip(numbers, centred, strict=True):
        sums[number] = sums.get(number, 0.0) + value
    counts = Counter(numbers)
    return sum(total * total / counts[number] for number, total in sums.items())


@lru_cache(maxsize=8)
def _orders(n: int) -> tuple[tuple[int, ...], ...]:
    if n <= _ALL_ORDERS:
        return tuple(permutations(range(n)))
    drawing = random.Random(n)  # noqa: S311  # the same runs shall give the same answer
    return tuple(tuple(drawing.sample(range(n), n)) for _ in range(_DRAWS))


def _share(hits: int, orders: Sequence[object], n: int) -> float:
    # All orders hold the one that was found; of drawn ones it is one more.
    return hits / len(orders) if n <= _ALL_ORDERS else (hits + 1) / (len(orders) + 1)


def _chi_square_above(x: float, degrees: int) -> float:
    """The chance that a chi-square value exceeds `x`.

    Source: M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964,
    26.4.4 and 26.4.5.
    """
    if x <= 0:
        return 1.0
    is_odd = degrees % 2
    # The terms of the sum, by logarithms: of many degrees one alone may be too large to hold.
    half = math.log(x / 2)
    terms = [
        math.exp(-x / 2 + k * half - math.lgamma(k + 1))
        for k in ((n + 0.5 if is_odd else float(n)) for n in range(degrees // 2))
    ]
    first = math.erfc(math.sqrt(x / 2)) if is_odd else 0.0
    return min(1.0, first + sum(terms))
