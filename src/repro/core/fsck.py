"""Whether everything is as FORMAT.md promises: each fault with the runs that it touches."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from repro.core.fsck_record import Seen, check_record
from repro.core.fsck_sweep import check_sweeps
from repro.core.project import Project
from repro.core.signatures import Signature, check_signatures
from repro.core.trash import list_trash
from repro.errors import ReproError
from repro.model.ids import is_id
from repro.store.content import ContentStore
from repro.store.gitfaults import GitFaults, find_git_faults, find_touched, list_pack
from repro.store.index_check import check_index
from repro.store.objects import open_objects, reading
from repro.store.ownership import list_own
from repro.store.packs import find_leftovers
from repro.store.refs import LIVE, RUNS, SWEEPS, TRASH, UNDO, RunRefs, list_refs

_MANY = 50  # runs from which on a reader in process pays off

OnCount = Callable[[str, int, int], None]
"""Told what is looked at, and how many of how many are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as FORMAT.md promises.

    Attributes:
        promise: Its number there, such as `F5`; empty where a section says it without one.
        where: `ref`, `object`, `record`, `sweep`, `store`, `signature`, `index`, `trash`, `undo`,
            `live`.
        what: Which one; nothing is escaped.
        reason: One line.
        runs: Ids of the runs that it touches.
        hint: The command that mends it; empty where none is known.
    """

    promise: str
    where: str
    what: str
    reason: str
    runs: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a look at everything found.

    Attributes:
        n_runs: How many runs were looked at.
        n_entries: How many entries of the content store.
        size: Bytes of these.
        absent: Entries that runs name and that are not here: of each, the runs.
        signatures: Of each sound run, where that was asked for.
        notes: What is no fault and may be of use.
    """

    faults: tuple[Fault, ...]
    n_runs: int
    n_entries: int
    size: int
    absent: Mapping[str, tuple[str, ...]]
    signatures: tuple[Signature, ...]
    notes: tuple[str, ...]


def check_everything(
    project: Project,
    only: Sequence[str] = (),
    *,
    signatures: bool = False,
    on_count: OnCount = lambda *_: None,
) -> Health:
    """Look at all refs, objects, records, kept bytes, the index, trash and undo entries.

    Nothing is changed, and nothing that is wrong hides anything else.

    Args:
        only: Ids of the runs that matter; all of them by default. Of faults that touch no run at
            all, none is told then.
        signatures: Whether to ask git for the signature of each run, too.

    Cost: reads the whole repository and the whole content store once.
    """
    refs = RunRefs(project.repository)
    commits = refs.commits if not only else refs.look_up(only)
    on_count("objects", 0, 1)
    git_faults = find_git_faults(project.repository)
    faults = [] if only else [*_check_refs(project, refs)]
    faults += _check_objects(project, commits, git_faults)
    broken = {run for fault in faults for run in fault.runs}
    sound = {run_id: oid for run_id, oid in commits.items() if run_id not in broken}
    seen = Seen()
    faults += _check_records(project, sound, seen, on_count)
    faults += [] if only else [*_check_sweeps(project, seen)]
    n_entries, size, store_faults = _check_store(project, seen, on_count)
    faults += store_faults
    vouched: list[Signature] = []
    if signatures:
        on_count("signatures", 0, 1)
        vouched = check_signatures(project, list(sound))
        faults += _judge_signatures(vouched)
    content = ContentStore(project.store)
    absent = {
        digest: tuple(runs) for digest, runs in seen.wanted.items() if not content.has(digest)
    }
    faults += _judge_absent(project, absent)
    if not only:
        on_count("index", 0, 1)
        faults += _check_index(project, sound)
        faults += [*_check_trash(project), *_check_undo(project), *_check_live(project)]
    else:
        faults = [fault for fault in faults if set(fault.runs) & set(only)]
    return Health(
        faults=tuple(faults),
        n_runs=len(commits),
        n_entries=n_entries,
        size=size,
        absent=absent,
        signatures=tuple(vouched),
        notes=tuple(_notes(project)),
    )


def _check_refs(project: Project, refs: RunRefs) -> Iterator[Fault]:
    for one in refs.refused:
        yield Fault(promise="F2", where="ref", what=one.run, reason=one.reason, hint=one.hint)
    removed = {ref.removeprefix(TRASH) for ref in list_refs(project.repository.git, TRASH)}
    own = list_own(project.repository.private)
    sweeps = {ref.removeprefix(SWEEPS) for ref in list_refs(project.repository.git, SWEEPS)}
    named = {*refs.commits, *removed, *sweeps}
    unnamed = [run_id for run_id in own if run_id not in named]
    with reading(project.repository) as objects:
        for run_id in unnamed:
            left = [oid for oid in own[run_id] if next(objects.read_many([oid])) is not None]
            if left:  # else it was collected or purged
                yield Fault(
                    promise="F4", where="ref", what=RUNS + run_id, runs=(run_id,),
                    reason="the run was recorded here, and no ref names it any more",
                    hint=f"`git update-ref {RUNS}{run_id} {left[-1]}` names it again",
                )  # fmt: skip


def _check_objects(
    project: Project, commits: Mapping[str, str], found: GitFaults
) -> Iterator[Fault]:
    if found.is_sound:
        return
    touched = find_touched(project.repository, commits.values(), found)
    runs_of: dict[str, list[str]] = {}
    for run_id, oid in commits.items():
        for bad in touched[oid]:
            runs_of.setdefault(bad, []).append(run_id)
    for bad in sorted({*found.oids, *runs_of}):
        yield Fault(
            promise="F5", where="object", what=bad,
            reason=found.oids.get(bad, "it is missing or corrupt"),
            runs=tuple(runs_of.get(bad, ())), hint=_bring(project, bool(runs_of.get(bad))),
        )  # fmt: skip
    for name, reason in found.packs.items():
        held = list_pack(project.repository, name)
        yield Fault(
            promise="F5", where="object", what=f"{name}.pack", reason=reason,
            runs=tuple(run_id for run_id, oid in commits.items() if oid in held),
            hint=f"where only its index is wrong, `git index-pack` of {name}.pack makes that anew",
        )  # fmt: skip
    for line in found.others:
        yield Fault(promise="", where="object", what="git fsck", reason=line)


def _bring(project: Project, is_of_run: bool) -> str:
    remotes = project.repository.git.text("remote").split("\n")
    if is_of_run and remotes != [""]:
        return "`git fetch --refetch` or a fresh clone with `repro pull` brings what a remote has"
    return "another clone, or a backup, may have the object"


def _check_records(
    project: Project, commits: Mapping[str, str], seen: Seen, on_count: OnCount
) -> Iterator[Fault]:
    content = ContentStore(project.store)
    objects = open_objects(project.repository, many=len(commits) > _MANY)
    try:
        for number, (run_id, oid) in enumerate(commits.items()):
            on_count("records", number, len(commits))
            for one in check_record(objects, content, run_id, oid, seen):
                yield Fault(
                    promise=one.promise, where="record", what=one.what, reason=one.reason,
                    runs=(run_id,), hint=one.hint,
                )  # fmt: skip
    finally:
        objects.close()


def _check_sweeps(project: Project, seen: Seen) -> Iterator[Fault]:
    for sweep_id, one in check_sweeps(project, seen):
        yield Fault(
            promise=one.promise, where="sweep", what=f"{sweep_id}: {one.what}", reason=one.reason,
            hint=one.hint,
        )  # fmt: skip


def _check_store(project: Project, seen: Seen, on_count: OnCount) -> tuple[int, int, list[Fault]]:
    """How many entries there are, their bytes, and what is wrong with them."""
    content = ContentStore(project.store)
    entries = [(digest, status.st_size) for digest, status in content.entries()]
    faults = []
    for number, (digest, _) in enumerate(entries):
        on_count("kept files", number, len(entries))
        name = digest if ":" in digest else f"sha256:{digest}"
        try:
            content.verify(name)
        except ReproError as error:
            faults.append(
                Fault(
                    promise="F11", where="store", what=name, reason=error.message,
                    runs=tuple(seen.wanted.get(name, ())), hint=error.hint or "",
                )
            )  # fmt: skip
    return len(entries), sum(size for _, size in entries), faults


def _judge_signatures(vouched: Iterable[Signature]) -> Iterator[Fault]:
    """A run that nobody signed is no fault; one whose signature is not of its content is."""
    for one in vouched:
        if one.state == "bad":
            yield Fault(
                promise="", where="signature", what=one.commit, runs=(one.run,),
                reason="its signature is not of its content, or the key was revoked",
            )  # fmt: skip


def _judge_absent(project: Project, absent: Mapping[str, tuple[str, ...]]) -> Iterator[Fault]:
    """What this clone itself kept and is not there is a fault; what others kept may be fetched."""
    own = list_own(project.repository.private)
    for digest, runs in absent.items():
        lost = [run_id for run_id in runs if run_id in own]
        if lost and project.settings.store is None:
            yield Fault(
                promise="F11", where="store", what=digest, runs=tuple(lost),
                reason="it was kept here, and is gone",
                hint="`repro data pull` brings it once `store:` names a store that has it",
            )  # fmt: skip


def _check_index(project: Project, commits: Mapping[str, str]) -> Iterator[Fault]:
    wrong = check_index(project.repository, commits)
    if wrong is not None:
        yield Fault(
            promise="F12", where="index", what="index.db", reason=wrong.reason,
            runs=tuple(wrong.runs),
            hint=f"it is only a cache: `rm {wrong.path}` has the next command make it anew",
        )  # fmt: skip


def _check_trash(project: Project) -> Iterator[Fault]:
    _, problems = list_trash(project)
    for problem in problems:
        yield Fault(
            promise="", where="trash", what=TRASH, reason=problem.message,
            hint=problem.hint or "",
        )  # fmt: skip


def _check_undo(project: Project) -> Iterator[Fault]:
    from repro.core.saved import list_entries  # noqa: PLC0415  # what restores need is slow

    try:
        list_entries(project)
    except ReproError as error:
        yield Fault(
            promise="", where="undo", what=UNDO, reason=error.message, hint=error.hint or ""
        )


def _check_live(project: Project) -> Iterator[Fault]:
    """A run in progress has a ref and a folder; either alone is left from something."""
    refs = {ref.removeprefix(LIVE) for ref in list_refs(project.repository.git, LIVE)}
    folder = project.live
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    started = {name for name in there if is_id(name) and (folder / name / "start.json").exists()}
    for run_id in sorted(started - refs):
        yield Fault(
            promise="F5", where="live", what=run_id, runs=(run_id,),
            reason="no ref holds the code of this run in progress",
        )  # fmt: skip
    for run_id in sorted(refs - there):
        yield Fault(
            promise="F5", where="live", what=LIVE + run_id,
            reason="it stands for a run in progress, of which there is nothing",
            hint=f"`git update-ref -d {LIVE}{run_id}` deletes it",
        )  # fmt: skip
    yield from _read_journals(project, sorted(started))


def _read_journals(project: Project, ids: Sequence[str]) -> Iterator[Fault]:
    """What cannot be read of runs in progress; the index would be made for that, and takes long."""
    if not ids:
        return
    from repro.core.live import read_live  # noqa: PLC0415  # journals are slow to import

    folders = [project.live / run_id for run_id in ids]
    found, problems = read_live(folders, RunRefs(project.repository).tips(ids))
    errors = {problem.id: problem.error for problem in problems}
    for run_id, live in found.items():
        try:
            live.read_brief(None)
        except ReproError as error:
            errors[run_id] = error
    for run_id in sorted(errors):
        reason = errors[run_id].message
        yield Fault(promise="F7", where="live", what=run_id, runs=(run_id,), reason=reason)


def _notes(project: Project) -> Iterable[str]:
    left = find_leftovers(project.repository, now=project.clock())
    if left:
        yield f"{len(left):,} files of killed processes are left: `repro gc` takes them away"
