"""The datasets of a project: which there are, where they lie, and what they hold now."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repro.core.measure import measure
from repro.core.measured import Measured, OnProgress, Source
from repro.core.project import Project
from repro.errors import InvalidInputError
from repro.model.manifest import DataFacts
from repro.model.nearest import say_meant
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.settings import DataEntry, find_data_fault
from repro.store.statcache import FILE as STAT_FILE
from repro.store.statcache import StatCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset of a project.

    Attributes:
        path: Relative to the root with `/`, or absolute where the user asked for that.
        keep: Whether its bytes go to the content store.
        follow: Whether links that lead out of it are followed.
    """

    name: str
    path: str
    keep: bool = False
    follow: bool = False

    def place(self, root: Path) -> Path:
        """Where it lies: absolute, links in its path left as they are."""
        return root / self.path


def list_datasets(project: Project) -> tuple[Dataset, ...]:
    """The datasets that `repro.yaml` names, in its order."""
    return tuple(_dataset(name, entry) for name, entry in project.settings.data.items())


def _dataset(name: str, entry: DataEntry) -> Dataset:
    path = os.path.normpath(entry.path)
    return Dataset(name=name, path=path, keep=entry.keep, follow=entry.follow)


def find_dataset(project: Project, text: str) -> Dataset:
    """Give the dataset that `text` names, by its name or its path.

    Raises:
        InvalidInputError: There is none; near names are given.
    """
    datasets = list_datasets(project)
    path = os.path.normpath(text)
    for dataset in datasets:
        if dataset.name == text:
            return dataset
    for dataset in datasets:
        if dataset.path == path:
            return dataset
    raise InvalidInputError(
        f"there is no dataset `{escape(text)}`{say_meant(text, [one.name for one in datasets])}",
        hint="`repro data ls` lists the datasets, `repro data add PATH` adds one",
    )


def with_paths(project: Project, paths: Iterable[str], cwd: Path) -> tuple[Dataset, ...]:
    """The datasets of a project, and for this once those at `paths`.

    Args:
        paths: Relative to `cwd`; one that is a dataset already adds nothing.

    Raises:
        InvalidInputError: One is outside of the repository, or overlaps a dataset.
    """
    datasets = {dataset.name: dataset for dataset in list_datasets(project)}
    for text in paths:
        path = path_in_project(project, text, cwd)
        if path not in [one.path for one in datasets.values()]:
            name = free_name(path, datasets)
            datasets[name] = Dataset(name=name, path=path)
    entries = {one.name: DataEntry(one.path, one.keep, one.follow) for one in datasets.values()}
    fault = find_data_fault(entries, project.repository.root)
    if fault is not None:
        raise InvalidInputError(fault.reason, hint=fault.hint)
    return tuple(datasets.values())


def free_name(path: str, taken: Mapping[str, object]) -> str:
    """A name for a dataset at `path` that no other one has: its last component, or more of it."""
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        name = "/".join(parts[-count:])
        if name not in taken:
            return name
    return path


def path_in_project(project: Project, text: str, cwd: Path, *, outside: bool = False) -> str:
    """Give the path of a dataset as `repro.yaml` is to name it.

    Args:
        text: As the user gave it, relative to `cwd`.
        outside: Whether it may be outside of the repository, by its absolute path.

    Raises:
        InvalidInputError: It is outside, inside a git folder, or the repository itself.
    """
    root = project.repository.root
    # Links in it stay: a dataset may be a link to a larger disk.
    place = Path(os.path.normpath(cwd / text))
    if not place.is_relative_to(root):
        real = Path(os.path.normpath(cwd.resolve() / text))
        place = real if real.is_relative_to(root) else _below_root(root, place)
    if place == root:
        raise InvalidInputError(
            "the whole repository is no dataset", hint="name the folder that holds the data"
        )
    # The tree of a rerun is itself inside the git folder.
    inner = place.relative_to(root) if place.is_relative_to(root) else place
    is_git = place.is_relative_to(project.repository.common_dir) and inner == place
    if is_git or ".git" in inner.parts:
        raise InvalidInputError(
            f"`{escape(text)}` is inside a git folder", hint="name a folder outside of it"
        )
    if place.is_relative_to(root):
        return place.relative_to(root).as_posix()
    if not outside:
        raise InvalidInputError(
            f"`{escape(text)}` is outside of the repository, where no clone will find it",
            hint="`--outside` records it all the same, by its absolute path",
        )
    return str(place)


def _below_root(root: Path, place: Path) -> Path:
    """`place` as a path below `root` where a folder above it is a link to that, else as it is."""
    for outer in (place, *place.parents):
        if os.path.realpath(outer) == str(root):
            return root / place.relative_to(outer)
    return place


@contextmanager
def open_cache(project: Project) -> Iterator[StatCache]:
    """Give the stat cache, and flush it at the end."""
    cache = StatCache(project.repository.private / STAT_FILE)
    try:
        yield cache
    finally:
        cache.close()


def measure_dataset(
    project: Project,
    dataset: Dataset,
    cache: StatCache,
    *,
    recheck: bool = False,
    on_progress: OnProgress | None = None,
) -> Measured:
    """Give what a dataset holds now, keeping its bytes if that is asked for.

    Args:
        recheck: Look whether each kept file is still in the content store.

    Raises:
        InvalidInputError: It is not there, or cannot be recorded; see `measure`.
        StorageError: Its bytes cannot be kept.
    """
    keep = ContentStore(project.store) if dataset.keep else None
    place = dataset.place(project.repository.root)
    source = Source(top=place, follow=dataset.follow, keep=keep, recheck=recheck)
    return measure(source, cache, now_ns=now_ns(project.clock), on_progress=on_progress)


def now_ns(clock: Callable[[], float]) -> Callable[[], int]:
    """A clock in nanoseconds."""
    return lambda: int(clock() * 1e9)


def facts_of(dataset: Dataset, measured: Measured) -> DataFacts:
    """What the record says of a dataset."""
    return DataFacts(
        path=dataset.path,
        digest=f"xxh3:{measured.digest}",
        is_file=measured.is_file,
        files=measured.files,
        size=measured.size,
        kept=dataset.keep,
    )
