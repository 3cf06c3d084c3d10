"""What may be shown as a picture is told by its first bytes, and by nothing else."""

from io import BytesIO

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.imagetype import find_image_size, find_image_type


def saved(kind: str, size: tuple[int, int], **options: object) -> bytes:
    file = BytesIO()
    PIL.Image.new("RGB", size, "red").save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("png", {}),
        ("gif", {}),
        ("jpeg", {}),
        ("jpeg", {"progressive": True, "exif": b"Exif\0\0" + b"\0" * 500}),
        ("webp", {}),
        ("webp", {"lossless": True}),
        ("webp", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
    ],
)
def test_type_and_size_are_those_that_another_reader_finds(
    kind: str, options: dict[str, object]
) -> None:
    data = saved(kind, (37, 301), **options)

    assert find_image_type(data) == kind
    assert find_image_size(data) == (37, 301)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"<html><script>alert(1)</script>",
        b"BM\x36\0\0\0",
        b"%PDF-1.7",
        b"RIFF\0\0\0\0WAVEfmt ",
        b" \x89PNG\r\n\x1a\n",
    ],
)
def test_whatever_could_hold_a_script_is_no_picture(data: bytes) -> None:
    assert find_image_type(data) is None
    assert find_image_size(data) is None


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X"]),
    st.binary(max_size=60),
)
def test_no_header_of_anybody_raises(start: bytes, rest: bytes) -> None:
    size = find_image_size(start + rest)

    assert size is None or min(size) > 0
