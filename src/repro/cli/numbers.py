"""Types of options that are numbers, with names that a message can call them by."""

import math
from typing import Any

import click


class WholeNumber(click.IntRange):
    """A whole number within bounds."""

    name = "whole number"  # as in "'x' is not a valid whole number"


class Number(click.FloatRange):
    """A number within bounds; NaN, which no bound keeps out, is none."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number that `value` spells."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return number


class _NumberAbove0(Number):
    name = "number above 0"


NUMBER_ABOVE_0 = _NumberAbove0(min=0, min_open=True)
