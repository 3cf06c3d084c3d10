"""What `data.json` of a record says of each dataset (FORMAT.md section "Manifests")."""

from collections.abc import Mapping

from repro.errors import DamagedRecordError
from repro.model.canonical import Json
from repro.model.manifest import DataFacts
from repro.model.paths import validate_path
from repro.store.fields import Fields

FILE = "data.json"


def encode_facts(facts: DataFacts) -> dict[str, Json]:
    """One entry of `data.json`."""
    return {
        "path": facts.path,
        "kind": "file" if facts.is_file else "folder",
        "digest": facts.digest,
        "files": facts.files,
        "bytes": facts.size,
        "kept": facts.kept,
    }


def decode_facts(data: Mapping[str, Json], name: str) -> DataFacts:
    """Read the entry of the dataset `name` from a `data.json`.

    Raises:
        DamagedRecordError: It has another shape, or its path leads out of the repository without
            being absolute.
    """
    entry = Fields(dict(data), FILE).inner(name)
    path = entry.text("path")
    check_data_path(path)
    kind = entry.text("kind")
    if kind not in ("file", "folder"):
        raise entry.wrong("kind", "is neither `file` nor `folder`")
    return DataFacts(
        path=path,
        digest=entry.xxh3("digest"),
        is_file=kind == "file",
        files=entry.natural("files"),
        size=entry.natural("bytes"),
        kept=entry.boolean("kept"),
    )


def check_data_path(path: str) -> None:
    """Refuse a path of a dataset that leads elsewhere; an absolute one is shown, never written to.

    Raises:
        DamagedRecordError: It is no path that a record may name.
    """
    if not path.startswith("/"):
        validate_path(path)
    elif "\0" in path or "\n" in path:
        raise DamagedRecordError(
            "the record names an absolute path with a NUL or a newline",
            hint="the record was damaged or made to do harm; nothing of it was written",
        )
