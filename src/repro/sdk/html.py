"""Runs as HTML for a notebook: no script, nothing loaded from elsewhere, in the page's own colours.

Nothing of a record is trusted: each text is made visible and harmless before it is put in.
"""

import html
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from repro.model.cells import format_cells
from repro.model.columns import Column, choose_keys, default_columns, title_keys
from repro.model.condition import Key, Space, Statistic
from repro.model.config import flatten_config
from repro.model.goals import agreed_goal, best_places
from repro.model.readable import format_duration, format_value
from repro.model.run import MetricSummary, Record
from repro.model.text import escape
from repro.model.values import ABSENT, Value

MOST_ROWS = 50
_MOST_COLUMNS = 40
_MOST_CONSTANTS = 30
_LEFT, _RIGHT = ' style="text-align: left"', ' style="text-align: right"'
_STATISTICS: tuple[Statistic, ...] = ("last", "min", "max", "mean", "count")


def runs_html(records: Sequence[Record], n_runs: int, now: float) -> str:
    """Give a table of runs: params that differ between them first, then metrics.

    Args:
        records: The first of them, as many as are to be shown.
        n_runs: How many there are.
        now: Seconds since 1970.
    """
    if not records:
        return "<p>no runs</p>"
    choice = choose_keys(records)
    columns = default_columns(records, choice)
    shown = columns[:_MOST_COLUMNS]
    head = "".join(f"<th{_LEFT}>{_safe(column.title)}</th>" for column in shown)
    rows = zip(*[_cells(column, records, now) for column in shown], strict=True)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div>{table}{''.join(_notes(len(records), n_runs, len(columns)))}" + (
        f"{_constants(choice.constant)}</div>"
    )


def record_html(record: Record) -> str:
    """Give what a list knows of one run: facts, config, metrics, summary, datasets."""
    run = record.run
    facts = {
        "status": run.status.value,
        "created": f"{run.created[:19].replace('T', ' ')} UTC",
        "duration": format_duration(run.duration_s),
        "command": shlex.join(run.command),
        "tags": ", ".join(run.tags),
        "note": run.note or "",
    }
    named = f" ({_safe(run.name)})" if run.name else ""
    parts = [
        f"<p><b>run <code>{_safe(run.id)}</code>{named}</b></p>",
        _pairs("", {name: fact for name, fact in facts.items() if fact}),
        _pairs("config", _values(flatten_config(record.config))),
        _metrics(record.metrics),
        _pairs("summary", _values(flatten_config(record.summary))),
        _pairs("data", _values(flatten_config(record.data))),
    ]
    return f"<div>{''.join(parts)}</div>"


def _cells(column: Column, records: Sequence[Record], now: float) -> Iterator[str]:
    values = [column.value(record) for record in records]
    cells = format_cells(values, column.key, now)
    goal = None if column.key is None else agreed_goal(records, column.key)
    best = best_places(values, goal)
    align = _RIGHT if cells.is_right else _LEFT
    for place, text in enumerate(cells.texts):
        safe = f"<b>{_safe(text)}</b>" if place in best else _safe(text)
        yield f"<td{align}>{safe}</td>"


def _notes(n_shown: int, n_runs: int, n_columns: int) -> Iterator[str]:
    if n_shown < n_runs:
        yield f"<p>… and {n_runs - n_shown:,} more runs</p>"
    if n_columns > _MOST_COLUMNS:
        yield f"<p>… and {n_columns - _MOST_COLUMNS:,} more columns</p>"


def _constants(constant: Sequence[tuple[Key, Value]]) -> str:
    if not constant:
        return ""
    titles = title_keys(key for key, _ in constant[:_MOST_CONSTANTS])
    listed = [
        f"{_safe(column.title)}={_safe(format_value(value))}"
        for column, (_, value) in zip(titles, constant, strict=False)
    ]
    more = f", and {len(constant) - len(listed)} more" if len(constant) > len(listed) else ""
    return f"<p>same in all: {', '.join(listed)}{more}</p>"


def _values(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: format_value(value) for name, value in values.items()}


def _pairs(title: str, pairs: Mapping[str, str]) -> str:
    rows = (
        f"<tr><td{_LEFT}>{_safe(name)}</td><td{_LEFT}>{_safe(value)}</td></tr>"
        for name, value in pairs.items()
    )
    return _table(title, "", rows) if pairs else ""


def _metrics(metrics: Mapping[str, MetricSummary]) -> str:
    if not metrics:
        return ""
    head = "".join(f"<th{_RIGHT}>{name}</th>" for name in _STATISTICS)
    columns = [
        format_cells(
            [_known(getattr(summary, name)) for summary in metrics.values()],
            Key(Space.METRIC, "", name),
            0.0,
        ).texts
        for name in _STATISTICS
    ]
    rows = (
        f"<tr><td{_LEFT}>{_safe(name)}</td>"
        + "".join(f"<td{_RIGHT}>{_safe(text)}</td>" for text in texts)
        + "</tr>"
        for name, texts in zip(metrics, zip(*columns, strict=True), strict=True)
    )
    return _table("metrics", f"<thead><tr><th></th>{head}</tr></thead>", rows)


def _known(value: float | None) -> Value:
    return ABSENT if value is None else value


def _table(title: str, head: str, rows: Iterable[str]) -> str:
    caption = f"<p><b>{title}</b></p>" if title else ""
    return f"{caption}<table>{head}<tbody>{''.join(rows)}</tbody></table>"


def _safe(text: str) -> str:
    return html.escape(escape(text))
