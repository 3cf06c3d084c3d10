"""Dozens of runs read whole, and laid side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.known import KnownRuns, describe_problem, open_runs, read_run
from repro.core.naming import find_id
from repro.core.project import Project
from repro.errors import DamagedRecordError, NewerFormatError, UsageError
from repro.model.canonical import Json
from repro.model.run import Record
from repro.model.sidebyside import Code, Row, lay_out, name_codes
from repro.model.values import ABSENT, Value
from repro.store.index import Problem
from repro.store.objects import Objects, reading
from repro.store.treeseries import count_differing_files, find_trees


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Runs and all items that any of them has.

    Attributes:
        records: Whole, in the order that they were named in; the first one is the baseline that
            the others are compared with.
        short: The shortest unique prefix of the id of each.
        problems: Runs that fit and cannot be read, in words.
    """

    records: tuple[Record, ...]
    rows: tuple[Row, ...]
    short: dict[str, str]
    problems: tuple[str, ...] = ()


def lay_side_by_side(
    project: Project,
    names: Sequence[str],
    *,
    chosen: Sequence[str] = (),
    baseline: str | None = None,
    fewest: int = 2,
) -> SideBySide:
    """Read runs and lay them side by side.

    Args:
        names: Of runs, as a person writes them; one that is named twice counts once.
        chosen: Ids of more runs; one that cannot be read is a problem, and no error.
        baseline: Of the run that comes first, added where it is none of the others.
        fewest: How many runs there must be, at least one.

    Raises:
        UnknownRunError: No run has one of the names.
        AmbiguousRunError: Several have.
        DamagedRecordError: A run that was named cannot be read.
        UsageError: There are fewer runs.

    Cost: reads the whole record of each, and which files differ between their codes.
    """
    problems: list[str] = []
    with open_runs(project) as runs, reading(project.repository) as objects:
        runs.sealed.look_up([*names, *chosen])  # one question to git for those that are whole ids
        first = [] if baseline is None else [find_id(runs, baseline)]
        named = dict.fromkeys([*first, *(find_id(runs, name) for name in names)])
        records = {run_id: read_run(runs, run_id, objects) for run_id in named}
        for run_id in chosen:
            if run_id not in records:
                _add(runs, objects, run_id, records, problems)
        short = runs.shorten(records)
    if len(records) < fewest:
        lacking = "is no run to look at" if fewest == 1 else "are not two runs to compare"
        raise UsageError(f"there {lacking}", hint="`repro ls` lists the runs that there are")
    listed = tuple(records.values())
    rows = lay_out(listed, _codes(project, listed))
    return SideBySide(records=listed, rows=tuple(rows), short=short, problems=tuple(problems))


def _add(
    runs: KnownRuns,
    objects: Objects,
    run_id: str,
    records: dict[str, Record],
    problems: list[str],
) -> None:
    try:
        records[run_id] = read_run(runs, run_id, objects)
    except (DamagedRecordError, NewerFormatError) as error:
        problems.append(describe_problem(Problem(run_id, error)))
    except KeyError:  # removed meanwhile
        problems.append(f"run `{run_id}` is gone")


def _codes(project: Project, records: Sequence[Record]) -> list[Code | None]:
    git = project.repository.git
    snapshots = dict.fromkeys(one.run.snapshot for one in records if one.run.snapshot)
    found = find_trees(git, list(snapshots))
    trees = [found.get(one.run.snapshot or "") for one in records]
    start = trees[0]
    others = list(dict.fromkeys(tree for tree in trees if tree is not None))
    n_files = {} if start is None else count_differing_files(git, start, others)
    return name_codes(trees, n_files)


def side_by_side_json(found: SideBySide, *, with_equal: bool = False) -> dict[str, Json]:
    """What `repro compare --json` prints; null stands for what a run has not."""
    return {
        "runs": [
            {
                "id": one.run.id,
                "name": one.run.name,
                "status": one.run.status.value,
                "created": one.run.created,
                "duration_s": one.run.duration_s,
            }
            for one in found.records
        ],
        "baseline": found.records[0].run.id,
        "rows": [_row(row, found) for row in found.rows if with_equal or row.tells],
    }


def _row(row: Row, found: SideBySide) -> dict[str, Json]:
    values: list[Json] = [_null(value) for value in row.values]
    facts: dict[str, Json] = {"part": row.part, "key": row.key or row.part, "values": values}
    facts["differs"] = row.differs
    if row.part == "metrics":
        facts["goal"] = row.goal
        facts["best"] = [found.records[n].run.id for n in sorted(row.best())]
        facts["differences"] = list(row.differences())
    if row.part == "code":
        facts["files"] = list(row.n_files)
    return facts


def _null(value: Value) -> Json:
    return None if value is ABSENT else value
