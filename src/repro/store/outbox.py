"""Runs that wait to be pushed behind the user's back, and what the user is to hear of it.

A run waits as an empty file of its name. What went wrong stands in two files: what is wrong now,
so that nobody hears it twice, and what nobody was told yet (FORMAT.md, "The private folder").
"""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import write_file
from repro.model.ids import is_id

LOG = "autopush.log"
LOCK = "autopush.lock"

_FOLDER = "outbox"
_FAILING = "autopush-failing.json"
_UNTOLD = "autopush-untold.json"
_MOST = 100  # of each: a user reads no more


@dataclass(frozen=True, slots=True)
class Word:
    """Something that the user is to hear; nothing is escaped."""

    message: str
    hint: str = ""


def put_out(private: Path, ids: Iterable[str]) -> None:
    """Have runs wait.

    Raises:
        OSError: The private folder cannot be written.
    """
    folder = private / _FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for run_id in ids:
        (folder / run_id).touch(mode=0o600)


def list_waiting(private: Path) -> list[str]:
    """The ids of the runs that wait, in their order."""
    try:
        return sorted(name for name in os.listdir(private / _FOLDER) if is_id(name))
    except OSError:  # none ever did
        return []


def take_in(private: Path, ids: Iterable[str]) -> None:
    """Have runs wait no more."""
    for run_id in ids:
        with suppress(OSError):
            (private / _FOLDER / run_id).unlink()


def leave_words(private: Path, words: Sequence[Word]) -> None:
    """Put down what is wrong now; what was not wrong before is told by the next command.

    The caller holds the lock.

    Raises:
        StorageError: The private folder cannot be written.
    """
    before = _read(private / _FAILING)
    untold = [*_read(private / _UNTOLD), *(word for word in words if word not in before)]
    if untold:
        _write(private / _UNTOLD, list(dict.fromkeys(untold))[-_MOST:])
    _write(private / _FAILING, words[-_MOST:])


def take_words(private: Path) -> list[Word]:
    """What nobody was told yet; from now on somebody was.

    Cost: one look at a file where there is nothing.
    """
    path = private / _UNTOLD
    taken = path.with_name(f".{_UNTOLD}.{os.getpid()}")
    try:
        path.rename(taken)
    except OSError:
        return []
    words = _read(taken)
    taken.unlink(missing_ok=True)
    return words


def _read(path: Path) -> list[Word]:
    try:
        pairs = json.loads(path.read_bytes())
        return [Word(str(message), str(hint)) for message, hint in pairs]
    except (OSError, ValueError, TypeError):  # nothing is, or what is cannot be understood
        return []


def _write(path: Path, words: Sequence[Word]) -> None:
    pairs = [[word.message, word.hint] for word in words]
    write_file(path, json.dumps(pairs).encode())
