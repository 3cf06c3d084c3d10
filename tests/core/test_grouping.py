"""Groups out of the run index are those of the records themselves."""

import math
from pathlib import Path

import pytest
from tests.support.evaluate import select
from tests.support.projects import begin, open_here
from tests.support.records import NOW, a_summary, make_record, open_at, write_run, write_runs

from repro.core.choosing import Choice
from repro.core.grouping import group_chosen
from repro.core.known import open_runs
from repro.model.binding import parse_filter, resolve_name
from repro.model.canonical import Json
from repro.model.groups import group_runs
from repro.model.run import Record
from repro.model.values import is_nan

ODD: list[Json] = [1, 1.0, True, False, None, math.nan, "1", "a", [1, "é"], {}, 2**60, -0.5, ""]


def write_odd(root: Path) -> list[Record]:
    """Runs with values of any type, and metrics that some lack, with NaN and infinities."""
    records = [
        make_record(
            config={
                "x": value, "y": {"z": number % 3}, **({} if number % 4 else {"few": "here"}),
            },
            metrics={
                "loss": a_summary(
                    [1.5, math.nan, math.inf, -2.25, 1e300][number % 5],
                    goal=["minimize", None][number % 2],
                ),
                **({"f1": a_summary(number / 7, goal=f"goal {number % 2}")} if number % 3 else {}),
            },
            environment={"python": f"3.{number % 2}"},
            data={} if number % 5 else {"train": {"digest": f"xxh3:{number % 2}"}},
            name=["a", None, "b"][number % 3],
        )
        for number, value in enumerate([*ODD, *ODD, *ODD[:3]])
    ]  # fmt: skip
    return write_runs(open_at(root), records)


@pytest.mark.parametrize("where", ["", "y.z > 0", "loss is nan"])
@pytest.mark.parametrize(
    "names", [["x"], ["y.z"], ["few", "y.z"], ["env.python", "name"], ["f1"], ["data.train"]]
)  # fmt: skip
def test_groups_are_those_of_the_records(repository: Path, where: str, names: list[str]) -> None:
    records = {record.run.id: record for record in write_odd(repository)}
    project = open_here(repository)
    with open_runs(project) as runs:
        keys = [resolve_name(name, runs.index) for name in names]
        ids = select(records.values(), parse_filter(where, runs.index, now=NOW))
    expected = group_runs([records[one] for one in ids], keys)
    found = group_chosen(project, Choice(where=where), keys)
    assert found.matching == len(ids)
    assert found.grouping.goals == expected.goals
    assert len(found.grouping.groups) == len(expected.groups)
    for group, wanted in zip(found.grouping.groups, expected.groups, strict=True):
        assert group.runs == wanted.runs
        assert group.metrics == wanted.metrics
        for value, other in zip(group.values, wanted.values, strict=True):
            assert isinstance(value, bool) is isinstance(other, bool)  # 1 and 1.0 are one
            assert value == other or is_nan(value)


def test_runs_in_progress_are_in_their_group(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project, config={"lr": 0.1})
    live.journal.log(3, 5.0, {"loss": 0.25})
    write_run(project.repository, make_record(config={"lr": 0.1}))
    with open_runs(project) as runs:
        key = resolve_name("lr", runs.index)
    [group] = group_chosen(project, Choice(), [key]).grouping.groups
    assert (len(group.runs), group.metrics["loss"].mean) == (2, 0.25)
    live.journal.close()
