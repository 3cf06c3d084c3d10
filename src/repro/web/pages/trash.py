"""The trash: what was removed, and can be brought back."""

from starlette.requests import Request
from starlette.responses import Response

from repro.core.trash import list_trash
from repro.model.ids import shorten_ids
from repro.web.naming import number_of, project_of
from repro.web.rendering import page

_MOST = 100  # entries of a page


def show_trash(request: Request) -> Response:
    """A page of the runs and sweeps that were removed, the last one first."""
    entries, problems = list_trash(project_of(request))
    first = number_of(request.query_params.get("from")) or 0
    values = {
        "title": "Trash",
        "entries": entries[first : first + _MOST],
        "n_entries": len(entries),
        "first": first,
        "before": max(first - _MOST, 0) if first else None,
        "after": first + _MOST if first + _MOST < len(entries) else None,
        "short": shorten_ids(one.run for one in entries),
        "problems": problems,
    }
    return page(request, "trash.html", values)
