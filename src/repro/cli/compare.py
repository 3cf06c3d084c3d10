"""`repro compare`: dozens of runs side by side."""

from collections import Counter
from collections.abc import Iterator, Sequence

import click

from repro.cli import render
from repro.cli.besideoptions import takes_baseline, takes_limit, takes_where
from repro.cli.completing import complete_metrics
from repro.cli.context import RUN, given_one, open_here
from repro.cli.runformats import print_csv
from repro.core.project import Project
from repro.core.query import list_runs
from repro.core.sidebyside import SideBySide, lay_side_by_side, side_by_side_json
from repro.errors import UsageError
from repro.model.readable import count_of, format_duration, plain_text
from repro.model.rowtext import describe_difference, is_numeric, row_texts, row_titles
from repro.model.run import describe_status
from repro.model.sidebyside import PARTS, Row
from repro.model.text import escape

_MOST_RUNS = 50  # taken of those that fit a filter
_MOST_COLUMNS = 8  # runs that stand as columns where there is no terminal to measure
_MOST_AROUND = 20  # rows of one part of the surroundings: an upgrade changes many at once
_AROUND = ("environment", "hardware", "randomness")
_BEST = "*"


@click.command()
@click.argument("names", type=RUN, nargs=-1, metavar="RUN...")
@takes_where
@takes_limit(_MOST_RUNS)
@takes_baseline
@click.option(
    "--all", "everything", is_flag=True,
    help="Also what is the same in all of them, and what follows from their seeds.",
)  # fmt: skip
@click.option(
    "--importance", metavar="METRIC", shell_complete=complete_metrics,
    help="Say instead which params go with METRIC; over all runs if none is named.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print as CSV, a line a run.")
def compare(
    names: tuple[str, ...],
    where: str,
    limit: int,
    baseline: str | None,
    importance: str | None,
    *,
    everything: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show what differs between runs, side by side.

    Runs are columns where they fit into the terminal, else lines. Metrics are their last
    values, with the difference to the first run, and * at the best one by its goal. Runs with
    the same code share a letter; beside it is how many files differ from those of the first.
    """
    given_one({"--json": as_json, "--csv": as_csv})
    project = open_here()
    if importance is not None:
        # Here, for it is another question, which few ask.
        from repro.cli.importance import print_importance  # noqa: PLC0415

        if as_csv or everything or baseline is not None:
            raise UsageError(
                "`--importance` compares no values",
                hint="it goes with runs, `--where` and `--json`",
            )
        print_importance(project, importance, names, where=where, as_json=as_json)
        return
    found = _find(project, names, where, limit, baseline)
    for problem in found.problems:
        render.note(f"repro: warning: {escape(problem)}")
    if as_json:
        render.data_json(side_by_side_json(found, with_equal=everything))
    elif as_csv:
        _print_csv(found, everything=everything)
    else:
        _print(found, everything=everything)


def _find(
    project: Project, names: Sequence[str], where: str, limit: int, baseline: str | None
) -> SideBySide:
    if not where:
        return lay_side_by_side(project, names, baseline=baseline)
    listing = list_runs(project, where=where, limit=limit or None)
    chosen = [record.run.id for record in listing.records]
    if len(chosen) < listing.matching:
        left = listing.matching - len(chosen)
        render.note(f"… and {left:,} more fit: `--limit 0` compares all of them")
    return lay_side_by_side(project, names, chosen=chosen, baseline=baseline)


def _print(found: SideBySide, *, everything: bool) -> None:
    rows = [row for row in found.rows if everything or row.tells]
    width, hidden, is_cut = render.width(), 0, False
    table = _upright(found, rows, everything=everything, with_differences=True)
    if width and _width(table) > width:
        is_cut = any(row.part == "metrics" for row in rows)
        table = _upright(found, rows, everything=everything, with_differences=False)
    fits = _width(table) <= width if width else len(found.records) <= _MOST_COLUMNS
    if fits:
        text = render.columns(table)
    else:
        text, hidden = _lie(found, rows, width)
    equal = _equal(found)
    follows = sum(row.follows for row in found.rows)
    if equal and not everything:
        text += "\n" + render.colour(f"equal: {equal}", "dim")
    if follows and not everything:
        text += "\n" + render.colour(
            f"no difference of its own: randomness ({follows}), in `--all`", "dim"
        )
    if any(row.best() for row in rows):
        text += "\n" + render.colour(f"{_BEST} best by its goal", "dim")
    render.page(text)
    if hidden:
        render.flush()
        columns = count_of(hidden, "column")
        render.note(
            f"… no room for {columns}: `--csv` has all, `--json` differences of metrics, too"
        )
    elif is_cut and fits:
        render.flush()
        render.note("… no room for the differences of metrics: `--json` has them")


def _upright(
    found: SideBySide, rows: Sequence[Row], *, everything: bool, with_differences: bool
) -> list[list[str]]:
    """A column a run, a heading for each part."""
    shown = [[""] + [found.short[one.run.id] for one in found.records]]
    shown += [[title, *cells] for title, cells in _facts(found)]
    for part in PARTS:
        of_part = [row for row in rows if row.part == part]
        most = len(of_part) if everything or part not in _AROUND else _MOST_AROUND
        if of_part and part != "code":
            shown.append([part])
        for row in of_part[:most]:
            title = "code" if part == "code" else f"  {escape(row.key)}"
            shown.append([title, *_cells(row, with_differences=with_differences)])
        if len(of_part) > most:
            shown.append([f"  … {len(of_part) - most} more: `--all`"])
    return shown


def _lie(found: SideBySide, rows: Sequence[Row], width: int) -> tuple[str, int]:
    """A line a run, and how many columns a terminal has no room for.

    Results come first and surroundings last; on a narrow terminal all parts have their share.
    """
    columns = [("", [found.short[one.run.id] for one in found.records])]
    columns += _facts(found)
    first = len(columns)
    columns += zip(row_titles(rows), map(_cells, rows), strict=True)
    widths = [max(map(render.places, (title, *cells))) for title, cells in columns]
    kept = set(range(len(columns)))
    if width:
        kept, left = set(), width
        for place in [*range(first), *(first + place for place in _by_turns(rows))]:
            if not place or widths[place] <= left:
                kept.add(place)
                left -= widths[place] + len(render.GAP)
    shown = [column for place, column in enumerate(columns) if place in kept]
    lines = [list(line) for line in zip(*([title, *cells] for title, cells in shown), strict=True)]
    numbers = {first + place for place, row in enumerate(rows) if is_numeric(row)}
    right = {n for n, place in enumerate(sorted(kept)) if place in numbers}
    return render.columns(lines, right=right), len(columns) - len(shown)


def _by_turns(rows: Sequence[Row]) -> list[int]:
    """The places of rows: one of each part by turns, the surroundings behind all others."""
    seen: Counter[str] = Counter()
    ranks = []
    for place, row in enumerate(rows):
        ranks.append((row.part in _AROUND, seen[row.part], place))
        seen[row.part] += 1
    return [place for _, _, place in sorted(ranks)]


def _facts(found: SideBySide) -> Iterator[tuple[str, list[str]]]:
    runs = [one.run for one in found.records]
    if any(run.name for run in runs):
        yield "name", [escape(run.name or "-") for run in runs]
    if len({run.status for run in runs}) > 1:
        yield "status", [describe_status(run) for run in runs]
    yield "duration", [format_duration(run.duration_s) for run in runs]


def _cells(row: Row, *, with_differences: bool = False) -> list[str]:
    if row.part != "metrics":
        return row_texts(row)
    best = row.best()
    cells = [text + (_BEST if n in best else "") for n, text in enumerate(row_texts(row))]
    if not with_differences:
        return [cell if not best or n in best else f"{cell} " for n, cell in enumerate(cells)]
    start = row.values[0]
    pairs = zip(cells, row.differences(), strict=True)
    return [
        cell + (describe_difference(row.key, change, start) if change else "")
        for cell, change in pairs
    ]


def _equal(found: SideBySide) -> str:
    """What all of them share, counted by part."""
    same = [row.part for row in found.rows if not row.differs]
    counts = [(part, same.count(part)) for part in PARTS if part in same]
    return ", ".join(part if part == "code" else f"{part} ({count})" for part, count in counts)


def _width(table: Sequence[Sequence[str]]) -> int:
    widths: list[int] = []
    for line in table:
        for position, cell in enumerate(line):
            if position == len(widths):
                widths.append(0)
            widths[position] = max(widths[position], render.places(cell))
    return sum(widths) + len(render.GAP) * (len(widths) - 1)


def _print_csv(found: SideBySide, *, everything: bool) -> None:
    rows = [row for row in found.rows if everything or row.tells]
    titles = ["code" if row.part == "code" else f"{row.part}.{row.key}" for row in rows]
    lines = []
    for n, record in enumerate(found.records):
        run = record.run
        spent = "" if run.duration_s is None else repr(run.duration_s)
        facts = [run.id, run.name or "", run.status.value, run.created, spent]
        lines.append([*facts, *(plain_text(row.values[n]) for row in rows)])
    print_csv(["id", "name", "status", "created", "duration_s", *titles], lines)
