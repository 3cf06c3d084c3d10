"""The working tree as a git tree, through a private copy of the user's index.

The recipe and its traps were measured on some thirty kinds of working tree. The copy keeps the
index's times, else git misses edits made in the same second; bits that hide edits are cleared
in it; git hashes the changed files into it, for only git itself is right on filters, line ends,
modes, sparse and split indexes. The user's index, HEAD, refs and files are never written.
"""

import os
import re
import shutil
import stat
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repro.errors import GitError
from repro.model.run import Omitted
from repro.store.git import Git, Repository, Result, join_names
from repro.store.quarantine import Quarantine
from repro.store.status import WorkingTree, read_working_tree

# As git 2.37 and later says it, and as it did before.
_CONVERTED = re.compile(
    r"warning: (?:in the working copy of '(.+)', (?:CRLF|LF) will be replaced by .*"
    r"|(?:CRLF|LF) will be replaced by (?:CRLF|LF) in (.+?)\.?)\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which untracked files a snapshot leaves out; tracked ones always belong to it.

    Attributes:
        max_file: Bytes of the largest file.
        max_total: Bytes of all untracked files together.
        is_excluded: Whether the user excluded a path.
        is_secret: Whether a path looks like a secret by its name.
        is_produced: Whether a path is what runs make: left out without a word.
    """

    max_file: int
    max_total: int
    is_excluded: Callable[[str], bool]
    is_secret: Callable[[str], bool]
    is_produced: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The working tree as git objects.

    Attributes:
        working: What git said about the working tree.
        tree: Object id of the root tree.
        index: The private index that matches it, None where the working tree was clean.
        omitted: What was left out, by path.
        submodules: Tree of each submodule, or repository inside, whose content its own remotes
            do not have, by path.
        converted: Paths whose line ends git's settings change: brought back, they have others.
    """

    working: WorkingTree
    tree: str
    index: Path | None
    omitted: tuple[Omitted, ...]
    submodules: dict[str, str]
    converted: tuple[str, ...] = ()


def take_snapshot(
    repository: Repository, quarantine: Quarantine, limits: Limits | None
) -> Snapshot:
    """Write the working tree into the quarantine; None for `limits` leaves nothing out.

    Raises:
        GitError: A tracked file could not be read, or a required filter failed.

    Cost: one `git status`, then what `git add` of the changed files takes.
    """
    working = read_working_tree(repository.git)
    left_out = _choose_omitted(repository.root, working.untracked, limits, "")
    omitted = _listed(working, left_out)
    submodules = _snapshot_inner(repository.git, quarantine, working, limits, omitted, "")
    changed = _changed(working, left_out)
    converted: list[str] = []
    if working.base_tree is not None and not changed:
        tree, index = working.base_tree, None
    else:
        index = quarantine.dir / "index"
        refused, converted = _update_index(
            repository.git, repository.git_dir, quarantine, index, working, changed
        )
        omitted |= {path: _refused(repository.root, path) for path in refused}
        tree = _write_tree(repository.git, _with(quarantine, index))
    return Snapshot(
        working=working,
        tree=tree,
        index=index,
        omitted=tuple(omitted[path] for path in sorted(omitted)),
        submodules=submodules,
        converted=tuple(converted),
    )


def _changed(working: WorkingTree, left_out: Container[str]) -> list[str]:
    """The paths where the working tree may differ from the index, or the index from HEAD."""
    untracked = [path for path in working.untracked if path not in left_out]
    tracked = [change.path for change in working.changes]
    return [*tracked, *working.assumed, *working.skipped, *untracked]


def _choose_omitted(
    root: Path, untracked: Iterable[str], limits: Limits | None, prefix: str
) -> dict[str, Omitted | None]:
    """Which untracked files to leave out, with the reason; None for what runs produce.

    Args:
        prefix: Where `root` is in the user's repository, for the patterns of `limits`.
    """
    chosen: dict[str, Omitted | None] = {}
    kept: list[tuple[int, str]] = []
    for path in untracked:
        status = _lstat(root, path)
        size = status.st_size if status else None
        if limits is not None and limits.is_produced(prefix + path):
            chosen[path] = None
        elif limits is not None and limits.is_secret(prefix + path):
            chosen[path] = Omitted(path, size, "looks secret")
        elif limits is not None and limits.is_excluded(prefix + path):
            chosen[path] = Omitted(path, size, "excluded")
        elif status is None or not _is_readable(root, path, status):
            chosen[path] = Omitted(path, size, "unreadable")
        elif limits is not None and status.st_size > limits.max_file:
            chosen[path] = Omitted(path, size, "too large")
        else:
            kept.append((status.st_size, path))
    total = 0
    for size, path in sorted(kept):  # small files first: code is small
        total += size
        if limits is not None and total > limits.max_total:
            chosen[path] = Omitted(path, size, "total too large")
    return chosen


def _listed(working: WorkingTree, left_out: Mapping[str, Omitted | None]) -> dict[str, Omitted]:
    """What of `left_out` the record names, and the folders that are closed to us."""
    closed = {f"{path}/": Omitted(f"{path}/", None, "unreadable") for path in working.closed}
    return {**closed, **{path: item for path, item in left_out.items() if item is not None}}


def _lstat(root: Path, path: str) -> os.stat_result | None:
    try:
        return os.lstat(root / path)
    except OSError:
        return None


def _is_readable(root: Path, path: str, status: os.stat_result) -> bool:
    return stat.S_ISLNK(status.st_mode) or os.access(root / path, os.R_OK)


def _with(quarantine: Quarantine, index: Path) -> dict[str, str]:
    return {**quarantine.env, "GIT_INDEX_FILE": str(index)}


def _update_index(
    git: Git,
    git_dir: Path,
    quarantine: Quarantine,
    index: Path,
    working: WorkingTree,
    changed: Iterable[str],
) -> tuple[list[str], list[str]]:
    """Make `index` a copy of the user's, brought up to date with the files at `changed`.

    Returns:
        The paths that git takes into no tree, as `git~1`, which is `.git` on Windows; and those
        whose line ends it changes for good.
    """
    if (git_dir / "index").exists():
        # copy2: with a younger index git would take edits of the same second for unchanged.
        shutil.copy2(git_dir / "index", index)
    gone: list[str] = []
    there: list[str] = []
    for path in dict.fromkeys(changed):
        (there if _stands(git.cwd, path, path in working.gitlinks) else gone).append(path)
    sizes = (_lstat(git.cwd, path) for path in there)
    quarantine.expect(sum(status.st_size for status in sizes if status))
    said: set[str] = set()
    # Removals first: a folder may stand where a file was, or a link where a folder was.
    for names, *flags in (
        (working.assumed, "--no-assume-unchanged"),
        (working.skipped, "--no-skip-worktree"),
        (gone, "--force-remove"),
        (there, "--add", "--remove", "--replace"),
    ):
        if names:
            words = ("update-index", *flags, "-z", "--stdin")
            done = _on_index(git, _with(quarantine, index), *words, stdin=join_names(names))
            said.update(done.err.splitlines())
    refused = [path for path in there if said and f"Ignoring path {_as_said(path)}" in said]
    named = {match[1] or match[2] for match in map(_CONVERTED.match, said) if match}
    return refused, [path for path in there if _as_said(path) in named]


def _as_said(path: str) -> str:
    """A path as standard error, read as text, names it."""
    return os.fsencode(path).decode(errors="replace")


def _refused(root: Path, path: str) -> Omitted:
    status = _lstat(root, path)
    return Omitted(path, status.st_size if status else None, "refused by git")


def _on_index(git: Git, env: Mapping[str, str], *args: str, stdin: bytes | None = None) -> Result:
    """Run a command that writes a private index: whole, no part of it goes to the git folder."""
    return git.run(
        "-c", "core.splitIndex=false", "-c", "core.safecrlf=warn", *args, stdin=stdin, env=env
    )


def _write_tree(git: Git, env: Mapping[str, str], *flags: str) -> str:
    # The check that all 5,000 blobs of the changed folders exist cost 40 of 55 ms; the pack
    # that is made of the tree finds a missing one as well.
    return _on_index(git, env, "write-tree", "--missing-ok", *flags).out.decode().strip()


def _stands(root: Path, path: str, is_submodule: bool) -> bool:
    """Whether git would find a file, a link or a submodule at `path`, through no link."""
    try:
        status = os.lstat(root / path)
    except PermissionError as error:  # git takes it for deleted
        raise GitError(
            f"`{path}` cannot be read: its folder is closed", hint="mend the permissions of it"
        ) from error
    except OSError:
        return False
    if stat.S_ISDIR(status.st_mode) and not is_submodule:
        return False
    parents = list(Path(path).parents)[:-1]
    return not any((root / parent).is_symlink() for parent in parents)


def _snapshot_inner(
    git: Git,
    quarantine: Quarantine,
    working: WorkingTree,
    limits: Limits | None,
    omitted: dict[str, Omitted],
    prefix: str,
    *,
    whole: bool = False,
) -> dict[str, str]:
    """Trees of submodules and embedded repositories that no remote has, or with `whole` of all."""
    trees = {}
    for path in (*working.gitlinks, *working.embedded):
        root = git.cwd / path
        if not (root / ".git").exists():
            continue
        try:
            inside = Git(root, git.environ)
            tree = _inner_tree(inside, quarantine, path, limits, omitted, prefix, whole=whole)
        except GitError:
            if limits is None or path in working.gitlinks:
                raise
            # A broken clone that somebody left here is no reason to record nothing at all.
            omitted[path] = Omitted(path, None, "unreadable")
        else:
            if tree is not None:
                trees[path] = tree
            elif path in working.embedded:  # no commit names it, as it does a submodule's
                omitted[path] = Omitted(path, None, "clone of a remote")
    return trees


def _inner_tree(
    git: Git,
    quarantine: Quarantine,
    path: str,
    limits: Limits | None,
    omitted: dict[str, Omitted],
    prefix: str,
    *,
    whole: bool,
) -> str | None:
    """The whole tree of the repository at `path`, with those inside it written in place.

    None if it is clean and a remote has its commit, unless `whole`.
    """
    git_dir = Path(git.text("rev-parse", "--absolute-git-dir"))
    if git.text("rev-parse", "--show-object-format") != quarantine.repository.object_format:
        raise GitError(f"the repository in `{path}` has another object format")
    quarantine.borrow((git.cwd / git.text("rev-parse", "--git-path", "objects")).resolve())
    working = read_working_tree(git)
    inside = f"{prefix}{path}/"
    left_out = _choose_omitted(git.cwd, working.untracked, limits, inside)
    inner = _listed(working, left_out)
    nested = _snapshot_inner(git, quarantine, working, limits, inner, inside, whole=whole)
    changed = _changed(working, left_out)
    if not whole and not changed and not nested and _is_pushed(git, working.base):
        return None
    refused, env = _whole_index(git, git_dir, quarantine, working, changed, nested)
    inner |= refused
    for name, item in inner.items():
        omitted[f"{path}/{name}"] = Omitted(f"{path}/{name}", item.size, item.reason)
    return _write_tree(git, env)


def _whole_index(
    git: Git,
    git_dir: Path,
    quarantine: Quarantine,
    working: WorkingTree,
    changed: Iterable[str],
    nested: Mapping[str, str],
) -> tuple[dict[str, Omitted], dict[str, str]]:
    """An index with the trees of inner repositories in place of their names.

    Returns:
        What git takes into no tree, and the variables that name the index.
    """
    index = quarantine.dir / f"index-{len(list(quarantine.dir.glob('index*')))}"
    refused, _ = _update_index(git, git_dir, quarantine, index, working, changed)
    env = _with(quarantine, index)
    for name, tree in nested.items():
        _on_index(
            git, env, "update-index", "--force-remove", "-z", "--stdin", stdin=join_names([name])
        )
        _on_index(git, env, "read-tree", f"--prefix={name}/", tree)
    return {name: _refused(git.cwd, name) for name in refused}, env


@dataclass(frozen=True, slots=True)
class FolderSnapshot:
    """A folder elsewhere as a tree.

    Attributes:
        dirty: Whether the folder is not as the commit of its HEAD has it.
        omitted: What was left out, by path in the folder.
        index: The private index that matches it, None where the folder was clean.
    """

    tree: str
    dirty: bool
    omitted: tuple[Omitted, ...]
    index: Path | None


def snapshot_folder(
    git: Git,
    git_dir: Path,
    working: WorkingTree,
    quarantine: Quarantine,
    limits: Limits,
    below: str,
) -> FolderSnapshot:
    """Write a folder of another working tree into the quarantine, inner repositories included.

    Args:
        quarantine: Must be able to read the objects of that repository.
        git: In the top of that working tree.
        git_dir: Its git folder, which has the index.
        working: What is below the folder.
        below: The folder, relative to the top, with a `/` at its end; empty for the top itself.

    Raises:
        GitError: A file could not be read, or the folder holds nothing.
    """
    left_out = _choose_omitted(git.cwd, working.untracked, limits, "")
    omitted = _listed(working, left_out)
    nested = _snapshot_inner(git, quarantine, working, limits, omitted, "", whole=True)
    changed = _changed(working, left_out)
    base_tree = working.base_tree
    index = None
    if base_tree is not None and not changed and not nested:
        tree = (
            git.text("rev-parse", "--verify", f"{base_tree}:{below[:-1]}") if below else base_tree
        )
    else:
        refused, env = _whole_index(git, git_dir, quarantine, working, changed, nested)
        omitted |= refused
        index = Path(env["GIT_INDEX_FILE"])
        tree = _write_tree(git, env, *([f"--prefix={below}"] if below else []))
    named = (replace(omitted[path], path=path[len(below) :]) for path in sorted(omitted))
    return FolderSnapshot(tree, bool(changed) or working.base is None, tuple(named), index)


def _is_pushed(git: Git, base: str | None) -> bool:
    """Whether a remote-tracking branch reaches the commit."""
    if base is None:
        return False
    try:
        missing = git.text("rev-list", "--max-count=1", base, "--not", "--remotes")
    except GitError:
        return False
    return not missing
