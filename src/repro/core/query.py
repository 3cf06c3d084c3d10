"""Runs found: listed, or named in one of the ways of `repro.core.naming`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

from repro.core.choosing import Choice, choose_runs
from repro.core.known import open_runs, read_run
from repro.core.naming import find_id
from repro.core.project import Project
from repro.errors import AmbiguousRunError, DamagedRecordError, UnknownRunError
from repro.model.canonical import Json
from repro.model.condition import Key, keys_in
from repro.model.ids import SHORTEST, shorten_ids
from repro.model.run import Record, Run
from repro.model.series import Point
from repro.store.content import ContentStore
from repro.store.index import OnProgress, Problem
from repro.store.objects import is_oid, read_file, reading
from repro.store.runs import encode_metrics, encode_run, read_record, read_series

if TYPE_CHECKING:
    from repro.core.live import InProgress
    from repro.model.verdict import Verdict

_Found = TypeVar("_Found")

_CODE = "^{code}"
_INNER = {"format", "curation"}  # keys of run.json that say how it is written, not what happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Runs in their order, with environment and artifacts left out.

    Attributes:
        total: How many runs there are, chosen or not.
        matching: How many of them fit, before the limit.
        asked: What they are sorted by, then what the filter is about.
        short: The shortest unique prefix of each run's id.
        problems: Runs that cannot be read; they hide no other.
    """

    records: list[Record]
    total: int
    matching: int
    asked: tuple[Key, ...]
    short: Mapping[str, str]
    problems: tuple[Problem, ...]


def list_runs(
    project: Project,
    *,
    where: str = "",
    sort: Sequence[str] = (),
    limit: int | None = None,
    status: str | None = None,
    tag: str | None = None,
    in_progress: bool = False,
    on_progress: OnProgress | None = None,
) -> Listing:
    """Give the runs that fit, those in progress included.

    Args:
        where: A filter (docs/reference/query.md); blank is every run.
        sort: Keys, ascending, `-KEY` descending; the newest run comes first where all tie.
        limit: At most so many; None is all.
        status: Only runs with this status.
        tag: Only runs with this tag.
        in_progress: Only runs that are in progress.
        on_progress: Told how many of how many records are read, where these are many.

    Raises:
        FilterError: `where` or a key of `sort` is wrong.

    Cost: reads the records that are new since the last time.
    """
    with open_runs(project, on_progress=on_progress) as runs:
        index = runs.index
        choice = Choice(where=where, sort=sort, status=status, tag=tag, in_progress=in_progress)
        chosen, keys = choose_runs(index, choice, now=project.clock())
        records = index.select(chosen, sort=keys, limit=limit)
        return Listing(
            records=records,
            total=runs.count(),
            matching=index.matching(chosen),
            asked=(*(sort.key for sort in keys), *(keys_in(chosen) if chosen else ())),
            short=runs.shorten(record.run.id for record in records),
            problems=runs.problems,
        )


def short_id(project: Project, run_id: str) -> str:
    """The shortest prefix of `run_id`, of at least six characters, that no other run has."""
    with open_runs(project) as runs:
        near = runs.starting(run_id[:SHORTEST])  # without the index: `repro run` need not fill it
        return shorten_ids([run_id, *near])[run_id]


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
    with open_runs(project) as runs:
        return read_run(runs, find_id(runs, text))


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
    oid = project.repository.git.find(f"{text}^{{commit}}")
    return oid if oid is not None and is_oid(oid) else None  # of `^main` git says `^<oid>`


def read_points(project: Project, record: Record) -> dict[str, list[Point]]:
    """All points of a run, by metric, each in the order of its steps.

    Raises:
        UnknownRunError: It was in progress, and is gone.
        DamagedRecordError: They cannot be read.
    """
    content = ContentStore(project.store)

    def of_commit(commit: str) -> dict[str, list[Point]]:
        with reading(project.repository) as objects:
            return read_series(objects, commit, stored=content.read)

    return read_live_or_sealed(project, record, lambda live: live.series(), of_commit)


def read_live_or_sealed(
    project: Project,
    record: Record,
    of_live: Callable[["InProgress"], _Found],
    of_commit: Callable[[str], _Found],
) -> _Found:
    """Give what `of_live` says of a run in progress, `of_commit` of one that is sealed.

    A record of a run in progress may be of one that is over by now, and the journals of one that
    is sealed while they are read go away.

    Raises:
        UnknownRunError: It was in progress, and is gone.
        DamagedRecordError: As what is called.
    """
    if record.commit:
        return of_commit(record.commit)
    with open_runs(project) as runs:
        run_id = find_id(runs, record.run.id)
        sealed = None
        if run_id in runs.live:
            try:
                return of_live(runs.live[run_id])
            except DamagedRecordError:
                sealed = runs.sealed_since(run_id)
                if sealed is None:
                    raise
        commit = sealed or runs.sealed[run_id]
    return of_commit(commit)


def read_whole(project: Project, record: Record) -> Record:
    """Give all parts of a record of a list, which leaves environment and artifacts out.

    Raises:
        UnknownRunError: It was in progress, and is gone.
        DamagedRecordError: It breaks FORMAT.md, or its commit is gone.
    """
    if not record.commit:
        return resolve_run(project, record.run.id)
    with reading(project.repository) as objects:
        return read_record(objects, record.commit)


def read_part(project: Project, record: Record, path: str) -> bytes | None:
    """The file `path` of the record, such as `output.log`; None where it has none."""
    if not record.commit:
        return None
    with reading(project.repository) as objects:
        return read_file(objects, record.commit, path)


def run_json(record: Record) -> dict[str, Json]:
    """The run as `--json` prints it: a stable shape, to which keys may be added."""
    facts = {key: value for key, value in encode_run(record.run).items() if key not in _INNER}
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
        "randomness": dict(record.randomness),
        "artifacts": [asdict(artifact) for artifact in record.artifacts],
        "verdict": None if record.verdict is None else _verdict_json(record.verdict),
    }


def _verdict_json(verdict: "Verdict") -> dict[str, Json]:
    from repro.store.verdicts import encode_verdict  # noqa: PLC0415  # few runs have one

    return encode_verdict(verdict)
