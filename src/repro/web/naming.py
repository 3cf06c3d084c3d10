"""What an address names: a run, a name in a path, a number; nothing of it is trusted."""

import math
from urllib.parse import quote, unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import QueryParams
from starlette.requests import Request

from repro.core.project import Project
from repro.core.query import resolve_run
from repro.errors import InvalidInputError
from repro.model.run import Record
from repro.web.rendering import site_of

_MOST_DIGITS = 9


class _Rest(Convertor[str]):
    """All that follows in a path, line ends included, which names of files may have."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """As it came."""
        return value

    def to_string(self, value: str) -> str:
        """The same."""
        return value


register_url_convertor("rest", _Rest())


def project_of(request: Request) -> Project:
    """The project whose runs are shown."""
    return site_of(request).project


def record_of(request: Request) -> Record:
    """The run that the address names, by its id or in any other way.

    Raises:
        ReproError: As `resolve_run`.
    """
    return resolve_run(project_of(request), request.path_params["id"])


def number_of(text: str | None) -> int | None:
    """A natural number; None where the text is none."""
    if text is None or len(text) > _MOST_DIGITS or not (text.isascii() and text.isdecimal()):
        return None
    return int(text)


def finite_of(params: QueryParams, key: str, *, called: str = "") -> float | None:
    """A finite number of a query; None where it has none.

    Args:
        called: What people know it by; nothing is `key`.

    Raises:
        InvalidInputError: It is no number.
    """
    text = params.get(key, "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInputError(f"`{called or key}` is a number")
    return number


def window_of(params: QueryParams) -> tuple[float | None, float | None]:
    """The ends of the window of x that `low` and `high` say; None where there is none.

    Raises:
        InvalidInputError: One is no number, or the lower one is above the other.
    """
    low = finite_of(params, "low", called="from")
    high = finite_of(params, "high", called="to")
    if low is not None and high is not None and low > high:
        raise InvalidInputError(f"`from` is above `to`: nothing lies from {low:g} to {high:g}")
    return low, high


def names_after(request: Request, start: str) -> list[str]:
    """The names in the path of a request behind `start`, each decoded once.

    Bytes that are not UTF-8 become surrogates; the server's own decoding would lose them.

    Args:
        start: A folder of the address, such as `/files`, of which the first counts.
    """
    raw: bytes = request.scope["raw_path"].partition(b"?")[0]
    _, _, rest = raw.partition(f"{start}/".encode())
    return [unquote_to_bytes(name).decode(errors="surrogateescape") for name in rest.split(b"/")]


def path_to(names: list[str] | tuple[str, ...]) -> str:
    """The path of an address that `names_after` reads back."""
    return "/".join(quote(name.encode(errors="surrogateescape"), safe="") for name in names)
