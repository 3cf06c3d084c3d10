"""Files that are the same for every repository: our own, and plotly's script.

They are in memory, so they are given at once: no page that takes long is waited for.
"""

import importlib.resources
import mimetypes
from functools import cache
from hashlib import sha256

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from repro.web.rendering import static_names

_FRESH = {"Cache-Control": "no-cache"}  # kept by the browser, and asked about each time


async def give_file(request: Request) -> Response:
    """One of the files of the folder `static`, by its exact name."""
    name = request.path_params["name"]
    if name not in static_names():
        raise HTTPException(404, "there is no such file")
    return _give(request, "repro.web", f"static/{name}")


async def give_icon(request: Request) -> Response:
    """The icon of the pages, where a browser looks for it unasked."""
    return _give(request, "repro.web", "static/icon.svg")


async def give_plotly(request: Request) -> Response:
    """The script of the plotly package that is installed."""
    return _give(request, "plotly", "package_data/plotly.min.js")


def _give(request: Request, package: str, path: str) -> Response:
    content, tag = _read(package, path)
    headers = {**_FRESH, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Response(content, media_type=kind, headers=headers)


@cache
def _read(package: str, path: str) -> tuple[bytes, str]:
    content = importlib.resources.files(package).joinpath(path).read_bytes()
    return content, f'"{sha256(content).hexdigest()[:32]}"'
