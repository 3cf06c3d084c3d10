"""A file that the user named for what a verb makes."""

from pathlib import Path

from repro.atomic import write_file
from repro.errors import InvalidInputError, StorageError
from repro.model.text import escape


def check_target(path: Path, *, force: bool) -> None:
    """Return if a file can be written there.

    Raises:
        InvalidInputError: There is no folder for it, or something is there already.
    """
    shown = escape(str(path))
    try:
        there = path.resolve()
        has_folder, is_there, is_file = there.parent.is_dir(), there.exists(), there.is_file()
    except (OSError, RuntimeError) as error:  # a name too long, links in a circle
        raise InvalidInputError(
            f"no file can be called `{shown}`: {_reason(error)}", hint="name another"
        ) from error
    if not has_folder:
        raise InvalidInputError(f"there is no folder for `{shown}`", hint="make it first")
    if is_there and not is_file:
        raise InvalidInputError(f"`{shown}` is no file that could be replaced", hint="name another")
    if is_there and not force:
        raise InvalidInputError(f"`{shown}` is there already", hint="`--force` replaces it")


def write_target(path: Path, data: bytes) -> None:
    """Put `data` there, of a link where it leads; others may read it.

    Raises:
        StorageError: The disk is full, read-only or forbidden, or takes no such file.
    """
    try:
        write_file(path.resolve(), data, mode=0o644)
    except OSError as error:
        shown = escape(str(path))
        raise StorageError(
            f"cannot write `{shown}`: {_reason(error)}", hint="name another file"
        ) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
