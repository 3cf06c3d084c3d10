"""Runs that a remote has, taken in under `refs/repro/remotes/<remote>/` once each was vetted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from repro.core.project import Project
from repro.core.reconcile import reconcile
from repro.core.tracked import Here, joined, layered
from repro.core.vetting import vet_runs
from repro.errors import ConflictError, DamagedRecordError, NewerFormatError, ReproError
from repro.model.run import Status
from repro.model.sharing import Refusal
from repro.model.text import escape
from repro.store.archive import read_archives
from repro.store.git import Repository
from repro.store.newobjects import reading_new, seeing
from repro.store.objects import Objects, parse_commit
from repro.store.quarantine import Quarantine, publish
from repro.store.refs import RefUpdate
from repro.store.runs import read_record

_TRIES = 5  # others may take in the same runs at the same time
_SHORT = 10  # characters of an object id in a message
_MOST_AMENDMENTS = 10_000

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What is to be taken in, each by its id or name with its commit."""

    runs: Mapping[str, str] = field(default_factory=dict)
    archives: Mapping[str, str] = field(default_factory=dict)
    live: Mapping[str, str] = field(default_factory=dict)

    @property
    def oids(self) -> list[str]:
        """The commits of all of them."""
        return [*self.runs.values(), *self.archives.values(), *self.live.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What became of arrivals.

    Attributes:
        new: Ids of runs that this clone did not have.
        moved: Ids of runs that were amended there, or ran on.
        refused: What is not shown, and why.
    """

    new: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()

    def __add__(self, other: "TakenIn") -> "TakenIn":
        return TakenIn(
            new=self.new + other.new,
            moved=self.moved + other.moved,
            refused=self.refused + other.refused,
        )


def take_in(
    project: Project,
    quarantine: Quarantine,
    place: str,
    arrivals: Arrivals,
    *,
    report: Report = lambda _: None,
) -> TakenIn:
    """Vet what came into a quarantine, run by run, and make what is sound visible.

    No ref of this clone's own runs is touched. A run that the remote moved to what does not build
    on what it had before stays as it was, as does one whose id belongs to another run here.

    Args:
        place: What the runs of the remote are under, below `refs/repro/remotes/`.
        report: Told in words how far it is.

    Raises:
        ConflictError: Others took in the same runs all the time.
        StorageError: The disk is full.
    """
    vetting = _Vetting(project, quarantine, place, arrivals, report)
    for attempt in range(_TRIES):
        try:
            return vetting.publish(Here(project, place))
        except ConflictError:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


class _Vetting:
    """What is known of arrivals whatever refs there are: which of them are sound."""

    def __init__(
        self,
        project: Project,
        quarantine: Quarantine,
        place: str,
        arrivals: Arrivals,
        report: Report,
    ) -> None:
        self._project = project
        self._quarantine = quarantine
        self._arrivals = arrivals
        self._label = escape(place)
        self._refused: dict[str, list[Refusal]] = {}
        self.archives = self._open_archives()
        here = Here(project, place)
        parts = [
            {run: oid for run, oid in runs.items() if not here.has(run, oid)}
            for runs in (*layered(self.archives), arrivals.runs, arrivals.live)
        ]
        self._total = sum(map(len, parts))
        self._done = 0
        self._report = report
        self._sound: set[tuple[str, str]] = set()
        for part in parts:
            self._vet(part)

    def _open_archives(self) -> dict[str, dict[str, str]]:
        """The runs in each archive that is one."""
        found = {}
        for name, oid in self._arrivals.archives.items():
            read, failed = read_archives(_inside(self._quarantine), [oid])
            try:
                found[name] = dict(read[0].items()) if read else {}
            except ReproError as error:
                failed = {oid: error}
            if oid in failed:
                reason = f"this archive of runs is none: {failed[oid].message}"
                self._refuse(Refusal(f"archive/{name}", reason))
        return found

    def _refuse(self, refusal: Refusal) -> None:
        self._refused.setdefault(refusal.run, []).append(refusal)

    def _vet(self, runs: Mapping[str, str]) -> None:
        if not runs:
            return
        vetted = vet_runs(self._project, self._quarantine, runs, report=self._count)
        self._sound |= {(run_id, runs[run_id]) for run_id in vetted.accepted}
        for refusal in vetted.refused:
            self._refuse(refusal)

    def _count(self, number: int) -> None:
        self._done += number
        self._report(f"checking runs, {self._done:,} of {self._total:,}")

    def publish(self, here: Here) -> TakenIn:
        """Decide by the refs there are, and move them."""
        refused = {run: list(refusals) for run, refusals in self._refused.items()}
        with reading_new(self._quarantine, n_runs=self._total) as objects:
            placing = _Placing(self._quarantine, objects, here, self._label, self._sound)
            updates = placing.place_archives(
                self._arrivals.archives, self.archives, then=self._arrivals.runs
            )
            updates += placing.place_runs(self._arrivals.runs)
            updates += placing.place_live(self._arrivals.live)
            updates += placing.place_leftovers()
        for refusal in placing.refused:
            refused.setdefault(refusal.run, []).append(refusal)
        if updates:
            olds = [update.old for update in updates if update.old is not None]
            publish(
                self._quarantine,
                tips=[update.new for update in updates if update.new is not None],
                exclude=list(dict.fromkeys([*olds, *branch_tips(self._project.repository)])),
                refs=updates,
            )
        return TakenIn(
            new=tuple(sorted(placing.new)),
            moved=tuple(sorted(placing.moved)),
            refused=tuple(refused[run][0] for run in sorted(refused)),
        )


class _Placing:
    """Which refs are to be moved for sound runs, by what this clone has."""

    def __init__(
        self,
        quarantine: Quarantine,
        objects: Objects,
        here: Here,
        label: str,
        sound: set[tuple[str, str]],
    ) -> None:
        self._quarantine = quarantine
        self._objects = objects
        self._here = here
        self._label = label
        self._sound = sound
        self.new: set[str] = set()
        self.moved: set[str] = set()
        self.refused: list[Refusal] = []
        self._replaced: list[Mapping[str, str]] = []

    def place_runs(self, runs: Mapping[str, str]) -> list[RefUpdate]:
        """The updates for runs with a ref of their own."""
        updates = []
        for run_id, oid in runs.items():
            if self._here.has(run_id, oid) or not self._fits(run_id, oid):
                continue
            self._count(run_id, oid)
            old = self._here.tracked.get(run_id)
            updates.append(RefUpdate(self._here.prefix + run_id, new=oid, old=old))
            self._here.tracked[run_id] = oid
        return updates

    def place_archives(
        self,
        oids: Mapping[str, str],
        archives: Mapping[str, Mapping[str, str]],
        *,
        then: Mapping[str, str],
    ) -> list[RefUpdate]:
        """The updates for archives; where a run in one is refused, for each of its others.

        Args:
            oids: The commits of the archives, by name.
            archives: The commits of the runs in each.
            then: The runs that are placed after them.
        """
        here = self._here
        updates = []
        for name, runs in archives.items():
            lacking = {
                run_id: commit
                for run_id, commit in runs.items()
                if not here.has(run_id, commit) and not self._is_behind(run_id, commit)
            }
            fitting = {run: commit for run, commit in lacking.items() if self._fits(run, commit)}
            if len(fitting) < len(lacking):
                updates += self.place_runs(
                    {run: fitting[run] for run in fitting if run not in then}
                )
                continue
            for run_id, commit in fitting.items():
                self._count(run_id, commit)
            old = here.archives.get(name)
            if old != oids[name]:
                updates.append(RefUpdate(f"{here.prefix}archive/{name}", new=oids[name], old=old))
            self._replaced.append(here.archive_runs.get(name, {}))
            here.archive_runs[name] = dict(runs)
        here.archived = joined(here.archive_runs)
        torn = self._find_torn()
        lately = {update.ref.removeprefix(here.prefix) for update in updates}
        free = torn.keys() - then.keys() - lately
        updates += self._place_newest({run_id: torn[run_id] for run_id in sorted(free)})
        for run_id, commit in joined(archives).items():
            tracked = here.tracked.get(run_id)
            is_kept = tracked is None or run_id in then or here.archived.get(run_id) != commit
            is_kept |= run_id in torn
            if tracked is not None and not is_kept and self._builds_on(commit, tracked):
                updates.append(RefUpdate(here.prefix + run_id, new=None, old=tracked))
                del here.tracked[run_id]
        return updates

    def _find_torn(self) -> dict[str, list[str]]:
        """The commits of the runs that several archives have, and not the same."""
        found: dict[str, dict[str, None]] = {}
        for runs in self._here.archive_runs.values():
            for run_id, commit in runs.items():
                found.setdefault(run_id, {})[commit] = None
        return {run_id: list(commits) for run_id, commits in found.items() if len(commits) > 1}

    def _place_newest(self, torn: Mapping[str, list[str]]) -> list[RefUpdate]:
        """The updates for runs that were amended from one archive to the next: a ref each."""
        here = self._here
        updates = []
        for run_id, commits in torn.items():
            tracked = here.tracked.get(run_id)
            sides = [*commits, *([tracked] if tracked else [])]
            for newest in sides:
                if all(self._builds_on(newest, side) for side in sides):
                    break
            else:
                continue  # whoever lists runs is told
            here.archived[run_id] = newest
            if newest == tracked or run_id in here.own or run_id in here.removed:
                continue
            updates.append(RefUpdate(here.prefix + run_id, new=newest, old=tracked))
            here.tracked[run_id] = newest
        return updates

    def place_leftovers(self) -> list[RefUpdate]:
        """The updates for runs that archives had before they were replaced: they stay."""
        here = self._here
        updates = []
        for run_id, commit in ((run, oid) for runs in self._replaced for run, oid in runs.items()):
            ahead = (here.tracked.get(run_id), here.archived.get(run_id), here.own.get(run_id))
            if run_id in here.removed or any(one is not None for one in ahead):
                continue
            updates.append(RefUpdate(here.prefix + run_id, new=commit))
            here.tracked[run_id] = commit
        return updates

    def place_live(self, live: Mapping[str, str]) -> list[RefUpdate]:
        """The updates for runs in progress, which are replaced at will."""
        updates = []
        for run_id, oid in live.items():
            old = self._here.live.get(run_id)
            if (run_id, oid) in self._sound and old != oid:
                (self.new if run_id not in self._here.known else self.moved).add(run_id)
                updates.append(RefUpdate(f"{self._here.prefix}live/{run_id}", new=oid, old=old))
        return updates

    def _is_behind(self, run_id: str, oid: str) -> bool:
        ahead = (self._here.own.get(run_id), self._here.tracked.get(run_id))
        return any(one is not None and self._builds_on(one, oid) for one in ahead)

    def _count(self, run_id: str, oid: str) -> None:
        known = self._here.known.get(run_id)
        # Else it is known as it is, from elsewhere.
        if known != oid or run_id in self._here.live:
            (self.moved if known else self.new).add(run_id)

    def _fits(self, run_id: str, oid: str) -> bool:
        """Whether a run is sound, and that what is known of its id allows it."""
        if (run_id, oid) not in self._sound:
            return False
        before = self._here.before(run_id)
        if before is not None and not self._builds_on(oid, before):
            self.refused.append(self._rewritten(run_id, before, oid))
            return False
        ours = self._here.known.get(run_id)
        if ours is None or ours == before or self._builds_on(oid, ours):
            return True
        try:
            reconcile(self._quarantine, run_id, ours, oid)
        except (ConflictError, DamagedRecordError, NewerFormatError) as error:
            if self._is_in_progress(ours):  # at a remote: no amendment stands on what it said then
                return True
            reason = (
                f"{self._label} has another run under this id: `{oid[:_SHORT]}` there,"
                f" `{ours[:_SHORT]}` here, which is kept ({error.message})"
            )
            self.refused.append(Refusal(run_id, reason))
            return False
        return True

    def _is_in_progress(self, commit: str) -> bool:
        try:
            return read_record(self._objects, commit).run.status is Status.RUNNING
        except ReproError:
            return False

    def _rewritten(self, run_id: str, before: str, oid: str) -> Refusal:
        if self._builds_on(before, oid):
            what = f"went back to `{oid[:_SHORT]}` from `{before[:_SHORT]}`, which is kept"
        else:
            what = f"replaced `{before[:_SHORT]}`, which is kept, by `{oid[:_SHORT]}`"
        hint = f"`repro push` brings the newer one to {self._label} again"
        return Refusal(run_id, f"{self._label} {what}", hint if "back" in what else "")

    def _builds_on(self, newer: str, older: str) -> bool:
        return builds_on(self._objects, newer, older)


def builds_on(objects: Objects, newer: str, older: str) -> bool:
    """Whether a run commit is another one, amended any number of times; False if one is missing."""
    seen = {newer}
    waiting = [newer]
    while waiting:
        oid = waiting.pop()
        if oid == older:
            return True
        try:
            kind, payload = objects.read(oid)
            parents = parse_commit(payload).parents[1:] if kind == "commit" else ()
        except DamagedRecordError:
            return False
        waiting += [parent for parent in parents if parent not in seen]
        seen.update(parents)
        if len(seen) > _MOST_AMENDMENTS:
            return False
    return False


def branch_tips(repository: Repository) -> list[str]:
    """The commits that HEAD, branches and tracked branches name: what runs mostly build on."""
    words = ("for-each-ref", "--format=%(objectname)", "refs/heads/", "refs/remotes/")
    listed = repository.git.text(*words).split()
    head = repository.git.find("HEAD^{commit}")
    return list(dict.fromkeys([*([] if head is None else [head]), *listed]))


def _inside(quarantine: Quarantine) -> Repository:
    """The repository with the objects of the quarantine in sight."""
    return replace(quarantine.repository, git=seeing(quarantine))
