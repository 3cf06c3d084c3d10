"""SVG as PNG, by resvg."""

from repro.errors import InvalidInputError

_ZOOM = 2  # pixels of the PNG for one of the SVG: sharp on the screens of today


def svg_to_png(svg: str) -> bytes:
    """Give a chart of ours as PNG, on white.

    Raises:
        InvalidInputError: resvg is not installed here.

    Cost: 0.1 s, most of it to read the fonts of this machine.
    """
    try:
        import resvg_py  # noqa: PLC0415  # an extra
    except ImportError:
        raise InvalidInputError(
            "a PNG needs resvg, which is not installed here",
            hint="`pip install 'git-repro[plot]'`, or give a file that ends in `.svg`",
        ) from None
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=_ZOOM, background="white"))
