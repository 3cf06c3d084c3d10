"""The media of a run: which there are, and what is in each; nothing of them is trusted."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from repro.core.known import open_runs
from repro.core.naming import find_id
from repro.core.project import Project
from repro.core.query import read_live_or_sealed
from repro.errors import DamagedRecordError
from repro.model.canonical import Json
from repro.model.imagetype import find_image_size, find_image_type
from repro.model.medium import LARGEST_IMAGE, MOST_PIXELS, Bins, MediaFile, Medium, Picture, Rows
from repro.model.run import Record
from repro.store.content import ContentStore
from repro.store.media import FILE, parse_media, parse_rows
from repro.store.objects import read_file, reading

if TYPE_CHECKING:
    # What reads journals takes long to load, and most runs are over.
    from repro.core.live import InProgress

MOST_ROWS_SHOWN = 1_000


def list_media(project: Project, record: Record, *, most_age_s: float = 0.0) -> list[Medium]:
    """All media of a run, a run in progress included, by name, step and place.

    Args:
        most_age_s: How old the answer may be for a run in progress that has logged since.

    Raises:
        UnknownRunError: It was in progress, and is gone.
        DamagedRecordError: They cannot be read.
    """

    def of_commit(commit: str) -> list[Medium]:
        with reading(project.repository) as objects:
            data = read_file(objects, commit, FILE)
        return [] if data is None else [*_parse(data)]

    def of_live(live: "InProgress") -> list[Medium]:
        return _follow(project, live, most_age_s)

    return read_live_or_sealed(project, record, of_live, of_commit)


def _follow(project: Project, live: "InProgress", most_age_s: float) -> list[Medium]:
    """Read its journals, unless they are as they were the last time, or that was just now."""
    stamp, now = live.stamp(), project.clock()
    before = _lately.get(live.folder)
    if before is not None and (before[0] == stamp or 0 <= now - before[1] < most_age_s):
        return [*before[2]]
    media = live.media()
    if len(_lately) >= _MOST_FOLLOWED:
        _lately.clear()
    if stamp:
        _lately[live.folder] = stamp, now, tuple(media)
    return media


_MOST_FOLLOWED = 4
# A page of a run asks again for each of its pictures, and 100,000 lines take 0.5 s to read.
_lately: dict[Path, tuple[str, float, tuple[Medium, ...]]] = {}


@lru_cache(maxsize=2)
def _parse(data: bytes) -> tuple[Medium, ...]:
    """A page of a run asks again for each of its pictures; 20,000 media take 2 s to read."""
    return tuple(parse_media(data))


def count_media(project: Project, record: Record) -> int | None:
    """How many media a run has; None of one in progress, of which all would have to be read."""
    if not record.commit:
        return None
    with reading(project.repository) as objects:
        data = read_file(objects, record.commit, FILE)
    return 0 if data is None else data.count(b"\n")


def describe_media(media: Sequence[Medium]) -> list[Json]:
    """Media as `show --json` prints them, less the bins of histograms."""
    return [_describe(one) for one in media]


def _describe(medium: Medium) -> dict[str, Json]:
    keys = ("name", "step", "time", "place", "kind", "caption")
    shown: dict[str, Json] = {key: getattr(medium, key) for key in keys}
    shown["file"] = None if medium.file is None else asdict(medium.file)
    if medium.kind == "table":
        shown.update(rows=medium.rows, left_out=medium.left_out, columns=medium.columns)
    return shown


def next_step(project: Project, record: Record) -> int:
    """The step after the last one that a run logged anything at, 0 where it logged nothing.

    Raises:
        DamagedRecordError: Its media cannot be read.
    """
    steps = [metric.last_step for metric in record.metrics.values()]
    steps += [one.step for one in list_media(project, record)]
    return max(steps, default=-1) + 1


def read_medium(project: Project, record: Record, medium: Medium) -> Picture | Rows | Bins:
    """What a medium shows: a picture, the first rows of a table, or the bins of a histogram.

    Raises:
        DamagedRecordError: It is not there, or not what the record says.
    """
    if medium.kind == "image":
        return read_image(project, record, medium)
    if medium.kind == "table":
        return read_rows(project, record, medium)
    assert medium.bins is not None, "a histogram has bins"
    return medium.bins


def read_image(project: Project, record: Record, medium: Medium) -> Picture:
    """The picture of a medium of the kind `image`; see `read_medium`."""
    assert medium.file is not None, "an image has a file"
    return read_picture(project, record, medium.file)


def read_picture(project: Project, record: Record, file: MediaFile) -> Picture:
    """The picture in one file, such as one of the `pictures` of a table.

    Raises:
        DamagedRecordError: It is not there, not what the record says, no picture, or one that
            would take more than half a gigabyte of memory to show.
    """
    data = _read(project, record, file)
    kind = find_image_type(data)
    if kind is None or len(data) > LARGEST_IMAGE:
        raise DamagedRecordError(f"`{file.path}` is no picture")
    width, height = find_image_size(data) or (0, 0)
    if width * height > MOST_PIXELS:
        raise DamagedRecordError(
            f"`{file.path}` claims {width:,} x {height:,} pixels, too many to be shown"
        )
    return Picture(kind, data)


def read_rows(
    project: Project, record: Record, medium: Medium, *, limit: int = MOST_ROWS_SHOWN
) -> Rows:
    """The first rows of a medium of the kind `table`; see `read_medium`."""
    assert medium.file is not None, "a table has a file"
    return parse_rows(_read(project, record, medium.file), limit=limit)


def _read(project: Project, record: Record, file: MediaFile) -> bytes:
    """The bytes of a file, which are those of its digest."""
    content = ContentStore(project.store)
    if file.where == "store":
        return _read_stored(content, file)
    data = _read_live(project, record, file) if not record.commit else None
    if data is None:
        commit = record.commit or _sealed(project, record)
        with reading(project.repository) as objects:
            data = read_file(objects, commit, file.path)
    if data is None and not record.commit and content.has(file.digest):
        return _read_stored(content, file)  # where it went when the run was sealed
    if data is None:
        raise DamagedRecordError(f"`{file.path}` is not in the record of run `{record.run.id}`")
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != file.digest:
        raise DamagedRecordError(f"the bytes of `{file.path}` are not those of its digest")
    return data


def _read_stored(content: ContentStore, file: MediaFile) -> bytes:
    """From the store, where the digest that a record names may be that of anything."""
    if content.has(file.digest) and content.path_of(file.digest).stat().st_size != file.size:
        raise DamagedRecordError(f"`{file.path}` has not the {file.size:,} bytes that are said")
    return content.read(file.digest)


def _read_live(project: Project, record: Record, file: MediaFile) -> bytes | None:
    try:
        return (project.live / record.run.id / file.path).read_bytes()
    except FileNotFoundError:
        return None  # it is over meanwhile


def _sealed(project: Project, record: Record) -> str:
    with open_runs(project) as runs:
        return runs.sealed[find_id(runs, record.run.id)]
