"""The options of verbs that lay many runs beside each other: which, how many, against which."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from repro.cli.completing import RUN, complete_filter
from repro.cli.numbers import WholeNumber

_F = TypeVar("_F", bound=Callable[..., Any])

takes_where = click.option(
    "--where", metavar="EXPR", default="", shell_complete=complete_filter,
    help="Also the runs that fit this filter, newest first.",
)  # fmt: skip

takes_baseline = click.option(
    "--baseline", type=RUN, metavar="RUN",
    help="Compare the others with this run; the first one without it.",
)  # fmt: skip


def takes_limit(most: int) -> Callable[[_F], _F]:
    """The option `--limit`, of `most` runs by default."""
    return click.option(
        "-n", "--limit", type=WholeNumber(min=0), default=most, show_default=True, metavar="N",
        help="At most N of the runs that fit; 0 is all.",
    )  # fmt: skip
