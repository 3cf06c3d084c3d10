"""What `bench_ui` asks of a web page of runs, whosever it is."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page


@dataclass(frozen=True)
class Face:
    """A web page of runs, and how what is measured is asked of it.

    Attributes:
        first: The address of all runs, less the origin.
        rows: A JavaScript expression that is true once the table has rows.
        filter: Wishes for the runs with a large dropout and a small lr.
        filtered: An expression that is true once only those are there.
        sort: Wishes for the runs by their val_loss; None where that takes several clicks in a menu.
        sorted: An expression that is true once they are.
        curves: The address of the curves of 20 runs, less the origin; None where none leads there.
        drawn: An expression that is true once they are painted.
    """

    name: str
    first: str
    rows: str
    filter: Callable[[Page], None]
    filtered: str
    sort: Callable[[Page], None] | None
    sorted: str
    curves: str | None
    drawn: str
