"""What a restore changes in a dataset, path by path, as values and as text (FORMAT.md "Undo")."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from repro.errors import DamagedRecordError
from repro.model.manifest import decode_path, decode_target, encode_path, encode_target

_LINE = re.compile(
    r"(?:(?P<kind>file|exec)(?::(?P<bits>[0-7]{3}))? (?P<sha256>[0-9a-f]{64}) (?P<size>[0-9]{1,19})"
    r"|link (?P<target>[^ ]+)|(?P<dir>dir)(?::(?P<dir_bits>[0-7]{3}))?) (?P<path>.*)\Z"
)


class FileState(NamedTuple):
    """A file as it is or shall be.

    Attributes:
        sha256: 64 hex digits; None where nobody vouches for its bytes.
        size: Bytes.
        bits: Its permission bits, None for the usual ones.
        xxh3: What a record pins, 32 hex digits; for a second look at bytes that are to come.
    """

    sha256: str | None
    size: int
    is_executable: bool
    bits: int | None = None
    xxh3: str | None = None


class LinkState(NamedTuple):
    """A symbolic link as it is or shall be."""

    target: str


class FolderState(NamedTuple):
    """A folder: what is in it is said elsewhere; `bits` as for a file."""

    bits: int | None = None


State = FileState | LinkState | FolderState


def is_as(state: State | None, wanted: State | None) -> bool:
    """Whether what is there is as wanted; permission bits matter where they are said only."""
    if isinstance(wanted, FileState):
        return isinstance(state, FileState) and _known(state, wanted) == _known(wanted, wanted)
    if isinstance(wanted, FolderState):
        return isinstance(state, FolderState) and wanted.bits in (None, state.bits)
    return type(state) is type(wanted) and state == wanted


def _known(state: FileState, wanted: FileState) -> FileState:
    return state._replace(bits=state.bits if wanted.bits is not None else None, xxh3=None)


@dataclass(frozen=True, slots=True)
class Move:
    """A path of a dataset that changes; None where nothing is there."""

    path: str
    old: State | None
    new: State | None


def format_states(states: Mapping[str, State | None]) -> bytes:
    """Write what is at each path, sorted; a path with nothing gets no line."""
    there = {path: states[path] for path in sorted(states, key=os.fsencode)}
    lines = [
        _format(state, encode_path(path)) for path, state in there.items() if state is not None
    ]
    return "".join(lines).encode()


def _format(state: State, path: str) -> str:
    if isinstance(state, LinkState):
        return f"link {encode_target(state.target)} {path}\n"
    bits = "" if state.bits is None else f":{state.bits & 0o777:03o}"
    if isinstance(state, FileState):
        kind = "exec" if state.is_executable else "file"
        return f"{kind}{bits} {state.sha256} {state.size} {path}\n"
    return f"dir{bits} {path}\n"


def parse_states(data: bytes) -> dict[str, State]:
    """Read what `format_states` wrote.

    Raises:
        DamagedRecordError: It is something else.
    """
    found: dict[str, State] = {}
    for line in data.decode(errors="replace").split("\n")[:-1]:
        match = _LINE.match(line)
        target = decode_target(match["target"] or "") if match else ""
        if match is None or "\0" in target:
            raise DamagedRecordError("the data of an undo entry is damaged")
        path = decode_path(match["path"])
        if match["dir"]:
            found[path] = FolderState(_bits(match["dir_bits"]))
        elif target:
            found[path] = LinkState(target)
        else:
            size, is_executable = int(match["size"]), match["kind"] == "exec"
            found[path] = FileState(match["sha256"], size, is_executable, _bits(match["bits"]))
    return found


def _bits(text: str | None) -> int | None:
    return None if text is None else int(text, 8)
