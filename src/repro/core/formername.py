"""The name that a run had before it was renamed."""

from contextlib import suppress

from repro.core.history import list_names
from repro.core.known import KnownRuns
from repro.errors import ReproError
from repro.model.run import Run
from repro.store.objects import reading

_MOST = 500  # newest runs that are looked at: this is for an error, which may wait a little


def find_renamed(runs: KnownRuns, name: str) -> Run | None:
    """Give the newest run that was called `name` once; None where no recent one was.

    Cost: reads the commits of the 500 newest runs, and `run.json` of those that amend one.
    """
    records = runs.index.records(runs.index.select_ids(limit=_MOST))
    with reading(runs.project.repository) as objects:
        for record in filter(lambda record: record.commit, records):
            with suppress(ReproError):  # such as in a shallow clone
                if name in list_names(objects, record.commit):
                    return record.run
    return None
