"""Sweeps removed to the trash; the runs of their trials stay."""

from contextlib import suppress

from repro.core.project import Project, who_am_i
from repro.core.sweep.holding import hold
from repro.errors import ReproError
from repro.model.sweep import SweepAt
from repro.model.times import format_time
from repro.store.quarantine import CommitSpec, open_quarantine, publish, write_commits
from repro.store.refs import SWEEPS, TRASH, RefUpdate, update_refs
from repro.store.trash import FILE, TrashEntry, encode_trash, list_trash_refs


def remove_sweep(project: Project, at: SweepAt) -> TrashEntry:
    """Move a sweep to the trash: no list has it, and no fetch brings it again.

    Raises:
        ConflictError: It is being run in this clone, or somebody wrote into its ledger meanwhile.
        StorageError: The disk is full or read-only.
    """
    sweep_id, now = at.sweep.id, project.clock()
    with hold(project, sweep_id):
        entry = TrashEntry(
            run=sweep_id,
            commit="",
            name=at.sweep.spec.name,
            removed=format_time(now),
            refs={SWEEPS + sweep_id: at.commit},
            earlier=list_trash_refs(project.repository.git).get(sweep_id),
        )
        parents = [at.commit, *([entry.earlier] if entry.earlier else [])]
        spec = CommitSpec(
            message=f"removed sweep {sweep_id}\n",
            when=now,
            author=who_am_i(project),
            parents=parents,
            files={FILE: encode_trash(entry)},
        )
        with open_quarantine(project.repository) as quarantine:
            [tip] = write_commits(quarantine, [spec])
            updates = [
                RefUpdate(SWEEPS + sweep_id, new=None, old=at.commit),
                RefUpdate(TRASH + sweep_id, new=tip, old=entry.earlier),
            ]
            publish(quarantine, tips=[tip], exclude=parents, refs=updates)
    return entry


def forget_unbegun(project: Project, made: SweepAt) -> None:
    """Take a sweep away that was just made, and of which no trial was begun since.

    Args:
        made: As it was made; one that was written into meanwhile stays.
    """
    with suppress(ReproError):
        git = project.repository.git
        update_refs(git, [RefUpdate(SWEEPS + made.sweep.id, new=None, old=made.commit)])
