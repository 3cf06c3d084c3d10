"""`media.jsonl` has one text, and whatever breaks the format is refused by its line."""

import json
from typing import Any

import pytest

from repro.errors import DamagedRecordError
from repro.model.medium import Bins, CellImage, MediaFile, Medium
from repro.store.media import format_media, format_rows, parse_media, parse_rows

DIGEST = "sha256:" + "ab" * 32
PNG = MediaFile("png", 89, DIGEST, "git", 30, 20)
IMAGE = Medium(
    name="a\n<b>", step=-3, time=5.5, place=0, kind="image", caption="é \x1b", file=PNG
)  # fmt: skip
TABLE = Medium(
    name="t", step=1, time=6.0, place=1, kind="table", rows=3, left_out=2, columns=4,
    file=MediaFile("json", 100, DIGEST, "store"), pictures=(PNG,),
)  # fmt: skip
BINS = Medium(
    name="t", step=1, time=6.0, place=0, kind="histogram", bins=Bins((0.0, 1.0, 1.0), (3, 0.5), 2)
)


def test_media_read_back_as_they_were_in_their_order() -> None:
    data = format_media([TABLE, IMAGE, BINS])

    assert parse_media(data) == [IMAGE, BINS, TABLE]
    assert format_media(parse_media(data)) == data


def changed(medium: Medium, **values: Any) -> bytes:
    line = json.loads(format_media([medium]))
    for key, value in values.items():
        *outer, last = key.split("__")
        target = line
        for part in outer:
            target = target[part]
        target[last] = value
    return json.dumps(line).encode() + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        changed(IMAGE, file__type="svg+xml"),
        changed(IMAGE, file__type="json"),
        changed(IMAGE, file__type="../../x"),
        changed(IMAGE, file__digest="sha256:../../../etc/passwd"),
        changed(IMAGE, file__where="https://example.org"),
        changed(IMAGE, file__size=(64 << 20) + 1),
        changed(IMAGE, file__width=-1),
        changed(IMAGE, kind="html"),
        changed(IMAGE, caption=["x"]),
        changed(IMAGE, name=""),
        changed(IMAGE, name="x" * 2000),
        changed(IMAGE, step=1 << 70),
        changed(IMAGE, time=1e300),
        changed(TABLE, rows=10**9),
        changed(TABLE, file__type="png"),
        changed(TABLE, pictures=[1]),
        changed(BINS, counts=[1.0]),
        changed(BINS, counts=["NaN", 1.0]),
        changed(BINS, counts=[10**400, 1.0]),
        changed(BINS, edges=[2.0, 1.0, 0.0]),
        changed(BINS, edges=[0.0] * 514, counts=[1] * 513),
        changed(IMAGE) * 2,
        format_media([TABLE]) + format_media([IMAGE]),
        format_media([IMAGE])[:-1],
        b"[]\n",
        b"\xff\n",
    ],
)
def test_what_breaks_the_format_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedRecordError, match=r"media\.jsonl"):
        parse_media(data)


def test_rows_read_back_and_no_more_of_them_than_asked() -> None:
    rows = [[1, "x", None, CellImage(0)], [2.5, "é", True, CellImage(1)]]

    data = format_rows(["a", "b", "c", "d"], rows)

    assert parse_rows(data).rows == tuple(map(tuple, rows))
    first = parse_rows(data, limit=1)
    assert (first.rows, first.total, first.columns) == ((tuple(rows[0]),), 2, ("a", "b", "c", "d"))


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"columns":["a"],"rows":[[1,2]]}',
        b'{"columns":["a"],"rows":[[[1]]]}',
        b'{"columns":["a"],"rows":[[{"html":"x"}]]}',
        b'{"columns":["a"],"rows":[[{"image":-1}]]}',
        b'{"columns":[1],"rows":[]}',
        b'{"columns":["a"],"rows":[[NaN]]}',
        b"<table>",
        b" " * ((16 << 20) + 1),
    ],
)
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="a table"):
        parse_rows(data)
