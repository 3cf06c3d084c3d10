"""The runs of the same conditions, and those that differ in the fewest.

Candidates come from the run index, which opens no run commit; only what is shown is compared in
depth.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from repro.core.diff import CodeState, code_state_of, diff_code
from repro.core.find import Found, Near, shorten
from repro.core.known import KnownRuns, open_runs
from repro.core.observe import Observed, observe
from repro.core.project import Project, who_am_i
from repro.core.request import Request
from repro.core.tried import as_it_ran, as_record
from repro.errors import ReproError
from repro.model.condition import Comparison, Key, Space
from repro.model.config import flatten_config
from repro.model.diff import DataChange, find_changed_data
from repro.model.differences import (
    DECIDING_KEYS,
    UNKNOWN,
    UNSURE,
    Difference,
    count_differences,
    deciding_values,
    known_config,
    list_differences,
)
from repro.model.run import Record
from repro.model.values import Value
from repro.store.objects import open_objects, parse_commit, reading
from repro.store.quarantine import Quarantine
from repro.store.runs import read_record

if TYPE_CHECKING:
    from repro.core.measured import OnProgress

_POOL = 500  # runs that are ranked by what the index says of them
_PACKAGES = Key(Space.ENV, "packages.digest")


def find_like(project: Project, record: Record, *, limit: int | None) -> Found:
    """Give the other runs by how many of their conditions differ from those of one, fewest first.

    Args:
        limit: At most so many of the same, and of others; None is all the same, and hundreds.

    Raises:
        DamagedRecordError: The code of the run is missing.
    """

    def compare(other: Record) -> tuple[Difference, ...]:
        files = diff_code(project, code_state_of(record), code_state_of(other), {})
        changed = find_changed_data(record.data, other.data)
        data = _compare_data(project, record, other, changed) if changed else {}
        config_files = project.settings.config
        return list_differences(record, other, files, config_files=config_files, data=data)

    def beside(_: Record) -> Record:
        return record

    with open_runs(project) as runs:
        target = _Target(record, None, beside, compare)
        return _find(runs, target, without=record.run.id, limit=limit)


def find_this(
    project: Project,
    request: Request,
    *,
    limit: int | None,
    on_progress: "OnProgress | None" = None,
) -> Found:
    """Give the runs of what a command would start from here and now; nothing is recorded.

    Args:
        limit: At most so many of the same, and of others; None is all the same, and hundreds.
        on_progress: Called several times a second while datasets are read.

    Raises:
        InvalidInputError: A config file is wrong.

    Cost: takes a snapshot, and hashes the files of datasets that are new since the last time.
    """
    with (
        observe(
            project, request, author=who_am_i(project), now=project.clock(), on_progress=on_progress
        ) as (quarantine, seen),
        open_runs(project) as runs,
    ):
        target = _present(project, quarantine, as_it_ran(runs, seen))
        return _find(runs, target, without=None, limit=limit)


@dataclass(frozen=True, slots=True)
class _Target:
    """What runs are compared with.

    Attributes:
        record: Its conditions.
        tree: Of its code; None where that is to be read.
        beside: The same as they count in a comparison with one run.
        compare: In what a run differs from it, in depth.
    """

    record: Record
    tree: str | None
    beside: Callable[[Record], Record]
    compare: Callable[[Record], tuple[Difference, ...]]


def _present(project: Project, quarantine: Quarantine, seen: Observed) -> _Target:
    now = as_record(project, seen)
    code = CodeState(seen.code.snapshot, seen.code.anchor if seen.code.submodules else None)

    def beside(other: Record) -> Record:
        return replace(now, config=known_config(other, now.config))

    def compare(other: Record) -> tuple[Difference, ...]:
        files = diff_code(project, code, code_state_of(other), quarantine.env)
        config_files = project.settings.config
        return list_differences(beside(other), other, files, config_files=config_files)

    return _Target(now, seen.code.tree, beside, compare)


def _find(runs: KnownRuns, target: _Target, *, without: str | None, limit: int | None) -> Found:
    identity = target.record.run.identity
    claimed = _select_identity(runs, identity) if identity is not None else []
    claimed = [one for one in claimed if one.run.id != without]
    known = {without, *(one.run.id for one in claimed)}
    pool = runs.index.alike(flatten_config(target.record.config), limit=_POOL)
    pool = [one for one in pool if one.run.id not in known]
    ranked = _ranked(runs, target, pool)[:limit]
    exact: list[Record] = []
    near: list[Near] = []
    for one in _compared(runs, target, claimed):
        if _is_exact(identity, one):
            exact.append(one.record)
        else:
            near.append(one)
        if len(exact) == limit:  # those behind it claim to be the same, too
            break
    near += _compared(runs, target, ranked)
    near.sort(key=lambda one: len(one.differences))
    near = near[:limit]
    return Found(
        exact=tuple(exact),
        near=tuple(near),
        short=shorten(runs, exact, near),
        problems=runs.problems,
    )


def _select_identity(runs: KnownRuns, identity: str) -> list[Record]:
    return runs.index.select(Comparison(Key(Space.FIELD, "identity"), "=", identity))


def _is_exact(identity: str | None, one: Near) -> bool:
    run = one.record.run
    return run.identity is not None and run.identity == identity and not one.differences


def _ranked(runs: KnownRuns, target: _Target, pool: Sequence[Record]) -> list[Record]:
    """The pool, those with the fewest differences first, as far as the index tells."""
    if not pool:
        return []
    own = target.record
    around = _around(runs, pool)
    digest, deciding = _packages_of(own), deciding_values(own.environment)
    trees = _trees(runs.project, [own, *pool])
    tree = target.tree or trees.get(own.run.snapshot)

    def count(other: Record) -> int:
        packages, others = around.get(other.run.id, (None, {}))
        return (
            count_differences(target.beside(other), other)
            + (packages != digest)
            + (others != deciding)
            + (trees.get(other.run.snapshot) != tree)
        )

    counts = {one.run.id: count(one) for one in pool}
    # Newest first among equals: the pool is in no order that means anything.
    newest = sorted(pool, key=lambda one: (one.run.created, one.run.id), reverse=True)
    return sorted(newest, key=lambda one: counts[one.run.id])


def _around(runs: KnownRuns, pool: Sequence[Record]) -> dict[str, tuple[Value, dict[str, Value]]]:
    """The digest of the packages of each run, and what else of its environment decides."""
    ids = [one.run.id for one in pool]
    keys = [_PACKAGES, *(Key(Space.ENV, name) for name in DECIDING_KEYS)]
    digests, *columns = runs.index.columns(keys, ids)
    around: dict[str, tuple[Value, dict[str, Value]]] = {}
    for run_id, digest, *values in zip(ids, digests, *columns, strict=True):
        named = zip(DECIDING_KEYS, values, strict=True)
        around[run_id] = digest, {name: value for name, value in named if value is not None}
    return around


def _packages_of(record: Record) -> Value:
    packages = record.environment.get("packages")
    return packages.get("digest") if isinstance(packages, dict) else None


def _trees(project: Project, records: Iterable[Record]) -> dict[str | None, str]:
    """The tree of each snapshot that is here."""
    commits = list(dict.fromkeys(one.run.snapshot for one in records if one.run.snapshot))
    objects = open_objects(project.repository, many=False)
    try:
        found = zip(commits, objects.read_many(commits), strict=True)
        return {
            commit: parse_commit(one[1]).tree
            for commit, one in found
            if one is not None and one[0] == "commit"
        }
    finally:
        objects.close()


def _compared(runs: KnownRuns, target: _Target, records: Sequence[Record]) -> Iterator[Near]:
    """Each of the runs with its differences; one that is damaged, or gone by now, is left out."""
    with reading(runs.project.repository) as objects:
        for brief in records:
            live = runs.live.get(brief.run.id)
            try:
                record = live.record() if live else read_record(objects, brief.commit)
                differences = target.compare(record)
            except ReproError:
                continue
            if not differences:
                differences = _untold(target.record.run.identity, record.run.identity)
            yield Near(record, differences)


def _untold(identity: str | None, other: str | None) -> tuple[Difference, ...]:
    """What stands for differences where none was found; nothing where there is none."""
    if identity is None or other is None:
        return (UNSURE,)
    return () if identity == other else (UNKNOWN,)


def _compare_data(
    project: Project, a: Record, b: Record, names: Sequence[str]
) -> dict[str, DataChange]:
    # Here, for most comparisons are of no datasets, and would pay 30 ms for SQLite and threads.
    from repro.core.datadiff import compare_data  # noqa: PLC0415

    return compare_data(project, a, b, names=names)
