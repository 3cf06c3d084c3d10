"""The options of `repro plot` that say how curves are drawn."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from repro.cli.completing import complete_metrics
from repro.core.curves import STEP
from repro.model.downsample import FEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How curves are drawn.

    Attributes:
        x: As in a `CurveWish`, as are `low`, `high` and `smoothing`.
        most: Points of a curve; None is as many as can be seen.
    """

    x: str
    low: float | None
    high: float | None
    smoothing: float
    is_log_x: bool
    is_log_y: bool
    most: int | None


_OPTIONS = (
    click.option(
        "-x", "x", metavar="X", default=STEP, show_default=True, shell_complete=complete_metrics,
        help="What lies along the x axis: `step`, `time` since the start of the run, `wall` clock"
        " time, or a metric, by its values at the same steps.",
    ),
    click.option("--from", "low", type=float, metavar="X", help="Only from this step, or X, on."),
    click.option("--to", "high", type=float, metavar="X", help="Only up to this step, or X."),
    click.option(
        "--smooth", "smoothing", metavar="S", default=0.0,
        type=click.FloatRange(0, 1, max_open=True),
        help="Draw the exponential moving average, S from 0 to below 1 as in TensorBoard.",
    ),
    click.option("--log-x", "is_log_x", is_flag=True, help="A logarithmic x axis."),
    click.option("--log-y", "is_log_y", is_flag=True, help="A logarithmic y axis."),
    click.option(
        "--points", "most", type=click.IntRange(min=FEWEST), metavar="N",
        help="At most N points of a curve: the lowest and highest ones stay. 1000 with -o and"
        " --json.",
    ),
)  # fmt: skip


def takes_look(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command all of these options, as its argument `look`."""

    @functools.wraps(function)
    def with_look(
        *args: Any,
        x: str,
        low: float | None,
        high: float | None,
        smoothing: float,
        is_log_x: bool,
        is_log_y: bool,
        most: int | None,
        **others: Any,
    ) -> Any:
        look = Look(
            x=x,
            low=low,
            high=high,
            smoothing=smoothing,
            is_log_x=is_log_x,
            is_log_y=is_log_y,
            most=most,
        )
        return function(*args, look=look, **others)

    command: Callable[..., Any] = with_look
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
