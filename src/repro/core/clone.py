"""A repository cloned together with its runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repro.errors import InvalidInputError
from repro.model.secrets import redact_url
from repro.model.text import escape
from repro.store.git import Git, clean_environment
from repro.store.remoterefs import ANY_CODE, find_host
from repro.store.transport_faults import explain_fault

# Of this machine. What ssh is denied, and what the other side says of its own disk, is not.
_DISK = re.compile(
    r"No space left on device|Out of diskspace|Disk quota exceeded|Read-only file system"
    r"|could not create (?:work tree|leading director)"
)

_WARNING = "warning: "


@dataclass(frozen=True, slots=True)
class Cloned:
    """A clone, as far as there is something to say about it; nothing is escaped.

    Attributes:
        warnings: Lines of git.
        branches: What may be checked out, where nothing is: the remote names a branch that it
            does not have.
    """

    warnings: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


def clone_repository(url: str, target: Path, *, cwd: Path, environ: Mapping[str, str]) -> Cloned:
    """Clone as `git clone` does; no hook runs, and nothing of the repository is executed.

    Args:
        target: The new folder.
        cwd: What a path in `url` is relative to.

    Raises:
        InvalidInputError: `target` is there, and not empty.
        RemoteError: The repository is not there, refuses, or the connection was lost.
        StorageError: The disk is full, read-only or forbidden; git leaves nothing behind then.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInputError(
            f"`{escape(str(target))}` is there already, and not empty", hint="name another folder"
        )
    git = Git(cwd, clean_environment(environ))
    done = git.run("clone", "--quiet", "--", url, str(target), ok=ANY_CODE)
    if done.code == 0:
        warnings = (line for line in done.err.splitlines() if line.startswith(_WARNING))
        return Cloned(
            warnings=tuple(line.removeprefix(_WARNING) for line in warnings),
            branches=_list_unused(replace(git, cwd=cwd / target)),
        )
    ours = "\n".join(line for line in done.err.splitlines() if not line.startswith("remote:"))
    if _DISK.search(ours):
        raise git.failure(("clone",), done.code, ours)
    raise explain_fault(done.err, name=escape(redact_url(url)), host=find_host(url), doing="clone")


def _list_unused(git: Git) -> tuple[str, ...]:
    """The branches of a remote, where none of them is checked out."""
    if git.find("HEAD") is not None:
        return ()
    listed = git.text("for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/")
    return tuple(branch for branch in listed.splitlines() if branch != "HEAD")


def folder_of(url: str) -> str:
    """The name of the folder that `git clone URL` makes."""
    bare = url.rstrip("/").removesuffix("/.git").removesuffix(".git").rstrip("/")
    return bare.replace(":", "/").rpartition("/")[2]
