"""What people say of a run in progress, in a file of its own (FORMAT.md section "Journals")."""

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from repro.atomic import fsync_dir, storage_errors
from repro.store.journal import format_line
from repro.store.journal_reader import JOURNAL_VERSION, WORDS

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def append_words(live_dir: Path, records: Iterable[Mapping[str, Any]], time: float) -> None:
    """Write records down, all or none; they survive a power loss once this returns.

    Whoever calls this is the only one who does, and nobody seals the run meanwhile.

    Args:
        records: Of kinds that FORMAT.md knows, without `t`.
        time: Of all of them, in seconds since 1970.

    Raises:
        InvalidInputError: One is too long.
        StorageError: The disk is full, read-only or forbidden; nothing was written.
    """
    data = b"".join(format_line({**record, "t": time}) for record in records)
    with storage_errors("what was said of the run"):
        fd = os.open(live_dir / WORDS, _FLAGS, 0o600)
        try:
            size = os.fstat(fd).st_size
            if not size:
                header = {"k": "journal", "format": JOURNAL_VERSION, "run": live_dir.name}
                data = format_line({**header, "rank": 0, "t": time}) + data
            elif os.pread(fd, 1, size - 1) != b"\n":  # a kill tore the last line
                data = b"\n" + data
            if os.write(fd, data) != len(data):
                os.ftruncate(fd, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), WORDS)
            os.fsync(fd)
        finally:
            os.close(fd)
        if not size:
            fsync_dir(live_dir)
