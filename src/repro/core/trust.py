"""Who recorded a run: this user in this clone, or somebody whose commands are not run unasked."""

from dataclasses import dataclass

from repro.core.codetarget import inner_roots, read_code_target
from repro.core.diff import format_patch
from repro.core.harm import refuse_harmful
from repro.core.project import Project
from repro.core.query import code_of
from repro.errors import DamagedRecordError, GitError
from repro.model.run import Record, Run
from repro.store.datafacts import decode_facts
from repro.store.objects import Objects, read_commit, read_tree, reading
from repro.store.ownership import read_own
from repro.store.runs import RUN_FILE, read_record

VERDICT_FILE = "verdict.json"

_RESULTS = {RUN_FILE, VERDICT_FILE}  # what may be amended without changing what is executed
_MOST_AMENDS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRun:
    """What a user should see before a run of somebody else is executed; nothing is escaped.

    Attributes:
        run: Its id.
        command: The words that would be executed.
        author: Who recorded it, by its record: anybody can write any name there.
        host: Likewise, where.
        code: How its code differs from the working tree, as `git diff --stat` says it; one line
            that says why where that cannot be told.
        data: Names of its datasets, each with where it lies and how large it is.
        packages: What its environment takes from other places than a package index.
    """

    run: str
    command: tuple[str, ...]
    author: str
    host: str
    code: tuple[str, ...]
    data: tuple[tuple[str, str, int], ...]
    packages: tuple[tuple[str, str], ...]


def is_own(project: Project, record: Record) -> bool:
    """Whether the user recorded the run in this clone, linked worktrees included.

    A run that came by fetch, push or bundle is not, wherever its ref is, nor is one whose record
    was replaced by another: what counts is the commit that was made here. Tags, a name, a note
    and a verdict may have been amended since. Runs of versions that did not remember this are not.

    Cost: reads one file and, of an amended run, the commits since.
    """
    run = record.run
    if not record.commit:
        return True  # in progress: its live folder is in this clone
    own = read_own(project.repository.private, run.id)
    if not own:
        return False
    if record.commit in own:
        return True
    try:
        with reading(project.repository) as objects:
            made = _find_amended(objects, record.commit, own)
            return made is not None and _is_same(objects, record, made)
    except DamagedRecordError:
        return False


def _find_amended(objects: Objects, commit: str, own: frozenset[str]) -> str | None:
    """The commit made here that `commit` amends; the first parent of each is its code."""
    seen = {commit}
    waiting = [commit]
    while waiting and len(seen) < _MOST_AMENDS:
        for parent in read_commit(objects, waiting.pop()).parents[1:]:
            if parent in own:
                return parent
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return None


def _is_same(objects: Objects, record: Record, made: str) -> bool:
    """Whether a commit made here says the same of all that decides what is executed."""
    before = _decisive(read_record(objects, made).run)
    if before != _decisive(record.run):
        return False
    trees = [read_tree(objects, commit) for commit in (made, record.commit)]
    old, new = ({name: tree[name] for name in tree if name not in _RESULTS} for tree in trees)
    return old == new


def _decisive(run: Run) -> tuple[object, ...]:
    # Of `assigned` a rerun makes the config, which the program reads.
    return run.id, run.command, run.cwd, run.base, run.snapshot, run.assigned


def foreign_facts(project: Project, record: Record) -> ForeignRun:
    """Give what the user should see before this run of somebody else is executed.

    Cost: takes a snapshot of the working tree, to compare it.
    """
    run = record.run
    return ForeignRun(
        run=run.id,
        command=run.command,
        author=run.user,
        host=run.host,
        code=_code_delta(project, record),
        data=tuple(_datasets(record)),
        packages=tuple(foreign_packages(record)),
    )


def _code_delta(project: Project, record: Record) -> tuple[str, ...]:
    try:
        refuse_harmful(project, record)
        stat = format_patch(project, code_of(record.run), None, stat=True, reverse=True)
    except (DamagedRecordError, GitError) as error:
        return (f"cannot be compared: {error.message}",)
    lines = [line.strip() for line in stat.decode(errors="replace").splitlines()]
    inner = _inner_code(project, record)
    return (*inner, *(lines or ["all else as the working tree"])) if inner else tuple(lines)


def _inner_code(project: Project, record: Record) -> list[str]:
    """What no comparison with the working tree shows: code of submodules in the record."""
    try:
        roots = inner_roots(project, read_code_target(project, record))
    except DamagedRecordError as error:
        return [f"submodules cannot be read: {error.message}"]
    return [f"{path}: a submodule, whose files the record brings" for path in roots]


def _datasets(record: Record) -> list[tuple[str, str, int]]:
    listed = []
    for name in record.data:
        try:
            facts = decode_facts(record.data, name)
        except DamagedRecordError:
            listed.append((name, "?", 0))
        else:
            listed.append((name, facts.path, facts.size))
    return listed


def foreign_packages(record: Record) -> list[tuple[str, str]]:
    """Names of the packages that came from no package index, each with where it came from."""
    packages = record.environment.get("packages")
    listed = packages.get("list") if isinstance(packages, dict) else None
    found = []
    for one in listed if isinstance(listed, list) else []:
        origin = one.get("origin") if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(origin, dict):
            continue
        # One without either is inside of the project, and so a part of its code.
        if "tree" in origin:
            found.append((str(one.get("name")), "the record"))
        elif "url" in origin:
            found.append((str(one.get("name")), str(origin["url"])))
    return found
