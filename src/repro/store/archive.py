"""Archives: many runs under one ref, for a remote and a clone that have many (FORMAT.md F22).

An archive is a commit with the runs as its parents and one file `runs`, which says which is which.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

from repro.errors import DamagedRecordError, ReproError
from repro.model.ids import PATTERN, is_id
from repro.store.git import Repository
from repro.store.objects import Objects, parse_commit, parse_tree, reading

FILE = "runs"
MOST = 1000  # runs in one

_ID_LENGTH = 12
_KEPT = 1024  # archives in memory, of 54 kB each
_LARGEST_COMMIT = MOST * 72 + (1 << 16)  # bytes: a line for each parent, and what else it says
_HINT = "it was not written by repro: `git update-ref -d` of its ref forgets it"


class Archive:
    """Which commits the runs in an archive are."""

    def __init__(self, commit: str, parents: tuple[str, ...], text: bytes) -> None:
        """Take an archive as it was read; nothing of it is believed yet.

        Args:
            text: What its file says.
        """
        self.commit = commit
        self._parents = parents
        self._text = text
        self._width = _ID_LENGTH + len(commit) + 2
        self._is_checked = False

    def find(self, run_id: str) -> str | None:
        """The commit of a run as the archive says; None where it is not in it.

        Only `check` tells whether that is to be believed. Cost: ten looks at the text.
        """
        start = self._place(run_id)
        line = self._text[start : start + self._width]
        if not is_id(run_id) or not line.startswith(run_id.encode()):
            return None
        return line[_ID_LENGTH + 1 : -1].decode(errors="replace")

    def items(self) -> Iterator[tuple[str, str]]:
        """Id and commit of each run, in the order of the ids.

        Raises:
            DamagedRecordError: The archive breaks FORMAT.md.
        """
        self.check()
        return ((line[:_ID_LENGTH], line[_ID_LENGTH + 1 :]) for line in self._lines())

    def check(self) -> None:
        """Look whether it is as FORMAT.md says.

        Raises:
            DamagedRecordError: It is not.

        Cost: 0.5 ms for a thousand runs, once.
        """
        if self._is_checked:
            return
        if not _lines_of(len(self.commit)).fullmatch(self._text):
            raise DamagedRecordError(f"its file `{FILE}` has a malformed line", hint=_HINT)
        lines = self._lines()
        if len(lines) > MOST:
            raise DamagedRecordError(f"it has more than {MOST:,} runs", hint=_HINT)
        ids = [line[:_ID_LENGTH] for line in lines]
        if any(one >= after for one, after in pairwise(ids)):
            raise DamagedRecordError(f"the lines of its file `{FILE}` are not sorted", hint=_HINT)
        named = sorted(line[_ID_LENGTH + 1 :] for line in lines)
        if named != sorted(self._parents):
            raise DamagedRecordError("it names other commits than its parents are", hint=_HINT)
        self._is_checked = True

    def _lines(self) -> list[str]:
        return self._text.decode().split("\n")[:-1]

    def _place(self, run_id: str) -> int:
        """Where the line of a run is, or would be."""
        wanted = run_id.encode(errors="replace")
        low, high = 0, len(self._text) // self._width
        while low < high:
            middle = (low + high) // 2
            start = middle * self._width
            if self._text[start : start + _ID_LENGTH] < wanted:
                low = middle + 1
            else:
                high = middle
        return low * self._width


def format_lines(runs: Mapping[str, str]) -> bytes:
    """Give the text of the file of an archive with these runs, a commit by id."""
    return "".join(f"{run_id} {runs[run_id]}\n" for run_id in sorted(runs)).encode()


def read_archives(
    repository: Repository, commits: Iterable[str]
) -> tuple[list[Archive], dict[str, ReproError]]:
    """Read archives.

    Returns:
        Those that are there, in the order of `commits`; what is wrong with each other one.

    Cost: 0.2 ms for each that this process has not read before.
    """
    failed: dict[str, ReproError] = {}
    wanted = list(dict.fromkeys(commits))
    new = [commit for commit in wanted if commit not in _known]
    found = {commit: _known[commit] for commit in wanted if commit in _known}
    if new:
        with reading(repository) as objects:
            for commit in new:
                try:
                    found[commit] = read_archive(objects, commit)
                except ReproError as error:
                    failed[commit] = error
                else:
                    _keep(found[commit])
    return [found[commit] for commit in wanted if commit in found], failed


def read_archive(objects: Objects, commit: str) -> Archive:
    """Read one archive; `Archive.check` tells whether it is to be believed.

    Raises:
        DamagedRecordError: It is missing, too large, or no archive at all.
    """
    kind, payload = objects.read(commit, limit=_LARGEST_COMMIT)
    if kind != "commit":
        raise DamagedRecordError(f"it is a {kind}, not a commit", hint=_HINT)
    parsed = parse_commit(payload)
    kind, payload = objects.read(parsed.tree, limit=_LARGEST_COMMIT)
    entries = parse_tree(payload, len(commit) // 2) if kind == "tree" else []
    if [(entry.mode, entry.name) for entry in entries] != [(0o100644, FILE)]:
        raise DamagedRecordError(f"it does not have one file, `{FILE}`", hint=_HINT)
    kind, text = objects.read(entries[0].oid, limit=MOST * (_ID_LENGTH + len(commit) + 2))
    if kind != "blob":
        raise DamagedRecordError(f"its `{FILE}` is a {kind}", hint=_HINT)
    return Archive(commit, parsed.parents, text)


# By commit, which says all of it: it is right for every repository and for ever.
_known: dict[str, Archive] = {}


def _keep(archive: Archive) -> None:
    while len(_known) >= _KEPT:
        del _known[next(iter(_known))]
    _known[archive.commit] = archive


@lru_cache
def _lines_of(oid_length: int) -> re.Pattern[bytes]:
    return re.compile(rb"(?:%b [0-9a-f]{%d}\n)+" % (PATTERN.encode(), oid_length))
