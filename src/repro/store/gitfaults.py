"""What git itself finds wrong with the objects, and which commits that touches."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from repro.errors import ReproError
from repro.store.git import Repository
from repro.store.objects import SUBMODULE, Objects, open_objects, parse_commit, parse_tree

_OID = re.compile(r"(?<![0-9a-f-])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")
_PACK = re.compile(r"\bpack-[0-9a-f]{40,64}(?=\.)")
# What git says of refs, reflogs and indexes that name something bad tells nothing about objects.
_ABOUT_NAMES = ("invalid reflog entry", "invalid sha1 pointer", "Could not read", "commit-graph")
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GitFaults:
    """What `git fsck` said.

    Attributes:
        oids: Objects that are missing or corrupt, each with the line that said so.
        packs: Names of packs, without ending, that are damaged as a whole; likewise.
        others: Lines about anything else.
    """

    oids: Mapping[str, str]
    packs: Mapping[str, str]
    others: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.oids or self.packs or self.others)


def find_git_faults(repository: Repository) -> GitFaults:
    """Have git look at each object that there is.

    Cost: reads all of the repository once.
    """
    words = ("fsck", "--full", "--no-dangling", "--no-progress")
    done = repository.git.run(*words, ok=range(256))
    oids: dict[str, str] = {}
    packs: dict[str, str] = {}
    others: list[str] = []
    if done.code == 0:
        return GitFaults(oids, packs, ())
    for line in [*os.fsdecode(done.out).splitlines(), *done.err.splitlines()]:
        said = line.strip().removeprefix("error: ").removeprefix("fatal: ")
        if line.startswith(("notice:", "dangling", "unreachable", "broken link", " ")):
            continue
        if any(saying in line for saying in _ABOUT_NAMES):
            continue
        for name in _PACK.findall(said):
            packs.setdefault(name, said)
        found = _OID.findall(_PACK.sub("", said))
        for oid in found:
            oids.setdefault(oid, said)
        if not found and not _PACK.search(said):
            others.append(said)
    return GitFaults(oids, packs, tuple(dict.fromkeys(others)))


def list_pack(repository: Repository, name: str) -> frozenset[str]:
    """The objects that the index of a pack lists; none where that cannot be read."""
    try:
        data = (repository.objects / "pack" / f"{name}.idx").read_bytes()
        listed = repository.git.run("show-index", stdin=data).out.decode()
    except (OSError, ReproError):
        return _NOTHING
    return frozenset(line.split(" ")[1] for line in listed.splitlines())


def find_touched(
    repository: Repository, tips: Iterable[str], faults: GitFaults
) -> dict[str, frozenset[str]]:
    """For each of some objects, which bad ones it reaches, itself included.

    Cost: reads each object that they reach once.
    """
    objects = open_objects(repository, many=True)
    try:
        walk = _Walk(objects, faults, is_cut=_is_cut(repository))
        return {tip: walk.bad_below(tip) for tip in tips}
    finally:
        objects.close()


def _is_cut(repository: Repository) -> bool:
    """Whether objects are left away by design: git's word counts of these."""
    is_shallow = (repository.common_dir / "shallow").exists()
    return is_shallow or any((repository.objects / "pack").glob("*.promisor"))


class _Walk:
    """A walk that knows of each object it passed what is bad below it."""

    def __init__(self, objects: Objects, faults: GitFaults, *, is_cut: bool) -> None:
        self._objects = objects
        self._bad = faults.oids
        self._is_cut = is_cut
        self._known: dict[str, frozenset[str]] = {}

    def bad_below(self, tip: str) -> frozenset[str]:
        waiting: list[tuple[str, tuple[str, ...] | None]] = [(tip, None)]
        while waiting:
            oid, inner = waiting.pop()
            if oid in self._known:
                continue
            if inner is None:
                inner = self._look(oid)
                waiting.append((oid, inner))
                waiting += [(one, None) for one in inner if one not in self._known]
                continue
            found = {oid} if oid in self._bad else set()
            for one in inner:
                found |= self._known.get(one, _NOTHING)
            self._known[oid] = frozenset(found) if found else _NOTHING
        return self._known[tip]

    def _look(self, oid: str) -> tuple[str, ...]:
        """What an object names."""
        if oid in self._bad and self._is_cut:
            return ()
        try:
            [answer] = self._objects.read_many([oid])
            kind, data = answer or self._objects.read(oid, limit=1 << 40)
            if kind == "commit":
                commit = parse_commit(data)
                return (commit.tree, *commit.parents)
            if kind == "tree":
                entries = parse_tree(data, len(oid) // 2)
                return tuple(entry.oid for entry in entries if entry.mode != SUBMODULE)
        except ReproError:
            if not self._is_cut:
                self._known[oid] = frozenset([oid])
        return ()
