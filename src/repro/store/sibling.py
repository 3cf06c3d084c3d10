"""The source folder of another project as a tree in the objects of this one."""

import hashlib
import os
import shutil
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.errors import GitError, ReproError
from repro.model.run import Omitted
from repro.model.secrets import redact_text
from repro.store.git import Git, Repository
from repro.store.gitdir import make_git_dir
from repro.store.leftout import Limits
from repro.store.quarantine import Quarantine
from repro.store.snapshot import snapshot_folder
from repro.store.status import WorkingTree, read_working_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """A source folder elsewhere as it is now.

    Attributes:
        tree: Git tree of all its files, in the quarantine or borrowed by it.
        commit: What HEAD of its own repository names; None where it has none, or none of use.
        dirty: Whether it is not as that commit has it; None without one.
        remote: Where its repository was cloned from, without credentials.
        omitted: What was left out, by path in the folder.
    """

    tree: str
    commit: str | None = None
    dirty: bool | None = None
    remote: str | None = None
    omitted: tuple[Omitted, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What its own git says of a source folder.

    Attributes:
        git: In the top of the repository around it.
        git_dir: The git folder.
        objects: The object folder.
        below: The source folder, relative to the top, with a `/` at its end; empty for the top.
        working: What is below it.
        remote: Where the repository was cloned from, without credentials.
    """

    git: Git
    git_dir: Path
    objects: Path
    below: str
    working: WorkingTree
    remote: str | None


def look_at_sibling(folder: Path, repository: Repository) -> Look | None:
    """Ask the git of a source folder what it holds; None where that is of no use.

    Args:
        repository: Whose objects the folder is to become.

    Cost: one `git status`; nothing is written.
    """
    try:
        return _look(Git(folder, repository.git.environ), repository.object_format)
    except ReproError:
        return None


def _look(outside: Git, wanted_format: str) -> Look | None:
    words = ("--show-object-format", "--absolute-git-dir", "--show-toplevel", "--show-prefix")
    told = outside.text("rev-parse", *words, "--git-path", "objects").split("\n")
    if len(told) != 5 or told[0] != wanted_format:  # 5: no newline in a path
        return None
    _, git_dir, top, below, objects = told
    if below and outside.run("check-ignore", "-q", ".", ok=(0, 1)).code == 0:
        return None
    git = Git(Path(top), outside.environ)
    asked = git.spawn("config", "--get-regexp", r"^remote\..*\.url$")
    try:
        working = read_working_tree(git).below(below)
    finally:
        remote = _remote(asked.communicate()[0])
    place = (outside.cwd / objects).resolve()
    return Look(git, Path(git_dir), place, below, working, remote)


def snapshot_sibling(
    folder: Path,
    quarantine: Quarantine,
    limits: Limits,
    *,
    look: Look | None,
    whole: Container[str] = (),
) -> Sibling:
    """Write a source folder into the quarantine.

    Of one in a git repository these are the tracked and the untracked, not ignored, files; of
    any other, or where its git gives no usable objects, all that no `.gitignore` in it names.

    Args:
        look: As `look_at_sibling` gives it.
        whole: Trees of which no object is missing.

    Raises:
        GitError: A file of it cannot be read.
        StorageError: The disk is full or read-only.
    """
    if look is not None:
        with suppress(GitError):
            return _with_its_git(look, quarantine, limits, whole)
    return _as_plain_files(folder, quarantine, limits, whole)


def _with_its_git(
    look: Look, quarantine: Quarantine, limits: Limits, whole: Container[str]
) -> Sibling:
    quarantine.borrow(look.objects)
    taken = snapshot_folder(look.git, look.git_dir, look.working, quarantine, limits, look.below)
    if taken.tree not in whole:
        _check_present(quarantine, taken.tree)
    return Sibling(
        tree=taken.tree,
        commit=look.working.base,
        dirty=None if look.working.base is None else taken.dirty,
        remote=look.remote,
        omitted=taken.omitted,
    )


def _check_present(quarantine: Quarantine, tree: str) -> None:
    """Make sure that no object is missing, as in a partial clone: no run must fail for it.

    Raises:
        GitError: One is.
    """
    git = quarantine.repository.git
    git.run("rev-list", "--objects", "--quiet", tree, env=quarantine.env)


def _remote(told: bytes) -> str | None:
    """The URL of `origin`, else of the first remote that there is."""
    pairs = [line.partition(" ") for line in told.decode(errors="replace").splitlines()]
    urls = {key: url for key, _, url in pairs}
    found = urls.get("remote.origin.url") or next(iter(urls.values()), None)
    return redact_text(found) if found else None


def _as_plain_files(
    folder: Path, quarantine: Quarantine, limits: Limits, whole: Container[str]
) -> Sibling:
    if not folder.is_dir():
        raise GitError(f"the folder `{folder}` is gone")
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()
    index = quarantine.repository.private / "editables" / f"{digest[:16]}.index"
    with suppress(GitError):  # the objects that it names are gone, or it is garbled
        return _from_index(folder, quarantine, limits, whole, index)
    index.unlink(missing_ok=True)
    return _from_index(folder, quarantine, limits, whole, index)


def _from_index(
    folder: Path, quarantine: Quarantine, limits: Limits, whole: Container[str], index: Path
) -> Sibling:
    """Take the files with an index of the last time, so that git reads only what has changed."""
    git_dir = quarantine.dir / f"plain-{os.getpid()}-{quarantine.next_number()}"
    make_git_dir(git_dir, quarantine.repository.object_format, is_bare=False)
    with suppress(OSError):
        shutil.copy2(index, git_dir / "index")
    own = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(folder)}
    git = Git(folder, {**quarantine.repository.git.environ, **own})
    working = read_working_tree(git)
    taken = snapshot_folder(git, git_dir, working, quarantine, limits, "")
    if taken.tree not in whole:
        _check_present(quarantine, taken.tree)
    if taken.index is not None:
        with suppress(OSError):  # the next time all of it is read again
            index.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            coming = index.with_name(f"{index.name}.{git_dir.name}")
            shutil.copy2(taken.index, coming)
            coming.replace(index)
    return Sibling(tree=taken.tree, omitted=taken.omitted)
