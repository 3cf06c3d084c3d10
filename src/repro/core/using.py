"""A dataset taken into use by a run in progress: pinned as it is at that moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.datasets import Dataset, free_name, list_datasets, path_in_project
from repro.core.measured import OnProgress
from repro.core.pinning import pin_datasets
from repro.core.pins import Pins, folder_of, list_manifests, manifest_files, write_pages
from repro.core.project import Project, who_am_i
from repro.errors import ConflictError, GitError, InvalidInputError, StorageError
from repro.model.canonical import Json
from repro.model.text import escape
from repro.store.datafacts import encode_facts
from repro.store.lockfile import read_lock
from repro.store.quarantine import open_quarantine, publish
from repro.store.refs import LIVE, LIVE_DATA, RefUpdate, read_ref

Known = tuple[Json, str]
"""What a run has recorded of a dataset: as `data.json` says it, and the tree of its pages."""

_TRIES = 20  # processes of one run may take data into use at once, and move its ref in turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A dataset in use.

    Attributes:
        place: Where it lies.
        facts: As `data.json` says them.
        tree: Object id of its pages.
        is_new: Whether the run has not recorded it so yet.
        warnings: What could not be kept, in words.
    """

    name: str
    place: Path
    facts: dict[str, Json]
    tree: str
    is_new: bool
    warnings: tuple[str, ...]


def use_dataset(
    project: Project,
    run: str,
    text: str,
    cwd: Path,
    *,
    known: Mapping[str, Known],
    expect_locked: bool = False,
    on_progress: OnProgress | None = None,
) -> Used:
    """Pin a dataset for a run in progress.

    Args:
        text: Name of a dataset, or a path relative to `cwd`.
        known: What the run has recorded last, by name; what is still so is not written again.
        expect_locked: Whether it must be what `repro.lock` pins.

    Raises:
        InvalidInputError: It is not there, cannot be recorded, or is not what is locked.
        StorageError: It cannot be written.
    """
    dataset = _choose(project, text, cwd)
    # Under its own run's id later runs find the pages, as soon as this one is sealed.
    pins = pin_datasets(project, [dataset], run=run, on_progress=on_progress)
    if dataset.name not in pins.facts:
        raise InvalidInputError(pins.warnings[-1], hint="`repro data status` says more")
    facts = encode_facts(pins.facts[dataset.name])
    if expect_locked:
        _refuse_unlocked(project, dataset, pins)
    place = dataset.place(project.repository.root)
    before = known.get(dataset.name)
    if before is not None and before[0] == facts:
        return Used(
            name=dataset.name,
            place=place,
            facts=facts,
            tree=before[1],
            is_new=False,
            warnings=(),
        )
    tree = _publish(project, run, dataset, pins)
    return Used(
        name=dataset.name,
        place=place,
        facts=facts,
        tree=tree,
        is_new=True,
        warnings=pins.warnings,
    )


def _choose(project: Project, text: str, cwd: Path) -> Dataset:
    datasets = {dataset.name: dataset for dataset in list_datasets(project)}
    if text in datasets:
        return datasets[text]
    path = path_in_project(project, text, cwd, outside=Path(text).is_absolute())
    for dataset in datasets.values():
        if dataset.path == path:
            return dataset
    return Dataset(name=free_name(path, datasets), path=path)


def _refuse_unlocked(project: Project, dataset: Dataset, pins: Pins) -> None:
    locked = read_lock(project.repository.root).get(dataset.name)
    name = escape(dataset.name)
    if locked is None:
        raise InvalidInputError(
            f"repro.lock does not pin the dataset `{name}`",
            hint=f"`repro data add {dataset.path}` pins it",
        )
    found = pins.facts[dataset.name].digest
    if locked.digest != found:
        raise InvalidInputError(
            f"the dataset `{name}` is not what repro.lock pins ({found}, not {locked.digest})",
            hint=f"`repro data diff --dataset {name}` lists the files; `repro data add` pins them",
        )


def _publish(project: Project, run: str, dataset: Dataset, pins: Pins) -> str:
    """Put the pages beside those that the run's ref holds already; their tree."""
    git, ref = project.repository.git, LIVE_DATA + run
    for attempt in range(_TRIES):
        if read_ref(git, LIVE + run) is None:
            raise StorageError(f"run `{run}` is not in progress any more", hint="start another one")
        held = read_ref(git, ref)
        others = manifest_files(list_manifests(git, held)) if held else {}
        try:
            with open_quarantine(project.repository) as quarantine:
                files = {**others, **pins.files}
                if folder_of(dataset.name) not in pins.files:
                    files.pop(folder_of(dataset.name), None)
                author = who_am_i(project)
                pages = write_pages(quarantine, files, author=author, when=project.clock())
                assert pages.root is not None
                beside = [*([held] if held else []), *pins.held]
                update = RefUpdate(ref, new=pages.root, old=held)
                publish(quarantine, tips=[pages.root], exclude=[], beside=beside, refs=[update])
            return pages.manifests[dataset.name]
        except (ConflictError, GitError):
            if attempt == _TRIES - 1:
                raise
    raise AssertionError
