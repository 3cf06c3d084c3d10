"""Runs printed for programs: JSON, CSV, lines; each run as soon as it is there."""

import csv
import functools
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import click

from repro.cli import render
from repro.cli.context import given_one
from repro.core.query import run_json
from repro.model.columns import TAGS, Column, field_column, name_params
from repro.model.condition import Key, Space
from repro.model.readable import plain_text
from repro.model.run import Record
from repro.model.text import escape

_FIELDS = ("id", "name", "status", "created", "duration")  # of a CSV table

_OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="Print as a JSON array."),
    click.option("--jsonl", "as_lines", is_flag=True, help="Print as JSON, one a line."),
    click.option("--csv", "as_csv", is_flag=True, help="Print as CSV, values exactly."),
    click.option(
        "--porcelain", is_flag=True,
        help="One line a run for programs: id, status, created, seconds, name, tags, by tabs.",
    ),
    click.option(
        "-z", "nul", is_flag=True, help="As --porcelain, lines end in NUL; with --format, too."
    ),
    click.option(
        "--format", "template", metavar="FORMAT",
        help="One line a run, such as '%(id:short) %(config.lr) %(loss:.3f)'; %% is a percent"
        " sign, %xx a byte.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """How runs are to be printed.

    Attributes:
        name: `table`, `json`, `jsonl`, `csv`, `porcelain` or `format`.
        template: Of `format`.
        end: Of a line of `porcelain` and `format`.
    """

    name: str
    template: str
    end: bytes


def takes_format(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the options for formats, as its argument `chosen`."""

    @functools.wraps(function)
    def with_format(
        *args: Any,
        as_json: bool,
        as_lines: bool,
        as_csv: bool,
        porcelain: bool,
        nul: bool,
        template: str | None,
        **others: Any,
    ) -> Any:
        option = given_one(
            {
                "--json": as_json,
                "--jsonl": as_lines,
                "--csv": as_csv,
                "--porcelain": porcelain,
                "-z": nul and template is None and not porcelain,
                "--format": template is not None,
            }
        )
        name = {None: "table", "-z": "porcelain"}.get(option) or str(option).removeprefix("--")
        chosen = Format(name, template or "", b"\0" if nul else b"\n")
        return function(*args, chosen=chosen, **others)

    command: Callable[..., Any] = with_format
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def print_json(records: Iterable[Record]) -> None:
    """Print runs as a JSON array."""
    render.json_array(run_json(record) for record in records)


def print_json_lines(records: Iterable[Record]) -> None:
    """Print runs as JSON, one a line."""
    render.json_lines(run_json(record) for record in records)


def print_porcelain(records: Iterable[Record], end: bytes) -> None:
    """Print a line a run: id, status, created, seconds, name, tags, separated by tabs."""
    for record in records:
        run = record.run
        spent = "" if run.duration_s is None else repr(run.duration_s)
        fields = [run.id, run.status.value, run.created, spent, run.name or "", ",".join(run.tags)]
        render.raw("\t".join(map(escape, fields)).encode() + end)


def csv_columns(records: Iterable[Record]) -> list[Column]:
    """The columns of a CSV table of runs: a few fields, all params and metrics that they have."""
    params, metrics = name_params(records)
    return [
        *map(field_column, _FIELDS),
        Column("tags", TAGS),
        *(Column(f"config.{name}", Key(Space.CONFIG, name)) for name in params),
        *(Column(f"metrics.{name}", Key(Space.METRIC, name)) for name in metrics),
    ]


def print_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as RFC 4180 has it; on a terminal, what that would obey is escaped."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    is_shown = render.width() > 0
    for row in chain([header], rows):
        writer.writerow(map(escape, row) if is_shown else row)
        render.raw(buffer.getvalue().encode(errors="backslashreplace"))
        buffer.seek(0)
        buffer.truncate()


def print_runs_csv(records: Iterable[Record], columns: Sequence[Column]) -> None:
    """Print runs as CSV, values exactly."""
    print_csv(
        [column.title for column in columns],
        ([plain_text(column.value(record)) for column in columns] for record in records),
    )
