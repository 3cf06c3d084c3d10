"""A repository cloned together with its runs."""

from collections.abc import Mapping
from pathlib import Path

from repro.errors import GitError, InvalidInputError
from repro.model.secrets import redact_url
from repro.model.text import escape
from repro.store.git import Git, clean_environment
from repro.store.remoterefs import find_host
from repro.store.transport_faults import explain_fault


def clone_repository(url: str, target: Path, *, cwd: Path, environ: Mapping[str, str]) -> None:
    """Clone as `git clone` does; no hook runs, and nothing of the repository is executed.

    Args:
        target: The new folder.
        cwd: What a path in `url` is relative to.

    Raises:
        InvalidInputError: `target` is there, and not empty.
        RemoteError: The repository is not there, refuses, or the connection was lost.
        StorageError: The disk is full; git leaves nothing behind then.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInputError(
            f"`{escape(str(target))}` is there already, and not empty", hint="name another folder"
        )
    git = Git(cwd, clean_environment(environ))
    try:
        git.run("clone", "--quiet", "--", url, str(target))
    except GitError as error:
        label = escape(redact_url(url))
        raise explain_fault(
            error.message, name=label, host=find_host(url), doing="clone"
        ) from error


def folder_of(url: str) -> str:
    """The name of the folder that `git clone URL` makes."""
    bare = url.rstrip("/").removesuffix("/.git").removesuffix(".git").rstrip("/")
    return bare.replace(":", "/").rpartition("/")[2]
