"""What verbs that talk to a git remote share: their words, and what they say of merges."""

from collections.abc import Sequence
from pathlib import Path

from repro.cli import render
from repro.core.project import Project
from repro.errors import RemoteError, UnknownRunError
from repro.model.canonical import Json
from repro.model.ids import is_id_prefix
from repro.model.nearest import nearest_names
from repro.model.sharing import Overruled
from repro.model.text import escape
from repro.store.remoterefs import GitRemote, find_remote, list_names

_SHOWN = 20  # lines of any list; `--json` has all


def split_words(
    project: Project, words: Sequence[str], *, push: bool = False
) -> tuple[GitRemote, tuple[str, ...]]:
    """Give the remote that the first word names, and the other words, which are runs.

    Where the first word is no remote but a run, the usual remote is meant.

    Raises:
        RemoteError: There is no such remote, none at all, or several and none is named.
        AmbiguousRunError: The first word is no remote, and several runs are called that.
        InvalidInputError: The carrier that is set for it cannot be one.
    """
    git = project.repository.git
    if not words:
        return find_remote(git, None, push=push), ()
    try:
        return find_remote(git, words[0], push=push, cwd=Path.cwd()), tuple(words[1:])
    except RemoteError as error:
        if not _is_run(project, words[0]):
            raise RemoteError(
                f"`{escape(words[0])}` is no run, and {error.message}", hint=error.hint
            ) from error
        return find_remote(git, None, push=push), tuple(words)


def split_asked(
    project: Project, remote: str | None, runs: Sequence[str]
) -> tuple[GitRemote, tuple[str, ...]]:
    """Give the remote to bring runs from, and their ids, of which this clone may know none.

    Where the word for the remote can only be an id, the usual remote is meant.

    Raises:
        RemoteError: There is no such remote, none at all, or several and none is named.
        InvalidInputError: The carrier that is set for it cannot be one.
    """
    git = project.repository.git
    try:
        return find_remote(git, remote, cwd=Path.cwd()), tuple(runs)
    except RemoteError:
        is_other = remote is None or not is_id_prefix(remote)
        if is_other or nearest_names(remote or "", list_names(git)):
            raise
    return find_remote(git, None), (remote or "", *runs)


def say_overruled(overruled: Sequence[Overruled]) -> None:
    """Say which words of two clones a merge could not both keep."""
    for one in overruled[:_SHOWN]:
        render.note(
            f"repro: run {one.run} was given another {one.what} here and there: the later one"
            f" stays, `repro show {one.run} --history` has both"
        )
    if len(overruled) > _SHOWN:
        render.note(f"    … and {len(overruled) - _SHOWN:,} more")


def overruled_json(overruled: Sequence[Overruled]) -> list[Json]:
    """The same as `--json` prints it, a stable shape."""
    return [{"run": one.run, "what": one.what} for one in overruled]


def _is_run(project: Project, text: str) -> bool:
    """Whether a run is called that; it may be damaged.

    Raises:
        AmbiguousRunError: Several are.
    """
    # Here, for the index takes longer to import than a push of all runs takes.
    from repro.core.known import open_runs  # noqa: PLC0415
    from repro.core.naming import find_id  # noqa: PLC0415

    try:
        with open_runs(project) as runs:
            find_id(runs, text)
    except UnknownRunError:
        return False
    return True
