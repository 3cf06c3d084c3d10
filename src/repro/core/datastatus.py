"""How the datasets of a project are now, beside what `repro.lock` pins."""

from collections.abc import Collection

from repro.core.datadiff import diff_versions
from repro.core.datasets import Dataset, find_dataset, list_datasets, open_cache
from repro.core.dataversions import Version, explain, locked_version, present_version
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.errors import InvalidInputError
from repro.model.datastate import DataState, State
from repro.store.lockfile import Locked, read_lock
from repro.store.statcache import StatCache


def list_pinned(project: Project) -> list[tuple[Dataset, Locked | None]]:
    """Give the datasets of a project, each with what `repro.lock` pins; nothing is hashed.

    Raises:
        InvalidInputError: `repro.lock` is wrong, or a merge left conflicts in it.
    """
    locked = read_lock(project.repository.root)
    return [(dataset, locked.get(dataset.name)) for dataset in list_datasets(project)]


def look_at_data(
    project: Project, *, names: Collection[str] = (), on_progress: OnProgress | None = None
) -> tuple[DataState, ...]:
    """Say how each dataset is now; whatever is wrong with one is its state.

    Args:
        names: Names or paths of datasets; none is all, those that only `repro.lock` has included.
        on_progress: Called several times a second while files are read.

    Raises:
        InvalidInputError: There is no dataset of such a name or path.

    Cost: hashes files that are new since the last time.
    """
    chosen = [find_dataset(project, name) for name in dict.fromkeys(names)]
    datasets = list(dict.fromkeys(chosen)) or list_datasets(project)
    try:
        locked = read_lock(project.repository.root)
    except InvalidInputError as error:
        return tuple(_without_lock(dataset, explain(error)) for dataset in datasets)
    with open_cache(project) as cache:
        states = [
            _look_at(project, dataset, locked.get(dataset.name), cache, on_progress)
            for dataset in datasets
        ]
    if not names:
        states += [
            _untracked(name, entry)
            for name, entry in locked.items()
            if name not in project.settings.data
        ]
    return tuple(states)


def _look_at(
    project: Project,
    dataset: Dataset,
    locked: Locked | None,
    cache: StatCache,
    on_progress: OnProgress | None,
) -> DataState:
    now = present_version(project, dataset, cache, on_progress=on_progress)
    pinned = locked_version(project, dataset.name, locked) if locked else None
    state = _state(now, pinned)
    return DataState(
        name=dataset.name,
        path=dataset.path,
        state=state,
        kept=dataset.keep,
        locked=locked.digest if locked else None,
        digest=now.digest if now else None,
        files=now.files if now else None,
        size=now.size if now else None,
        change=diff_versions(pinned, now) if state == State.CHANGED else None,
        reason=now.fault if now else f"there is nothing at `{dataset.path}`",
    )


def _state(now: Version | None, pinned: Version | None) -> State:
    if now is None:
        return State.MISSING
    if now.fault is not None:
        return State.UNREADABLE
    if pinned is None:
        return State.NOT_PINNED
    is_same = (now.digest, now.files, now.size) == (pinned.digest, pinned.files, pinned.size)
    return State.UNCHANGED if is_same else State.CHANGED


def _without_lock(dataset: Dataset, reason: str) -> DataState:
    return DataState(
        name=dataset.name,
        path=dataset.path,
        state=State.UNKNOWN,
        kept=dataset.keep,
        reason=reason,
    )


def _untracked(name: str, locked: Locked) -> DataState:
    return DataState(
        name=name,
        path=locked.path,
        state=State.NOT_TRACKED,
        kept=locked.kept,
        locked=locked.digest,
        reason="`repro.lock` pins it, and `repro.yaml` does not name it",
    )
