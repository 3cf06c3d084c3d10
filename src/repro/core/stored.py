"""What of a run's record lies in the content store: large artifacts, media, series, output."""

from dataclasses import dataclass

from repro.model.canonical import parse_json
from repro.model.output import find_cut
from repro.model.run import Record
from repro.store.fields import Fields
from repro.store.media import FILE as MEDIA
from repro.store.media import parse_media
from repro.store.objects import Objects, read_file

SERIES = "metrics/store.json"
OUTPUT = "output.log"
_SHORTEST_CUT = 5 << 20  # bytes of what is left; less only quotes such a line, as of another run


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of a record of which git has only the digest.

    Attributes:
        path: In the record, were it there.
        digest: `sha256:<64 hex>`.
        size: Bytes.
    """

    path: str
    digest: str
    size: int


def list_stored(objects: Objects, record: Record) -> tuple[Stored, ...]:
    """Give the files of a sealed run that are in the content store, or should be.

    Raises:
        DamagedRecordError: The record breaks FORMAT.md.
    """
    found = [
        Stored(f"artifacts/{one.path}", one.digest, one.size)
        for one in record.artifacts
        if one.where == "store"
    ]
    media = read_file(objects, record.commit, MEDIA)
    if media is not None:
        files = {file.path: file for one in parse_media(media) for file in one.files}
        found += [
            Stored(path, file.digest, file.size)
            for path, file in files.items()
            if file.where == "store"
        ]
    pointers = read_file(objects, record.commit, SERIES)
    if pointers is not None:
        tables = Fields(parse_json(pointers, name=SERIES), SERIES)
        for path in tables.values:
            table = tables.inner(path)
            found.append(Stored(path, table.sha256("digest"), table.integer("size")))
    output = read_file(objects, record.commit, OUTPUT) or b""
    cut = find_cut(output) if len(output) > _SHORTEST_CUT else None
    if cut is not None:
        found.append(Stored(OUTPUT, cut.digest, cut.size))
    return tuple(found)
