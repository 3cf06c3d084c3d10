"""What a file shows by its first bytes: PNG, JPEG, GIF, WebP, or nothing that is a picture here."""

from repro.model.medium import FileType

_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # the frame headers
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a length


def find_image_type(data: bytes) -> FileType | None:
    """The type of a picture; None for whatever is none of the four, such as SVG, which is text.

    Source: the signatures in the WHATWG's "MIME Sniffing" standard, section 6.1.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:14] == b"WEBPVP":
        return "webp"
    return None


def find_image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a picture in pixels, as its header claims; None where it does not."""
    size = _SIZES[kind](data) if (kind := find_image_type(data)) in _SIZES else None
    return size if size is not None and all(size) else None


def _png_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _gif_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 10:
        return None
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Source: ITU-T T.81, sections B.1 and B.2."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _JPEG_SIZES:
            height, width = data[place + 5 : place + 7], data[place + 7 : place + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        if marker == 0xFF:
            place += 1
        elif marker in _JPEG_BARE:
            place += 2
        else:
            place += 2 + max(2, int.from_bytes(data[place + 2 : place + 4], "big"))
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Source: "WebP Container Specification", and RFC 9649, sections 2.4 to 2.7."""
    if len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        wide, high = data[24:27], data[27:30]
        return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    wide, high = data[26:28], data[28:30]
    return int.from_bytes(wide, "little") & 0x3FFF, int.from_bytes(high, "little") & 0x3FFF


_SIZES = {"png": _png_size, "gif": _gif_size, "jpeg": _jpeg_size, "webp": _webp_size}
