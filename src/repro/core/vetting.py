"""Which of the runs that came from elsewhere are taken in: each looked at, one by one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from repro.core.project import Project
from repro.core.vetted_record import RecordCheck
from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.canonical import parse_json
from repro.model.ids import is_id
from repro.model.sharing import Refusal
from repro.model.text import escape
from repro.store.newobjects import NewObject, find_unsound, list_new, reading_new
from repro.store.objects import Commit, Objects, parse_commit, read_file
from repro.store.quarantine import Quarantine
from repro.store.runs import RUN_FILE, decode_run
from repro.store.treecheck import TreeCheck

LARGEST_COMMIT = 1 << 20  # bytes; git shows a message whole
MOST_AMENDMENTS = 10_000  # a person who tags a run each minute needs a week for as many

_Problem = DamagedRecordError | NewerFormatError


@dataclass(frozen=True, slots=True)
class Vetted:
    """What may be shown, and what may not.

    Attributes:
        accepted: Ids, in their order.
        refused: The others, in the order of their ids.
    """

    accepted: tuple[str, ...]
    refused: tuple[Refusal, ...]


def vet_runs(
    project: Project,  # noqa: ARG001  # as every use case takes it
    quarantine: Quarantine,
    arrivals: Mapping[str, str],
    *,
    report: Callable[[int], None] = lambda _: None,
) -> Vetted:
    """Look at runs before anybody sees them; a bad one never hides the others.

    First that each commit is of the run that it is said to be, that every file of its record can
    be read, and the names, modes and extent of all that a restore would write; then git's own
    fsck of all that is new. What the repository had before is not looked at again.

    Args:
        quarantine: Holds their new objects.
        arrivals: The run commit by the id of each run.
        report: Told how many runs were looked at since it was told last.

    Raises:
        StorageError: The disk is full.
        GitError: git cannot be run at all.

    Cost: what is new, each tree of code and each page of a dataset once for all runs.
    """
    new = list_new(quarantine)
    with reading_new(quarantine, n_runs=len(arrivals)) as objects:
        inspector = Inspector(objects, new)
        problems: dict[str, _Problem] = {}
        for run_id, oid in arrivals.items():
            try:
                inspector.check(run_id, oid)
            except (DamagedRecordError, NewerFormatError) as error:
                problems[run_id] = error
            report(1)
    sound = {run_id: oid for run_id, oid in arrivals.items() if run_id not in problems}
    unsound = find_unsound(quarantine, new, [*sound.values()], is_all=not problems)
    for run_id, oid in sound.items():
        if oid in unsound:
            problems[run_id] = DamagedRecordError(unsound[oid])
    return Vetted(
        accepted=tuple(sorted(arrivals.keys() - problems.keys())),
        refused=tuple(_refusal(run_id, problems[run_id]) for run_id in sorted(problems)),
    )


def _refusal(run_id: str, error: _Problem) -> Refusal:
    return Refusal(run_id, escape(error.message), error.hint or "")


class Inspector:
    """What looking at one run leaves for the next: the trees and pages that were seen."""

    def __init__(self, objects: Objects, new: Mapping[str, NewObject]) -> None:
        """Look at nothing yet.

        Args:
            new: Of `list_new`.
        """
        self._objects = objects
        self._new = new
        self._ids: dict[str, str] = {}  # by the tree of the record
        self._trees = TreeCheck(objects, size_of=self.size_of, is_known=self._is_known)
        self._record = RecordCheck(
            objects, self._trees, size_of=self.size_of, is_known=self._is_known
        )

    def size_of(self, oid: str) -> int | None:
        """Bytes of a new object; None of one that the repository had before."""
        found = self._new.get(oid)
        return None if found is None else found.size

    def _is_known(self, oid: str) -> bool:
        return oid not in self._new

    def check(self, run_id: str, oid: str) -> None:
        """Look at a run: that it is the one, that all of it can be read, and its code laid out.

        Raises:
            NewerFormatError: A newer repro wrote it.
            DamagedRecordError: Anything else that is wrong.
        """
        commit = self._check_shape(run_id, oid)
        code = self.read_commit(commit.parents[0])
        self._trees.check(code.tree, "its code")
        self._record.check(oid, commit.tree)

    def _check_shape(self, run_id: str, oid: str) -> Commit:
        """The run commit, if it and all before it are of the run."""
        if not is_id(run_id):
            raise DamagedRecordError("its name is no run id")
        first = self.read_commit(oid)
        seen = {oid}
        waiting = [(oid, first)]
        while waiting:
            current, commit = waiting.pop()
            if not commit.parents:
                raise DamagedRecordError(f"the run commit {current[:12]} names no code")
            self._check_id(run_id, commit)
            for earlier in commit.parents[1:]:
                if earlier not in seen:
                    seen.add(earlier)
                    waiting.append((earlier, self.read_commit(earlier)))
            if len(seen) > MOST_AMENDMENTS:
                raise DamagedRecordError(
                    f"it was amended more often than the limit of {MOST_AMENDMENTS:,}"
                )
        return first

    def read_commit(self, oid: str) -> Commit:
        """A commit, if it is one, and no larger than a message can be shown.

        Raises:
            DamagedRecordError: It is none, or too large.
        """
        known = self._new.get(oid)
        if known is not None and known.kind != "commit":
            raise DamagedRecordError(f"its ref names a {known.kind}, not a commit")
        if known is not None and known.size > LARGEST_COMMIT:
            raise DamagedRecordError(
                f"its commit has {known.size:,} bytes, more than the limit of {LARGEST_COMMIT:,}"
            )
        kind, payload = self._objects.read(oid, limit=LARGEST_COMMIT)
        if kind != "commit":
            raise DamagedRecordError(f"its ref names a {kind}, not a commit")
        return parse_commit(payload)

    def _check_id(self, run_id: str, commit: Commit) -> None:
        if commit.tree in self._ids:
            found = self._ids[commit.tree]
        else:
            found = self._ids[commit.tree] = self._read_id(commit)
        if found != run_id:
            raise DamagedRecordError(f"its record is that of another run, `{found}`")

    def _read_id(self, commit: Commit) -> str:
        data = read_file(self._objects, commit.tree, RUN_FILE)
        if data is None:
            raise DamagedRecordError(f"its commit holds no {RUN_FILE}: it is no run")
        return decode_run(parse_json(data, name=RUN_FILE), RUN_FILE).id
