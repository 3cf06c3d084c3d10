"""`repro ls`: runs as a table, in groups, or for programs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from repro.cli import render
from repro.cli.completing import complete_names
from repro.cli.context import open_here
from repro.cli.numbers import NUMBER_ABOVE_0
from repro.cli.runformats import (
    Format,
    csv_columns,
    print_json,
    print_json_lines,
    print_porcelain,
    print_runs_csv,
    takes_format,
)
from repro.cli.runtable import (
    choose_columns,
    describe_constants,
    lay_column,
    lay_out,
    say_hidden,
)
from repro.cli.selection import (
    Selection,
    group_selected,
    say_cut,
    say_more,
    say_none,
    select_runs,
    stream_runs,
    takes_selection,
)
from repro.core.project import Project
from repro.core.query import Listing
from repro.errors import UsageError
from repro.model.columns import Column, choose_keys, default_columns, field_column
from repro.model.progress import last_heard
from repro.model.readable import format_age
from repro.model.run import Record

if TYPE_CHECKING:
    from repro.core.chosen import ChosenRecords

_ID = field_column("id")
_HEARD = 5  # runs in progress elsewhere of which is said when


@click.command()
@takes_selection
@click.option(
    "--columns", metavar="KEY,…", shell_complete=complete_names,
    help="Columns behind the id, such as lr,metrics.loss.min or 'optimizer.*'; +KEY adds to the"
    " usual ones, -KEY takes away. With --group-by, the metrics of the groups.",
)  # fmt: skip
@click.option(
    "--group-by", metavar="KEY,…", shell_complete=complete_names,
    help="One row for all runs with the same values: mean and deviation of each metric.",
)  # fmt: skip
@takes_format
@click.option(
    "--watch", "is_watched", is_flag=True, help="List again whenever a run changes, until ^C."
)
@click.option(
    "--interval", type=NUMBER_ABOVE_0, default=2.0, show_default=True, metavar="S",
    help="Seconds between two looks for changes, with --watch.",
)  # fmt: skip
def ls(
    selection: Selection,
    columns: str | None,
    group_by: str | None,
    chosen: Format,
    *,
    is_watched: bool,
    interval: float,
) -> None:
    """List runs as a table, newest first.

    Params that differ between the runs stand first, then metrics (their last values), those with
    a goal before the others and the best marked; params that are the same in all are one line
    below the table.
    """
    project = open_here()
    if columns is not None and chosen.name not in ("table", "csv"):
        raise UsageError(
            f"`--columns` and `--{chosen.name}` exclude each other",
            hint="`--columns` is for the table and `--csv`",
        )
    if is_watched and chosen.name != "table":
        raise UsageError(
            f"`--watch` and `--{chosen.name}` exclude each other",
            hint="`--watch` is for somebody who looks",
        )

    def show() -> None:
        if group_by is not None:
            _list_groups(project, selection, group_by, columns, chosen)
        elif chosen.name == "table":
            _list_table(project, selection, columns)
        else:
            _list_for_programs(project, selection, columns, chosen)

    if not is_watched:
        show()
        return
    # Here, for most lists are read once.
    from repro.cli.relist import keep_listing  # noqa: PLC0415

    keep_listing(project, show, interval)


def _list_for_programs(
    project: Project, selection: Selection, columns: str | None, chosen: Format
) -> None:
    records = stream_runs(project, selection)
    if chosen.name == "json":
        print_json(records)
    elif chosen.name == "jsonl":
        print_json_lines(records)
    elif chosen.name == "porcelain":
        print_porcelain(records, chosen.end)
    elif chosen.name == "csv":
        asked = _ask(project, records, columns, lambda: csv_columns(records))
        print_runs_csv(asked.records, asked.columns)
    else:
        _print_template(project, records, chosen)
    say_cut(selection, records.n_chosen, records.n_fitting)


def _print_template(project: Project, records: "ChosenRecords", chosen: Format) -> None:
    # Here, for a table has no template.
    from repro.core.wanted import resolve_template, with_environment  # noqa: PLC0415
    from repro.model.rowformat import fill_template, named_columns  # noqa: PLC0415

    template = resolve_template(project, chosen.template)
    short, now = records.shorten(), project.clock()
    for record in with_environment(project, records, named_columns(template)):
        line = fill_template(template, record, short, now)
        render.raw(line.encode(errors="surrogateescape") + chosen.end)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Columns to show, and records with all that they show.

    Attributes:
        is_usual: Whether they are the usual ones, apart from some that were added or taken away.
    """

    records: Iterable[Record]
    columns: list[Column]
    is_usual: bool


def _ask(
    project: Project,
    records: Iterable[Record],
    columns: str | None,
    usual: Callable[[], list[Column]],
) -> _Asked:
    if columns is None:
        return _Asked(records, usual(), is_usual=True)
    # Here, for few lists ask for any.
    from repro.core.wanted import resolve_columns, with_environment  # noqa: PLC0415

    wanted = resolve_columns(project, columns)
    chosen = wanted.apply(usual() if wanted.is_change else [])
    return _Asked(with_environment(project, records, chosen), chosen, is_usual=wanted.is_change)


def _list_table(project: Project, selection: Selection, columns: str | None) -> None:
    listing = select_runs(project, selection)
    choice = choose_keys(listing.records)
    asked = _ask(
        project,
        listing.records,
        columns,
        lambda: default_columns(listing.records, choice, listing.asked),
    )
    records = list(asked.records)
    if not records:
        say_none(listing, selection)
        return
    shown = [_ID, *(one for one in asked.columns if one.key != _ID.key)]
    width = render.width() if asked.is_usual else 0
    _print_table(shown, records, listing, project.clock(), width)
    keys = {column.key for column in shown}
    constant = [pair for pair in choice.constant if pair[0] not in keys]
    if asked.is_usual and constant:
        render.note(describe_constants(constant, len(records)))
    say_more(listing, len(records))


def _print_table(
    columns: Sequence[Column],
    records: Sequence[Record],
    listing: Listing,
    now: float,
    width: int,
) -> None:
    laid = {one: lay_column(one, records, listing.short, now) for one in columns}
    shown = choose_columns(laid, width, listing.asked) if width else columns
    table, _ = lay_out([laid[column] for column in shown])
    render.out(table)
    render.flush()
    _say_heard(records, listing, now)
    say_hidden([column.title for column in columns if column not in shown], "--columns")


def _say_heard(records: Sequence[Record], listing: Listing, now: float) -> None:
    """When those that are in progress elsewhere were published."""
    ages = ((one.run.id, last_heard(one.run)) for one in records)
    heard = [f"{listing.short[run]} {format_age(moment, now)}" for run, moment in ages if moment]
    if heard:
        more = f" and {len(heard) - _HEARD:,} more" if len(heard) > _HEARD else ""
        render.note(f"in progress elsewhere, last heard: {', '.join(heard[:_HEARD])}{more}")


def _list_groups(
    project: Project, selection: Selection, group_by: str, shown_metrics: str | None, chosen: Format
) -> None:
    # Here, for few lists are grouped.
    from repro.cli.grouptable import print_groups  # noqa: PLC0415
    from repro.core.grouping import choose_metrics  # noqa: PLC0415
    from repro.core.wanted import (  # noqa: PLC0415
        resolve_columns,
        resolve_keys,
        resolve_order,
    )
    from repro.model.groups import sort_groups  # noqa: PLC0415

    wanted = None if shown_metrics is None else resolve_columns(project, shown_metrics)
    columns = resolve_keys(project, group_by)
    orders = resolve_order(project, selection.sort)
    keys = [column.key for column in columns if column.key is not None]
    grouping = group_selected(project, replace(selection, sort=(), limit=None), keys)
    groups = sort_groups(grouping.groups, keys, orders)
    shown = groups[: selection.limit]
    if not shown and chosen.name == "table":
        say_none(select_runs(project, replace(selection, sort=(), limit=0)), selection)
        return
    goals = grouping.goals if wanted is None else choose_metrics(grouping.goals, wanted)
    width = render.width() if wanted is None or wanted.is_change else 0
    print_groups(shown, columns, goals, chosen, project.clock(), width)
    if chosen.name == "table" and len(groups) > len(shown):
        left = len(groups) - len(shown)
        render.note(f"… and {left:,} more group{'s' if left > 1 else ''}: `--all` lists all")
    elif chosen.name != "table":
        say_cut(selection, len(shown), len(groups), "groups")
