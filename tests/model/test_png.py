"""Any PNG reader has the pixels back."""

from io import BytesIO

import PIL.Image
import pytest

from repro.model.png import encode_png


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_pixels_read_back_as_they_were(channels: int, mode: str) -> None:
    width, height = 5, 3
    rows = [bytes((7 * x + 50 * y) % 256 for x in range(width * channels)) for y in range(height)]
    lines = b"".join(b"\0" + row for row in rows)

    picture = PIL.Image.open(
        BytesIO(encode_png(lines, width=width, height=height, channels=channels))
    )

    assert (picture.mode, picture.size) == (mode, (width, height))
    assert picture.tobytes() == b"".join(rows)
