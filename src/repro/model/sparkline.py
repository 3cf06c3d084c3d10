"""A row of characters whose heights are values."""

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-'"
_GAP = " "


def draw_sparkline(values: Sequence[float], heights: str = BLOCKS) -> str:
    """Draw values, one character each: the lowest finite one at the bottom, the highest at the top.

    Infinite values are at the bottom or the top, NaN is a space; equal values are in the middle.

    Args:
        heights: Characters from low to high, at least one.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_GAP if math.isnan(one) else _draw(one, low, high, heights) for one in values)


def _draw(value: float, low: float, high: float, heights: str) -> str:
    top = len(heights) - 1
    if math.isinf(value):
        return heights[top if value > 0 else 0]
    if low == high:
        return heights[top // 2]
    # Halves, for the whole range may be beyond a float; the smallest of floats have no half.
    range_ = high / 2 - low / 2
    share = (value / 2 - low / 2) / range_ if range_ else (value - low) / (high - low)
    return heights[min(top, int(share * len(heights)))]
