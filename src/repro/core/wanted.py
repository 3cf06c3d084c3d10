"""What somebody asked to see of runs, looked up among the names that the runs have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from repro.core.grouping import find_group_keys, find_group_orders
from repro.core.known import open_runs
from repro.core.project import Project
from repro.model.columns import Column
from repro.model.condition import Key, Space
from repro.model.groups import GroupOrder
from repro.model.rowformat import Template, parse_template
from repro.model.run import Record
from repro.model.wanted import Wanted, find_column, parse_columns

_PIECE = 1000  # records to look up the environments of at once


def resolve_columns(project: Project, text: str) -> Wanted:
    """Read a list of columns, such as `lr,metrics.*` or `+branch,-duration`.

    Raises:
        FilterError: No run has that name, or it stands for several things.
        UsageError: A pattern fits nothing.
    """
    with open_runs(project) as runs:
        return parse_columns(text, runs.index)


def resolve_keys(project: Project, text: str) -> list[Column]:
    """Read a list of names to group by; patterns are replaced by all that fit.

    Raises:
        FilterError: No run has that name, or it stands for several things.
        UsageError: A pattern fits nothing, or it is `step`.
    """
    with open_runs(project) as runs:
        return find_group_keys(text, runs.index)


def resolve_order(project: Project, words: Sequence[str]) -> list[GroupOrder]:
    """Read what groups are to be sorted by: names, and `runs` for their number.

    Raises:
        FilterError: No run has that name, or it stands for several things.
    """
    with open_runs(project) as runs:
        return find_group_orders(words, runs.index)


def resolve_template(project: Project, text: str) -> Template:
    """Read the template of a line, such as `%(id) %(metrics.loss:.3f)`.

    Raises:
        FilterError: No run has a name in it, or it stands for several things.
        UsageError: It is no template.
    """
    with open_runs(project) as runs:
        return parse_template(text, lambda name: find_column(name, runs.index))


def with_environment(
    project: Project, records: Iterable[Record], columns: Iterable[Column]
) -> Iterable[Record]:
    """Give records of a list with that of their environment which some columns show."""
    keys = [one.key for one in columns if one.key is not None and one.key.space is Space.ENV]
    return _fill(project, records, keys) if keys else records


def _fill(project: Project, records: Iterable[Record], keys: Sequence[Key]) -> Iterator[Record]:
    walk = iter(records)
    while piece := list(islice(walk, _PIECE)):
        with open_runs(project) as runs:
            found = runs.index.columns(keys, [record.run.id for record in piece])
        for record, *values in zip(piece, *found, strict=True):
            known = zip(keys, values, strict=True)
            environment = {key.name: value for key, value in known if value is not None}
            yield replace(record, environment=environment)
