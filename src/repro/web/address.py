"""Addresses of a page that say the same as the one asked for, but for what is changed."""

from collections.abc import Iterable
from urllib.parse import urlencode

from starlette.requests import Request


def changed_address(request: Request, **changes: str | Iterable[str] | None) -> str:
    """The address of the request with some keys of its query replaced.

    Args:
        changes: By key, its value, or its values; None takes it out.
    """
    kept = [(key, value) for key, value in request.query_params.multi_items() if key not in changes]
    for key, value in changes.items():
        values = [] if value is None else [value] if isinstance(value, str) else value
        kept += [(key, one) for one in values]
    path = request.url.path
    return f"{path}?{urlencode(kept)}" if kept else path


def kept_query(request: Request, *names: str) -> list[tuple[str, str]]:
    """What the query says apart from `names`: the hidden fields of a form that sets those."""
    return [(key, value) for key, value in request.query_params.multi_items() if key not in names]
