"""Runs compared: side by side, as curves, among their params."""

from starlette.requests import Request
from starlette.responses import Response

from repro.errors import FilterError
from repro.model.caret import point_at
from repro.web.comparison import Comparison
from repro.web.rendering import FRAGMENT, page


def show_compare(request: Request) -> Response:
    """The runs that `run` names, in that order, and those that fit `q`.

    Where there are none, or the filter is wrong, a form for another filter.
    """
    view = Comparison(request)
    try:
        ids = view.compared.ids
    except FilterError as error:
        if request.headers.get(FRAGMENT) is not None:
            raise
        lines = point_at(error.text, error.start, error.end)
        return _ask(request, {"error": error, "lines": lines})
    if not ids:
        return _ask(request, {"error": None})
    title = f"Compare {len(ids):,} run{'s' if len(ids) > 1 else ''}"
    return page(request, "compare.html", {"title": title, "view": view})


def _ask(request: Request, values: dict[str, object]) -> Response:
    known = {"title": "Compare runs", "where": request.query_params.get("q"), **values}
    return page(request, "compare_none.html", known)
