"""What was read of a run in progress so far, as bytes that the run index keeps for the next look.

Nothing of them is trusted: what is not exactly what was written is no state.
"""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import msgspec

from repro.model.run import Artifact
from repro.model.running import Running
from repro.store.journal_reader import Place

_VERSION = b"live1"


@dataclass(frozen=True, slots=True)
class Said:
    """What the journals say beside points; the names are those of `Events`."""

    config: dict[str, Any]
    summary: dict[str, Any]
    goals: dict[str, str]
    artifacts: list[Artifact]
    data: dict[str, Any]
    environment: dict[str, Any]
    tags: list[str]
    name: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class LiveState:
    """What was read so far.

    Attributes:
        attempt: What tells this execution of the run from others.
        places: How far each journal was read.
        moments: Time of the newest record of each journal, in seconds since 1970, by name.
        newest: Of the last record of `said`: its time, rank, journal, and number in that.
        metrics: By name.
    """

    attempt: str
    places: tuple[Place, ...]
    moments: dict[str, float]
    newest: tuple[float, int, str, int] | None
    metrics: dict[str, Running]
    said: Said


class _Form(msgspec.Struct, array_like=True):
    attempt: str
    places: tuple[Place, ...]
    moments: dict[str, float]
    newest: tuple[float, int, str, int] | None
    metrics: dict[str, Running]
    said: bytes  # JSON: it takes integers of any size, and in a journal there is no NaN


def encode_state(state: LiveState) -> bytes:
    """The bytes of a state; none where it holds what cannot be kept."""
    try:
        said = msgspec.json.encode(state.said)
        form = _Form(state.attempt, state.places, state.moments, state.newest, state.metrics, said)
        body = msgspec.msgpack.encode(form)
    except (ValueError, OverflowError, RecursionError):
        return b""
    return _VERSION + crc32(body).to_bytes(4, "big") + body


def decode_state(data: bytes) -> LiveState | None:
    """What `encode_state` wrote, None where these bytes are anything else."""
    head, body = data[: len(_VERSION) + 4], data[len(_VERSION) + 4 :]
    if head != _VERSION + crc32(body).to_bytes(4, "big"):
        return None
    try:
        form = msgspec.msgpack.decode(body, type=_Form)
        said = msgspec.json.decode(form.said, type=Said)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return LiveState(form.attempt, form.places, form.moments, form.newest, form.metrics, said)
