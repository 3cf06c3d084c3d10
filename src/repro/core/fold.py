"""Old runs go from refs of their own into archives, where one ref holds a thousand of them.

Each ref is read by git before a fetch or a push ends: beside 100,000 of them a fetch that brings
nothing takes 1.3 s. How runs are named and read does not change (FORMAT.md, "Archives").
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from repro.atomic import FileLock
from repro.core.known import open_runs
from repro.core.project import Project, who_am_i
from repro.errors import ConflictError
from repro.model.ids import new_id
from repro.store.archive import FILE, MOST, format_lines
from repro.store.packs import MAINTAIN_LOCK
from repro.store.quarantine import CommitSpec, Quarantine, open_quarantine, publish, write_commits
from repro.store.refs import ARCHIVE, RUNS, RefUpdate, RunRefs, update_refs

_TRIES = 5  # others amend runs meanwhile


@dataclass(frozen=True, slots=True)
class Folded:
    """What was folded: how many runs, into how many new archives."""

    runs: int
    archives: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Archives as they shall be: new commits in a quarantine, to be published together.

    Attributes:
        updates: Moves of the refs of archives.
        tips: The new commits.
        exclude: The commits that they replace, which hold all runs that stay.
    """

    updates: tuple[RefUpdate, ...] = ()
    tips: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def fold_runs(
    project: Project, *, keep: int = 500, at_least: int = 5000, size: int = MOST
) -> Folded:
    """Put the oldest sealed runs into archives, if there are many refs of runs.

    A kill at any moment loses nothing: the ref of an archive is there before those of its runs
    go, and a run in both is the same run. A run that somebody amends meanwhile keeps its ref.

    Args:
        keep: So many of the newest runs keep a ref of their own, at least.
        at_least: Below so many refs nothing happens.
        size: Runs in an archive, at most 1,000; there is none with fewer.

    Raises:
        GitError: git cannot write; what was folded before stays so.
        StorageError: The disk is full or read-only; likewise.

    Cost: half a second for a thousand runs, nearly all of it for git to delete their refs.
    """
    if len(RunRefs(project.repository).tips()) <= at_least:
        return Folded(0, 0)
    project.repository.private.mkdir(exist_ok=True, mode=0o700)
    with FileLock(project.repository.private / MAINTAIN_LOCK):
        _drop_doubled(project)
        chosen = _choose_old(project, keep)
        runs = archives = 0
        for start in range(0, len(chosen) - size + 1, size):
            folded = _fold(project, chosen[start : start + size])
            runs += folded
            archives += folded > 0
    return Folded(runs, archives)


def drop_from_archives(
    project: Project, quarantine: Quarantine, ids: Iterable[str], *, of_remotes: bool = False
) -> Rewritten:
    """Write archives anew, without some runs; damaged ones stay as they are.

    Nothing is visible before the caller publishes it, beside whatever holds the runs from then on:
    `publish(quarantine, tips=[*done.tips], exclude=[*done.exclude], refs=[*done.updates, …])`.
    An archive without runs goes.

    Args:
        of_remotes: Also those that were fetched.
    """
    gone = set(ids)
    before: dict[str, str] = {}
    after: dict[str, dict[str, str]] = {}
    for ref, archive in RunRefs(project.repository).archives(of_remotes=of_remotes).items():
        lines = dict(archive.items())
        if not gone.isdisjoint(lines):
            before[ref] = archive.commit
            after[ref] = {run_id: oid for run_id, oid in lines.items() if run_id not in gone}
    left = [ref for ref in after if after[ref]]
    written = write_commits(quarantine, [_describe(project, after[ref]) for ref in left])
    commits = dict(zip(left, written, strict=True))
    return Rewritten(
        updates=tuple(RefUpdate(ref, commits.get(ref), before[ref]) for ref in before),
        tips=tuple(written),
        exclude=tuple(before.values()),
    )


def _drop_doubled(project: Project) -> None:
    """Finish what a kill left: runs with a ref and in an archive that says the same."""
    refs = RunRefs(project.repository)
    said: defaultdict[str, set[str]] = defaultdict(set)
    for archive in refs.archives().values():
        for run_id, oid in archive.items():
            said[run_id].add(oid)
    doubled = [
        RefUpdate(RUNS + run_id, None, oid)
        for run_id, oid in refs.tips().items()
        if said.get(run_id) == {oid}  # else the ref says which of them counts
    ]
    for start in range(0, len(doubled), MOST):
        with suppress(ConflictError):  # one was amended, or an archive rewritten: the next gc's
            update_refs(project.repository.git, doubled[start : start + MOST])


def _choose_old(project: Project, keep: int) -> list[str]:
    """Sealed runs that can be read, the oldest first, less the newest of them."""
    with open_runs(project) as runs:
        tips = runs.sealed.tips()
        newest_first = runs.index.select_ids()
        old = [run_id for run_id in newest_first if run_id in tips and run_id not in runs.live]
    return old[keep:][::-1]


def _fold(project: Project, ids: Sequence[str]) -> int:
    """Put runs into one archive; how many went."""
    for _ in range(_TRIES):
        tips = RunRefs(project.repository).tips(ids)
        if not tips:
            return 0
        try:
            _publish_archive(project, tips)
        except ConflictError:
            continue  # one of them was amended
        return len(tips)
    return 0  # the next gc finds them as they are


def _publish_archive(project: Project, tips: Mapping[str, str]) -> None:
    with open_quarantine(project.repository) as quarantine:
        # A run that was amended since is in an older one, too, as it was.
        older = drop_from_archives(project, quarantine, tips)
        [archive] = write_commits(quarantine, [_describe(project, tips)])
        updates = [
            RefUpdate(ARCHIVE + new_id(project.entropy), archive),
            *older.updates,
            *(RefUpdate(RUNS + run_id, None, oid) for run_id, oid in tips.items()),
        ]
        publish(
            quarantine,
            tips=[archive, *older.tips],
            exclude=[*tips.values(), *older.exclude],
            refs=updates,
        )


def _describe(project: Project, lines: Mapping[str, str]) -> CommitSpec:
    return CommitSpec(
        message=f"archive of {len(lines):,} runs\n",
        when=_date(project, lines.values()),
        author=who_am_i(project),
        parents=list(lines.values()),
        files={FILE: format_lines(lines)},
    )


def _date(project: Project, commits: Iterable[str]) -> int:
    """A second before the oldest of some commits, in seconds since 1970.

    git walks from the newest commit on, and puts each parent into a list in order: dated today,
    archives came first, and nine of them made `git log --all` take 1.0 s instead of 0.1.
    """
    words = ("rev-list", "--no-walk", "--no-commit-header", "--format=%ct", "--stdin")
    asked = "".join(f"{commit}\n" for commit in commits)
    dates = project.repository.git.run(*words, stdin=asked.encode()).out.split()
    return max(min(map(int, dates)) - 1, 0)
