"""Datasets that differ from what the commit pins that was just checked out or merged."""

from repro.core.datasets import list_datasets, open_cache
from repro.core.hooks.present import read_present
from repro.core.measured import Progress
from repro.core.project import Project
from repro.errors import InvalidInputError, ReproError
from repro.model.text import escape
from repro.store.lockfile import FILE as LOCK
from repro.store.lockfile import read_lock

_MOST_READ = 1 << 26  # bytes to hash before git gives the prompt back; past that nobody knows


class _TooMuchError(Exception):
    """More would have to be read than anybody waits for."""


def describe_data(project: Project) -> str | None:
    """One line that says which datasets are not as they are pinned now; None where all are.

    Cost: one `stat` a file, and the reading of at most 64 MiB that were not hashed before.
    """
    try:
        locked = read_lock(project.repository.root)
    except InvalidInputError:
        return None  # a merge left conflicts, which git says itself
    absent, changed, unread = [], [], []
    with open_cache(project) as cache:
        for dataset in list_datasets(project):
            pin = locked.get(dataset.name)
            if pin is None:
                continue
            try:
                facts = read_present(project, dataset, cache, on_progress=_give_up)
            except _TooMuchError:
                unread.append(dataset.name)
                continue
            except ReproError:
                changed.append(dataset.name)
                continue
            if facts is None:
                absent.append(dataset.name)
            elif facts != (pin.digest, pin.files, pin.size):
                changed.append(dataset.name)
    return _word(absent, changed, unread)


def _word(absent: list[str], changed: list[str], unread: list[str]) -> str | None:
    parts = []
    if changed:
        parts.append(f"{_names(changed)} differ{_s(changed)} from `{LOCK}`")
    if unread:
        parts.append(f"{_names(unread)} may differ from `{LOCK}`")
    if absent:
        parts.append(f"{_names(absent)} {'are' if len(absent) > 1 else 'is'} not here")
    command = "`repro data status` says how" if changed or unread else "`repro data pull` fetches"
    command += "" if changed or unread else (" them" if len(absent) > 1 else " it")
    return (
        f"dataset{'s' if len(parts) > 1 else ''} {', '.join(parts)}: {command}" if parts else None
    )


def _names(names: list[str]) -> str:
    return ", ".join(f"`{escape(name)}`" for name in names)


def _s(names: list[str]) -> str:
    return "" if len(names) > 1 else "s"


def _give_up(progress: Progress) -> None:
    if progress.all_size > _MOST_READ:
        raise _TooMuchError
