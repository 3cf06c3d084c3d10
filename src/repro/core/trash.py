"""Runs removed to the trash, and brought back from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from repro.core.fold import drop_from_archives
from repro.core.known import KnownRuns, open_runs
from repro.core.project import Project, who_am_i
from repro.errors import (
    AmbiguousRunError,
    ConflictError,
    DamagedRecordError,
    ReproError,
    UnknownRunError,
    UsageError,
)
from repro.model.condition import Among, Key, Some, Space
from repro.model.ids import is_id_prefix
from repro.model.text import escape
from repro.model.times import format_time
from repro.store.objects import Objects, reading
from repro.store.ownership import forget_own
from repro.store.quarantine import CommitSpec, open_quarantine, publish, write_commits
from repro.store.refs import REMOTES, RUNS, SWEEPS, TRASH, RefUpdate, list_refs, update_refs
from repro.store.trash import (
    FILE,
    TrashEntry,
    encode_trash,
    list_places,
    list_trash_refs,
    read_trash,
)

_AT_ONCE = 1000  # runs of one transaction: their commits are words of one command line


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A run that went to the trash.

    Attributes:
        entry: What the trash has of it.
        named_by: Ids of other runs that name it as their parent or original.
    """

    entry: TrashEntry
    named_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A run that came back: the refs that name it again."""

    entry: TrashEntry
    refs: tuple[str, ...]


def remove_runs(project: Project, ids: Iterable[str]) -> list[Removed]:
    """Move runs to the trash: their refs go, and a commit that holds them comes.

    Nothing of a record is read, so that a damaged run can be removed, too.

    Raises:
        UsageError: One of them is in progress; nothing was removed.
        ConflictError: One of them was changed meanwhile; it and those behind it stay.
        StorageError: The disk is full or read-only.
    """
    chosen = list(dict.fromkeys(ids))
    with open_runs(project) as runs:
        for run_id in chosen:
            if run_id in runs.live:
                raise UsageError(
                    f"run `{run_id}` is still in progress", hint="wait until it has ended"
                )
        commits = runs.sealed.look_up(chosen)
        named_by = _find_naming(runs, chosen)
        records = runs.index.records(chosen)
        names: dict[str, str | None] = {one.run.id: one.run.name for one in records}
    removed = []
    for start in range(0, len(chosen), _AT_ONCE):
        part = chosen[start : start + _AT_ONCE]
        entries = _remove_at_once(project, {one: commits[one] for one in part}, names)
        removed += [Removed(entry=one, named_by=named_by.get(one.run, ())) for one in entries]
    return removed


def _find_naming(runs: KnownRuns, chosen: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    keys = [Key(Space.FIELD, "parent"), Key(Space.FIELD, "rerun_of")]
    for start in range(0, len(chosen), _AT_ONCE):
        part = tuple(chosen[start : start + _AT_ONCE])
        ids = runs.index.select_ids(Some(tuple(Among(key, part) for key in keys)))
        others = [run_id for run_id in ids if run_id not in chosen]
        for column in runs.index.columns(keys, others):
            for run_id, named in zip(others, column, strict=True):
                if isinstance(named, str) and named in part:
                    found.setdefault(named, []).append(run_id)
    return {run_id: tuple(sorted(set(others))) for run_id, others in found.items()}


def _remove_at_once(
    project: Project, commits: Mapping[str, str], names: Mapping[str, str | None]
) -> list[TrashEntry]:
    repository = project.repository
    now = project.clock()
    places = list_places(repository, commits)
    there = list_refs(repository.git, RUNS, REMOTES)
    before = list_trash_refs(repository.git)
    entries, specs, updates, held = [], [], [], set()
    with reading(repository) as objects:
        for run_id, commit in commits.items():
            refs = places[run_id]
            entry = TrashEntry(
                run=run_id,
                commit="",
                name=names.get(run_id),
                removed=format_time(now),
                refs=refs or {RUNS + run_id: commit},
                earlier=before.get(run_id),
            )
            wanted = dict.fromkeys([*entry.refs.values(), *filter(None, [entry.earlier])])
            parents = [oid for oid in wanted if _is_commit(objects, oid)]
            held.update(parents)
            entries.append(entry)
            specs.append(_spec(project, entry, parents, now))
            # What an archive has is hidden there by the entry, and comes back as a ref of its own.
            updates += [
                RefUpdate(ref, new=None, old=oid) for ref, oid in refs.items() if ref in there
            ]
    with open_quarantine(repository) as quarantine:
        tips = write_commits(quarantine, specs)
        updates += [
            RefUpdate(TRASH + entry.run, new=tip, old=entry.earlier)
            for entry, tip in zip(entries, tips, strict=True)
        ]
        publish(quarantine, tips=tips, exclude=sorted(held), refs=updates)
    return [replace(entry, commit=tip) for entry, tip in zip(entries, tips, strict=True)]


def _spec(project: Project, entry: TrashEntry, parents: Sequence[str], now: float) -> CommitSpec:
    return CommitSpec(
        message=f"removed run {entry.run}\n",
        when=now,
        author=who_am_i(project),
        parents=parents,
        files={FILE: encode_trash(entry)},
    )


def _is_commit(objects: Objects, oid: str) -> bool:
    """Whether there is such a commit: a run may be removed because it has none any more."""
    try:
        return objects.read(oid)[0] == "commit"
    except DamagedRecordError:
        return False


def list_trash(
    project: Project, *, with_forgotten: bool = False
) -> tuple[list[TrashEntry], list[ReproError]]:
    """The runs in the trash, the last removed first, and what of it cannot be read.

    Args:
        with_forgotten: Also those of which nothing is left but that they were removed.
    """
    found: list[TrashEntry] = []
    problems: list[ReproError] = []
    refs = list_trash_refs(project.repository.git)
    with reading(project.repository) as objects:
        for run_id, commit in refs.items():
            try:
                found.append(read_trash(objects, run_id, commit))
            except ReproError as error:
                problems.append(error)
    found = [entry for entry in found if entry.refs or with_forgotten]
    return sorted(found, key=lambda one: (one.removed, one.run), reverse=True), problems


def find_removed(project: Project, text: str) -> TrashEntry:
    """The run in the trash that `text` names: an id, a name, or the first characters of an id.

    Of several with one name it is the one that was removed last.

    Raises:
        UnknownRunError: None is called that.
        AmbiguousRunError: Several ids start like that.
    """
    entries, _ = list_trash(project, with_forgotten=True)
    for entry in entries:
        if text in (entry.run, TRASH + entry.run):
            return entry
    for entry in entries:
        if entry.name == text:
            return entry
    near = [one for one in entries if is_id_prefix(text) and one.run.startswith(text)]
    if len(near) > 1:
        raise AmbiguousRunError(
            f"`{escape(text)}` could be {len(near)} runs in the trash",
            candidates=[one.run for one in near],
            hint="give more characters of the id",
        )
    if not near:
        raise UnknownRunError(
            f"there is no run `{escape(text[:80])}` in the trash",
            hint="`repro restore` lists what is",
        )
    return near[0]


def restore_run(project: Project, entry: TrashEntry) -> Restored:
    """Bring a run back from the trash: each ref names what it named.

    Where a ref is there again and has gone on from what was removed, it stays.

    Raises:
        ConflictError: There is such a run again with another record, or somebody was faster;
            nothing changed.
        DamagedRecordError: The commit of the run is missing.
    """
    git = project.repository.git
    listed = list_refs(git, RUNS, REMOTES, SWEEPS)
    now = {ref: listed[ref] for ref in entry.refs if ref in listed}
    with reading(project.repository) as objects:
        for oid in entry.refs.values():
            if not _is_commit(objects, oid):
                raise DamagedRecordError(
                    f"run `{entry.run}` cannot come back: its commit {oid} is missing",
                    hint="`repro fetch` brings it from a remote that has it",
                )
        before = None if entry.earlier is None else read_trash(objects, entry.run, entry.earlier)
    created = []
    for ref, oid in entry.refs.items():
        if ref not in now:
            created.append(RefUpdate(ref, new=oid))
        elif not _is_ancestor(project, oid, now[ref]):
            raise ConflictError(
                f"there is a run `{entry.run}` again, and it has another record than the removed"
                " one, which stays in the trash",
                hint=f"`repro rm {entry.run}` removes that one, too; none of both is lost",
            )
    left = None
    if before is not None:
        kept = [*entry.refs.values(), *now.values()]
        lacking = [
            oid
            for oid in before.refs.values()
            if not any(_is_ancestor(project, oid, other) for other in kept)
        ]
        left = before.commit if lacking or before.earlier else None
    update_refs(git, [*created, RefUpdate(TRASH + entry.run, new=left, old=entry.commit)])
    return Restored(entry=entry, refs=tuple(update.ref for update in created))


def forget_removed(project: Project, entries: Sequence[TrashEntry]) -> None:
    """Let go of what the trash holds of runs; only what may come again is remembered as removed.

    That is each run that something fetched has, and all of them where git has remotes.

    Raises:
        ConflictError: One of them came back meanwhile; it and those behind it stay.
    """
    repository = project.repository
    has_remotes = bool(repository.git.text("remote"))
    for start in range(0, len(entries), _AT_ONCE):
        part = entries[start : start + _AT_ONCE]
        ids = [one.run for one in part]
        with open_quarantine(repository) as quarantine:
            archived = drop_from_archives(project, quarantine, ids)
            elsewhere = list_places(repository, ids)
            remembered = [one for one in part if has_remotes or _is_fetched(elsewhere[one.run])]
            specs = [_memory(project, one, one.removed_s) for one in remembered]
            tips = write_commits(quarantine, specs) if specs else []
            new = dict(zip([one.run for one in remembered], tips, strict=True))
            updates = [RefUpdate(TRASH + one.run, new.get(one.run), one.commit) for one in part]
            updates += archived.updates
            tips += archived.tips
            if tips:
                publish(quarantine, tips=tips, exclude=[*archived.exclude], refs=updates)
            else:
                update_refs(repository.git, updates)
        # Else a look for runs that lost their refs would find them while git still has them.
        forget_own(repository.private, ids)


def remember_removed(project: Project, run_id: str) -> None:
    """Note that a run, of which nothing is left, was removed: no fetch brings it again."""
    now = project.clock()
    entry = TrashEntry(run=run_id, commit="", name=None, removed=format_time(now), refs={})
    with open_quarantine(project.repository) as quarantine:
        tips = write_commits(quarantine, [_memory(project, entry, now)])
        update = RefUpdate(TRASH + run_id, new=tips[0])
        publish(quarantine, tips=tips, exclude=[], refs=[update])


def _memory(project: Project, entry: TrashEntry, when: float) -> CommitSpec:
    return _spec(project, replace(entry, refs={}, earlier=None), [], when)


def _is_fetched(places: Mapping[str, str]) -> bool:
    return any(not ref.startswith(RUNS) for ref in places)


def _is_ancestor(project: Project, oid: str, of: str) -> bool:
    if oid == of:
        return True
    words = ("merge-base", "--is-ancestor", oid, of)
    return project.repository.git.run(*words, ok=(0, 1)).code == 0
