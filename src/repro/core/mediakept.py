"""The bytes of media of a run in progress, kept before its journal names them."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from repro.atomic import storage_errors, write_file
from repro.core.outputs import GIT_LIMIT
from repro.errors import StorageError
from repro.model.medium import FOLDER, FileType, MediaFile
from repro.store.content import ContentStore


def keep_bytes(
    live_dir: Path,
    data: bytes,
    kind: FileType,
    size: tuple[int, int] | None = None,
    *,
    sync_later: Callable[[Path], object] | None = None,
) -> MediaFile:
    """Keep the bytes of a medium for the record of a run in progress.

    Up to 1 MiB they go to `live_dir/media/`, from there into git; more to the content store.

    Args:
        size: Width and height of a picture, in pixels.
        sync_later: Is told of a file that a power loss may still take; without it, none may.

    Raises:
        StorageError: The disk is full, read-only or forbidden, or the folder of the run is gone.
    """
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    width, height = size or (None, None)
    if len(data) > GIT_LIMIT:
        ContentStore(live_dir.parent.parent / "store").put_bytes(data)
        return MediaFile(kind, len(data), digest, "store", width, height)
    file = MediaFile(kind, len(data), digest, "git", width, height)
    kept = live_dir / file.path
    try:
        with storage_errors(f"`{FOLDER}/`"):
            kept.parent.mkdir(mode=0o700, exist_ok=True)
        if not kept.exists():
            write_file(kept, data, is_durable=sync_later is None)
            if sync_later is not None:
                sync_later(kept)
    except FileNotFoundError as error:
        raise StorageError(f"`{live_dir}`, the folder of the run, is gone") from error
    return file
