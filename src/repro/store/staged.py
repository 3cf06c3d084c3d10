"""What a commit is about to hold, as the index says it."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repro.errors import GitError
from repro.store.git import Git, Repository

_INDEX = "GIT_INDEX_FILE"
_FILES = ("100644", "100755")
_AT_ONCE = 200  # paths in one question: more may be too long for a command line


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A regular file in the index: its path from the root, the object that it is."""

    path: str
    oid: str


def with_index_of_hook(repository: Repository, environ: Mapping[str, str], cwd: Path) -> Repository:
    """The repository as git sees it from inside a hook: with the index that git names there.

    `git commit -a` and `git commit PATH` make the commit of another file than `.git/index`.

    Args:
        environ: Of the hook.
        cwd: What a relative name in it is relative to.
    """
    named = environ.get(_INDEX)
    if not named:
        return repository
    git = repository.git
    index = os.path.join(cwd, named)
    return replace(repository, git=Git(git.cwd, {**git.environ, _INDEX: index}))


def find_index(repository: Repository) -> Path:
    """The file of the index that the git of `repository` works with."""
    return Path(repository.git.environ.get(_INDEX) or repository.git_dir / "index")


def list_changed(git: Git) -> list[StagedFile]:
    """Regular files that the commit adds or changes, by path; all of them in a first commit."""
    args = ("--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--diff-filter=d")
    try:
        told = git.run("diff-index", "--ignore-submodules=all", *args, "HEAD", "--").out
    except GitError:
        return list(list_index(git, ()).values())  # HEAD names no commit yet
    words = told.split(b"\0")
    found = []
    for facts, path in zip(words[::2], words[1::2], strict=False):
        _, mode, _, oid, _ = facts.decode().split(" ")
        if mode in _FILES:
            found.append(StagedFile(os.fsdecode(path), oid))
    return found


def list_index(git: Git, paths: Iterable[str]) -> dict[str, StagedFile]:
    """The regular files at some paths in the index, by path; none of them named is all of them."""
    args = ("--literal-pathspecs", "ls-files", "--stage", "-z", "--")
    parts = list(_parts(list(paths))) or [[]]
    told = b"".join(git.run(*args, *part).out for part in parts)
    found = {}
    for line in told.split(b"\0")[:-1]:
        facts, _, name = line.partition(b"\t")
        mode, oid, stage = facts.decode().split(" ")
        if mode in _FILES and stage == "0":
            path = os.fsdecode(name)
            found[path] = StagedFile(path, oid)
    return found


def _parts(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(paths), _AT_ONCE):
        yield paths[start : start + _AT_ONCE]


def read_sizes(git: Git, files: Iterable[StagedFile]) -> dict[str, int]:
    """Bytes of each file by its object; one whose object is not there is left out."""
    oids = list(dict.fromkeys(file.oid for file in files))
    if not oids:
        return {}
    told = git.run(
        "cat-file",
        "--batch-check=%(objectname) %(objectsize)",
        stdin="".join(f"{oid}\n" for oid in oids).encode(),
    ).out
    pairs = (line.split(" ") for line in told.decode().splitlines())
    return {oid: int(size) for oid, size in pairs if size.isdigit()}


def read_staged(git: Git, path: str) -> bytes | None:
    """The bytes of the file `path` in the index; None where there is none."""
    file = list_index(git, [path]).get(path)
    return None if file is None else git.run("cat-file", "blob", file.oid).out


def write_index_tree(repository: Repository, scratch: Path) -> str | None:
    """The tree that a commit of the index would have; None while it has conflicts.

    Args:
        scratch: A path for a copy of the index: git writes into the one that it is given.
    """
    try:
        data = find_index(repository).read_bytes()
    except FileNotFoundError:
        data = b""
    if data:
        scratch.write_bytes(data)
    try:
        env = {_INDEX: str(scratch)}
        done = repository.git.run("write-tree", env=env, ok=(0, 128))
        return done.out.decode().strip() or None
    finally:
        scratch.unlink(missing_ok=True)
