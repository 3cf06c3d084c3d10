"""A run of this clone joined with what remotes have of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.project import Project
from repro.core.reconcile import find_overruled, reconcile
from repro.errors import ConflictError
from repro.model.sharing import Overruled
from repro.store.quarantine import open_quarantine, publish
from repro.store.refs import RUNS, RefUpdate, RunRefs

_TRIES = 20  # others amend the same run at the same time; each turn one of them gets through


class ApartError(Exception):
    """Two commits are no amendments of one run."""

    def __init__(self, reason: ConflictError) -> None:
        super().__init__(reason.message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of a run.

    Attributes:
        is_merged: Whether both had something new; else it moved forward.
        overruled: Words of one side that gave way to later ones of the other.
    """

    is_merged: bool
    overruled: tuple[Overruled, ...] = ()


def join_run(project: Project, run_id: str, commits: Sequence[str]) -> Joined:
    """Move `refs/repro/runs/<id>` to what has all of some commits.

    Raises:
        ConflictError: Others amended it all the time.
        ApartError: They are no amendments of one run.
    """
    for _ in range(_TRIES - 1):
        try:
            return _join_once(project, run_id, commits)
        except ConflictError:
            continue
    return _join_once(project, run_id, commits)


def _join_once(project: Project, run_id: str, commits: Sequence[str]) -> Joined:
    refs = RunRefs(project.repository)
    tip = refs.tips([run_id]).get(run_id)
    own = tip or refs.own.get(run_id)
    sides = [*([own] if own else []), *commits]
    with open_quarantine(project.repository) as quarantine:
        whole = sides[0]
        for side in sides[1:]:
            try:
                whole = reconcile(quarantine, run_id, whole, side)
            except ConflictError as error:
                raise ApartError(error) from error
        done = [
            RefUpdate(place.ref, new=None, old=place.commit)
            for place in refs.places(run_id)
            if place.remote and not place.is_archived and place.commit in commits
        ]
        moved = [RefUpdate(RUNS + run_id, new=whole, old=tip)] if whole != tip else []
        publish(quarantine, tips=[whole], exclude=sides, refs=[*moved, *done])
    if whole in sides:
        return Joined(is_merged=False)
    return Joined(True, find_overruled(project.repository, run_id, sides, whole))
