"""`repro best`: the runs that are best in a metric."""

import shlex
from collections.abc import Mapping, Sequence

import click

from repro.cli import render
from repro.cli.completing import complete_metrics
from repro.cli.context import given_one, open_here
from repro.cli.numbers import WholeNumber
from repro.cli.runtable import describe_constants, lay_column, lay_out, say_hidden
from repro.cli.selection import WHERE, say_problems
from repro.core.best import Best, find_best
from repro.core.query import run_json
from repro.model.cells import format_cell, format_metric
from repro.model.columns import Column, KeyChoice, choose_keys, field_column, title_keys
from repro.model.config import flatten_config
from repro.model.lookup import look_up
from repro.model.objective import Goal
from repro.model.readable import count_runs, format_age, format_duration, format_value
from repro.model.run import describe_status
from repro.model.text import escape

_MOST_ROWS = 100  # params of one run; `repro show` has all
_GOALS: Mapping[str | None, Goal | None] = {"--min": "minimize", "--max": "maximize", None: None}
_EXTREMES = {"minimize": "the smallest", "maximize": "the largest"}


@click.command()
@click.argument("metric", metavar="METRIC", shell_complete=complete_metrics)
@WHERE
@click.option("--min", "smallest", is_flag=True, help="A small value is better.")
@click.option("--max", "largest", is_flag=True, help="A large value is better.")
@click.option(
    "-n", "number", type=WholeNumber(min=0), metavar="N",
    help="The best N runs as a table; 0 is all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON; an array with -n.")
@click.option("--porcelain", is_flag=True, help="One line a run for programs: id, TAB, value.")
def best(
    metric: str,
    where: str,
    number: int | None,
    *,
    smallest: bool,
    largest: bool,
    as_json: bool,
    porcelain: bool,
) -> int:
    """Show the run with the best value of METRIC, the last one that it logged.

    METRIC.min, METRIC.max and the like are those of all its values. What is better is what the
    runs set with define_metric, or --min or --max; it is never guessed. Of equal runs the
    newest is shown; NaN, infinities and runs that were pruned are never best. Exits with 1 where
    no run fits.
    """
    given_one({"--json": as_json, "--porcelain": porcelain})
    project = open_here()
    goal = _GOALS[given_one({"--min": smallest, "--max": largest})]
    limit = 1 if number is None else number or None
    found = find_best(project, metric, where=where, goal=goal, limit=limit)
    say_problems(found.problems)
    if as_json:
        values = [run_json(record) for record in found.records]
        if number is not None or values:
            render.data_json(values if number is not None else values[0])
    elif porcelain:
        for record in found.records:
            value = look_up(record, found.key)
            render.out(f"{record.run.id}\t{_exact(value)}")
    elif number is not None and found.records:
        _print_table(found, project.clock())
    elif found.records:
        _print_run(found, project.clock())
    if found.n_broken:
        which = f"repro: passed over {count_runs(found.n_broken)}"
        render.note(f"{which} with NaN or an infinity as `{escape(metric)}`")
    if found.n_pruned:
        was = "was" if found.n_pruned == 1 else "were"
        render.note(f"repro: passed over {count_runs(found.n_pruned)} that {was} pruned")
    if not found.records:
        _say_none(found, metric)
        return 1
    return 0


def _exact(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _say_none(found: Best, metric: str) -> None:
    if not found.total:
        render.note("no runs yet: `repro run -- CMD` records one")
    else:
        runs = count_runs(found.total)
        render.note(f"none of the {runs} fits and has a finite number as `{escape(metric)}`")


def _print_run(found: Best, now: float) -> None:
    [record] = found.records
    run = record.run
    short = found.short[run.id]
    [title] = title_keys([found.key])
    value = format_cell(title.value(record), found.key, now)
    among = (
        f", {_EXTREMES[found.goal]} of {count_runs(found.n_fitting)}" if found.n_fitting > 1 else ""
    )
    spent = "" if run.duration_s is None else f" in {format_duration(run.duration_s)}"
    rows = [
        ["run", f"{short} ({run.name})" if run.name else short],
        [title.title, f"{value}{among}"],
        ["status", f"{describe_status(run)}{spent}, {format_age(run.created, now)}"],
        ["command", shlex.join(run.command)],
    ]
    if run.tags:
        rows.append(["tags", ", ".join(run.tags)])
    params = flatten_config(record.config)
    rows += section("config", [(key, format_value(value)) for key, value in params.items()])
    others = [(name, m.last) for name, m in record.metrics.items() if name != found.key.name]
    rows += section("metrics", [(name, format_metric(name, last)) for name, last in others])
    render.out(render.columns(rows))


def section(title: str, entries: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The rows of a table that name some values below a title; none where there are none."""
    if not entries:
        return []
    rows = [[title], *([f"  {key}", text] for key, text in entries[:_MOST_ROWS])]
    if len(entries) > _MOST_ROWS:
        rows.append([f"  … and {len(entries) - _MOST_ROWS} more"])
    return rows


def _print_table(found: Best, now: float) -> None:
    choice = choose_keys(found.records)
    columns = _columns(found, choice)
    laid = [lay_column(column, found.records, found.short, now) for column in columns]
    table, n_shown = lay_out(laid, width=render.width())
    render.out(table)
    render.flush()
    say_hidden([column.title for column in columns[n_shown:]], "repro ls --columns")
    if choice.constant:
        render.note(describe_constants(choice.constant, len(found.records)))
    if len(found.records) < found.n_fitting:
        render.note(f"… of {count_runs(found.n_fitting)}")


def _columns(found: Best, choice: KeyChoice) -> list[Column]:
    """What the runs are best in comes first, then what tells them apart."""
    metrics = [key for key in choice.metrics if key != found.key]
    names = ["id", "name"] if any(record.run.name for record in found.records) else ["id"]
    usual = sorted((*choice.params, *metrics), key=choice.minor.__contains__)
    first, *others = title_keys([found.key, *usual], choice.minor - {found.key})
    return [*map(field_column, names), first, *map(field_column, ("status", "created")), *others]
