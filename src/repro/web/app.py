"""The application: the routes behind the guard, and every failure as a page."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from repro.errors import (
    AmbiguousRunError,
    BusyRepositoryError,
    ConflictError,
    FilterError,
    InvalidInputError,
    ReproError,
    UnknownRunError,
    UsageError,
)
from repro.web.guard import Guard
from repro.web.rendering import FRAGMENT, page
from repro.web.routes import ROUTES
from repro.web.site import Site

_STATUS: tuple[tuple[type[ReproError], int], ...] = (
    (UnknownRunError, 404),
    (AmbiguousRunError, 404),
    (ConflictError, 409),
    (BusyRepositoryError, 409),
    (UsageError, 400),
    (InvalidInputError, 400),
)


def make_app(site: Site) -> Starlette:
    """Give the application that shows the record of `site`."""
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(Guard, site=site)],
        exception_handlers={ReproError: _say_error, HTTPException: _say_http},
    )
    app.state.site = site
    return app


def _say_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ReproError)
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return _answer(request, status, error)


def _say_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(request, error.status_code, ReproError(error.detail))


def _answer(request: Request, status: int, error: ReproError) -> Response:
    """An error as the asker reads it: a page, a block of one, or JSON."""
    if request.headers.get(FRAGMENT) is not None:
        hint = f" ({error.hint})" if error.hint else ""
        return PlainTextResponse(error.message + hint, status_code=status)
    if "text/html" in request.headers.get("accept", ""):
        return page(request, "error.html", {"error": error, "status": status}, status=status)
    value = {"error": error.slug, "message": error.message, "hint": error.hint}
    if isinstance(error, FilterError):
        value |= {"text": error.text, "start": error.start, "end": error.end}  # type: ignore[dict-item]
    return JSONResponse(value, status_code=status)
