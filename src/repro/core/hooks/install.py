"""The hooks of a clone installed, taken away, looked at."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import storage_errors
from repro.errors import UsageError, WouldLoseWorkError
from repro.model.text import escape
from repro.store.git import Repository
from repro.store.hookfiles import (
    HookState,
    Program,
    format_hook,
    format_passing,
    has_made_folder,
    read_state,
    remove_hook,
    write_hook,
)

OWN_FOLDER = "repro-hooks"  # in the common git folder: hooks of this clone only

_KEY = "core.hooksPath"
# Hooks of git in a clone that are the same absent as with exit code 0, and that git asks for
# rarely: these are passed on also where the folder has none at the moment.
_PASSED_ON = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit",
    "prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge",
    "pre-push", "post-rewrite", "pre-auto-gc", "sendemail-validate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HooksPath:
    """A value of `core.hooksPath`, with git's word for the file it is from."""

    scope: str
    value: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where hooks of a clone go.

    Attributes:
        folder: The folder that is written to.
        former: The folder that git took hooks from before, where that is another one.
        scope: Of the setting that names it; None where nothing does.
    """

    folder: Path
    former: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation did.

    Attributes:
        changed: The hooks that were written.
        kept: Those that call one that was there before.
    """

    folder: Path
    changed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken away, and what was not.

    Attributes:
        hooks: The hooks that were taken away.
        left: Those that somebody changed since.
    """

    hooks: tuple[str, ...]
    left: tuple[str, ...]


def find_place(repository: Repository, *, local: bool = False) -> Place:
    """Where hooks that only this clone has can go.

    Args:
        local: Whether to make a folder for this clone where git takes hooks from one that others
            share; all hooks of that one are called from there.

    Raises:
        UsageError: Others share the folder that git takes hooks from.
    """
    own = repository.common_dir / OWN_FOLDER
    paths = _read_paths(repository)
    if paths and Path(paths[-1].value) == own:
        others = [path.value for path in paths if Path(path.value) != own]
        return Place(own, others[-1] if others else None, paths[-1].scope)
    if not paths:
        return Place(repository.common_dir / "hooks")
    last = paths[-1]
    if local:
        return Place(own, last.value, last.scope)
    folder = Path(os.path.normpath(repository.root / last.value))
    reason = _shared(repository, last, folder)
    if reason is None:
        return Place(folder)
    calls = ", and calls those" if folder.is_dir() else ""
    raise UsageError(
        f"git takes the hooks from `{escape(last.value)}`, {reason}",
        hint=f"`repro hook install --local` installs them for this clone only{calls}",
    )


def _read_paths(repository: Repository) -> list[HooksPath]:
    """All values of `core.hooksPath`, the one that counts last; ours for this process left out."""
    args = ("--show-scope", "--type=path", "-z", "--get-all", _KEY)
    words = os.fsdecode(repository.git.run("config", *args, ok=(0, 1)).out).split("\0")
    pairs = zip(words[::2], words[1::2], strict=False)
    return [HooksPath(scope, value) for scope, value in pairs if scope != "command"]


def _shared(repository: Repository, path: HooksPath, folder: Path) -> str | None:
    if path.scope in ("global", "system"):
        return "as in all your repositories"
    if not folder.is_dir() and (path.value == "" or folder == Path(os.devnull)):
        return "which switches them off"
    real, root = folder.resolve(), repository.root.resolve()
    if real.is_relative_to(root) and not real.is_relative_to(repository.common_dir):
        return "in the working tree, which is everybody's"
    return None


def install_hooks(
    repository: Repository, hooks: Sequence[str], program: Program, *, local: bool = False
) -> Installed:
    """Install some hooks of git; those that are there stay, and are called first.

    A second call changes nothing.

    Raises:
        UsageError: Others share the folder that git takes hooks from.
        WouldLoseWorkError: A hook of ours was changed by hand, or there is no name to keep
            another one by.
        StorageError: The folder cannot be written to.
    """
    place = find_place(repository, local=local)
    folder, former = place.folder, place.former
    is_own = folder.name == OWN_FOLDER
    before = {hook: read_state(folder, hook) for hook in hooks}
    _refuse(folder, before)
    made = has_made_folder(folder) or not folder.is_dir()
    with storage_errors(f"the folder `{folder}`"):
        folder.mkdir(parents=True, exist_ok=True)
    texts = {
        hook: format_hook(hook, program, former=former if is_own else None, made=made)
        for hook in hooks
    }
    if is_own and former is not None:
        for hook in _passed_on(repository.root / former, folder, hooks):
            texts[hook] = format_passing(hook, former, made=made)
    changed = [hook for hook, text in texts.items() if write_hook(folder, hook, text)]
    if is_own and _read_paths(repository)[-1].value != str(folder):
        # Beside the value that is there: taking it away again leaves the file as it was.
        scope = "--worktree" if place.scope == "worktree" else "--local"
        repository.git.run("config", scope, "--add", _KEY, str(folder))
    kept = [hook for hook in changed if hook in before and before[hook] is HookState.OTHER]
    return Installed(folder, tuple(hook for hook in changed if hook in hooks), tuple(kept))


def _refuse(folder: Path, states: dict[str, HookState]) -> None:
    for hook, state in states.items():
        path = folder / hook
        if state is HookState.CHANGED:
            raise WouldLoseWorkError(
                f"the hook `{path}` was changed by hand since it was installed",
                paths=(str(path),),
                hint="move it away, then install it again",
            )
        if state is HookState.BLOCKED:
            raise WouldLoseWorkError(
                f"there are two other hooks, `{path}` and `{path}.before-repro`",
                paths=(str(path), f"{path}.before-repro"),
                hint="remove the one that is not needed",
            )


def _passed_on(former: Path, folder: Path, hooks: Sequence[str]) -> list[str]:
    try:
        there = {path.name for path in former.iterdir() if "." not in path.name and path.is_file()}
    except OSError:
        there = set()
    others = sorted({*_PASSED_ON, *there} - {*hooks})
    # One that is installed already stays what it is.
    return [hook for hook in others if read_state(folder, hook) is HookState.ABSENT]


def uninstall_hooks(repository: Repository) -> Removed:
    """Take all hooks of ours away and put back what was there before, byte for byte.

    Raises:
        StorageError: A folder cannot be written to.
    """
    own = repository.common_dir / OWN_FOLDER
    paths = _read_paths(repository)
    folders = {repository.common_dir / "hooks": None, own: None}
    folders |= {repository.root / path.value: None for path in paths if path.value}
    hooks: list[str] = []
    left: list[str] = []
    if any(Path(path.value) == own for path in paths) and not _changed(own):
        scopes = {path.scope for path in paths if Path(path.value) == own}
        for scope in scopes & {"local", "worktree"}:
            args = ("--fixed-value", "--unset", _KEY, str(own))
            repository.git.run("config", f"--{scope}", *args)
    for folder in folders:
        changed = _changed(folder)
        left += [str(folder / hook) for hook in changed]
        if folder == own and changed:
            continue  # it is in use as long as it is there
        made = has_made_folder(folder)
        hooks += [hook for hook in _names(folder) if remove_hook(folder, hook)]
        if made and not any(folder.iterdir()):
            with storage_errors(f"the folder `{folder}`"):
                folder.rmdir()
    return Removed(tuple(dict.fromkeys(hooks)), tuple(left))


def _names(folder: Path) -> list[str]:
    """The hooks in a folder that may be ours, by what they were called there."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    endings = (".before-repro", ".legacy")
    return sorted({name.removesuffix(endings[0]).removesuffix(endings[1]) for name in names})


def _changed(folder: Path) -> list[str]:
    return [hook for hook in _names(folder) if read_state(folder, hook) is HookState.CHANGED]


def read_states(repository: Repository, hooks: Sequence[str]) -> tuple[Path, dict[str, HookState]]:
    """The folder that git takes hooks from now, and how each hook stands in it."""
    paths = _read_paths(repository)
    folder = repository.root / paths[-1].value if paths else repository.common_dir / "hooks"
    return folder, {hook: read_state(folder, hook) for hook in hooks}
