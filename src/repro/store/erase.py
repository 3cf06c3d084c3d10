"""Objects taken out of the repository for good: from their loose files, and from packs.

`git prune` would take the user's own dangling objects, too; so exactly the files that hold the
objects are written anew without them.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from repro.atomic import FileLock, fsync_dir, storage_errors
from repro.errors import DamagedRecordError
from repro.store.git import Repository
from repro.store.gitfaults import list_pack
from repro.store.packs import MAINTAIN_LOCK
from repro.store.quarantine import NOTES
from repro.store.refs import list_refs

_WORD = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")
_IN_PROGRESS = ("rebase-merge", "rebase-apply", "sequencer")
_PARTS = (".idx", ".rev", ".bitmap", ".mtimes", ".promisor", ".pack")  # no pack without an index
_PAIR = 2 * 64 + 2  # bytes at most that the two objects of an entry of a reflog take
_LARGEST = 1 << 20  # bytes of a file that says where an operation of git stands


def list_reachable(repository: Repository, tips: Iterable[str]) -> dict[str, str]:
    """Each object that some objects reach, with a path that it has there.

    Raises:
        GitError: One of them is missing.
    """
    wanted = "".join(f"{oid}\n" for oid in dict.fromkeys(tips)).encode()
    return _listed(repository, wanted) if wanted else {}


def list_held(repository: Repository, *, without: Collection[str]) -> set[str]:
    """Each object that something of the repository reaches, some refs left out.

    That is: refs, HEADs, reflogs and indexes of all worktrees, and what operations of git in
    progress name.

    Args:
        without: Whole names of refs.

    Raises:
        GitError: One of the objects is missing.
    """
    return set(_listed(repository, _tips(repository, without), "--reflog", "--indexed-objects"))


def list_tips(repository: Repository, *, without: Collection[str]) -> dict[str, str]:
    """What names objects, but for reflogs and indexes: a name for each, and the object."""
    named = {ref: oid for ref, oid in list_refs(repository.git).items() if ref not in without}
    listed = repository.git.text("worktree", "list", "--porcelain")
    place = ""
    for line in listed.split("\n"):
        key, _, value = line.partition(" ")
        place = value if key == "worktree" else place
        if key == "HEAD" and value.strip("0"):
            named[f"HEAD of {place}"] = value
    found = {f"{path} in git's folder": oid for path, oid in _in_progress(repository)}
    kinds = repository.git.run(
        "cat-file", "--batch-check", stdin="".join(f"{oid}\n" for oid in found.values()).encode()
    ).out.decode()
    there = {line.split(" ")[0] for line in kinds.splitlines() if not line.endswith(" missing")}
    return named | {name: oid for name, oid in found.items() if oid in there}


def list_logged(repository: Repository, *, without: Collection[str]) -> dict[str, set[str]]:
    """What the reflogs of all worktrees name: the objects by a name for each reflog.

    Args:
        without: Commits; entries that came to one of them are left out.
    """
    named: dict[str, set[str]] = {}
    for folder in _folders(repository):
        place = "" if folder == repository.common_dir else f" of the worktree {folder.name}"
        for ref, path in _reflogs(folder):
            oids: set[str] = set()
            for line in path.read_bytes().splitlines():
                words = [word.decode() for word in _WORD.findall(line[:_PAIR])]
                if words[1:] and words[1] not in without:
                    oids.update(word for word in words if word.strip("0"))
            named[f"the reflog of {ref}{place}"] = oids
    return named


def _folders(repository: Repository) -> list[Path]:
    return [repository.common_dir, *(repository.common_dir / "worktrees").glob("*")]


def _reflogs(folder: Path) -> list[tuple[str, Path]]:
    logs = folder / "logs"
    paths = sorted(logs.glob("**/*")) if logs.is_dir() else []
    return [(path.relative_to(logs).as_posix(), path) for path in paths if path.is_file()]


def _tips(repository: Repository, without: Collection[str]) -> bytes:
    tips = list_tips(repository, without=without)
    return "".join(f"{oid}\n" for oid in dict.fromkeys(tips.values())).encode()


def _in_progress(repository: Repository) -> Iterator[tuple[str, str]]:
    """What pseudo-refs and the notes of a merge or rebase name."""
    for folder in _folders(repository):
        # What was fetched last holds nothing for git's own gc, either.
        paths = [path for path in folder.glob("*HEAD") if path.name not in ("HEAD", "FETCH_HEAD")]
        for name in _IN_PROGRESS:
            paths += [path for path in (folder / name).glob("**/*") if path.is_file()]
        for path in paths:
            with suppress(OSError):
                data = path.read_bytes()[:_LARGEST]
                for place, word in enumerate(_WORD.findall(data)):
                    yield f"{path.name}#{place}", word.decode()


def _listed(repository: Repository, tips: bytes, *also: str) -> dict[str, str]:
    out = repository.git.run("rev-list", "--objects", "--stdin", *also, stdin=tips).out
    pairs = (line.partition(" ") for line in os.fsdecode(out).split("\n")[:-1])
    return {oid: path for oid, _, path in pairs}


def forget_in_reflogs(repository: Repository, oids: Collection[str]) -> int:
    """Delete the entries of reflogs that came to one of some commits; how many there were.

    Raises:
        GitError: git cannot write a reflog.
    """
    count = 0
    for folder in _folders(repository):
        for ref, path in _reflogs(folder):
            lines = path.read_bytes().splitlines()
            # The newest line is number 0; each deletion moves those behind it.
            going = [
                len(lines) - 1 - place
                for place, line in enumerate(lines)
                # Not the one before it: a commit that was made on top of it is somebody's work.
                if any(word.decode() in oids for word in line.split(b" ", 2)[1:2])
            ]
            for number in sorted(going, reverse=True):
                words = ("reflog", "delete", "--rewrite", f"{ref}@{{{number}}}")
                repository.git.run(*words, env={"GIT_DIR": str(folder)})
                count += 1
    return count


def erase_objects(repository: Repository, oids: Collection[str]) -> tuple[str, ...]:
    """Take objects away; what the files that hold them have beside them stays.

    A pack is written anew before the old one goes, so a kill at any moment leaves each object that
    shall stay in at least one of them. Packs with a `.keep` of the user's stay as they are.

    Returns:
        The packs that have some of the objects and stay.

    Raises:
        GitError, StorageError: git cannot write; what was not erased is still there.

    Cost: copies each pack that has one of them.
    """
    gone = set(oids)
    repository.private.mkdir(exist_ok=True, mode=0o700)
    with FileLock(repository.private / MAINTAIN_LOCK):
        stays = []
        for index in sorted((repository.objects / "pack").glob("pack-*.idx")):
            held = list_pack(repository, index.stem)
            if gone.isdisjoint(held):
                continue
            if index.with_suffix(".keep").exists():
                stays.append(index.stem)
                continue
            _rewrite(repository, index, held - gone)
        for oid in gone:
            loose = repository.objects / oid[:2] / oid[2:]
            with storage_errors("the objects"):
                loose.unlink(missing_ok=True)
    _renew_caches(repository)
    return tuple(stays)


def _rewrite(repository: Repository, index: Path, kept: Collection[str]) -> None:
    folder, notes = index.parent, repository.private / NOTES
    new = None
    if kept:
        listed = "".join(f"{oid}\n" for oid in sorted(kept)).encode()
        words = ("pack-objects", "--quiet", "--no-reuse-delta")
        made = repository.git.run(*words, str(folder / "pack"), stdin=listed).out.split()
        new = f"pack-{made[0].decode()}"
        if index.with_suffix(".promisor").exists():
            (folder / f"{new}.promisor").touch()
        fsync_dir(folder)
        if list_pack(repository, new) != frozenset(kept):
            raise DamagedRecordError(f"the pack `{index.stem}` could not be written anew")
        if (notes / index.stem).exists():
            (notes / new).touch()
    with storage_errors("a pack"):
        # It lists the pack that goes; git makes it anew below.
        (folder / "multi-pack-index").unlink(missing_ok=True)
        for suffix in _PARTS:
            if new != index.stem:
                index.with_suffix(suffix).unlink(missing_ok=True)
        (notes / index.stem).unlink(missing_ok=True)
        fsync_dir(folder)


def _renew_caches(repository: Repository) -> None:
    """What git keeps of commits beside them would go on naming those that went."""
    info = repository.objects / "info"
    if (info / "commit-graph").exists() or (info / "commit-graphs").exists():
        repository.git.run("commit-graph", "write", "--reachable", ok=range(256))


def find_left(repository: Repository, oids: Iterable[str]) -> list[str]:
    """Those of some objects that git still has, here or where it borrows from.

    Cost: lists every object. In a partial clone, to ask for one would fetch it again.
    """
    words = ("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)")
    there = set(repository.git.run(*words).out.decode().split())
    return [oid for oid in oids if oid in there]


def borrows(repository: Repository) -> bool:
    """Whether git reads objects of another repository, too."""
    return (repository.objects / "info" / "alternates").exists()
