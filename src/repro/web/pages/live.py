"""The stream that tells open pages that something has changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from repro.web.rendering import FRAGMENT, site_of
from repro.web.site import Site

_LOOK_S = 0.1
_QUIET_S = 15.0  # after which a comment shows that the connection stands


def followed(show: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Let a page say how all runs were before it was read: the stream tells of what is newer."""

    @wraps(show)
    def answer(request: Request) -> Response:
        if FRAGMENT not in request.headers:
            request.state.seen = site_of(request).pulse.look()
        return show(request)

    return answer


def follow(request: Request) -> Response:
    """Send `change` whenever any run has changed; pages then ask for what they show anew.

    The first one comes at once where something has since the stamp that the request has.
    """
    if request.method == "HEAD":  # which would not end
        return Response(media_type="text/event-stream")
    seen = request.headers.get("last-event-id") or request.query_params.get("since", "")
    return StreamingResponse(_changes(site_of(request), seen), media_type="text/event-stream")


async def _changes(site: Site, seen: str) -> AsyncIterator[str]:
    with site.pulse.listening():
        yield "retry: 1000\n\n"
        quiet = 0.0
        while not site.pulse.is_over:
            await asyncio.sleep(_LOOK_S)
            quiet += _LOOK_S
            now = site.pulse.stamp or seen
            if seen not in ("", now):
                quiet = 0.0
                yield f"event: change\nid: {now}\ndata: {now}\n\n"
            elif quiet >= _QUIET_S:
                quiet = 0.0
                yield ": still here\n\n"
            seen = now
