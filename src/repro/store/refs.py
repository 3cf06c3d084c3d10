"""Refs under `refs/repro/`: listed, and moved by compare-and-swap only (FORMAT.md, "Refs")."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from repro.errors import ConflictError, GitError
from repro.store.git import Git

RUNS = "refs/repro/runs/"
LIVE = "refs/repro/live/"
UNDO = "refs/repro/undo/"

_TAKEN = ("reference already exists", "but expected", "reference is missing", "unable to resolve")


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One move of a ref: created if `old` is None, deleted if `new` is None; never forced."""

    ref: str
    new: str | None
    old: str | None = None


def list_refs(git: Git, *prefixes: str) -> dict[str, str]:
    """Map each ref below the prefixes to the object it names, in the order of their names."""
    out = git.run("for-each-ref", "--format=%(objectname) %(refname)", *prefixes).out
    pairs = (os.fsdecode(line).split(" ", 1) for line in out.splitlines())
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
