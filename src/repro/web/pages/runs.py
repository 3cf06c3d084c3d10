"""The runs as a table."""

from starlette.requests import Request
from starlette.responses import Response

from repro.core.query import list_runs
from repro.web.rendering import page, site_of


def show_runs(request: Request) -> Response:
    """A page of the runs that fit the filter in the address."""
    project = site_of(request).project
    listing = list_runs(project, where=request.query_params.get("q", ""), limit=50)
    return page(request, "runs.html", {"title": "Runs", "listing": listing})
