"""Media that one `log()` was given, kept in the live folder as the journal says it."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from repro.core.mediakept import keep_bytes
from repro.model.canonical import Json
from repro.sdk.loggable import Media


def keep_media(live_dir: Path, media: Mapping[str, Sequence[Media]]) -> dict[str, Json]:
    """Keep media by their names; what the journal says of them.

    Raises:
        StorageError: The disk is full, read-only or forbidden, or the run is over.
    """
    keep = partial(keep_bytes, live_dir)
    return {name: [one.describe(keep) for one in some] for name, some in media.items()}
