"""The source folder of another project as a tree in the objects of this one."""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from repro.errors import GitError
from repro.model.run import Omitted
from repro.model.secrets import redact_text
from repro.store.git import Git
from repro.store.quarantine import Quarantine
from repro.store.snapshot import Limits, snapshot_folder


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


def snapshot_sibling(
    folder: Path, quarantine: Quarantine, limits: Limits, whole: Container[str] = ()
) -> Sibling:
    """Write a source folder into the quarantine.

    Of one in a git repository these are the tracked and the untracked, not ignored, files; of
    any other, or where its git gives no usable objects, all that no `.gitignore` in it names.

    Args:
        whole: Trees of which no object is missing.

    Raises:
        GitError: A file of it cannot be read.
        StorageError: The disk is full or read-only.
    """
    try:
        return _with_its_git(folder, quarantine, limits, whole)
    except GitError:
        return _as_plain_files(folder, quarantine, limits)


def _with_its_git(
    folder: Path, quarantine: Quarantine, limits: Limits, whole: Container[str]
) -> Sibling:
    outside = Git(folder, quarantine.repository.git.environ)
    words = ("--show-object-format", "--absolute-git-dir", "--show-toplevel", "--show-prefix")
    told = outside.text("rev-parse", *words, "--git-path", "objects").split("\n")
    if len(told) != 5:
        raise GitError(f"the path of the repository around `{folder}` contains a newline")
    object_format, git_dir, top, below, objects = told
    if object_format != quarantine.repository.object_format:
        raise GitError(f"the repository around `{folder}` has another object format")
    if below and outside.run("check-ignore", "-q", ".", ok=(0, 1)).code == 0:
        raise GitError(f"the repository around `{folder}` ignores it")
    quarantine.borrow((folder / objects).resolve())
    git = Git(Path(top), outside.environ)
    asked = git.spawn("config", "--get-regexp", r"^remote\..*\.url$")
    try:
        taken = snapshot_folder(git, Path(git_dir), quarantine, limits, below)
    finally:
        remote = _remote(asked.communicate()[0])
    if taken.tree not in whole:
        _check_present(quarantine, taken.tree)
    return Sibling(
        tree=taken.tree,
        commit=taken.base,
        dirty=None if taken.base is None else taken.dirty,
        remote=remote,
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


def _as_plain_files(folder: Path, quarantine: Quarantine, limits: Limits) -> Sibling:
    if not folder.is_dir():
        raise GitError(f"the folder `{folder}` is gone")
    git_dir = quarantine.dir / f"plain-{quarantine.next_number()}"
    try:
        (git_dir / "objects").mkdir(parents=True)
        (git_dir / "refs").mkdir()
        (git_dir / "HEAD").write_text("ref: refs/heads/none\n")
        is_sha1 = quarantine.repository.object_format == "sha1"
        extension = "" if is_sha1 else "[extensions]\n\tobjectFormat = sha256\n"
        version = f"[core]\n\trepositoryFormatVersion = {int(not is_sha1)}\n"
        (git_dir / "config").write_text(version + extension)
    except OSError as error:
        raise GitError(f"the quarantine cannot be written: {error.strerror}") from error
    environ = quarantine.repository.git.environ
    own = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(folder)}
    git = Git(folder, {**environ, **own})
    taken = snapshot_folder(git, git_dir, quarantine, limits, "")
    return Sibling(tree=taken.tree, omitted=taken.omitted)
