"""Which commits a run or a sweep is made of, and which of them hold code of its own."""

from collections.abc import Collection

from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.store.objects import read_commit, reading

_MOST_COMMITS = 10_000_000  # of one run, amendments; of one sweep, one for each trial and more
# How the subjects of commits start: those that stand on code, and those around these.
_FROZEN = "what sweep "
_RECORDS = ("run ", _FROZEN)
_AROUND = ("removed run ", "removed sweep ", "sweep ")


def find_frozen(project: Project, commits: Collection[str]) -> set[str]:
    """Of the commits of a sweep those of what its trials start from."""
    with reading(project.repository) as objects:
        return {oid for oid in commits if read_commit(objects, oid).message.startswith(_FROZEN)}


def find_commits(
    project: Project, run_id: str, tips: Collection[str]
) -> tuple[set[str], set[str], set[str]]:
    """The commits of a run: records, what they amend; those of its code; what that is based on."""
    commits: set[str] = set()
    codes: set[str] = set()
    bases: set[str] = set()
    waiting = list(tips)
    with reading(project.repository) as objects:
        while waiting and len(commits) < _MOST_COMMITS:
            oid = waiting.pop()
            if oid in commits:
                continue
            try:
                commit = read_commit(objects, oid)
            except DamagedRecordError:
                continue
            commits.add(oid)
            subject = commit.message.partition("\n")[0]
            if subject.startswith(_RECORDS) and commit.parents:
                codes.add(commit.parents[0])
                code = read_commit(objects, commit.parents[0])
                if code.message.startswith(f"snapshot of run {run_id}"):
                    commits.add(commit.parents[0])
                    bases.update(code.parents)
                else:
                    bases.add(commit.parents[0])
                waiting += commit.parents[1:]
            elif subject.startswith(_AROUND):
                waiting += commit.parents
    return commits, codes, bases - commits
