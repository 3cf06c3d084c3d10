"""What was said of a run over time, told by the commits that amended it."""

from collections.abc import Iterator
from dataclasses import dataclass

from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.canonical import Json, parse_json
from repro.model.run import Record, Run
from repro.model.times import format_time, is_moment
from repro.store.objects import Commit, Objects, TreeEntry, read_commit, read_tree, reading
from repro.store.runs import RUN_FILE, decode_run

WORDS = ("name", "note", "tag", "untag", "attempt")  # all other changes are of files

_MOST = 10_000  # commits of one run


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was said.

    Attributes:
        what: `name`, `note`, `tag`, `untag`, `attempt` or the name of a file of the record.
        before: What it was, of a file its object id; None where it was nothing.
        after: What it is from then on; None where it was taken away.
    """

    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """A commit that amended a run; nothing is escaped.

    Attributes:
        when: As `format_time` writes it, by the clock of who did it.
        by: The author, by the commit: anybody can write any name there.
    """

    commit: str
    when: str
    by: str
    changes: tuple[Change, ...]


def read_history(project: Project, record: Record) -> list[Step]:
    """Give what was said of a run since it ended, both sides of merges included, oldest first.

    Raises:
        DamagedRecordError: A commit of it is missing or no record; in a shallow clone too.

    Cost: reads `run.json` of each commit.
    """
    if not record.commit:
        return []
    with reading(project.repository) as objects:
        commits = _commits(objects, record.commit)
        # A merge says nothing of its own; what its two sides said is in their commits.
        steps = [
            _step(objects, oid, commits[oid])
            for oid in _in_order(commits)
            if len(commits[oid].parents) == 2
        ]
    return [step for step in steps if step.changes]


def list_names(objects: Objects, commit: str) -> set[str]:
    """Give all names that a run has had; none where nothing was said of it since it ended.

    Raises:
        DamagedRecordError: A commit of it is missing or no record; in a shallow clone too.

    Cost: reads `run.json` of each commit, if there are several.
    """
    commits = _commits(objects, commit)
    if len(commits) == 1:
        return set()
    names = (_read_run(objects, oid).name for oid in commits)
    return {name for name in names if name is not None}


def history_json(steps: list[Step]) -> list[Json]:
    """The history as `--json` prints it, a stable shape to which keys may be added."""
    return [
        {
            "commit": step.commit,
            "when": step.when,
            "by": step.by,
            "changes": [
                {"what": one.what, "before": one.before, "after": one.after} for one in step.changes
            ],
        }
        for step in steps
    ]


def _commits(objects: Objects, tip: str) -> dict[str, Commit]:
    """The commits of a run by object id, each before those that it amends."""
    commits: dict[str, Commit] = {}
    waiting = [tip]
    while waiting and len(commits) < _MOST:
        oid = waiting.pop()
        if oid not in commits:
            commits[oid] = read_commit(objects, oid)
            waiting += commits[oid].parents[1:]
    return commits


def _in_order(commits: dict[str, Commit]) -> list[str]:
    """By time, but each after those that it amends, however wrong a clock was."""
    places: dict[str, tuple[int, int]] = {}
    waiting = list(commits)[:1]
    while waiting:
        oid = waiting[-1]
        before = [parent for parent in commits[oid].parents[1:] if parent in commits]
        if missing := [parent for parent in before if parent not in places]:
            waiting += missing
            continue
        waiting.pop()
        time, depth = max((places[parent] for parent in before), default=(0, 0))
        places[oid] = max((commits[oid].author_time, 0), (time, depth + 1))
    return sorted(places, key=lambda oid: (places[oid], oid))


def _step(objects: Objects, oid: str, commit: Commit) -> Step:
    before = commit.parents[1]
    old, new = (_read_run(objects, one) for one in (before, oid))
    files, others = (read_tree(objects, one) for one in (before, oid))
    when = format_time(commit.author_time) if is_moment(commit.author_time) else ""
    by = f"{commit.author} <{commit.email}>"
    return Step(oid, when, by, (*_said(old, new), *_files(files, others, new)))


def _read_run(objects: Objects, oid: str) -> Run:
    entry = read_tree(objects, oid).get(RUN_FILE)
    if entry is None:
        raise DamagedRecordError(f"commit {oid} holds no {RUN_FILE}: it is no run")
    return decode_run(parse_json(objects.read(entry.oid)[1], name=RUN_FILE), RUN_FILE)


def _said(old: Run, new: Run) -> Iterator[Change]:
    if old.name != new.name:
        yield Change("name", old.name, new.name)
    for tag in new.tags:
        if tag not in old.tags:
            yield Change("tag", None, tag)
    for tag in old.tags:
        if tag not in new.tags:
            yield Change("untag", tag, None)
    if old.note != new.note:
        yield Change("note", old.note, new.note)
    if len(old.attempts) != len(new.attempts):
        yield Change("attempt", None, new.status.value)


def _files(old: dict[str, TreeEntry], new: dict[str, TreeEntry], run: Run) -> Iterator[Change]:
    """Files that an amendment put there; another attempt changes all of them."""
    put = run.curation.files if run.curation else {}
    for name in sorted(put.keys() & new.keys()):
        before = old.get(name)
        if before != new[name]:
            yield Change(name, before.oid if before else None, new[name].oid)
