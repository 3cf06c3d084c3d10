"""A dataset added to a project, brought up to date in it, or dropped from it."""

from dataclasses import dataclass, replace
from pathlib import Path

from repro.core.datasets import (
    Dataset,
    facts_of,
    find_dataset,
    free_name,
    list_datasets,
    measure_dataset,
    open_cache,
    path_in_project,
)
from repro.core.locking import guard_of, lock_dataset
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.manifest import DataFacts
from repro.model.text import escape
from repro.store.ignorefile import ignore_path
from repro.store.lockfile import hold_guard, update_lock
from repro.store.settings import DataEntry, find_data_fault
from repro.store.yamledit import add_dataset as write_dataset
from repro.store.yamledit import remove_dataset as erase_dataset

_TRIES = 3  # a dataset may change between the reading and the locking


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a dataset shall be tracked; None leaves it as it is, or as is usual.

    Attributes:
        name: By default the last component of its path.
        outside: Whether it may be outside of the repository.
    """

    name: str | None = None
    keep: bool | None = None
    follow: bool | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What adding a dataset did.

    Attributes:
        is_new: Whether the project did not have it.
        is_changed: Whether `repro.lock` says another thing than before.
        is_ignored: Whether a line was added to `.gitignore`.
        n_read: Files that had to be read.
        left_out: Paths of what no record may hold, such as `.git`.
        followed: Links that were followed.
    """

    dataset: Dataset
    facts: DataFacts
    is_new: bool
    is_changed: bool
    is_ignored: bool
    n_read: int
    left_out: tuple[str, ...]
    followed: tuple[str, ...]


def choose_dataset(project: Project, text: str, cwd: Path, wish: Wish) -> Dataset:
    """Give the dataset that a user means to add: one that is there, or a new one at a path.

    Raises:
        InvalidInputError: The path can be no dataset, or overlaps one, or the name is taken.
    """
    datasets = {dataset.name: dataset for dataset in list_datasets(project)}
    chosen = datasets.get(text)
    if chosen is None:
        path = path_in_project(project, text, cwd, outside=wish.outside)
        chosen = next((one for one in datasets.values() if one.path == path), None)
        if chosen is None:
            name = free_name(path, datasets) if wish.name is None else wish.name
            if name in datasets:
                raise InvalidInputError(
                    f"there is a dataset `{escape(name)}` already, at `{datasets[name].path}`",
                    hint="`--name` gives this one another name",
                )
            chosen = Dataset(name=name, path=path)
    if wish.name not in (None, chosen.name):
        raise InvalidInputError(
            f"`{escape(text)}` is the dataset `{escape(chosen.name)}` already",
            hint=f"`repro data rm {chosen.name}` first, to give it another name",
        )
    chosen = replace(
        chosen,
        keep=chosen.keep if wish.keep is None else wish.keep,
        follow=chosen.follow if wish.follow is None else wish.follow,
    )
    entries = {one.name: _entry(one) for one in {**datasets, chosen.name: chosen}.values()}
    fault = find_data_fault(entries, project.repository.root)
    if fault is not None:
        raise InvalidInputError(fault.reason, hint=fault.hint)
    return chosen


def _entry(dataset: Dataset) -> DataEntry:
    return DataEntry(dataset.path, dataset.keep, dataset.follow)


def add_dataset(
    project: Project, dataset: Dataset, *, on_progress: OnProgress | None = None
) -> Added:
    """Track a dataset as it is now: bytes, then `repro.lock`, then `repro.yaml`, in this order.

    Interrupted anywhere, a second call finishes it.

    Raises:
        InvalidInputError: It is not there, cannot be recorded, or never stands still.
        StorageError: Something cannot be written.
    """
    known = {one.name: one for one in list_datasets(project)}
    root = project.repository.root
    with open_cache(project) as cache:
        for attempt in range(_TRIES):
            measured = measure_dataset(
                project, dataset, cache, recheck=True, on_progress=on_progress
            )
            try:
                is_changed = lock_dataset(project, dataset, measured)
                break
            except DamagedRecordError as error:
                if attempt == _TRIES - 1:
                    raise InvalidInputError(
                        f"`{escape(dataset.path)}` changes all the time",
                        hint="wait until nothing writes to it",
                    ) from error
    if known.get(dataset.name) != dataset:
        write_dataset(root, dataset.name, _entry(dataset), guard=guard_of(project))
    is_ignored = False
    if not dataset.path.startswith("/"):
        with hold_guard(guard_of(project)):
            is_ignored = ignore_path(
                project.repository, dataset.path, is_folder=not measured.is_file
            )
    return Added(
        dataset=dataset,
        facts=facts_of(dataset, measured),
        is_new=dataset.name not in known,
        is_changed=is_changed,
        is_ignored=is_ignored,
        n_read=measured.n_read,
        left_out=measured.left_out,
        followed=measured.followed,
    )


def drop_dataset(project: Project, text: str) -> Dataset:
    """Stop tracking a dataset; its files, and what runs recorded of it, stay.

    Interrupted, it is still in `repro.yaml`, and a second call finishes it.

    Raises:
        InvalidInputError: There is none of that name or path, or a file of ours is wrong.
        StorageError: Something cannot be written.
    """
    dataset = find_dataset(project, text)
    root, guard = project.repository.root, guard_of(project)
    update_lock(root, dataset.name, None, guard=guard)
    erase_dataset(root, dataset.name, guard=guard)
    return dataset
