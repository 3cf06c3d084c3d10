"""The stream that tells open pages that something has changed."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from repro.web.rendering import site_of
from repro.web.site import Site

_LOOK_S = 0.1
_QUIET_S = 15.0  # after which a comment shows that the connection stands


def follow(request: Request) -> Response:
    """Send `change` whenever any run has changed; pages then ask for what they show anew."""
    if request.method == "HEAD":  # which would not end
        return Response(media_type="text/event-stream")
    return StreamingResponse(_changes(site_of(request)), media_type="text/event-stream")


async def _changes(site: Site) -> AsyncIterator[str]:
    with site.pulse.listening():
        yield "retry: 1000\n\n"
        told, quiet = site.pulse.beat, 0.0
        while not site.pulse.is_over:
            await asyncio.sleep(_LOOK_S)
            quiet += _LOOK_S
            if site.pulse.beat != told:
                told, quiet = site.pulse.beat, 0.0
                yield f"event: change\ndata: {told}\n\n"
            elif quiet >= _QUIET_S:
                quiet = 0.0
                yield ": still here\n\n"
