"""The files of many trees, told as what changes from one tree to the next."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from repro.errors import GitError, UsageError
from repro.store.git import Git, split_names

_BATCH = 500
_REGULAR = ("100644", "100755")
_NO_FETCH = {"GIT_NO_LAZY_FETCH": "1"}

# The blob of each path that is new or other; None where no regular file is there any more.
Changes = Mapping[str, str | None]


def find_trees(git: Git, commits: Sequence[str]) -> dict[str, str]:
    """Map each commit to its tree; what is no commit here is left out.

    Args:
        commits: Object ids.
    """
    asked = "".join(f"{commit}^{{tree}}\n" for commit in commits).encode()
    done = git.run("cat-file", "--batch-check=%(objectname)", stdin=asked, env=_NO_FETCH)
    answers = done.out.decode().splitlines()
    pairs = zip(commits, answers, strict=True)
    return {commit: tree for commit, tree in pairs if not tree.endswith(" missing")}


def list_tree_changes(
    git: Git,
    trees: Sequence[str],
    *,
    pathspecs: Sequence[str] = (),
    cwd: Path | None = None,
    on_missing: Callable[[str], None],
) -> Iterator[tuple[str, Changes]]:
    """Give each tree with what is other in it than in the one given before it.

    The first one is told from nothing. Submodules and links are no files.

    Args:
        trees: Ids of trees that are there, as of `find_trees`, each once.
        pathspecs: Only files that fit one, as git reads them; none is all.
        cwd: What they are relative to.
        on_missing: Called with each tree of which a part cannot be read; it is passed over.

    Raises:
        UsageError: A pathspec is wrong.

    Cost: what differs between neighbours; a process for 500 of them.
    """
    if not trees:
        return
    empty = git.run("hash-object", "-t", "tree", "--stdin", stdin=b"").out.decode().strip()
    words = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--", *pathspecs)
    _check_pathspecs(git, words, empty, cwd)
    before = empty
    waiting = iter(trees)
    while batch := list(islice(waiting, _BATCH)):
        for tree, changes in _diff_batch(git, words, before, batch, cwd, on_missing):
            yield tree, changes
            before = tree


def _check_pathspecs(git: Git, words: Sequence[str], empty: str, cwd: Path | None) -> None:
    """Refuse a wrong pathspec at once, so that no tree is blamed for it."""
    try:
        git.run(*words, stdin=f"{empty} {empty}\n".encode(), cwd=cwd)
    except GitError as error:
        raise UsageError(
            f"a pathspec is wrong: {error.message.partition('failed: ')[2] or error.message}",
            hint="`git help glossary` explains pathspecs",
        ) from error


def _diff_batch(
    git: Git,
    words: Sequence[str],
    before: str,
    batch: Sequence[str],
    cwd: Path | None,
    on_missing: Callable[[str], None],
) -> Iterator[tuple[str, Changes]]:
    pairs = zip((before, *batch), batch, strict=False)
    asked = "".join(f"{a} {b}\n" for a, b in pairs if a != b).encode()
    try:
        done = git.run(*words, stdin=asked, env=_NO_FETCH, cwd=cwd)
    except GitError:
        if len(batch) == 1:
            on_missing(batch[0])
            return
        for tree in batch:  # one of them cannot be read, and git does not say which
            for found in _diff_batch(git, words, before, [tree], cwd, on_missing):
                yield found
                before = tree
        return
    changes = _parse(done.out)
    for tree in batch:
        yield tree, changes.get(tree, {})


def _parse(output: bytes) -> dict[str, dict[str, str | None]]:
    """The changes by the tree that has them; it stands in the line before its first one."""
    found: dict[str, dict[str, str | None]] = {}
    current: dict[str, str | None] = {}
    words = split_names(output)
    for facts, path in zip(words[::2], words[1::2], strict=False):
        *headers, entry = facts.split("\n")
        if headers:
            current = found.setdefault(headers[-1].partition(" ")[2], {})
        _, mode, _, oid, _ = entry.split(" ")
        current[path] = oid if mode in _REGULAR else None
    return found


def count_differing_files(git: Git, start: str, trees: Sequence[str]) -> dict[str, int | None]:
    """Map each tree to how many files differ from those of `start`; None where a part is lost.

    Submodules and links count as files do.

    Args:
        trees: Ids of trees that are there, as of `find_trees`, each once.

    Cost: one process, and what differs.
    """
    words = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--")
    counts: dict[str, int | None] = {start: 0}
    others = [tree for tree in trees if tree != start]
    asked = "".join(f"{start} {tree}\n" for tree in others).encode()
    try:
        changes = _parse(git.run(*words, stdin=asked, env=_NO_FETCH).out)
    except GitError:
        if len(others) == 1:
            return {**counts, others[0]: None}
        for tree in others:  # one of them cannot be read, and git does not say which
            counts.update(count_differing_files(git, start, [tree]))
        return counts
    return counts | {tree: len(changes.get(tree, {})) for tree in others}
