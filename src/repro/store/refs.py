"""Refs under `refs/repro/`: listed, and moved by compare-and-swap only (FORMAT.md, "Refs")."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from repro.errors import ConflictError, GitError
from repro.model.ids import is_id
from repro.store.git import Git

RUNS = "refs/repro/runs/"
LIVE = "refs/repro/live/"
LIVE_DATA = "refs/repro/live-data/"
UNDO = "refs/repro/undo/"

_TAKEN = ("reference already exists", "but expected", "reference is missing", "unable to resolve")


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One move of a ref: created if `old` is None, deleted if `new` is None; never forced."""

    ref: str
    new: str | None
    old: str | None = None


class RunRefs:
    """The commit of each sealed run by the id of the run, as git listed them at one moment.

    The list is taken apart only where all of it is asked for: with 10,000 refs that took a sixth
    of `repro ls`, and finding one in the text takes 0.1 ms.
    """

    def __init__(self, listed: bytes) -> None:
        self._listed = listed

    def __getitem__(self, run_id: str) -> str:
        end = self._listed.find(f" {RUNS}{run_id}\n".encode()) if is_id(run_id) else -1
        if end < 0:
            raise KeyError(run_id)
        return self._listed[self._listed.rfind(b"\n", 0, end) + 1 : end].decode()

    def __contains__(self, run_id: str) -> bool:
        return self.get(run_id) is not None

    def get(self, run_id: str) -> str | None:
        """The commit of a run, None where it is not sealed."""
        try:
            return self[run_id]
        except KeyError:
            return None

    @cached_property
    def n_refs(self) -> int:
        """How many refs there are, also those that are not named as a run is."""
        return self._listed.count(b"\n")

    @cached_property
    def digest(self) -> bytes:
        """What only the same refs with the same commits have."""
        return hashlib.sha256(self._listed).digest()

    @property
    def misnamed(self) -> list[str]:
        """Names below `refs/repro/runs/` that are no run ids."""
        return [name for name in self._parsed if name not in self.commits]

    def starting(self, prefix: str) -> list[str]:
        """The ids that start with `prefix`, in their order."""
        pattern = re.compile(rb" %b(%b[^\n]*)\n" % (RUNS.encode(), re.escape(prefix.encode())))
        return [name for name in map(os.fsdecode, pattern.findall(self._listed)) if is_id(name)]

    @cached_property
    def commits(self) -> dict[str, str]:
        """All of them, in the order of the ids."""
        return {name: oid for name, oid in self._parsed.items() if is_id(name)}

    @cached_property
    def _parsed(self) -> dict[str, str]:
        return {ref.removeprefix(RUNS): oid for ref, oid in _parse_refs(self._listed).items()}


def list_run_refs(git: Git) -> RunRefs:
    """The refs of all sealed runs."""
    return RunRefs(_listed_refs(git, RUNS))


def list_refs(git: Git, *prefixes: str) -> dict[str, str]:
    """Map each ref below the prefixes to the object it names, in the order of their names."""
    return _parse_refs(_listed_refs(git, *prefixes))


def _listed_refs(git: Git, *prefixes: str) -> bytes:
    return git.run("for-each-ref", "--format=%(objectname) %(refname)", *prefixes).out


def _parse_refs(listed: bytes) -> dict[str, str]:
    pairs = (line.split(" ", 1) for line in os.fsdecode(listed).split("\n")[:-1])
    return {ref: oid for oid, ref in pairs}


def read_ref(git: Git, ref: str) -> str | None:
    """The object that `ref` names, None where there is no such ref."""
    done = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref, ok=(0, 1))
    return done.out.decode().strip() or None


def update_refs(git: Git, updates: Sequence[RefUpdate]) -> None:
    """Move all refs or none.

    Raises:
        ConflictError: One of them is not where `old` says; nothing was moved.
    """
    commands = []
    for update in updates:
        if update.new is None:
            commands.append(f"delete {update.ref}\0{update.old or ''}\0")
        elif update.old is None:
            commands.append(f"create {update.ref}\0{update.new}\0")
        else:
            commands.append(f"update {update.ref}\0{update.new}\0{update.old}\0")
    args = ("update-ref", "--no-deref", "--stdin", "-z")
    try:
        git.run(*args, stdin=os.fsencode("".join(commands)))
    except GitError as error:
        if any(saying in error.message for saying in _TAKEN):
            raise ConflictError(
                f"somebody else moved a ref first ({error.message})", hint="run the command again"
            ) from error
        raise
