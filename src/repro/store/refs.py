"""Refs under `refs/repro/`: listed, and moved by compare-and-swap only (FORMAT.md, "Refs")."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from repro.errors import ConflictError, GitError
from repro.model.ids import is_id
from repro.store.git import Git, Repository
from repro.store.refstamp import RefStamp, take_stamp

RUNS = "refs/repro/runs/"
LIVE = "refs/repro/live/"
LIVE_DATA = "refs/repro/live-data/"
UNDO = "refs/repro/undo/"
REMOTES = "refs/repro/remotes/"
TRASH = "refs/repro/trash/"
ARCHIVE = "refs/repro/archive/"

_AT_ONCE = 500  # names in one question: more are too long for a command line
_PLAIN = re.compile(r"[0-9a-z]+\Z")  # what a prefix may be without a meaning in a pattern
_TAKEN = ("reference already exists", "but expected", "reference is missing", "unable to resolve")


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One move of a ref: created if `old` is None, deleted if `new` is None; never forced."""

    ref: str
    new: str | None
    old: str | None = None


class RunRefs:
    """The commit of each sealed run by the id of the run.

    git is asked for as little as the question needs: to list 100,000 refs takes it 90 ms, to find
    one 2 ms. What was found once is not asked again.
    """

    def __init__(self, repository: Repository, *, now_ns: Callable[[], int] = lambda: 0) -> None:
        """Ask nothing yet.

        Args:
            now_ns: The clock of the file system, in nanoseconds since 1970; by a clock that is
                late, no stamp proves anything.
        """
        self._repository = repository
        self._now_ns = now_ns
        self._found: dict[str, str] = {}

    def __getitem__(self, run_id: str) -> str:
        commit = self.get(run_id)
        if commit is None:
            raise KeyError(run_id)
        return commit

    def __contains__(self, run_id: str) -> bool:
        return self.get(run_id) is not None

    def get(self, run_id: str) -> str | None:
        """The commit of a run, None where it is not sealed."""
        return self.look_up([run_id]).get(run_id)

    def look_up(self, ids: Iterable[str]) -> dict[str, str]:
        """The commits of some runs, as far as they are sealed."""
        asked = [run_id for run_id in ids if is_id(run_id)]
        if "_all" in self.__dict__:
            return {run_id: self._all[run_id] for run_id in asked if run_id in self._all}
        new = [run_id for run_id in dict.fromkeys(asked) if run_id not in self._found]
        for start in range(0, len(new), _AT_ONCE):
            part = new[start : start + _AT_ONCE]
            listed = list_refs(self._repository.git, *(RUNS + run_id for run_id in part))
            # What is not there may be in a moment: that is asked again.
            self._found.update({ref.removeprefix(RUNS): oid for ref, oid in listed.items()})
        return {run_id: self._found[run_id] for run_id in asked if run_id in self._found}

    def starting(self, prefix: str) -> list[str]:
        """The ids that start with `prefix`, in their order."""
        if not _PLAIN.match(prefix):
            return []
        if "_all" in self.__dict__:
            return [name for name in self.commits if name.startswith(prefix)]
        refs = list_refs(self._repository.git, f"{RUNS}{prefix}*")
        return [name for name in (ref.removeprefix(RUNS) for ref in refs) if is_id(name)]

    @property
    def n_refs(self) -> int:
        """How many refs there are, also those that are not named as a run is."""
        return len(self._all)

    @property
    def misnamed(self) -> list[str]:
        """Names below `refs/repro/runs/` that are no run ids."""
        return [name for name in self._all if not is_id(name)]

    @cached_property
    def commits(self) -> dict[str, str]:
        """All of them, in the order of the ids."""
        return {name: oid for name, oid in self._all.items() if is_id(name)}

    def again(self) -> "RunRefs":
        """The same, with nothing asked yet."""
        return RunRefs(self._repository, now_ns=self._now_ns)

    def stamp(self) -> RefStamp | None:
        """What tells later whether any of them changed; None where nothing does."""
        return take_stamp(self._repository.common_dir, self._now_ns())

    @cached_property
    def _all(self) -> dict[str, str]:
        listed = list_refs(self._repository.git, RUNS)
        return {ref.removeprefix(RUNS): oid for ref, oid in listed.items()}


def list_refs(git: Git, *prefixes: str) -> dict[str, str]:
    """Map each ref below the prefixes to the object it names, in the order of their names."""
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", *prefixes).out
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
