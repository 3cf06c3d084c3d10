"""Datasets that differ from what the commit pins that was just checked out or merged."""

from repro.core.datasets import list_datasets
from repro.core.project import Project
from repro.core.strayed import describe_strayed, find_strayed
from repro.errors import InvalidInputError
from repro.store.lockfile import FILE as LOCK
from repro.store.lockfile import read_lock


def describe_data(project: Project) -> str | None:
    """One line that says which datasets are not as they are pinned now; None where all are.

    Cost: one `stat` a file, and the reading of at most 64 MiB that were not hashed before.
    """
    try:
        locked = read_lock(project.repository.root)
    except InvalidInputError:
        return None  # a merge left conflicts, which git says itself
    pins = {name: (pin.digest, pin.files, pin.size) for name, pin in locked.items()}
    pinned = [(one, pins[one.name]) for one in list_datasets(project) if one.name in pins]
    strayed = find_strayed(project, pinned)
    if not strayed:
        return None
    command = "`repro data status` says how"
    if not strayed.changed and not strayed.unread:
        command = f"`repro data pull` fetches {'them' if len(strayed.absent) > 1 else 'it'}"
    return f"{describe_strayed(strayed, pinned_by=f'`{LOCK}`')}: {command}"
