"""Which runs a verb is about: the options for that, and the runs that they choose."""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from repro.cli import render
from repro.cli.completing import complete_filter, complete_names, complete_tags
from repro.cli.numbers import WholeNumber
from repro.cli.progress import showing_count
from repro.core.choosing import Choice
from repro.core.known import describe_problem
from repro.core.project import Project
from repro.core.query import Listing, list_runs
from repro.model.condition import Key
from repro.model.readable import count_runs
from repro.model.run import Status
from repro.model.text import escape
from repro.store.index import Problem

if TYPE_CHECKING:
    from repro.core.chosen import ChosenRecords
    from repro.model.groups import Grouping

MOST = 50  # runs that are shown where nobody says how many
_STATUSES = [status.value for status in Status]

WHERE = click.option(
    "--where", metavar="EXPR", default="", shell_complete=complete_filter,
    help="Only runs that fit, such as \"lr < 1e-3 and metrics.loss.min < 0.2\".",
)  # fmt: skip
SORT = click.option(
    "--sort", metavar="KEY", multiple=True, shell_complete=complete_names,
    help="Order of a field, param or metric, ascending; -KEY descending. May be repeated. Newest"
    " first without it.",
)  # fmt: skip
LIMIT = click.option(
    "-n", "--limit", type=WholeNumber(min=0), default=MOST, show_default=True, metavar="N",
    help="At most N runs, for programs too; 0 is all.",
)  # fmt: skip
ALL = click.option("--all", "everything", is_flag=True, help="All runs, as --limit 0.")
STATUS = click.option("--status", type=click.Choice(_STATUSES), help="Only runs that ended so.")
TAG = click.option(
    "--tag", "-t", metavar="TAG", shell_complete=complete_tags, help="Only runs with this tag."
)
LIVE = click.option("--live", is_flag=True, help="Only runs in progress.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(Choice):
    """Which runs, and at most how many of them.

    Attributes:
        limit: None is all.
        is_usual: Whether nobody said how many.
    """

    limit: int | None = MOST
    is_usual: bool = False


def takes_selection(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command all of these options, as its argument `selection`."""

    @functools.wraps(function)
    def with_selection(
        *args: Any,
        where: str,
        sort: tuple[str, ...],
        limit: int,
        everything: bool,
        status: str | None,
        tag: str | None,
        live: bool,
        **others: Any,
    ) -> Any:
        source = click.get_current_context().get_parameter_source("limit")
        selection = Selection(
            where=where,
            sort=sort,
            limit=None if everything or limit == 0 else limit,
            is_usual=source is ParameterSource.DEFAULT and not everything,
            status=status,
            tag=tag,
            in_progress=live,
        )
        return function(*args, selection=selection, **others)

    command: Callable[..., Any] = with_selection
    for option in (LIVE, TAG, STATUS, ALL, LIMIT, SORT, WHERE):
        command = option(command)
    return command


def select_runs(project: Project, selection: Selection) -> Listing:
    """The runs that a selection chooses, with a warning for each that cannot be read.

    Raises:
        FilterError: The filter, or a name to sort by, is wrong.
    """
    with showing_count("reading runs") as on_progress:
        listing = list_runs(
            project,
            where=selection.where,
            sort=selection.sort,
            limit=selection.limit,
            status=selection.status,
            tag=selection.tag,
            in_progress=selection.in_progress,
            on_progress=on_progress,
        )
    say_problems(listing.problems)
    return listing


def stream_runs(project: Project, selection: Selection) -> "ChosenRecords":
    """As `select_runs`, for however many runs: their records are read while one goes through.

    Raises:
        FilterError: The filter, or a name to sort by, is wrong.
    """
    # Here, for a table of the newest runs starts without the query language.
    from repro.core.chosen import ChosenRecords, find_chosen  # noqa: PLC0415

    with showing_count("reading runs") as on_progress:
        found = find_chosen(
            project, selection, limit=selection.limit, n_first=MOST, on_progress=on_progress
        )
    say_problems(found.problems)
    return ChosenRecords(project, found)


def group_selected(project: Project, selection: Selection, keys: Sequence[Key]) -> "Grouping":
    """The runs that a selection chooses, however many, in groups of the same values.

    Raises:
        FilterError: The filter is wrong.
    """
    # Here, for few lists are grouped.
    from repro.core.grouping import group_chosen  # noqa: PLC0415

    with showing_count("reading runs") as on_progress:
        found = group_chosen(project, selection, keys, on_progress=on_progress)
    say_problems(found.problems)
    return found.grouping


def say_problems(problems: Iterable[Problem]) -> None:
    """Warn of runs that cannot be read."""
    for problem in problems:
        render.note(f"repro: warning: {escape(describe_problem(problem))}")


def say_none(listing: Listing, selection: Selection) -> None:
    """Say that no run was chosen, and what to do about it."""
    if not listing.total:
        render.note("no runs yet: `repro run -- CMD` records one")
    elif selection.in_progress and not (selection.where or selection.status or selection.tag):
        render.note(
            f"none of the {count_runs(listing.total)} is in progress: `repro ls` lists them"
        )
    else:
        render.note(f"none of the {count_runs(listing.total)} fits: `repro ls` lists them")


def say_more(listing: Listing, n_shown: int) -> None:
    """Say how many runs fit beside those shown."""
    if listing.matching > n_shown:
        render.note(f"… and {listing.matching - n_shown:,} more: `--all` lists all")


def say_cut(selection: Selection, n_shown: int, n_fitting: int, what: str = "runs") -> None:
    """Say that a program gets no more than the usual number, if nobody asked for that number."""
    if selection.is_usual and n_fitting > n_shown:
        render.note(f"repro: {n_shown:,} of {n_fitting:,} {what}: `--all` lists all")
