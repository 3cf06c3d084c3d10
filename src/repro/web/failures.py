"""Failures as answers: a page, a block of one, or JSON, and nothing that only programmers read."""

import logging
import traceback

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from repro.atomic import storage_errors
from repro.errors import (
    AmbiguousRunError,
    BusyRepositoryError,
    ConflictError,
    DamagedRecordError,
    FilterError,
    InvalidInputError,
    MissingDataError,
    NewerFormatError,
    ReproError,
    StorageError,
    UnknownRunError,
    UsageError,
)
from repro.model.text import escape
from repro.web.rendering import FRAGMENT, page

_STATUS: tuple[tuple[type[ReproError], int], ...] = (
    (UnknownRunError, 404),
    (AmbiguousRunError, 404),
    (MissingDataError, 404),
    (ConflictError, 409),
    (BusyRepositoryError, 409),
    (UsageError, 400),
    (InvalidInputError, 400),
    (DamagedRecordError, 422),  # which is no fault of the server: the page says what to do
    (NewerFormatError, 422),
    (StorageError, 507),
)
_log = logging.getLogger(__name__)  # without a handler, it writes what it is told on stderr


class Failures:
    """What fails behind it without a reason of its own is answered, too, and said on stderr.

    An answer that has begun ends there, and its connection with it: whoever saves it sees that
    it is cut off.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have one request answered."""
        has_begun = False

        async def send_on(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # the last resort: no failure ends the server
            found = _explain(error.__cause__ if has_begun and error.__cause__ else error)
            if has_begun:
                _log.error("repro: an answer broke off: %s", escape(found.message))
            else:
                request = Request(scope, receive)
                await _answer(request, _status_of(found), found)(scope, receive, send)


def say_error(request: Request, error: Exception) -> Response:
    """The answer for a failure that has a reason."""
    assert isinstance(error, ReproError)
    return _answer(request, _status_of(error), error)


def say_http(request: Request, error: Exception) -> Response:
    """The answer for what there is not, or that is not asked that way."""
    assert isinstance(error, HTTPException)
    answer = _answer(request, error.status_code, ReproError(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _status_of(error: ReproError) -> int:
    return next((code for kind, code in _STATUS if isinstance(error, kind)), 500)


def _explain(error: BaseException) -> ReproError:
    """Whatever was raised as a failure with a reason; a bug is shown whole on stderr."""
    if isinstance(error, ReproError):
        return error
    if isinstance(error, OSError):
        try:
            with storage_errors("all of it"):
                raise error
        except ReproError as known:
            return known
        except OSError:
            place = f": `{error.filename}`" if error.filename else ""
            return ReproError(f"{error.strerror or type(error).__name__}{place}")
    _log.error("%s", "".join(traceback.format_exception(error)))
    _log.error("repro: this is a bug in repro: please report it with the lines above")
    return ReproError(
        "this is a bug in repro",
        hint="please report it, with what stands in the terminal where `repro ui` runs",
    )


def _answer(request: Request, status: int, error: ReproError) -> Response:
    """An error as the asker reads it."""
    if request.headers.get(FRAGMENT) is not None:
        hint = f" ({error.hint})" if error.hint else ""
        return PlainTextResponse(escape(error.message + hint), status_code=status)
    if "text/html" in request.headers.get("accept", ""):
        return page(request, "error.html", {"error": error, "status": status}, status=status)
    value = {
        "error": error.slug,
        "message": escape(error.message),
        "hint": error.hint and escape(error.hint),
    }
    if isinstance(error, FilterError):
        value |= {"text": error.text, "start": error.start, "end": error.end}  # type: ignore[dict-item]
    return JSONResponse(value, status_code=status)
