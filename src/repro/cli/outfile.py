"""A file that the user named for what a verb makes."""

from pathlib import Path

from repro.atomic import write_file
from repro.errors import InvalidInputError
from repro.model.text import escape


def check_target(path: Path, *, force: bool) -> None:
    """Return if a file can be written there.

    Raises:
        InvalidInputError: There is no folder for it, or something is there already.
    """
    shown = escape(str(path))
    if not path.absolute().parent.is_dir():
        raise InvalidInputError(f"there is no folder for `{shown}`", hint="make it first")
    if path.exists() and not path.is_file():
        raise InvalidInputError(f"`{shown}` is no file that could be replaced", hint="name another")
    if path.exists() and not force:
        raise InvalidInputError(f"`{shown}` is there already", hint="`--force` replaces it")


def write_target(path: Path, data: bytes) -> None:
    """Put `data` there; others may read it.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    write_file(path, data, mode=0o644)
