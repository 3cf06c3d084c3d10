"""The options of `repro plot` that say how curves are drawn."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import click

from repro.cli.completing import complete_metrics, complete_names
from repro.cli.numbers import Number, WholeNumber
from repro.core.curves import STEP
from repro.errors import UsageError
from repro.model.downsample import FEWEST
from repro.model.meancurve import Band


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How curves are drawn.

    Attributes:
        x: As in a `CurveWish`, as are `low`, `high` and `smoothing`.
        most: Points of a curve; None is as many as can be seen.
        group_by: The names of what runs share whose mean is drawn, blank for one mean of all;
            None draws each run.
        band: What is tinted around a mean.
    """

    x: str
    low: float | None
    high: float | None
    smoothing: float
    is_log_x: bool
    is_log_y: bool
    most: int | None
    group_by: str | None
    band: Band


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
        type=Number(0, 1, max_open=True),
        help="Draw the exponential moving average, S from 0 to below 1 as in TensorBoard.",
    ),
    click.option("--log-x", "is_log_x", is_flag=True, help="A logarithmic x axis."),
    click.option("--log-y", "is_log_y", is_flag=True, help="A logarithmic y axis."),
    click.option(
        "--points", "most", type=WholeNumber(min=FEWEST), metavar="N",
        help="At most N points of a curve: the lowest and highest ones stay. 1000 with -o and"
        " --json.",
    ),
    click.option(
        "--mean", "is_mean", is_flag=True,
        help="Draw the mean of all runs, such as of several seeds, in place of each.",
    ),
    click.option(
        "--group-by", metavar="KEY,…", shell_complete=complete_names,
        help="Draw a mean for each group of runs with the same values of these params or fields.",
    ),
    click.option(
        "--band", metavar="BAND", type=click.Choice([band.value for band in Band]),
        help="What is tinted around a mean, in a file: the `range` of the runs, which is usual,"
        " or their standard deviation, `std`.",
    ),
)  # fmt: skip


def takes_look(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command all of these options, as its argument `look`."""

    @functools.wraps(function)
    def with_look(*args: Any, **given: Any) -> Any:
        has_means = given.pop("is_mean") or given["group_by"] is not None
        if given["band"] is not None and not has_means:
            raise UsageError("`--band` is of means", hint="add `--mean`, or `--group-by KEY`")
        look = {one.name: given.pop(one.name) for one in fields(Look)}
        look["group_by"] = (look["group_by"] or "") if has_means else None
        look["band"] = Band(look["band"] or Band.RANGE)
        return function(*args, look=Look(**look), **given)

    command: Callable[..., Any] = with_look
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
