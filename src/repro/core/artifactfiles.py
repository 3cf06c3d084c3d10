"""The bytes of an artifact: from its record, the content store, or the folder of a run."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from repro.core.project import Project
from repro.errors import DamagedRecordError, MissingDataError
from repro.model.run import Artifact, Record
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.objects import find_entry, reading

_BLOCK = 1 << 20
_TYPE, _REGULAR = 0o170000, 0o100000  # of a mode


def read_artifact(project: Project, record: Record, artifact: Artifact, limit: int) -> bytes:
    """The first bytes of an artifact, at most `limit`; see `open_artifact`."""
    parts, left = [], limit
    stream = open_artifact(project, record, artifact)
    with suppress(StopIteration):
        while left > 0:
            parts.append(next(stream)[:left])
            left -= len(parts[-1])
    stream.close()
    return b"".join(parts)


def open_artifact(project: Project, record: Record, artifact: Artifact) -> "Blocks":
    """Give the bytes of an artifact in blocks of at most 1 MiB, hashed before the first one.

    Raises:
        MissingDataError: They are not here.
        DamagedRecordError: They are not those of its digest, or it is a link.

    Cost: reads the file once more than the caller does.
    """
    if artifact.where == "git":
        return Blocks(_of_git(project, record, artifact))
    content = ContentStore(project.store)
    if not content.has(artifact.digest):
        raise _missing(artifact)
    return Blocks(content.open(artifact.digest))


class Blocks(Iterator[bytes]):
    """The blocks of a file, or of bytes at hand; the file is closed at the end of them."""

    def __init__(self, source: "IO[bytes] | bytes") -> None:
        self._file = None if isinstance(source, bytes) else source
        self._data = source if isinstance(source, bytes) else b""

    def __next__(self) -> bytes:
        """The next block."""
        if self._file is not None:
            block = self._file.read(_BLOCK)
        else:
            block, self._data = self._data[:_BLOCK], self._data[_BLOCK:]
        if not block:
            self.close()
            raise StopIteration
        return block

    def close(self) -> None:
        """Read no further."""
        if self._file is not None:
            self._file.close()


def _of_git(project: Project, record: Record, artifact: Artifact) -> bytes:
    data = _in_record(project, record, artifact) if record.commit else None
    if data is None:
        data = _in_live_folder(project.live / record.run.id, artifact)
    if data is None:
        raise _missing(artifact)
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != artifact.digest:
        raise DamagedRecordError(
            f"the bytes of `{escape(artifact.path)}` are not those of its digest",
            hint=f"`repro fsck {record.run.id}` says what else is damaged",
        )
    return data


def _in_record(project: Project, record: Record, artifact: Artifact) -> bytes | None:
    with reading(project.repository) as objects:
        entry = find_entry(objects, record.commit, f"artifacts/{artifact.path}")
        if entry is None:
            return None
        if entry.mode & _TYPE != _REGULAR:
            raise DamagedRecordError(f"the artifact `{escape(artifact.path)}` is no file")
        return objects.read(entry.oid)[1]


def _in_live_folder(folder: Path, artifact: Artifact) -> bytes | None:
    """What a run in progress has kept so far; its digest is its name there."""
    path = folder / "artifacts" / artifact.digest.removeprefix("sha256:")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read()


def _missing(artifact: Artifact) -> MissingDataError:
    return MissingDataError(
        f"the bytes of `{escape(artifact.path)}` are not in this clone",
        hint="`repro pull --data` brings what runs keep in the store of the project",
        paths=(artifact.path,),
    )
