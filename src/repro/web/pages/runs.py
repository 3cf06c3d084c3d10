"""The runs as a table."""

from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from repro.core.advance import read_progress
from repro.core.groupnames import list_group_names
from repro.core.known import describe_problem
from repro.core.project import Project
from repro.core.table import read_table
from repro.core.tableview import TableColumn, TableView, word_of
from repro.errors import FilterError, UsageError
from repro.model.caret import point_at
from repro.model.condition import STATISTICS
from repro.model.progress import Progress
from repro.model.readable import format_value, shorten
from repro.web.filterexamples import give_examples
from repro.web.groupstable import lay_groups
from repro.web.naming import project_of
from repro.web.pagelinks import link_pages
from repro.web.rendering import page
from repro.web.runstable import lay_table
from repro.web.runsview import HIDEABLE, PER_PAGE, RunsView, read_view, write_pins

_TEMPLATE = "runs.html"
_PANEL = "panel"  # the parameter that opens the list of columns
_IN_EACH_ROW = ("tags", "note")
_MOST_OFFERED = 500  # columns in a list to choose from


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a wish.

    Attributes:
        lines: The text with a line of carets under it; None where there is no place in it.
        is_at_end: Whether it may be right once more of the filter is typed.
    """

    error: UsageError
    lines: tuple[str, str] | None
    is_at_end: bool


def show_runs(request: Request) -> Response:
    """A page of the runs that fit the filter in the address; a wrong one is pointed at."""
    view = RunsView(where=request.query_params.get("q", ""))
    try:
        view = read_view(request.query_params)
        table = read_table(project_of(request), view.wish)
    except UsageError as error:
        values = _values(request, view) | {"wrong": _point_at(error, view)}
        return page(request, _TEMPLATE, values, instead="wrong")
    return page(request, _TEMPLATE, _values(request, view) | _show(request, view, table))


def _values(request: Request, view: RunsView) -> dict[str, Any]:
    return {
        "title": "Runs",
        "view": view,
        "pins": write_pins(view.pins),
        "wrong": None,
        "table": None,
        "grouped_by": [],
        "examples": give_examples(None),
        "is_panel": request.query_params.get(_PANEL) == "columns",
    }


def _show(request: Request, view: RunsView, table: TableView) -> dict[str, Any]:
    project = project_of(request)
    now = project.clock()
    is_grouped = table.groups is not None
    laid = None if is_grouped else lay_table(table, view, _progress(project, table), now)
    n_rows = table.n_groups if is_grouped else table.matching
    return {
        "table": table,
        "laid": laid,
        "grouped": is_grouped,
        "shown": [
            _list_shown(one) for one in (laid.columns if laid else table.columns[table.n_keys :])
        ],
        "hideable": HIDEABLE,
        "with_metrics": ",".join(
            filter(None, [view.columns or "+metrics.*", view.columns and "metrics.*"])
        ),
        "groups": lay_groups(table, view, now) if is_grouped else None,
        "n_rows": n_rows,
        "pages": link_pages(view, n_rows),
        "per_page": PER_PAGE,
        "problems": [describe_problem(problem) for problem in table.problems],
        "constant": [(shorten(key.name), format_value(value)) for key, value in table.constant],
        "grouped_by": list_group_names(project),
        "offered": [one for one in table.hidden if one.word not in _IN_EACH_ROW],
        "examples": give_examples(table),
        "statistics": [name for name in STATISTICS if name != "last"],
        "most_offered": _MOST_OFFERED,
    }


def _progress(project: Project, table: TableView) -> dict[str, Progress]:
    return read_progress(project, [row.id for row in table.rows if row.status == "running"])


@dataclass(frozen=True, slots=True)
class Shown:
    """A column that is shown, in the list to choose from.

    Attributes:
        bare: Its word without the number of a metric that it is.
    """

    word: str
    title: str
    space: str
    bare: str
    statistic: str


def _list_shown(column: TableColumn) -> Shown:
    key = column.key
    if key is None:
        return Shown(column.word, column.title, "", column.word, "last")
    bare = replace(key, statistic="last")
    title = column.title if key == bare else column.title.removesuffix(f".{key.statistic}")
    return Shown(column.word, title, str(key.space), word_of(bare), key.statistic)


def _point_at(error: UsageError, view: RunsView) -> Wrong:
    if not isinstance(error, FilterError):
        return Wrong(error, None, is_at_end=False)
    is_at_end = error.text == view.where and error.end >= len(error.text.rstrip())
    return Wrong(error, point_at(error.text, error.start, error.end), is_at_end)
