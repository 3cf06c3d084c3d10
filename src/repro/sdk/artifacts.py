"""The files that `log_artifact` is asked to keep, by what the record calls them."""

import os
from pathlib import Path, PurePosixPath

from repro.errors import InvalidInputError


def find_files(path: str | os.PathLike[str], name: str | None, root: Path) -> dict[str, Path]:
    """Map the name in the record of each file to where it is: one, or all of a folder.

    Args:
        name: What the record calls it; by default its path relative to `root`, or its bare name
            if it is elsewhere.

    Raises:
        TypeError: `path` is none.
        InvalidInputError: There is no such file.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"log_artifact() takes a path, not {type(path).__qualname__}")
    source = Path(path)
    if not source.exists():
        raise InvalidInputError(f"there is no file `{source}` to keep")
    is_named = source.name not in ("", "..")  # a link keeps its name
    place = source.parent.resolve() / source.name if is_named else source.resolve()
    is_inside = place.is_relative_to(root)
    label = name or (place.relative_to(root).as_posix() if is_inside else place.name)
    if not source.is_dir():
        return {label: source.resolve()}
    files = sorted(file for file in source.rglob("*") if file.is_file())
    inside = {file.relative_to(source): file for file in files}
    return {
        (PurePosixPath(label) / inner).as_posix(): file
        for inner, file in inside.items()
        if ".git" not in inner.parts
    }
