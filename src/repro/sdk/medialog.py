"""Media that one `log()` was given, kept in the live folder as the journal says it."""

from collections.abc import Mapping, Sequence
from functools import partial

from repro.core.mediakept import keep_bytes
from repro.model.canonical import Json
from repro.sdk.pictured import find_medium
from repro.store.journal import JournalWriter


def keep_media(journal: JournalWriter, media: Mapping[str, Sequence[object]]) -> dict[str, Json]:
    """Keep media by their names, figures as pictures; what the journal shall say of them.

    Raises:
        UsageError: The run is over.
        StorageError: The disk is full, read-only or forbidden, or the folder of the run is gone.
    """
    journal.require_open()
    keep = partial(keep_bytes, journal.path.parent, sync_later=journal.sync_later)
    return {
        name: [one.describe(keep) for value in some if (one := find_medium(value)) is not None]
        for name, some in media.items()
    }
