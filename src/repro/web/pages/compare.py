"""Runs compared: side by side, as curves, among their params."""

from starlette.requests import Request
from starlette.responses import Response

from repro.web.comparison import Comparison
from repro.web.rendering import page


def show_compare(request: Request) -> Response:
    """The runs that `run` names, in that order, and those that fit `q`."""
    view = Comparison(request)
    title = "Compare runs" if view.is_empty else f"Compare {len(view.compared.ids):,} runs"
    return page(request, "compare.html", {"title": title, "view": view})
