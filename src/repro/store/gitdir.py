"""A bare git folder for our own use: what git needs so that it takes a folder for a repository."""

from pathlib import Path

from repro.atomic import storage_errors


def make_git_dir(
    folder: Path, object_format: str, *, head: str = "refs/heads/none", is_bare: bool = True
) -> None:
    """Make a git folder without any object, ref or setting of the user's.

    Args:
        folder: Must not be there yet.
        object_format: `sha1` or `sha256`.
        head: The ref that its HEAD names.
        is_bare: False where a working tree is given beside it.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    is_sha1 = object_format == "sha1"
    config = f"[core]\n\trepositoryFormatVersion = {int(not is_sha1)}\n"
    config += f"\tbare = {str(is_bare).lower()}\n"
    if not is_sha1:
        config += f"[extensions]\n\tobjectFormat = {object_format}\n"
    with storage_errors("a git folder for new objects"):
        (folder / "objects").mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "HEAD").write_text(f"ref: {head}\n")
        (folder / "config").write_text(config)
