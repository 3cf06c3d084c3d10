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
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from repro.errors import GitError
from repro.model.run import Omitted
from repro.store.git import Git, Repository, Result, join_names
from repro.store.leftout import (
    Limits,
    base_entries,
    changed_paths,
    choose_left_out,
    list_omitted,
    lstat,
)
from repro.store.quarantine import Quarantine
from repro.store.status import WorkingTree, read_working_tree

# As git 2.37 and later says it, and as it did before.
_CONVERTED = re.compile(
    r"warning: (?:in the working copy of '(.+)', (?:CRLF|LF) will be replaced by .*"
    r"|(?:CRLF|LF) will be replaced by (?:CRLF|LF) in (.+?)\.?)\Z"
)


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
        secrets: What was found in files that are left out for it, by path.
    """

    working: WorkingTree
    tree: str
    index: Path | None
    omitted: tuple[Omitted, ...]
    submodules: dict[str, str]
    converted: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)


def take_snapshot(
    repository: Repository, quarantine: Quarantine, limits: Limits | None
) -> Snapshot:
    """Write the working tree into the quarantine; None for `limits` leaves nothing out.

    Raises:
        GitError: A tracked file could not be read, or a required filter failed.

    Cost: one `git status`, then what `git add` of the changed files takes.
    """
    working = read_working_tree(repository.git)
    left_out = choose_left_out(repository.git, working, limits, "")
    omitted = list_omitted(working, left_out)
    submodules = _snapshot_inner(repository.git, quarantine, working, limits, omitted, "")
    changed = changed_paths(working, left_out)
    converted: list[str] = []
    if working.base_tree is not None and not changed:
        tree, index = working.base_tree, None
    else:
        index = quarantine.dir / "index"
        refused, converted = _update_index(
            repository.git, repository.git_dir, quarantine, index, working, changed, left_out
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


def _with(quarantine: Quarantine, index: Path) -> dict[str, str]:
    return {**quarantine.env, "GIT_INDEX_FILE": str(index)}


def _update_index(
    git: Git,
    git_dir: Path,
    quarantine: Quarantine,
    index: Path,
    working: WorkingTree,
    changed: Iterable[str],
    left_out: Container[str],
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
    sizes = (lstat(git.cwd, path) for path in there)
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
    if entries := base_entries(git, working, left_out):
        _on_index(
            git, _with(quarantine, index), "update-index", "-z", "--index-info", stdin=entries
        )
    refused = [path for path in there if said and f"Ignoring path {_as_said(path)}" in said]
    named = {match[1] or match[2] for match in map(_CONVERTED.match, said) if match}
    return refused, [path for path in there if _as_said(path) in named]


def _as_said(path: str) -> str:
    """A path as standard error, read as text, names it."""
    return os.fsencode(path).decode(errors="replace")


def _refused(root: Path, path: str) -> Omitted:
    status = lstat(root, path)
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
    left_out = choose_left_out(git, working, limits, inside)
    inner = list_omitted(working, left_out)
    nested = _snapshot_inner(git, quarantine, working, limits, inner, inside, whole=whole)
    changed = changed_paths(working, left_out)
    if not whole and not changed and not nested and _is_pushed(git, working.base):
        return None
    refused, env = _whole_index(git, git_dir, quarantine, working, changed, nested, left_out)
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
    left_out: Container[str],
) -> tuple[dict[str, Omitted], dict[str, str]]:
    """An index with the trees of inner repositories in place of their names.

    Returns:
        What git takes into no tree, and the variables that name the index.
    """
    index = quarantine.dir / f"index-{len(list(quarantine.dir.glob('index*')))}"
    refused, _ = _update_index(git, git_dir, quarantine, index, working, changed, left_out)
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
    left_out = choose_left_out(git, working, limits, "")
    omitted = list_omitted(working, left_out)
    nested = _snapshot_inner(git, quarantine, working, limits, omitted, "", whole=True)
    changed = changed_paths(working, left_out)
    base_tree = working.base_tree
    index = None
    if base_tree is not None and not changed and not nested:
        tree = (
            git.text("rev-parse", "--verify", f"{base_tree}:{below[:-1]}") if below else base_tree
        )
    else:
        refused, env = _whole_index(git, git_dir, quarantine, working, changed, nested, left_out)
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
