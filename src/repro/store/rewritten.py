"""Which commit took the place of which, as git said after each rebase and amend."""

import os
import re
from collections.abc import Iterable

from repro.atomic import FileLock, storage_errors, write_file
from repro.store.git import Repository

FILE = "rewritten"

_LINE = re.compile(r"^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64})$", re.MULTILINE)
_LARGEST = 1 << 20  # bytes; past that the older half goes


def add_rewritten(repository: Repository, pairs: Iterable[tuple[str, str]]) -> None:
    """Remember that the second commit of each pair took the place of the first.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    lines = "".join(f"{old} {new}\n" for old, new in pairs if old != new).encode()
    if not lines:
        return
    path = repository.private / FILE
    with storage_errors(f"`{FILE}`"):
        repository.private.mkdir(exist_ok=True, mode=0o700)
        with FileLock(repository.private / f"{FILE}.lock"):
            data = path.read_bytes() if path.exists() else b""
            if data and not data.endswith(b"\n"):  # a line that was cut short
                lines = b"\n" + lines
            if len(data) + len(lines) > _LARGEST:
                kept = (data + lines)[-_LARGEST // 2 :].partition(b"\n")[2]
                write_file(path, kept)
                return
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(fd, lines)
            finally:
                os.close(fd)


def find_rewritten(repository: Repository, commit: str) -> str | None:
    """The commit that stands for `commit` after all that was said; None where none does."""
    try:
        text = (repository.private / FILE).read_text(errors="replace")
    except OSError:
        return None
    later = dict(_LINE.findall(text))  # of several, the last one counts
    seen = {commit}
    now = commit
    while later.get(now, now) not in seen:
        now = later[now]
        seen.add(now)
    return now if now != commit else None


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """The pairs that git gives its hook `post-rewrite`; what else is in a line is passed over."""
    words = (line.split()[:2] for line in text.splitlines())
    return [found for pair in words for found in _LINE.findall(" ".join(pair))]
