"""Ways to go on with a filter, as JSON for the box that it is typed in."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from repro.core.suggest import complete_at
from repro.errors import ReproError
from repro.web.naming import number_of, project_of

_CALLED = {"config": "param", "metrics": "metric", "names": "names …"}  # what is called otherwise
_LONGEST = 10_000  # characters of a filter that somebody types


def give_words(request: Request) -> Response:
    """`{"words": [{"text", "what", "start"}]}` for the filter `q` with the cursor behind `at`.

    Places are counted in characters. Where nothing can be offered now, nothing is.
    """
    text = request.query_params.get("q", "")[:_LONGEST]
    at = number_of(request.query_params.get("at"))
    cursor = len(text) if at is None else at
    try:
        found = complete_at(project_of(request), text, cursor)
    except ReproError:
        found = []
    words = [{**asdict(one), "what": _CALLED.get(one.what, one.what)} for one in found]
    return JSONResponse({"words": words})
