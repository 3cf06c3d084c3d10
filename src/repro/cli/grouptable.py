"""Groups of runs, printed: each with the mean and the deviation of its metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from repro.cli import render
from repro.cli.runformats import Format, print_csv
from repro.cli.runtable import LaidColumn, lay_out, say_hidden
from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.cells import format_cells, format_statistics
from repro.model.columns import Column
from repro.model.goals import best_places
from repro.model.groups import Group
from repro.model.readable import plain_text
from repro.model.values import ABSENT, Value

_NUMBERS = ("mean", "std", "min", "max", "count")


def print_groups(
    groups: Sequence[Group],
    keys: Sequence[Column],
    goals: Mapping[str, str | None],
    chosen: Format,
    now: float,
    width: int,
) -> None:
    """Print groups as a table, as JSON or as CSV.

    Args:
        goals: Of the metrics to show, in their order.
        now: Seconds since 1970.
        width: Places for the table; 0 is no limit.

    Raises:
        UsageError: The format is for single runs.
    """
    if chosen.name == "json":
        render.json_array(_group_json(group, keys) for group in groups)
    elif chosen.name == "jsonl":
        render.json_lines(_group_json(group, keys) for group in groups)
    elif chosen.name == "csv":
        header = [f"metrics.{name}.{number}" for name in goals for number in _NUMBERS]
        titles = [column.title for column in keys]
        print_csv([*titles, "runs", *header], [_exact(group, list(goals)) for group in groups])
    elif chosen.name == "table":
        _print_table(groups, keys, goals, now, width)
    else:
        raise UsageError(
            f"`--{chosen.name}` is of single runs, not of groups",
            hint="groups are a table, `--json`, `--jsonl` or `--csv`",
        )


def _group_json(group: Group, keys: Sequence[Column]) -> dict[str, Json]:
    values = zip(keys, group.values, strict=True)
    return {
        "group": {column.title: value for column, value in values if value is not ABSENT},
        "runs": list(group.runs),
        "metrics": {name: asdict(numbers) for name, numbers in group.metrics.items()},
    }


def _exact(group: Group, metrics: Sequence[str]) -> list[str]:
    cells = [*map(plain_text, group.values), str(len(group.runs))]
    for name in metrics:
        found = group.metrics.get(name)
        numbers = [None if found is None else getattr(found, number) for number in _NUMBERS]
        cells += ["" if number is None else plain_text(number) for number in numbers]
    return cells


def _print_table(
    groups: Sequence[Group],
    keys: Sequence[Column],
    goals: Mapping[str, str | None],
    now: float,
    width: int,
) -> None:
    columns = []
    for place, column in enumerate(keys):
        cells = format_cells([group.values[place] for group in groups], column.key, now)
        is_twice = column.title in goals and column.key is not None
        title = f"{column.key.space}.{column.title}" if is_twice and column.key else column.title
        columns.append(LaidColumn(title, cells.texts, cells.is_right))
    columns.append(LaidColumn("runs", [f"{len(group.runs):,}" for group in groups], is_right=True))
    for name, goal in goals.items():
        means = [_mean(group, name) for group in groups]
        texts = [
            format_statistics(name, group.metrics.get(name), len(group.runs)) for group in groups
        ]
        best = best_places(means, goal)
        columns.append(LaidColumn(name, texts, is_right=True, best=best))
    table, n_shown = lay_out(columns, width=width)
    render.out(table)
    render.flush()
    say_hidden([column.title for column in columns[n_shown:]], "--columns")


def _mean(group: Group, metric: str) -> Value:
    found = group.metrics.get(metric)
    return ABSENT if found is None or found.mean is None else found.mean
