"""Pixels as a PNG file, without a library."""

from collections.abc import Sequence
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
    return _join([(b"IHDR", header), (b"IDAT", compress(lines)), (b"IEND", b"")])


def encode_animation(
    frames: Sequence[bytes], *, width: int, height: int, channels: int, fps: int
) -> bytes:
    """Write an animated PNG that repeats for ever; what knows none shows the first frame.

    Args:
        frames: At least one; each as the lines of `encode_png`.
        fps: Frames a second, 1 to 65,535.

    Source: W3C, "Portable Network Graphics (PNG) Specification", third edition, section 11.3.6.
    """
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    parts = [
        (b"IHDR", size + bytes([8, _COLOUR_TYPES[channels], 0, 0, 0])),
        (b"acTL", len(frames).to_bytes(4, "big") + bytes(4)),
    ]
    for number, lines in enumerate(frames):
        assert len(lines) == height * (1 + width * channels), "lines of the size that is said"
        order = max(0, 2 * number - 1)  # controls and data are counted, but for the first data
        control = order.to_bytes(4, "big") + size + bytes(8)
        parts.append((b"fcTL", control + b"\0\1" + fps.to_bytes(2, "big") + bytes(2)))
        data = compress(lines)
        after = (order + 1).to_bytes(4, "big")
        parts.append((b"fdAT", after + data) if number else (b"IDAT", data))
    return _join([*parts, (b"IEND", b"")])


def _join(chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = crc32(kind + data)
    return len(data).to_bytes(4, "big") + kind + data + check.to_bytes(4, "big")
