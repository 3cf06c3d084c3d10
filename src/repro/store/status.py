"""What the working tree holds beside HEAD, as `git status` and `git ls-files` tell it."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace

from repro.errors import GitError
from repro.store.git import Git

_GITLINK = b"160000"
_CLOSED = re.compile(rb"^warning: could not open directory '(.+)': [^']*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """A tracked path that differs between HEAD, index and working tree.

    Attributes:
        code: Git's two letters XY, such as ` M` or `A `, with `.` for unchanged; `UU` kinds for
            conflicts.
        submodule: Git's four letters, `N...` for what is no submodule.
    """

    path: str
    code: str
    submodule: str


@dataclass(frozen=True, slots=True)
class WorkingTree:
    """HEAD, and everything in the working tree that it does not describe.

    Attributes:
        base: The commit of HEAD, None before the first commit.
        base_tree: Its tree.
        branch: Short name, None when HEAD is detached.
        untracked: Files that are not ignored, sorted.
        embedded: Untracked folders that are git repositories themselves, without a last slash.
        gitlinks: Path of each submodule that the index names, with the commit it should be at.
        assumed: Paths marked assume-unchanged, whose edits git hides.
        skipped: Paths marked skip-worktree that exist all the same.
        closed: Folders that git was not allowed to look into.
    """

    base: str | None
    base_tree: str | None
    branch: str | None
    changes: tuple[Change, ...]
    untracked: tuple[str, ...]
    embedded: tuple[str, ...]
    gitlinks: dict[str, str]
    assumed: tuple[str, ...]
    skipped: tuple[str, ...]
    closed: tuple[str, ...] = ()

    def below(self, folder: str) -> "WorkingTree":
        """Only what is in a folder, named with a `/` at its end; empty names the top."""
        return replace(
            self,
            changes=tuple(one for one in self.changes if one.path.startswith(folder)),
            untracked=tuple(path for path in self.untracked if path.startswith(folder)),
            embedded=tuple(path for path in self.embedded if path.startswith(folder)),
            gitlinks={path: oid for path, oid in self.gitlinks.items() if path.startswith(folder)},
            assumed=tuple(path for path in self.assumed if path.startswith(folder)),
            skipped=tuple(path for path in self.skipped if path.startswith(folder)),
            closed=tuple(path for path in self.closed if path.startswith(folder)),
        )


def read_working_tree(git: Git) -> WorkingTree:
    """Ask git what the working tree at `git.cwd` holds; nothing is written.

    Cost: one `git status`; the two other processes run beside it.
    """
    status = git.spawn(
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        "--untracked-files=all",
        "--ignore-submodules=none",
        "--no-renames",
        "--no-ahead-behind",
    )
    listing = git.spawn("ls-files", "-v", "-s", "-z")
    tree = git.spawn("rev-parse", "--verify", "--quiet", "HEAD^{tree}")
    # All of them end before what one says can be an error.
    outputs = [process.communicate() for process in (listing, tree, status)]
    _check(git, "ls-files", listing, outputs[0][1])
    _check(git, "status", status, outputs[2][1])
    lines = outputs[0][0].split(b"\0")
    base_tree = outputs[1][0].decode().strip() or None
    told, said = outputs[2]
    base, branch, changes, untracked = _parse_status(told)
    flagged = [line for line in lines if line[:1] not in (b"H", b"M", b"")]
    names = [(line[:1], os.fsdecode(line.split(b"\t", 1)[1])) for line in flagged]
    return WorkingTree(
        base=base,
        base_tree=base_tree,
        branch=branch,
        changes=tuple(changes),
        untracked=tuple(sorted(path for path in untracked if not path.endswith("/"))),
        embedded=tuple(sorted(path[:-1] for path in untracked if path.endswith("/"))),
        gitlinks=_gitlinks(lines),
        assumed=tuple(name for flag, name in names if flag.islower()),
        skipped=tuple(
            name
            for flag, name in names
            if flag in b"Ss" and os.path.lexists(os.path.join(git.cwd, name))
        ),
        closed=tuple(os.fsdecode(name).rstrip("/") for name in _CLOSED.findall(said)),
    )


def _check(git: Git, verb: str, process: "subprocess.Popen[bytes]", err: bytes) -> None:
    if process.returncode != 0:
        raise git.failure((verb,), process.returncode, err.decode(errors="replace").strip())


def _gitlinks(lines: Sequence[bytes]) -> dict[str, str]:
    links = {}
    for line in lines:
        if line[2:8] == _GITLINK:
            words, name = line.split(b"\t", 1)
            links[os.fsdecode(name)] = words.split()[2].decode()
    return links


def _parse_status(
    output: bytes,
) -> tuple[str | None, str | None, list[Change], list[str]]:
    base = branch = None
    changes = []
    untracked = []
    for field in output.split(b"\0"):
        line = os.fsdecode(field)
        match line[:2]:
            case "# ":
                _, key, value = line.split(" ", 2)
                if key == "branch.oid" and value != "(initial)":
                    base = value
                elif key == "branch.head" and value != "(detached)":
                    branch = value
            case "1 ":
                _, code, sub, _, _, _, _, _, path = line.split(" ", 8)
                changes.append(Change(path, code, sub))
            case "u ":
                _, code, sub, *_, path = line.split(" ", 10)
                changes.append(Change(path, code, sub))
            case "? ":
                untracked.append(line[2:])
            case "":
                pass
            case _:
                raise GitError(f"`git status` said something unknown: {line[:60]!r}")
    return base, branch, changes, untracked
