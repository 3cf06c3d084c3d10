"""`repro log`: runs one below the other, as git log shows commits."""

import shlex
from collections.abc import Iterator

import click

from repro.cli import render
from repro.cli.context import open_here
from repro.cli.runformats import print_json
from repro.cli.selection import (
    Selection,
    say_cut,
    say_more,
    say_none,
    select_runs,
    takes_selection,
)
from repro.core.query import Listing
from repro.model.cells import format_metric
from repro.model.readable import format_duration
from repro.model.run import Record, describe_status
from repro.model.text import escape


@click.command()
@takes_selection
@click.option("--oneline", is_flag=True, help="One line a run.")
@click.option("--json", "as_json", is_flag=True, help="Print as a JSON array.")
def log(selection: Selection, *, oneline: bool, as_json: bool) -> None:
    """Show runs one below the other, newest first, as git log does."""
    listing = select_runs(open_here(), selection)
    if as_json:
        print_json(listing.records)
        say_cut(selection, len(listing.records), listing.matching)
    elif not listing.records:
        say_none(listing, selection)
    else:
        if oneline:
            render.page("\n".join(_line(record, listing) for record in listing.records))
        else:
            entries = ("\n".join(_entry(record, listing)) for record in listing.records)
            render.page("\n\n".join(entries))
        render.flush()
        say_more(listing, len(listing.records))


def _line(record: Record, listing: Listing) -> str:
    run = record.run
    title = run.name or " ".join(run.command)
    short = render.colour(listing.short.get(run.id, run.id), "yellow")
    return f"{short} {escape(title)} ({describe_status(run)}){_metrics_text(record, ': ')}"


def _entry(record: Record, listing: Listing) -> Iterator[str]:
    run = record.run
    name = f" ({escape(run.name)})" if run.name else ""
    yield render.colour(f"run {listing.short.get(run.id, run.id)}{name}", "yellow")
    spent = f" in {format_duration(run.duration_s)}" if run.duration_s is not None else ""
    yield f"Status:  {describe_status(run)}{spent}"
    yield f"Date:    {run.created[:19].replace('T', ' ')} UTC"
    yield f"Command: {escape(shlex.join(run.command))}"
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
    listed = (f"{escape(name)} {format_metric(name, m.last)}" for name, m in record.metrics.items())
    text = ", ".join(listed)
    return before + text if text else ""
