"""Runs found: listed, or named in one of the ways that DESIGN.md section 5 lays down."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from repro.core.project import Project
from repro.errors import AmbiguousRunError, DamagedRecordError, ReproError, UnknownRunError
from repro.model.canonical import Json, parse_json
from repro.model.ids import is_id, is_id_prefix, shorten_ids
from repro.model.run import Record, Run
from repro.model.series import Point
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.index import Problem, RunIndex
from repro.store.objects import Objects, open_objects, read_file
from repro.store.refs import RUNS, UNDO, list_refs
from repro.store.runs import encode_metrics, encode_run, read_record, read_series

if TYPE_CHECKING:
    from repro.core.live import InProgress

_NTH = re.compile(r"@(?:\{(\d{1,9})\})?\Z")
_ANCESTOR = re.compile(r"(.+)~(\d{0,4})\Z", re.DOTALL)
_CODE = "^{code}"
_LONGEST = 1024  # characters of what can name a run
_NEAR = 3  # candidates named when nothing fits
_CANDIDATES = 10  # named when too much fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Runs, newest first, with environment and artifacts left out.

    Attributes:
        total: How many runs there are, chosen or not.
        short: The shortest unique prefix of each run's id.
        problems: Runs that cannot be read; they hide no other.
    """

    records: list[Record]
    total: int
    short: Mapping[str, str]
    problems: tuple[Problem, ...]


class _Runs:
    """What there is to name: sealed runs by ref, runs in progress by id, the index."""

    def __init__(self, project: Project) -> None:
        self.project = project
        listed = list_refs(project.repository.git, RUNS)
        self.refs = {ref: oid for ref, oid in listed.items() if is_id(ref.removeprefix(RUNS))}
        self.live, problems = _find_live(project, self.refs)
        self.problems = [
            *problems,
            *(
                Problem(ref.removeprefix(RUNS), DamagedRecordError("this is no run id"))
                for ref in listed.keys() - self.refs.keys()
            ),
        ]
        self._is_open = False

    @property
    def ids(self) -> set[str]:
        return {ref.removeprefix(RUNS) for ref in self.refs} | set(self.live)

    @cached_property
    def index(self) -> RunIndex:
        self._is_open = True
        sealed = {ref: oid for ref, oid in self.refs.items() if ref[len(RUNS) :] not in self.live}
        return RunIndex(self.project.repository, sealed)

    def close(self) -> None:
        if self._is_open:
            self.index.__exit__(None, None, None)


def _find_live(
    project: Project, sealed: Mapping[str, str]
) -> tuple[dict[str, "InProgress"], list[Problem]]:
    try:
        names = sorted(name for name in os.listdir(project.live) if is_id(name))
    except OSError:  # no run was ever started here
        names = []
    if not names:
        return {}, []
    # What reads journals takes longer to import than a list of sealed runs takes to print.
    from repro.core.live import read_live  # noqa: PLC0415

    return read_live([project.live / name for name in names], sealed)


@contextmanager
def _open_runs(project: Project) -> Iterator[_Runs]:
    runs = _Runs(project)
    try:
        yield runs
    finally:
        runs.close()


def list_runs(
    project: Project,
    *,
    limit: int | None = None,
    status: str | None = None,
    tag: str | None = None,
) -> Listing:
    """Give the newest runs, those in progress included.

    Args:
        limit: At most so many; None is all.
        status: Only runs with this status.
        tag: Only runs with this tag.

    Cost: reads the records that are new since the last time.
    """
    with _open_runs(project) as runs:
        records = runs.index.newest(limit=limit, status=status, tag=tag)
        records += [
            live.brief_record()
            for live in runs.live.values()
            if (status is None or live.run.status == status)
            and (tag is None or tag in live.run.tags)
        ]
        problems = (*runs.problems, *runs.index.problems)
        ids = runs.ids
    records.sort(key=_newest, reverse=True)
    return Listing(
        records=records[:limit], total=len(ids), short=shorten_ids(ids), problems=problems
    )


def _newest(record: Record) -> tuple[str, str]:
    return record.run.created, record.run.id


def short_id(project: Project, run_id: str) -> str:
    """The shortest prefix of `run_id`, of at least six characters, that no other run has."""
    with _open_runs(project) as runs:
        return shorten_ids(runs.ids | {run_id})[run_id]


def suggest_runs(project: Project, prefix: str) -> list[tuple[str, str]]:
    """Ids and names that start with `prefix`, each with what it stands for, for completion."""
    with _open_runs(project) as runs:
        names = [(name, "name") for name in runs.index.names() if name.startswith(prefix)]
        short = shorten_ids(runs.ids)
        return names + [
            (text, "run") for run_id, text in short.items() if run_id.startswith(prefix)
        ]


def resolve_run(project: Project, text: str) -> Record:
    """Give the run that `text` names.

    A whole id; `@` for the newest run, `@{1}` for the one before it and so on, `@{-1}` for
    the one last checked out; an exact name, of which the newest run wins; the first four or
    more characters of an id; any of these with `~` behind it for the parent run, `~2` for its
    parent in turn.

    Raises:
        UnknownRunError: Nothing is called that; near names are given.
        AmbiguousRunError: Several ids start like that.
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: Its record breaks FORMAT.md.
    """
    with _open_runs(project) as runs:
        return _read(runs, _find(runs, text))


def _find(runs: _Runs, text: str) -> str:
    """The id of the run that `text` names."""
    base, steps = text.removeprefix(RUNS), 0
    while len(text) <= _LONGEST:
        found = _find_base(runs, base)
        if found is not None:
            return _find_ancestor(runs, found, steps)
        match = _ANCESTOR.match(base)
        if match is None:
            break
        base, steps = match[1], steps + int(match[2] or 1)
    raise _unknown(runs, text)


def _find_base(runs: _Runs, text: str) -> str | None:
    if text in runs.ids:
        return text
    if match := _NTH.match(text):
        return _find_nth(runs, int(match[1] or 0))
    if text == "@{-1}":
        return _find_restored(runs)
    return _find_named(runs, text) or _find_prefix(runs, text)


def _find_nth(runs: _Runs, n: int) -> str:
    order = runs.index.order()
    order += [(run_id, live.run.created) for run_id, live in runs.live.items()]
    order.sort(key=lambda entry: (entry[1], entry[0]), reverse=True)
    if n < len(order):
        return order[n][0]
    if not order:
        raise UnknownRunError("there is no run yet", hint="`repro run -- CMD` records one")
    raise UnknownRunError(
        f"`@{{{n}}}` goes too far back: there are {len(order)} runs", hint="`repro ls` lists them"
    )


def _find_restored(runs: _Runs) -> str:
    """The run last checked out in this worktree, from what restores keep for `repro undo`."""
    repository = runs.project.repository
    is_main = repository.git_dir.resolve() == repository.common_dir
    here = None if is_main else repository.git_dir.name  # as undo.json names the worktree
    refs = list_refs(repository.git, UNDO)
    numbers = {ref: int(ref.removeprefix(UNDO)) for ref in refs if ref[len(UNDO) :].isdecimal()}
    with _reading(runs.project) as objects:
        for ref in sorted(numbers, key=numbers.__getitem__, reverse=True):
            said = read_file(objects, refs[ref], "undo.json")
            entry = parse_json(said, name="undo.json") if said else None
            if isinstance(entry, dict) and entry.get("worktree") == here:
                target = entry.get("target")
                if isinstance(target, str) and target in runs.ids:
                    return target
    raise UnknownRunError("no run was checked out here", hint="`repro checkout RUN` does that")


def _find_named(runs: _Runs, text: str) -> str | None:
    live = [
        (entry.run.created, run_id) for run_id, entry in runs.live.items() if entry.run.name == text
    ]
    sealed = runs.index.named(text)
    found = max([*live, *([(sealed[1], sealed[0])] if sealed else [])], default=None)
    return found[1] if found else None


def _find_prefix(runs: _Runs, text: str) -> str | None:
    if not is_id_prefix(text):
        return None
    found = sorted(run_id for run_id in runs.ids if run_id.startswith(text))
    if len(found) > 1:
        listed = ", ".join(f"`{run_id}`" for run_id in found[:_CANDIDATES])
        more = f" and {len(found) - _CANDIDATES} more" if len(found) > _CANDIDATES else ""
        raise AmbiguousRunError(
            f"`{text}` could be {len(found)} runs: {listed}{more}",
            candidates=found,
            hint="give more characters of the id",
        )
    return found[0] if found else None


def _find_ancestor(runs: _Runs, run_id: str, steps: int) -> str:
    for _ in range(steps):
        parent = _read(runs, run_id).run.parent
        if parent is None:
            raise UnknownRunError(
                f"run `{run_id}` has no parent run", hint=f"`repro show {run_id}` shows it"
            )
        if parent not in runs.ids:
            raise UnknownRunError(
                f"run `{parent}`, the parent of `{run_id}`, is not in this repository",
                hint="`repro ls` lists the runs that are",
            )
        run_id = parent
    return run_id


def _unknown(runs: _Runs, text: str) -> UnknownRunError:
    known = [*runs.index.names(), *shorten_ids(runs.ids).values()]
    near = difflib.get_close_matches(text, known, n=_NEAR) if len(text) < 256 else []
    shown = escape(text if len(text) <= 80 else f"{text[:77]}...")
    meant = " or ".join(f"`{escape(name)}`" for name in near)
    return UnknownRunError(
        f"there is no run `{shown}`" + (f"; did you mean {meant}?" if near else ""),
        hint="`repro ls` lists the runs",
    )


@contextmanager
def _reading(project: Project) -> Iterator[Objects]:
    objects = open_objects(project.repository, many=False)
    try:
        yield objects
    finally:
        objects.close()


def _read(runs: _Runs, run_id: str) -> Record:
    if run_id in runs.live:
        return runs.live[run_id].record()
    with _reading(runs.project) as objects:
        try:
            record = read_record(objects, runs.refs[RUNS + run_id])
        except DamagedRecordError as error:
            raise DamagedRecordError(
                f"run `{run_id}` is damaged: {error.message}", hint=error.hint
            ) from error
    if record.run.id != run_id:
        raise DamagedRecordError(f"run `{run_id}` is damaged: it says it is `{record.run.id}`")
    return record


def resolve_code(project: Project, text: str) -> str:
    """Give the commit whose tree is the code that `text` names: a run, or any git revision.

    Raises:
        UnknownRunError: It is neither.
        AmbiguousRunError: Several runs have that name, and git does not know it.
    """
    if text.endswith(_CODE):
        return code_of(resolve_run(project, text.removesuffix(_CODE)).run)
    try:
        return code_of(resolve_run(project, text).run)
    except (UnknownRunError, AmbiguousRunError):
        commit = _git_commit(project, text)
        if commit is None:
            raise
        return commit


def code_of(run: Run) -> str:
    """The commit whose tree is the code of `run`.

    Raises:
        DamagedRecordError: Its record names none.
    """
    if run.snapshot is None:
        raise DamagedRecordError(f"run `{run.id}` names no snapshot of its code")
    return run.snapshot


def _git_commit(project: Project, text: str) -> str | None:
    if text.startswith("-") or "\0" in text:
        return None
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    done = project.repository.git.run(*words, ok=(0, 1, 128))
    return done.out.decode().strip() or None


def read_points(project: Project, record: Record) -> dict[str, list[Point]]:
    """All points of a run, by metric, each in the order of its steps."""
    commit = record.commit
    if not commit:
        with _open_runs(project) as runs:
            if record.run.id in runs.live:
                return runs.live[record.run.id].series()
            commit = runs.refs[RUNS + record.run.id]  # sealed meanwhile
    content = ContentStore(project.store)
    with _reading(project) as objects:
        return read_series(objects, commit, stored=content.read)


def read_part(project: Project, record: Record, path: str) -> bytes | None:
    """The file `path` of the record, such as `output.log`; None where it has none."""
    if not record.commit:
        return None
    with _reading(project) as objects:
        return read_file(objects, record.commit, path)


def run_json(record: Record) -> dict[str, Json]:
    """The run as `--json` prints it: a stable shape, to which keys may be added."""
    facts = {key: value for key, value in encode_run(record.run).items() if key != "format"}
    for key in record.run.extra:
        del facts[key]
    return {
        **facts,
        "commit": record.commit or None,
        "config": dict(record.config),
        "metrics": encode_metrics(record.metrics),
        "summary": dict(record.summary),
        "data": dict(record.data),
    }


def full_json(record: Record) -> dict[str, Json]:
    """The run as `show --json` prints it: with environment, artifacts and verdict."""
    return {
        **run_json(record),
        "environment": dict(record.environment),
        "artifacts": [asdict(artifact) for artifact in record.artifacts],
        "verdict": None,
    }


def describe_problem(problem: Problem) -> str:
    """One line that says which run cannot be read, and why."""
    error: ReproError = problem.error
    if f"`{problem.id}`" in error.message:
        return error.message
    return f"run `{escape(problem.id)}` cannot be read: {error.message}"
