"""Media that one `log()` was given, kept in the live folder as the journal says it."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from repro.core.mediakept import keep_bytes
from repro.model.canonical import Json
from repro.sdk.pictured import find_medium


def keep_media(live_dir: Path, media: Mapping[str, Sequence[object]]) -> dict[str, Json]:
    """Keep media by their names, figures as pictures; what the journal says of them.

    Raises:
        StorageError: The disk is full, read-only or forbidden, or the run is over.
    """
    keep = partial(keep_bytes, live_dir)
    return {
        name: [one.describe(keep) for value in some if (one := find_medium(value)) is not None]
        for name, some in media.items()
    }
