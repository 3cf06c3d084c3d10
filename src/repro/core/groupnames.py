"""The names by which runs can be grouped: params, and the fields that many runs share."""

from repro.core.known import open_runs
from repro.core.project import Project
from repro.core.tableview import OfferedColumn, offer
from repro.model.columns import title_keys
from repro.model.condition import Key, Space

_FIELDS = ("status", "user", "host", "branch", "sweep", "dirty")
_MOST = 500  # params in a list to choose from


def list_group_names(project: Project) -> tuple[OfferedColumn, ...]:
    """Give the names in the order in which somebody looks for them, at most 500 params.

    Cost: asks the index for its names, for no value.
    """
    with open_runs(project) as runs:
        params = runs.index.names(Space.CONFIG)[:_MOST]
    keys = [Key(Space.CONFIG, name) for name in params]
    return offer(title_keys([*keys, *(Key(Space.FIELD, name) for name in _FIELDS)]), ())
