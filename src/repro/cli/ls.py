"""`repro ls`, `repro log`: runs as a table, runs one below the other."""

from collections.abc import Iterator, Sequence

import click

from repro.cli import render
from repro.cli.context import open_here
from repro.core.query import Listing, describe_problem, list_runs, run_json
from repro.model.columns import (
    Column,
    choose_columns,
    field_column,
    find_column,
    sort_records,
)
from repro.model.readable import format_age, format_duration, format_value
from repro.model.run import Record, Status
from repro.model.text import escape

_WHEN_NARROW = ("field", "metric", "config")
_STATUSES = [status.value for status in Status]

_limit = click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, metavar="N",
    help="At most N runs; 0 is all.",
)  # fmt: skip
_status = click.option("--status", type=click.Choice(_STATUSES), help="Only runs that ended so.")
_tag = click.option("--tag", "-t", metavar="TAG", help="Only runs with this tag.")
_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.command()
@_limit
@_status
@_tag
@click.option(
    "--sort", "sort_key", metavar="KEY",
    help="Sort by a field, param or metric, ascending; -KEY descending. Newest first without it.",
)  # fmt: skip
@click.option(
    "--columns", metavar="KEY,…", help="Columns behind the id: fields, params or metrics."
)
@_json
@click.option(
    "--porcelain", is_flag=True,
    help="One line a run for programs: id, status, created, seconds, name, tags, by tabs.",
)  # fmt: skip
@click.option("-z", "nul", is_flag=True, help="As --porcelain, lines end in NUL.")
def ls(
    limit: int,
    status: str | None,
    tag: str | None,
    sort_key: str | None,
    columns: str | None,
    *,
    as_json: bool,
    porcelain: bool,
    nul: bool,
) -> None:
    """List runs as a table, newest first.

    Params that differ between the runs stand first, then metrics (their last values).
    """
    project = open_here()
    wanted = None if limit == 0 or sort_key else limit
    listing = list_runs(project, limit=wanted, status=status, tag=tag)
    _say_problems(listing)
    records = _sorted(listing.records, sort_key)[: limit or None]
    if as_json:
        render.data_json([run_json(record) for record in records])
    elif porcelain or nul:
        for record in records:
            render.raw(_porcelain(record) + (b"\0" if nul else b"\n"))
    elif not records:
        _say_none(listing, status=status, tag=tag)
    else:
        table, hidden = _table(records, listing, columns, project.clock())
        render.out(table)
        if hidden:
            named = ",".join(hidden[:3])
            render.note(f"… no room for {len(hidden)} columns: `repro ls --columns {named}`")
        if limit and len(records) == limit < listing.total and not (status or tag):
            render.note(f"… and {listing.total - limit:,} more: `repro ls --limit 0` lists all")


def _say_problems(listing: Listing) -> None:
    for problem in listing.problems:
        render.note(f"repro: warning: {escape(describe_problem(problem))}")


def _say_none(listing: Listing, *, status: str | None, tag: str | None) -> None:
    if listing.total and (status or tag):
        render.note(f"none of the {listing.total:,} runs fits")
    elif not listing.total:
        render.note("no runs yet: `repro run -- CMD` records one")


def _sorted(records: list[Record], key: str | None) -> list[Record]:
    if not key:
        return records
    column = find_column(records, key.removeprefix("-"))
    return sort_records(records, column, descending=key.startswith("-"))


def _porcelain(record: Record) -> bytes:
    run = record.run
    spent = "" if run.duration_s is None else repr(run.duration_s)
    fields = [run.id, run.status.value, run.created, spent, run.name or "", ",".join(run.tags)]
    return "\t".join(map(escape, fields)).encode()


def _table(
    records: Sequence[Record], listing: Listing, chosen: str | None, now: float
) -> tuple[str, list[str]]:
    """The table, and the titles of the columns that a narrow terminal has no room for."""
    columns = _columns(records, chosen)
    rows = [[_cell(column, record, listing, now) for column in columns] for record in records]
    table = [[column.title for column in columns], *rows]
    width = 0 if chosen is not None else render.width()
    if _fitting(table, width) < len(columns):
        # Metrics come before params then: what came out is what is looked for.
        order = sorted(range(len(columns)), key=lambda n: _WHEN_NARROW.index(columns[n].kind))
        table = [[row[n] for n in order] for row in table]
    shown = _fitting(table, width)
    return render.columns([row[:shown] for row in table]), table[0][shown:]


def _columns(records: Sequence[Record], chosen: str | None) -> list[Column]:
    if chosen is not None:
        keys = [key.strip() for key in chosen.split(",") if key.strip()]
        return [field_column("id"), *(find_column(records, key) for key in keys)]
    fields = ["id", "name", "status", "created", "duration"]
    if not any(record.run.name for record in records):
        fields.remove("name")
    return [*map(field_column, fields), *choose_columns(records)]


def _cell(column: Column, record: Record, listing: Listing, now: float) -> str:
    run = record.run
    if column.kind == "field" and column.title == "id":
        return listing.short.get(run.id, run.id)
    if column.kind == "field" and column.title == "created":
        return format_age(run.created, now)
    if column.kind == "field" and column.title == "duration":
        return format_duration(run.duration_s)
    return format_value(column.value(record))


def _fitting(table: Sequence[Sequence[str]], width: int) -> int:
    """How many columns fit into a terminal; all of them where the output goes elsewhere."""
    if not width:
        return len(table[0])
    used = 0
    for position, column in enumerate(zip(*table, strict=True)):
        used += max(render.places(escape(cell)) for cell in column)
        if used > width:
            return max(position, 1)
        used += len(render.GAP)
    return len(table[0])


@click.command()
@_limit
@_status
@_tag
@click.option("--oneline", is_flag=True, help="One line a run.")
@_json
def log(limit: int, status: str | None, tag: str | None, *, oneline: bool, as_json: bool) -> None:
    """Show runs one below the other, newest first, as git log does."""
    project = open_here()
    listing = list_runs(project, limit=limit or None, status=status, tag=tag)
    _say_problems(listing)
    if as_json:
        render.data_json([run_json(record) for record in listing.records])
    elif not listing.records:
        _say_none(listing, status=status, tag=tag)
    elif oneline:
        render.page("\n".join(_line(record, listing) for record in listing.records))
    else:
        entries = ("\n".join(_entry(record, listing)) for record in listing.records)
        render.page("\n\n".join(entries))


def _line(record: Record, listing: Listing) -> str:
    run = record.run
    title = run.name or " ".join(run.command)
    short = render.colour(listing.short.get(run.id, run.id), "yellow")
    return f"{short} {escape(title)} ({run.status.value}){_metrics_text(record, ': ')}"


def _entry(record: Record, listing: Listing) -> Iterator[str]:
    run = record.run
    name = f" ({escape(run.name)})" if run.name else ""
    yield render.colour(f"run {listing.short.get(run.id, run.id)}{name}", "yellow")
    spent = f" in {format_duration(run.duration_s)}" if run.duration_s is not None else ""
    yield f"Status:  {run.status.value}{spent}"
    yield f"Date:    {run.created[:19].replace('T', ' ')} UTC"
    yield f"Command: {escape(' '.join(run.command))}"
    where = f" on {escape(run.branch)}" if run.branch else ""
    if run.snapshot:
        yield f"Code:    {run.snapshot[:10]}{where}{', uncommitted changes' if run.dirty else ''}"
    if run.tags:
        yield f"Tags:    {escape(', '.join(run.tags))}"
    if record.metrics:
        yield f"Metrics: {_metrics_text(record)}"
    if run.note:
        yield ""
        yield from (f"    {escape(line)}" for line in run.note.splitlines())


def _metrics_text(record: Record, before: str = "") -> str:
    listed = (f"{escape(name)} {format_value(m.last)}" for name, m in record.metrics.items())
    text = ", ".join(listed)
    return before + text if text else ""
