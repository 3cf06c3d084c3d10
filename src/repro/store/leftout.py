"""Which files of a working tree a snapshot leaves out."""

import os
import stat
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from repro.model.needs import HOLDS_SECRET
from repro.model.run import Omitted
from repro.store.git import Git
from repro.store.status import WorkingTree


def holds_none(_place: Path, _path: str, _before: Callable[[], bytes | None]) -> bool:
    """The answer where nobody looks for secrets."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which files a snapshot leaves out.

    Tracked files always belong to it, as HEAD has them where `is_strict` and what is new in them
    is a secret.

    Attributes:
        max_file: Bytes of the largest file.
        max_total: Bytes of all untracked files together.
        is_excluded: Whether the user excluded a path.
        is_secret: Whether a path looks like a secret by its name.
        is_produced: Whether a path is what runs make: left out without a word.
        holds_secret: Whether there is a secret in the file at a path, whose place relative to
            the user's repository is the second argument; the third gives the bytes that git
            has of it already, None where it has no such file.
        is_strict: Whether secrets in tracked files count, too.
    """

    max_file: int
    max_total: int
    is_excluded: Callable[[str], bool]
    is_secret: Callable[[str], bool]
    is_produced: Callable[[str], bool]
    holds_secret: Callable[[Path, str, Callable[[], bytes | None]], bool] = holds_none
    is_strict: bool = False


def choose_left_out(
    git: Git, working: WorkingTree, limits: Limits | None, prefix: str
) -> dict[str, Omitted | None]:
    """Which files to leave out, with the reason; None for what runs produce.

    A tracked file that is left out stays in the snapshot as HEAD has it.

    Args:
        prefix: Where `git.cwd` is in the user's repository, for the patterns of `limits`.
    """
    root = git.cwd
    chosen: dict[str, Omitted | None] = {}
    kept: list[tuple[int, str]] = []
    for path in working.untracked:
        status = lstat(root, path)
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
    if limits is not None:
        chosen |= _holding_secrets(git, working, chosen, limits, prefix)
    return chosen


def _holding_secrets(
    git: Git,
    working: WorkingTree,
    left_out: Container[str],
    limits: Limits,
    prefix: str,
) -> dict[str, Omitted]:
    """The files that hold a secret which git has not got already."""
    tracked = [change.path for change in working.changes if change.submodule == "N..."]
    kept = [path for path in working.untracked if path not in left_out]
    found = {}
    hidden = (*working.assumed, *working.skipped)  # where people keep what nobody shall see
    for path in [*kept, *(dict.fromkeys((*tracked, *hidden)) if limits.is_strict else ())]:
        status = lstat(git.cwd, path)
        if status is None or not stat.S_ISREG(status.st_mode):  # of a link its text is stored
            continue
        if limits.holds_secret(
            git.cwd / path, prefix + path, partial(_read_base, git, working, path)
        ):
            found[path] = Omitted(path, status.st_size, HOLDS_SECRET)
    return found


def _read_base(git: Git, working: WorkingTree, path: str) -> bytes | None:
    """What HEAD has at a path; None where it has no such file."""
    if working.base is None:
        return None
    done = git.run("cat-file", "blob", f"{working.base}:{path}", ok=(0, 128))
    return done.out if done.code == 0 else None


def changed_paths(working: WorkingTree, left_out: Container[str]) -> list[str]:
    """The paths where the working tree may differ from the index, or the index from HEAD."""
    tracked = [change.path for change in working.changes]
    known = [*tracked, *working.assumed, *working.skipped, *working.untracked]
    return [path for path in known if path not in left_out]


def base_entries(git: Git, working: WorkingTree, left_out: Container[str]) -> bytes:
    """Lines for `git update-index -z --index-info` that give tracked files what HEAD has of them.

    Those that it has not are taken out.
    """
    paths = [change.path for change in working.changes if change.path in left_out]
    paths += [path for path in (*working.assumed, *working.skipped) if path in left_out]
    if not paths:
        return b""
    none = "0" * len(working.base or git.text("hash-object", "-t", "tree", "/dev/null"))
    gone = b"".join(f"0 {none}\t".encode() + os.fsencode(path) + b"\0" for path in paths)
    if working.base is None:
        return gone
    words = ("--literal-pathspecs", "ls-tree", "-z", "--full-tree", working.base, "--", *paths)
    lines = git.run(*words).out.split(b"\0")
    # Where a folder is a file now, HEAD has no file of that name.
    return gone + b"".join(line + b"\0" for line in lines if line.split(b" ")[1:2] == [b"blob"])


def list_omitted(
    working: WorkingTree, left_out: Mapping[str, Omitted | None]
) -> dict[str, Omitted]:
    """What of `left_out` the record names, and the folders that are closed to us."""
    closed = {f"{path}/": Omitted(f"{path}/", None, "unreadable") for path in working.closed}
    return {**closed, **{path: item for path, item in left_out.items() if item is not None}}


def lstat(root: Path, path: str) -> os.stat_result | None:
    """The status of a path below `root`, None where there is none."""
    try:
        return os.lstat(root / path)
    except OSError:
        return None


def _is_readable(root: Path, path: str, status: os.stat_result) -> bool:
    return stat.S_ISLNK(status.st_mode) or os.access(root / path, os.R_OK)
