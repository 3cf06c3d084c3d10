"""Media as JSON, in journals and in `media.jsonl` of a record (FORMAT.md section "Media")."""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any, Literal, cast

from repro.errors import DamagedRecordError
from repro.model.canonical import Json, carriable_text, decode_json
from repro.model.medium import (
    FOLDER,
    IMAGE_TYPES,
    LARGEST_IMAGE,
    LARGEST_TABLE,
    MOST_BINS,
    MOST_COLUMNS,
    MOST_MEDIA,
    MOST_ROWS,
    TABLE_TYPE,
    Bins,
    Cell,
    CellImage,
    Kind,
    MediaFile,
    Medium,
    Rows,
)
from repro.model.times import is_moment
from repro.store.fields import Fields
from repro.store.objects import FOLDER as TREE
from repro.store.objects import Objects, list_files, read_tree

FILE = "media.jsonl"
LARGEST_INDEX = 16 << 20  # bytes, as of any file of a record that is read whole

_LONGEST_NAME = 1024  # bytes; the rank is before what `log()` takes


def format_media(media: Iterable[Medium]) -> bytes:
    """The text of `media.jsonl`: a line for each medium, by name, step and place."""
    ordered = sorted(media, key=lambda one: (one.name, one.step, one.place))
    return b"".join(map(format_medium, ordered))


def format_medium(medium: Medium) -> bytes:
    """The line of one medium."""
    value = {
        "name": medium.name,
        "step": medium.step,
        "time": medium.time,
        "place": medium.place,
        **encode_item(medium),
    }
    return _compact(value) + b"\n"


def parse_media(data: bytes) -> list[Medium]:
    """Read what `format_media` wrote.

    Raises:
        DamagedRecordError: It breaks FORMAT.md; the message names the line.
    """
    if len(data) > LARGEST_INDEX:
        raise DamagedRecordError(f"`{FILE}` has more than {LARGEST_INDEX:,} bytes")
    *lines, rest = data.split(b"\n")
    if rest:
        raise DamagedRecordError(f"`{FILE}` is cut off in its line {len(lines) + 1}")
    if len(lines) > MOST_MEDIA:
        raise DamagedRecordError(f"`{FILE}` has more than {MOST_MEDIA:,} lines")
    media = [_decode_line(line, f"{FILE}:{number}") for number, line in enumerate(lines, 1)]
    keys = [(one.name, one.step, one.place) for one in media]
    if any(before >= after for before, after in pairwise(keys)):
        raise DamagedRecordError(f"`{FILE}` is not in order, or has a medium twice")
    return media


def _decode_line(line: bytes, where: str) -> Medium:
    try:
        fields = Fields(decode_json(line), where)
    except ValueError as error:
        raise DamagedRecordError(f"`{where}` is no JSON: {error}") from error
    time = fields.number("time")
    if not is_moment(time):
        raise fields.wrong("time", "is no time")
    return decode_item(
        fields,
        name=fields.text("name"),
        step=fields.integer("step"),
        time=time,
        place=fields.natural("place"),
    )


def encode_item(medium: Medium) -> dict[str, Json]:
    """A medium as JSON, without its name, step, time and place."""
    item: dict[str, Json] = {"kind": medium.kind}
    if medium.caption is not None:
        item["caption"] = medium.caption
    if medium.file is not None:
        item["file"] = _encode_file(medium.file)
    if medium.bins is not None:
        bins = medium.bins
        item.update(edges=list(bins.edges), counts=list(bins.counts), skipped=bins.skipped)
    if medium.kind == "table":
        item.update(rows=medium.rows, left_out=medium.left_out, columns=medium.columns)
        if medium.pictures:
            item["pictures"] = [_encode_file(one) for one in medium.pictures]
    return item


def _encode_file(file: MediaFile) -> dict[str, Json]:
    item: dict[str, Json] = {
        "type": file.type,
        "size": file.size,
        "digest": file.digest,
        "where": file.where,
    }
    if file.width is not None and file.height is not None:
        item.update(width=file.width, height=file.height)
    return item


def decode_item(item: Fields, *, name: str, step: int, time: float, place: int) -> Medium:
    """Read what `encode_item` gave.

    Raises:
        DamagedRecordError: It breaks FORMAT.md.
    """
    if not 0 < len(name.encode()) <= _LONGEST_NAME:
        raise item.wrong("name", "is empty or too long")
    kind = item.text("kind")
    if kind not in ("image", "table", "histogram"):
        raise item.wrong("kind", "is no kind of medium")
    is_table = kind == "table"
    types = (TABLE_TYPE,) if is_table else IMAGE_TYPES
    return Medium(
        name=name,
        step=step,
        time=time,
        place=place,
        kind=cast(Kind, kind),  # one of the three
        caption=item.optional_text("caption"),
        file=None if kind == "histogram" else _file(item.inner("file"), types),
        bins=_bins(item) if kind == "histogram" else None,
        rows=_at_most(item, "rows", MOST_ROWS) if is_table else 0,
        left_out=item.natural("left_out") if is_table else 0,
        columns=_at_most(item, "columns", MOST_COLUMNS) if is_table else 0,
        pictures=tuple(_file(one, IMAGE_TYPES) for one in item.objects("pictures"))
        if is_table
        else (),
    )


def _file(item: Fields, types: Sequence[str]) -> MediaFile:
    kind, where = item.text("type"), item.text("where")
    if kind not in types:
        raise item.wrong("type", "is no type of such a file")
    if where not in ("git", "store"):
        raise item.wrong("where", "is neither `git` nor `store`")
    is_sized = item.values.get("width") is not None
    return MediaFile(
        cast(Any, kind),  # one of `types`
        _at_most(item, "size", LARGEST_TABLE if kind == TABLE_TYPE else LARGEST_IMAGE),
        item.sha256("digest"),
        cast(Literal["git", "store"], where),
        item.natural("width") if is_sized else None,
        item.natural("height") if is_sized else None,
    )


def _at_most(item: Fields, key: str, most: int) -> int:
    value = item.natural(key)
    if value > most:
        raise item.wrong(key, f"is more than {most:,}")
    return value


def _bins(item: Fields) -> Bins:
    edges, counts = _numbers(item, "edges"), _numbers(item, "counts")
    if len(edges) != len(counts) + 1 or not 0 < len(counts) <= MOST_BINS:
        raise item.wrong("counts", "do not fit the edges")
    if any(before > after for before, after in pairwise(edges)):
        raise item.wrong("edges", "fall")
    return Bins(edges, counts, item.natural("skipped"))


def _numbers(item: Fields, key: str) -> tuple[float, ...]:
    values = item.values.get(key)
    if not isinstance(values, list):
        raise item.wrong(key, "is not a list")
    try:
        is_sound = {int, float}.issuperset(map(type, values)) and all(map(isfinite, values))  # type: ignore[arg-type]  # all are numbers by then
    except OverflowError:  # an integer beyond a float
        is_sound = False
    if not is_sound:
        raise item.wrong(key, "holds something that is no finite number")
    return tuple(cast("list[float]", values))


def list_media_files(objects: Objects, commit: str) -> dict[str, str]:
    """Map the path in a record of each file in `media/` to its object id.

    Raises:
        DamagedRecordError: A folder is missing.
    """
    folder = read_tree(objects, commit).get(FOLDER)
    if folder is None or folder.mode != TREE:
        return {}
    return list_files(objects, folder.oid, f"{FOLDER}/")


def format_rows(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """The text of the file of a table; NaN and the infinities are texts in it."""
    cells: list[Json] = [[_encode_cell(cell) for cell in row] for row in rows]
    return _compact({"columns": list(columns), "rows": cells}) + b"\n"


def _encode_cell(cell: Cell) -> Json:
    return {"image": cell.number} if isinstance(cell, CellImage) else cell


def parse_rows(data: bytes, *, limit: int | None = None) -> Rows:
    """Read the first rows of the file of a table, all where there is no limit.

    Raises:
        DamagedRecordError: It is no table, or larger than any that is written.
    """
    if len(data) > LARGEST_TABLE:
        raise DamagedRecordError(f"a table has more than {LARGEST_TABLE:,} bytes")
    try:
        table = Fields(decode_json(data), "a table")
    except ValueError as error:
        raise DamagedRecordError(f"a table is no JSON: {error}") from error
    columns, rows = table.texts("columns"), table.values.get("rows")
    if not isinstance(rows, list) or len(columns) > MOST_COLUMNS or len(rows) > MOST_ROWS:
        raise table.wrong("rows", "are no rows, or too many")
    return Rows(columns, tuple(_row(table, row, len(columns)) for row in rows[:limit]), len(rows))


def _row(table: Fields, row: Json, width: int) -> tuple[Cell, ...]:
    if not isinstance(row, list) or len(row) != width:
        raise table.wrong("rows", "has one that does not fit the columns")
    return tuple(_cell(table, cell) for cell in row)


def _cell(table: Fields, cell: Json) -> Cell:
    if isinstance(cell, dict):
        return CellImage(Fields(cell, "a cell of a table").natural("image"))
    if isinstance(cell, list):
        raise table.wrong("rows", "has a list in a cell")
    return cell


def _compact(value: Json) -> bytes:
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return carriable_text(text).encode()
