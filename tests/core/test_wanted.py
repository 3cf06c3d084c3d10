"""What somebody asked to see of runs, looked up among the names that the runs have."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import open_here
from tests.support.records import make_record, open_at, write_run
from tests.support.runs import write_groups

from repro.core.choosing import Choice
from repro.core.chosen import ChosenRecords, find_chosen
from repro.core.wanted import resolve_keys, resolve_order, with_environment
from repro.errors import FilterError, UsageError
from repro.model.columns import Column
from repro.model.condition import Key, Space
from repro.model.groups import GroupOrder


def test_keys_to_group_by_are_names_or_patterns(repository: Path) -> None:
    write_groups(repository)
    found = resolve_keys(open_here(repository), "lr,opt*")
    assert [column.title for column in found] == ["lr", "optimizer"]


@pytest.mark.parametrize("text", ["", " , ", "step", "lr,step"])
def test_nothing_and_a_step_are_nothing_to_group_by(repository: Path, text: str) -> None:
    write_groups(repository)
    with pytest.raises(UsageError, match="is nothing to group by"):
        resolve_keys(open_here(repository), text)


def test_an_order_of_groups_may_be_their_size(repository: Path) -> None:
    write_groups(repository)
    project = open_here(repository)
    assert resolve_order(project, ["-runs", "loss"]) == [
        GroupOrder(None, descending=True),
        GroupOrder(Key(Space.METRIC, "loss"), descending=False),
    ]
    with pytest.raises(FilterError):
        resolve_order(project, ["-nothing"])


def test_only_that_of_an_environment_is_read_which_a_column_shows(repository: Path) -> None:
    written = write_run(open_at(repository), make_record(environment={"a": 1, "b": {"c": "x"}}))
    project = open_here(repository)
    columns = [Column("env.b.c", Key(Space.ENV, "b.c")), Column("lr", Key(Space.CONFIG, "lr"))]
    [record] = with_environment(project, [written], columns)
    assert record.environment == {"b.c": "x"}
    assert with_environment(project, [written], columns[1:]) == [written]


def test_records_that_were_found_can_be_walked_through_again_without_those_that_are_gone(
    repository: Path,
) -> None:
    write_groups(repository)
    project = open_here(repository)
    found = find_chosen(project, Choice(sort=("lr",)), n_first=1)
    records = ChosenRecords(project, found)
    assert tuple(record.run.id for record in records) == found.ids
    git(repository, "update-ref", "-d", f"refs/repro/runs/{found.ids[-1]}")
    assert tuple(record.run.id for record in records) == found.ids[:-1]
    assert records.shorten()[found.ids[0]] == found.ids[0][:6]
