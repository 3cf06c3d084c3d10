"""The runs that share the most params with what is wanted."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.projects import open_here
from tests.support.records import make_record, write_run

from repro.core.known import open_runs
from repro.core.project import Project
from repro.store.index import RunIndex


@contextmanager
def index_of(root: Path, *configs: dict[str, Any]) -> Iterator[RunIndex]:
    """An index of one run for each config, the last the newest; named by their numbers."""
    project: Project = open_here(root)
    for number, config in enumerate(configs):
        write_run(project.repository, make_record(name=str(number), config=config))
    with open_runs(project) as runs:
        yield runs.index


def alike(index: RunIndex, params: dict[str, Any], limit: int = 10, beside: int = 0) -> list[str]:
    return [str(one.run.name) for one in index.alike(params, limit=limit, beside=beside)]


def test_what_shares_the_most_comes_first_and_the_newest_of_equals(repository: Path) -> None:
    configs = [{"a": 1, "b": 2}, {"a": 1}, {"b": 2, "a": 1.0}, {"a": 2, "b": 2}, {"c": 1}]
    with index_of(repository, *configs) as index:
        assert alike(index, {"a": 1, "b": 2}) == ["2", "0", "3", "1", "4"]
        assert alike(index, {"a": 1, "b": 2}, limit=2) == ["2", "0"]


def test_a_value_is_shared_by_type_and_value(repository: Path) -> None:
    values = [1, True, "1", None, math.nan, [1], {}, 10**400, "é\U0001f600"]
    with index_of(repository, *({"k": value} for value in values)) as index:
        for number, value in enumerate(values):
            assert alike(index, {"k": value}, limit=1) == [str(number)]


def test_what_all_runs_share_changes_no_order(repository: Path) -> None:
    configs = [{"same": 1, "a": 1}, {"same": 1, "a": 2}]
    with index_of(repository, *configs) as index:
        assert alike(index, {"same": 1, "a": 1}) == ["0", "1"]
        assert alike(index, {"same": 1}) == ["1", "0"]


def test_null_in_one_run_is_not_shared_by_all(repository: Path) -> None:
    with index_of(repository, {"k": 1}, {"k": None}) as index:
        assert alike(index, {"k": 1}) == ["0", "1"]


def test_neighbours_of_a_number_come_however_old(repository: Path) -> None:
    configs = [{"lr": 0.11}, {"lr": 0.09}, {"lr": "0.1"}, {"lr": True}, *({"lr": 9.0},) * 3]
    with index_of(repository, *configs) as index:
        assert alike(index, {"lr": 0.1}, limit=1, beside=1) == ["6", "0", "1"]


def test_names_that_no_run_has_share_nothing(repository: Path) -> None:
    with index_of(repository, {"a": 1}, {"a": 2}) as index:
        assert alike(index, {"nope": 1, "x'; DROP TABLE run; --": 2}) == ["1", "0"]
        assert alike(index, {}) == ["1", "0"]
        assert index.count() == 2


def test_without_runs_there_is_none(repository: Path) -> None:
    with index_of(repository) as index:
        assert alike(index, {"a": 1}, beside=3) == []
