"""Refs under `refs/repro/`: listed, and moved by compare-and-swap only (FORMAT.md, "Refs")."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from repro.errors import ConflictError, GitError
from repro.model.ids import is_id
from repro.model.sharing import Refusal
from repro.store.git import Git, Repository
from repro.store.reflisting import RefListing, list_run_refs
from repro.store.reflisting import RunPlace as RunPlace
from repro.store.refnames import ARCHIVE as ARCHIVE
from repro.store.refnames import LIVE as LIVE
from repro.store.refnames import LIVE_DATA as LIVE_DATA
from repro.store.refnames import REMOTES as REMOTES
from repro.store.refnames import RUNS as RUNS
from repro.store.refnames import SWEEPS as SWEEPS
from repro.store.refnames import TRASH as TRASH
from repro.store.refnames import UNDO as UNDO
from repro.store.refstamp import RefStamp, take_stamp

_AT_ONCE = 500  # names in one question: more are too long for a command line
_PLAIN = re.compile(r"[0-9a-z]+\Z")  # what a prefix may be without a meaning in a pattern
_FEW = 8  # runs that are asked for by name: each pattern is tried on each ref of the remotes
_ARCHIVES = (ARCHIVE, f"{REMOTES}**/archive/*")
_EVERYTHING = (RUNS, TRASH, ARCHIVE, REMOTES)
_TAKEN = ("reference already exists", "but expected", "reference is missing", "unable to resolve")

if TYPE_CHECKING:
    from repro.store.archive import Archive


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One move of a ref: created if `old` is None, deleted if `new` is None; never forced."""

    ref: str
    new: str | None
    old: str | None = None


class RunRefs:
    """The commit of each run by its id, wherever it is: here, in an archive, from a remote.

    A run has one ref `refs/repro/runs/<id>`, else archives and remotes say which commit it is
    (FORMAT.md, "Which commit a run is"). git is asked for as little as the question needs: to
    list 100,000 refs takes it 90 ms, to find one 2 ms. What was found once is not asked again.
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
        """The commit of a run, None where there is none."""
        return self.look_up([run_id]).get(run_id)

    def look_up(self, ids: Iterable[str]) -> dict[str, str]:
        """The commits of some runs, as far as there are any."""
        asked = [run_id for run_id in ids if is_id(run_id)]
        if "_all" in self.__dict__:
            return {run_id: self.commits[run_id] for run_id in asked if run_id in self.commits}
        new = [run_id for run_id in dict.fromkeys(asked) if run_id not in self._found]
        # What is not there may be in a moment: that is asked again.
        self._found.update(self.tips(new))
        lacking = [run_id for run_id in new if run_id not in self._found]
        if lacking:
            elsewhere = self._look_elsewhere(lacking)
            self._found.update(elsewhere.commits(lacking))
        return {run_id: self._found[run_id] for run_id in asked if run_id in self._found}

    def tips(self, ids: Iterable[str] | None = None) -> dict[str, str]:
        """What `refs/repro/runs/<id>` names for some runs or all, whatever other places say."""
        if ids is None:
            return self._all.own
        asked = [run_id for run_id in ids if is_id(run_id)]
        found: dict[str, str] = {}
        for start in range(0, len(asked), _AT_ONCE):
            part = [RUNS + run_id for run_id in asked[start : start + _AT_ONCE]]
            found.update(self._list(*part).own)
        return found

    def archives(self, *, of_remotes: bool = False) -> "dict[str, Archive]":
        """The sound archives of this clone by their refs, and those that were fetched."""
        return self._list(ARCHIVE, *(_ARCHIVES if of_remotes else ())).archives()

    def places(self, run_id: str) -> list[RunPlace]:
        """All places of a run, the one that counts first; also of one that was removed."""
        return self._look_for([run_id]).places(run_id) if is_id(run_id) else []

    def starting(self, prefix: str) -> list[str]:
        """The ids that start with `prefix`, in their order."""
        if not _PLAIN.match(prefix):
            return []
        if "_all" in self.__dict__:
            return [name for name in self.commits if name.startswith(prefix)]
        names = (RUNS + prefix, TRASH + prefix, f"{REMOTES}**/{prefix}")
        listing = self._list(*(f"{name}*" for name in names), *_ARCHIVES)
        return [run_id for run_id in listing.commits() if run_id.startswith(prefix)]

    @property
    def n_refs(self) -> int:
        """How many refs there are, also those that are not named as a run is."""
        return self._all.n_refs

    @property
    def refused(self) -> list[Refusal]:
        """What lies among them and cannot be used, in the order of the refs."""
        return self._all.refused()

    @cached_property
    def commits(self) -> dict[str, str]:
        """All of them, in the order of the ids."""
        return self._all.commits()

    @cached_property
    def own(self) -> dict[str, str]:
        """Those of this clone, by a ref of their own or in an archive, in the order of the ids."""
        return self._all.own_commits()

    def again(self) -> "RunRefs":
        """The same, with nothing asked yet."""
        return RunRefs(self._repository, now_ns=self._now_ns)

    def stamp(self) -> RefStamp | None:
        """What tells later whether any of them changed; None where nothing does."""
        return take_stamp(self._repository.common_dir, self._now_ns())

    @cached_property
    def _all(self) -> RefListing:
        return self._list(*_EVERYTHING)

    def _look_for(self, ids: list[str]) -> RefListing:
        """All that bears on some runs."""
        if len(ids) > _FEW:
            return self._list(*_EVERYTHING)
        return self._list(*(RUNS + run_id for run_id in ids), *_elsewhere(ids))

    def _look_elsewhere(self, ids: list[str]) -> RefListing:
        """What bears on some runs that have no ref of their own."""
        return self._list(*(_elsewhere(ids) if len(ids) <= _FEW else _EVERYTHING))

    def _list(self, *patterns: str) -> RefListing:
        return list_run_refs(self._repository, patterns)


def _elsewhere(ids: Iterable[str]) -> list[str]:
    named = [name + run_id for run_id in ids for name in (TRASH, f"{REMOTES}**/")]
    return [*named, *_ARCHIVES]


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
