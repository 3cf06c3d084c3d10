"""An environment of Python put where a tree expects it, without being any part of the tree."""

import os
from collections.abc import Sequence
from pathlib import Path

from repro.atomic import storage_errors
from repro.errors import DamagedRecordError
from repro.model.paths import validate_path

_IGNORE = ".gitignore"


def link_prefix(tree: Path, old_roots: Sequence[str], recorded: str | None, prefix: Path) -> bool:
    """Let programs find an environment by the relative path that it had in the original tree.

    It becomes a folder that git ignores as a whole, of links to what is in `prefix`: for Python
    that is an environment of its own, with the same packages.

    Args:
        tree: The isolated tree.
        old_roots: The original tree by all its absolute spellings.
        recorded: Where the environment was, absolute; one outside of the tree stays there.

    Returns:
        Whether it was put there. Not where the tree has something of that name.

    Raises:
        StorageError: The disk is full or read-only.
    """
    inner = _path_inside(old_roots, recorded)
    if inner is None or not prefix.is_dir():
        return False
    place = tree / inner
    # A link of the tree on the way may lead anywhere.
    if os.path.lexists(place) or not place.parent.resolve().is_relative_to(tree.resolve()):
        return False
    with storage_errors("the folder of the environment"):
        place.mkdir(parents=True)
        (place / _IGNORE).write_text("*\n")
        for name in sorted(os.listdir(prefix)):
            if name != _IGNORE:
                (place / name).symlink_to(prefix / name)
    return True


def _path_inside(roots: Sequence[str], path: str | None) -> str | None:
    for root in roots:
        if path is not None and path.startswith(f"{root}/"):
            inner = os.path.normpath(path[len(root) + 1 :])
            try:
                validate_path(inner)
            except DamagedRecordError:
                return None
            return inner
    return None
