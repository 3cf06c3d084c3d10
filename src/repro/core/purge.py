"""A run or a sweep taken away for good, with all that only it needs: for a leak."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import storage_errors, write_file
from repro.core.fold import drop_from_archives
from repro.core.fsck_record import Seen, check_record
from repro.core.known import open_runs
from repro.core.naming import find_id
from repro.core.needed import find_needed
from repro.core.ownfiles import forget_unkept
from repro.core.project import Project
from repro.core.purge_commits import find_commits, find_frozen
from repro.core.purge_staying import Staying, find_staying
from repro.core.reclaim import refuse_recording, remove_entries
from repro.core.trash import find_removed, remember_removed
from repro.errors import (
    AmbiguousRunError,
    BusyRepositoryError,
    DamagedRecordError,
    ReproError,
    UnknownRunError,
)
from repro.model.canonical import Json, format_json, parse_json
from repro.model.ids import is_id, is_id_prefix
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.erase import (
    borrows,
    erase_objects,
    find_left,
    forget_in_reflogs,
    list_held,
    list_reachable,
    list_tips,
)
from repro.store.fields import Fields
from repro.store.gitfaults import GitFaults, find_touched
from repro.store.index_place import index_path
from repro.store.objects import is_oid, open_objects
from repro.store.ownership import forget_own
from repro.store.quarantine import open_quarantine, publish
from repro.store.refnames import RUNS, UNDO, Kind, parse_ref
from repro.store.refs import SWEEPS, RefUpdate, RunRefs, list_refs, update_refs
from repro.store.unsent import describe

_FOLDER = "purge"  # of .git/repro, with a note of each purge that is under way
OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePlan:
    """What a purge takes away, and what it cannot.

    Attributes:
        run: The id.
        commits: Commits that are the run's: its records, and its code.
        refs: Refs that go, each with what it names.
        archives: Refs of archives that are written anew without it.
        undo: Undo entries that hold something of it; they go, too.
        doomed: Objects that go, each with a path.
        kinds: What these are: how many commits, trees and blobs.
        files: Paths of those that are files.
        shared: Objects of it that stay, each with a path.
        staying: What these are, who has them, and what of its code others had before.
        entries: Entries of the content store that go.
    """

    run: str
    commits: frozenset[str]
    refs: Mapping[str, str]
    archives: tuple[str, ...]
    undo: Mapping[str, str]
    doomed: Mapping[str, str]
    kinds: Mapping[str, int]
    files: tuple[str, ...]
    shared: Mapping[str, str]
    staying: Staying
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What a purge did.

    Attributes:
        n_objects: Objects of git that are gone.
        n_entries: Entries of the content store that are.
        n_reflogs: Entries of reflogs that are.
        left: Objects that should be gone and are still there; `find_begun` knows of them still.
        reached: Those of them that a reflog reaches, or what came meanwhile.
        secrets: Objects that others had, too, with what looks like a secret; they are still there.
        kept_packs: Packs with a `.keep` of the user's that have some of these.
        is_borrowing: Whether git reads objects of another repository, which may have them.
    """

    n_objects: int
    n_entries: int
    n_reflogs: int
    left: tuple[str, ...]
    reached: tuple[str, ...]
    secrets: tuple[str, ...]
    kept_packs: tuple[str, ...]
    is_borrowing: bool


def plan_purge(project: Project, run_id: str) -> PurgePlan:
    """Find all that is of a run, and of nothing else; nothing is changed.

    Raises:
        UnknownRunError: There is no such run, not even in the trash.
        BusyRepositoryError: A run is in progress; or HEAD is at the code of this one.
        GitError: Something is missing, so that nobody knows what others need.

    Cost: lists every object that anything of the repository reaches.
    """
    refuse_recording(project)
    repository = project.repository
    everything = list_refs(repository.git)
    refs = {ref: oid for ref, oid in everything.items() if _is_of(ref, run_id)}
    places = RunRefs(repository).places(run_id)
    archives = {place.ref: place.commit for place in places if place.is_archived}
    tips = {*refs.values(), *archives.values()}
    if not tips:
        raise UnknownRunError(
            f"there is no run `{run_id}`, and no sweep",
            hint="`repro ls` lists the runs, `repro sweep ls` the sweeps",
        )
    commits, code, bases = find_commits(project, run_id, tips)
    _refuse_here(project, commits)
    undo = {ref: oid for ref, oid in everything.items() if ref.startswith(UNDO)}
    own = list_reachable(repository, [*tips])
    before = list_reachable(repository, bases)
    own = {oid: path for oid, path in own.items() if oid not in before}
    going = {*refs, *archives}
    # Archives hold runs that stay: those count by themselves.
    inner = _archived_others(project, run_id, archives)
    held = _held(project, going, inner)
    gone_undo: dict[str, str] = {}
    if not own.keys().isdisjoint(held):
        slim = _held(project, {*going, *undo}, inner)
        blocked = {oid for oid in own if oid in held and oid not in slim}
        if blocked:
            faults = GitFaults(dict.fromkeys(blocked, ""), {}, ())
            touched = find_touched(repository, undo.values(), faults)
            gone_undo = {ref: oid for ref, oid in undo.items() if touched[oid]}
            held = _held(project, {*going, *gone_undo}, inner)
    # What reflogs alone hold goes with their entries.
    named = {*tips, *find_frozen(project, commits)}
    doomed = {oid: path for oid, path in own.items() if oid not in held}
    shared = {oid: path for oid, path in own.items() if oid in held}
    going_objects = describe(repository.git, doomed)
    return PurgePlan(
        run=run_id,
        commits=frozenset(commits),
        refs=refs,
        archives=tuple(archives),
        undo=gone_undo,
        doomed=doomed,
        kinds=Counter(one.kind for one in going_objects),
        files=tuple(sorted({one.path for one in going_objects if one.kind == "blob"})),
        shared=shared,
        staying=find_staying(
            project,
            code=code,
            bases=bases,
            commits=commits,
            shared=shared,
            doomed=doomed,
            going={*going, *gone_undo},
        ),
        entries=_find_entries(project, run_id, named, {*going, *gone_undo}),
    )


def purge(project: Project, plan: PurgePlan, *, on_step: OnStep = lambda _: None) -> Purged:
    """Take away what a plan says.

    In an order in which a kill leaves nothing that is named and not there: refs first, then
    reflogs, the content store, the run index, objects last. What is to go is noted before, so that
    `find_begun` knows of a purge that was killed.

    Raises:
        ConflictError: The run, or an undo entry, was changed meanwhile; nothing went.
        GitError, StorageError: git cannot write; what is left is named by nothing any more.
    """
    repository = project.repository
    on_step("refs")
    _note(project, plan)
    updates = [RefUpdate(ref, None, oid) for ref, oid in {**plan.refs, **plan.undo}.items()]
    try:
        with open_quarantine(repository) as quarantine:
            if plan.archives:
                done = drop_from_archives(project, quarantine, [plan.run], of_remotes=True)
                refs = [*updates, *done.updates]
                publish(quarantine, tips=[*done.tips], exclude=[*done.exclude], refs=refs)
            else:
                update_refs(repository.git, updates)
    except ReproError:
        _note_of(project, plan.run).unlink(missing_ok=True)
        raise
    if repository.git.text("remote"):
        remember_removed(project, plan.run)
    secrets = tuple(one.oid for one in plan.staying.secrets)
    begun = Begun(plan.run, plan.commits, tuple(plan.doomed), plan.entries, secrets)
    return finish_purge(project, begun, on_step=on_step)


@dataclass(frozen=True, slots=True)
class Begun:
    """A purge whose refs are gone: what is still to go."""

    run: str
    commits: frozenset[str]
    doomed: tuple[str, ...]
    entries: tuple[str, ...]
    secrets: tuple[str, ...]


def find_begun(project: Project, text: str) -> Begun | None:
    """The purge of the run with the id, or the first characters of one, that was killed.

    Raises:
        DamagedRecordError: Its note is not what repro wrote.
    """
    for path in sorted((project.repository.private / _FOLDER).glob("*.json")):
        if is_id(path.stem) and is_id_prefix(text) and path.stem.startswith(text):
            if list_refs(project.repository.git, RUNS + path.stem, SWEEPS + path.stem):
                return None  # killed before anything was changed, or the run came again
            fields = Fields(parse_json(path.read_bytes(), name=path.name), path.name)
            return Begun(
                path.stem,
                frozenset(filter(is_oid, fields.texts("commits"))),
                tuple(filter(is_oid, fields.texts("objects"))),
                fields.texts("entries"),
                tuple(filter(is_oid, fields.texts("secrets"))),
            )
    return None


def finish_purge(project: Project, begun: Begun, *, on_step: OnStep = lambda _: None) -> Purged:
    """Take away what no ref names any more.

    Raises:
        GitError, StorageError: git cannot write; `find_begun` knows of the purge still.
    """
    repository = project.repository
    on_step("reflogs")
    n_reflogs = forget_in_reflogs(repository, begun.commits)
    forget_own(repository.private, [begun.run])
    on_step("the content store")
    n_entries = remove_entries(project, begun.entries)
    forget_unkept(repository.private, begun.run)
    on_step("the run index")
    _renew_index(project)
    on_step("objects")
    # Looked at again: somebody may have come to need some of them since.
    held = list_held(repository, without=())
    reached = frozenset(oid for oid in begun.doomed if oid in held)
    kept_packs = erase_objects(repository, set(begun.doomed) - reached)
    left = find_left(repository, begun.doomed)
    if not left:
        _note_of(project, begun.run).unlink(missing_ok=True)
    return Purged(
        n_objects=len(begun.doomed) - len(left),
        n_entries=n_entries,
        n_reflogs=n_reflogs,
        left=tuple(left),
        reached=tuple(sorted(reached)),
        secrets=tuple(find_left(repository, begun.secrets)),
        kept_packs=kept_packs,
        is_borrowing=borrows(repository),
    )


def _note(project: Project, plan: PurgePlan) -> None:
    path = _note_of(project, plan.run)
    with storage_errors("the note of what is to go"):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    value: dict[str, Json] = {
        "commits": [*sorted(plan.commits)],
        "objects": [*sorted(plan.doomed)],
        "entries": list(plan.entries),
        "secrets": [one.oid for one in plan.staying.secrets],
    }
    write_file(path, format_json(value))


def _note_of(project: Project, run_id: str) -> Path:
    return project.repository.private / _FOLDER / f"{run_id}.json"


def _is_of(ref: str, run_id: str) -> bool:
    if ref == SWEEPS + run_id:
        return True
    parsed = parse_ref(ref)
    return parsed.name == run_id and parsed.kind in (Kind.RUN, Kind.LIVE, Kind.TRASH)


def _refuse_here(project: Project, commits: Collection[str]) -> None:
    for name, oid in list_tips(project.repository, without=()).items():
        if name.startswith("HEAD of ") and oid in commits:
            raise BusyRepositoryError(
                f"the code of the run is checked out in `{escape(name.removeprefix('HEAD of '))}`",
                hint="`repro undo`, or `git switch` to a branch, first",
            )


def _archived_others(project: Project, run_id: str, archives: Collection[str]) -> list[str]:
    found = RunRefs(project.repository).archives(of_remotes=True)
    return [
        oid
        for ref, archive in found.items()
        if ref in archives
        for other, oid in archive.items()
        if other != run_id
    ]


def _held(project: Project, without: Collection[str], also: Collection[str]) -> set[str]:
    repository = project.repository
    tips = list_tips(repository, without=without)
    return set(list_reachable(repository, [*tips.values(), *also])) | _indexed(project)


def _indexed(project: Project) -> set[str]:
    """What the indexes of all worktrees hold."""
    out = project.repository.git.text("rev-list", "--objects", "--indexed-objects")
    return {line.split(" ")[0] for line in out.split("\n") if line}


def _find_entries(
    project: Project, run_id: str, commits: Collection[str], without: Collection[str]
) -> tuple[str, ...]:
    """Entries of the content store that the run names and nothing else does."""
    content = ContentStore(project.store)
    seen = Seen()
    objects = open_objects(project.repository, many=False)
    try:
        for tip in commits:
            with suppress(DamagedRecordError):
                check_record(objects, content, run_id, tip, seen)
    finally:
        objects.close()
    there = [digest for digest in seen.wanted if content.has(digest)]
    if not there:
        return ()
    needed = find_needed(project, without=without)
    return tuple(one for one in there if one.removeprefix("sha256:").encode() not in needed)


def _renew_index(project: Project) -> None:
    """Without the file nothing of the run is left in its free pages; it is only a cache."""
    path = index_path(project.repository.private, project.repository.git.environ)
    if path is not None:
        for name in (path.name, f"{path.name}-journal"):
            path.with_name(name).unlink(missing_ok=True)
    with open_runs(project) as runs:
        runs.index.count()


def find_purgeable(project: Project, text: str) -> str:
    """The id of the run that `text` names: one of those that there are, or one in the trash.

    A sweep is named by its id or the first characters of it.

    Raises:
        UnknownRunError: Nothing is called that.
        AmbiguousRunError: Several ids start like that.
    """
    try:
        return find_removed(project, text).run
    except UnknownRunError:
        sweeps = [ref.removeprefix(SWEEPS) for ref in list_refs(project.repository.git, SWEEPS)]
        found = [one for one in sweeps if is_id_prefix(text) and one.startswith(text)]
        try:
            with open_runs(project) as runs:
                found.append(find_id(runs, text))
        except UnknownRunError:
            if not found:
                raise
    if len(found) > 1:
        raise AmbiguousRunError(
            f"`{escape(text[:80])}` could be {len(found)} runs and sweeps",
            candidates=found,
            hint="give more characters of the id",
        )
    return found[0]
