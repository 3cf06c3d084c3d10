"""Media that one `log()` was given, kept in the live folder as the journal says it."""

from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from urllib.parse import quote

from repro.core.mediakept import keep_bytes
from repro.errors import StorageError
from repro.model.canonical import Json
from repro.model.paths import LONGEST_NAME, find_name_fault
from repro.model.text import escape
from repro.sdk.loggable import Media
from repro.sdk.notices import warn
from repro.sdk.pictured import find_medium
from repro.store.journal import JournalWriter

_LONGEST_PART = LONGEST_NAME - 32  # bytes; a suffix follows
_SHOWN = 16  # characters of an odd part
_DIGITS = 16


def take_files(
    media: Mapping[str, Sequence[object]], step: int, rank: int
) -> tuple[dict[str, list[Media]], list[tuple[str, bytes]]]:
    """Part media into those for `media.jsonl`, by name, and artifacts: bytes by name."""
    shown: dict[str, list[Media]] = {}
    files: list[tuple[str, bytes]] = []
    before = f"rank{rank}/" if rank else ""
    for name, some in media.items():
        parts = f"{before}{name}".split("/")
        for place, one in enumerate(filter(None, map(find_medium, some))):
            label = "/".join(map(_holdable, [*parts[:-1], f"{parts[-1]}_{step}_{place}"]))
            if found := one.files(label):
                files.extend(found.items())
            else:
                shown.setdefault(name, []).append(one)
    return shown, files


def _holdable(part: str) -> str:
    """Part of a metric's name as a record can hold it between two slashes; an odd one is hashed."""
    is_short = len(part.encode()) <= _LONGEST_PART
    if part.isprintable() and is_short and find_name_fault(part) is None:
        return part
    return f"{quote(part[:_SHOWN], safe='')}-{sha256(part.encode()).hexdigest()[:_DIGITS]}"


def keep_media(
    journal: JournalWriter, step: int, media: Mapping[str, Sequence[Media]], *, is_strict: bool
) -> dict[str, Json] | None:
    """Keep media by their names; what the journal shall say of them.

    Returns:
        None where they cannot be kept: the first time that is said, then the journal counts.

    Raises:
        StorageError: `is_strict`, and the disk is full, read-only or forbidden, or the folder of
            the run is gone; so does an OSError.
    """
    keep = partial(keep_bytes, journal.path.parent, sync_later=journal.sync_later)
    try:
        return {name: [one.describe(keep) for one in some] for name, some in media.items()}
    except (StorageError, OSError) as error:
        if is_strict:
            raise
        if not journal.lost_media:
            names = ", ".join(map(escape, media))
            warn(f"{names} of step {step} is not kept: {error}; the record will count such media")
        journal.lost_media += sum(map(len, media.values()))
        return None
