"""Which states that restores replaced are old enough to go."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.canonical import parse_json
from repro.model.times import parse_time
from repro.store.objects import read_file, reading
from repro.store.refs import UNDO, list_refs

DAYS = 90  # that a state is kept
MOST = 50  # of one worktree that are kept
_NEWEST = 2  # of a worktree always stay: an undo that was killed needs the last but one
_DAY_S = 86_400.0
_FACTS = "undo.json"


@dataclass(frozen=True, slots=True)
class OldState:
    """A state that may go: its ref, and what that names."""

    ref: str
    commit: str


def find_old_states(project: Project) -> list[OldState]:
    """The undo entries that are older than 90 days, or behind the newest 50 of their worktree.

    Never the newest two of a worktree, never one that a restore in progress needs, and never
    what cannot be read.
    """
    seen: Counter[str | None] = Counter()
    needed = set(_in_progress(project))
    oldest = project.clock() - DAYS * _DAY_S
    found = []
    for state, worktree, created in _read_states(project):
        seen[worktree] += 1
        is_old = created < oldest or seen[worktree] > MOST
        if is_old and seen[worktree] > _NEWEST and state.ref not in needed:
            found.append(state)
    return found


def _read_states(project: Project) -> Iterator[tuple[OldState, str | None, float]]:
    """Each entry with its worktree and its time, the newest first."""
    refs = list_refs(project.repository.git, UNDO)
    numbers = {
        int(ref.removeprefix(UNDO)): ref for ref in refs if ref.removeprefix(UNDO).isdecimal()
    }
    with reading(project.repository) as objects:
        for number in sorted(numbers, reverse=True):
            state = OldState(numbers[number], refs[numbers[number]])
            try:
                facts = parse_json(read_file(objects, state.commit, _FACTS) or b"", name=_FACTS)
                if isinstance(facts, dict):
                    worktree = facts.get("worktree")
                    created = parse_time(str(facts.get("created")))
                    yield state, worktree if isinstance(worktree, str) else None, created
            except (DamagedRecordError, ValueError):
                continue  # `repro fsck` says so


def _in_progress(project: Project) -> Iterator[str]:
    """The refs of entries that restores in progress, or killed ones, go back to."""
    for marker in (project.repository.private / "restore").glob("**/entry"):
        try:
            yield marker.read_text().strip()
        except OSError:  # it ended this moment
            continue
