"""A process that reads runs for the process that brings the run index up to date.

It reads from a folder of objects, and writes nothing but its answers; it ends when nobody asks.
"""

import gc
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from repro.store.index_batch import Batch, make_batch
from repro.store.index_record import read_environment, read_row
from repro.store.index_rows import Cell
from repro.store.objects import Objects
from repro.store.objects_pygit2 import open_folder

Items = Sequence[tuple[str, str]]

_LENGTH = 8  # bytes that say how long a message is
_LONGEST = 1 << 30
_ENOUGH = 1 << 25  # bytes of records in one answer
_COLLECT = 200_000  # new objects between two looks for cycles: records have none


@dataclass(slots=True)
class Answer:
    """What was read of the runs that were asked for.

    Attributes:
        environments: The cells of those that no earlier answer had, by name.
        left: Runs that it did not get; who asks reads them, and has the reason.
    """

    batch: Batch
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    left: list[tuple[str, str]] = field(default_factory=list)


def write_message(file: IO[bytes], payload: bytes) -> None:
    """Write one message.

    Raises:
        OSError: Nobody reads any more.
    """
    file.write(len(payload).to_bytes(_LENGTH, "big"))
    file.write(payload)
    file.flush()


def read_message(file: IO[bytes]) -> bytes:
    """Read one message.

    Raises:
        EOFError: There is none, or not all of it.
    """
    length = int.from_bytes(file.read(_LENGTH), "big")
    payload = file.read(length) if 0 < length <= _LONGEST else b""
    if not payload or len(payload) != length:
        raise EOFError
    return payload


def read_items(objects: Objects, items: Items, seen: set[str]) -> Answer:
    """Read runs.

    Args:
        items: Id and commit of each.
        seen: Names of environments that are known; new ones are added.
    """
    rows = []
    left: list[tuple[str, str]] = []
    environments: dict[str, dict[str, Cell]] = {}
    size = 0
    for run_id, oid in items:
        if size > _ENOUGH:
            left.append((run_id, oid))
            continue
        try:
            row = read_row(objects, run_id, oid)
        except Exception:  # noqa: BLE001  # whatever it is, who asked finds it again
            left.append((run_id, oid))
            continue
        rows.append(row)
        size += row.size
        name = row.environment
        if name is not None and name not in seen:
            environments[name] = dict(read_environment(objects, name))
            seen.add(name)
    return Answer(make_batch(rows, many=True), environments, left)


def serve(objects: Objects, questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer each question, until there are no more."""
    decoder = msgspec.msgpack.Decoder(list[tuple[str, str]])
    encoder = msgspec.msgpack.Encoder()
    seen: set[str] = set()
    with suppress(EOFError, OSError):
        while True:
            items = decoder.decode(read_message(questions))
            write_message(answers, encoder.encode(read_items(objects, items, seen)))


def main(folder: str) -> None:
    """Serve at the standard streams, from the folder of objects `folder`."""
    # ^C is for the process that asks: it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(_COLLECT)
    objects = open_folder(Path(folder))
    if objects is not None:
        serve(objects, sys.stdin.buffer, sys.stdout.buffer)
