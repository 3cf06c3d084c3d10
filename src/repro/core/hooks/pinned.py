"""Datasets that are not what the commit says they are."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from shlex import quote

from repro.core.datapresent import Facts, read_present
from repro.core.datasets import Dataset, list_datasets, open_cache
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.errors import InvalidInputError, ReproError
from repro.model.finding import Finding
from repro.model.text import escape
from repro.store.lockfile import FILE as LOCK
from repro.store.lockfile import Locked, parse_lock, read_lock
from repro.store.staged import read_staged


def find_unpinned(
    project: Project, *, on_progress: OnProgress | None = None
) -> tuple[Finding, ...]:
    """Name the datasets that lie here and that the `repro.lock` of the commit does not pin so.

    One that is not here, or cannot be read, is nobody's mistake in this commit.

    Args:
        project: With the settings that the commit holds.

    Cost: one `stat` a file; the reading of files that changed since they were last hashed.
    """
    root = project.repository.root
    datasets = list_datasets(project)
    if not datasets:
        return ()
    data = read_staged(project.repository.git, LOCK)
    try:
        staged = parse_lock(data or b"", root)
    except InvalidInputError as error:
        return (Finding(error.message, error.hint),)
    present = _present(project, datasets, on_progress)
    return tuple(
        _finding(project, dataset, facts, staged.get(dataset.name))
        for dataset, facts in present
        if facts != _facts(staged.get(dataset.name))
    )


def _present(
    project: Project, datasets: tuple[Dataset, ...], on_progress: OnProgress | None
) -> Iterator[tuple[Dataset, Facts]]:
    with open_cache(project) as cache:
        for dataset in datasets:
            facts = None
            with suppress(ReproError):  # it cannot be read
                facts = read_present(project, dataset, cache, on_progress=on_progress)
            if facts is not None:
                yield dataset, facts


def _facts(locked: Locked | None) -> Facts | None:
    return (locked.digest, locked.files, locked.size) if locked is not None else None


def _finding(project: Project, dataset: Dataset, facts: Facts, staged: Locked | None) -> Finding:
    name = escape(dataset.name)
    if facts == _facts(_on_disk(project).get(dataset.name)):
        return Finding(
            f"dataset `{name}` changed, and `{LOCK}` is not in the commit as it is now",
            f"`git add {LOCK}`",
        )
    if staged is None:
        return Finding(
            f"dataset `{name}` is not pinned by `{LOCK}`",
            f"`repro data add {quote(dataset.name)}`, then `git add {LOCK}`",
        )
    return Finding(
        f"dataset `{name}` changed, and `{LOCK}` does not say so",
        f"`repro data add {quote(dataset.name)}`, then `git add {LOCK}`",
    )


def _on_disk(project: Project) -> Mapping[str, Locked]:
    try:
        return read_lock(project.repository.root)
    except InvalidInputError:
        return {}
