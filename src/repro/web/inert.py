"""Bytes of a run, handed out so that no browser runs anything in them."""

from collections.abc import Iterable
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from repro.model.imagetype import find_image_type

LARGEST_PICTURE = 20 << 20  # bytes
_POLICY = "sandbox; default-src 'none'"
# Browsers show a picture in a page of their own, with styles and our icon; nothing in it can run.
_PICTURE_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
)


def attach(blocks: Iterable[bytes], name: str, size: int | None = None) -> Response:
    """An answer that a browser saves and never shows.

    Args:
        blocks: Its bytes.
        name: What the file is called; only what is behind its last slash counts.
        size: Bytes, where that is known.
    """
    short = name.rpartition("/")[2].encode(errors="surrogateescape")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(short, safe='')}",
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    if size is not None:
        headers["Content-Length"] = str(size)
    return StreamingResponse(blocks, media_type="application/octet-stream", headers=headers)


def show_picture(data: bytes) -> Response | None:
    """An answer that a browser shows: a picture by what it starts with; None of anything else.

    SVG is none: it can hold a script.
    """
    kind = find_image_type(data)
    if kind is None or len(data) > LARGEST_PICTURE:
        return None
    headers = {
        "Content-Disposition": "inline",
        "Content-Security-Policy": _PICTURE_POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type=f"image/{kind}", headers=headers)
