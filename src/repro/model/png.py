"""Pixels as a PNG file, without a library."""

from zlib import compress, crc32

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels: grey, grey and alpha, RGB, RGBA


def encode_png(lines: bytes, *, width: int, height: int, channels: int) -> bytes:
    """Write a PNG of 8 bits a channel.

    Args:
        lines: Each line of pixels from the top, filtered, behind the byte that names its filter
            (0 is none), so `height * (1 + width * channels)` bytes.
        width: Pixels, at least 1; `height` likewise.
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.

    Source: W3C, "Portable Network Graphics (PNG) Specification", third edition.
    """
    assert len(lines) == height * (1 + width * channels), "lines of the size that is said"
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    header += bytes([8, _COLOUR_TYPES[channels], 0, 0, 0])
    parts = [(b"IHDR", header), (b"IDAT", compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = crc32(kind + data)
    return len(data).to_bytes(4, "big") + kind + data + check.to_bytes(4, "big")
