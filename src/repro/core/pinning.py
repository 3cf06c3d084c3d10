"""The datasets that a run reads, pinned: their pages ready for a commit, and what it says of them.

A folder that an earlier run of the same dataset has recorded is not written again: its tree is
named by its object id, and the pack of the new run leaves out what that earlier run holds.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from repro.core.datasets import Dataset, facts_of, measure_dataset, open_cache, with_paths
from repro.core.measured import Measured, OnProgress, Progress
from repro.core.pins import FOLDER, Pinning, Pins, folder_of
from repro.core.project import Project
from repro.errors import DamagedRecordError, InvalidInputError, ReproError, StorageError
from repro.model.canonical import parse_json
from repro.model.manifest import DataFacts
from repro.model.text import escape
from repro.store.datafacts import FILE, decode_facts
from repro.store.hashing import StoppedError
from repro.store.objects import Objects, read_file, read_tree, reading
from repro.store.pages import RecordedPages, open_recorded_pages, pages_as_files
from repro.store.quarantine import Existing
from repro.store.refs import RUNS, list_refs
from repro.store.statcache import StatCache

_SHOWN = 3  # names of what was left out


@contextmanager
def pin_in_thread(
    project: Project,
    paths: Iterable[str],
    *,
    cwd: Path,
    run: str | None,
    share: bool,
    on_progress: OnProgress | None,
) -> Iterator[Pinning]:
    """Pin the datasets of a project, and those at `paths`, in a thread.

    Args:
        cwd: What `paths` are relative to.
        run: Id of the run whose record will hold the pages; without one no bytes are kept.

    Raises:
        InvalidInputError: One of `paths` can be no dataset.
    """
    datasets = with_paths(project, paths, cwd)
    if run is None:
        datasets = tuple(replace(dataset, keep=False) for dataset in datasets)
    is_over = Event()

    def report(progress: Progress) -> None:
        if is_over.is_set():
            raise StoppedError
        if on_progress is not None:
            on_progress(progress)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(
            pin_datasets, project, datasets, run=run, share=share, on_progress=report
        )
        try:
            yield Pinning(tuple(dataset.path for dataset in datasets), future.result)
        finally:
            is_over.set()


def pin_datasets(
    project: Project,
    datasets: Iterable[Dataset],
    *,
    run: str | None = None,
    share: bool = True,
    on_progress: OnProgress | None = None,
) -> Pins:
    """Measure datasets, and give what pins them.

    One that cannot be pinned is a warning: a run that may not need it is not stopped.

    Args:
        run: Id of the run whose record will hold the pages, for later ones to share them.
        share: Whether to name what an earlier record holds.
    """
    facts: dict[str, DataFacts] = {}
    files: dict[str, bytes | Existing] = {}
    held: dict[str, None] = {}
    warnings: list[str] = []
    unpinned: list[str] = []
    with ExitStack() as stack:
        cache = stack.enter_context(open_cache(project))
        objects = stack.enter_context(reading(project.repository))
        for dataset in datasets:
            try:
                pinned = _pin(project, objects, cache, dataset, share=share, report=on_progress)
            except (InvalidInputError, DamagedRecordError) as error:
                warnings.append(f"dataset `{dataset.name}` is not in the record: {error.message}")
                unpinned.append(dataset.path)
                continue
            facts[dataset.name] = pinned.facts
            files.update(pinned.files)
            warnings += pinned.warnings
            if pinned.held is not None:
                held[pinned.held] = None
            if run is not None:
                cache.put_holder(dataset.name, run)
    return Pins(
        facts=facts,
        files=files,
        held=tuple(held),
        warnings=tuple(warnings),
        unpinned=tuple(unpinned),
    )


@dataclass(frozen=True, slots=True)
class _Pinned:
    """One dataset; as in `Pins`, but for a name of the run commit that holds some of `files`."""

    facts: DataFacts
    files: Mapping[str, bytes | Existing]
    held: str | None
    warnings: tuple[str, ...]


def _pin(
    project: Project,
    objects: Objects,
    cache: StatCache,
    dataset: Dataset,
    *,
    share: bool,
    report: OnProgress | None,
) -> _Pinned:
    # Once more, from the files alone: the earlier record may be damaged, the cache garbled or
    # locked by now, or a file has changed.
    for is_last in (False, True):
        kept, measured, warnings = _measure(project, dataset, cache, report)
        earlier = _find_held(project, objects, cache, kept) if share and not is_last else None
        held, pages = earlier or (None, None)
        folder = folder_of(dataset.name)
        try:
            files = pages_as_files(
                folder, measured.digest, measured.page_of, pages, is_kept=kept.keep
            )
        except DamagedRecordError:
            if is_last:
                raise
            cache.doubt(str(dataset.place(project.repository.root)))
        else:
            break
    warnings += _left_out(dataset, measured)
    return _Pinned(facts_of(kept, measured), files, held, tuple(warnings))


def _measure(
    project: Project, dataset: Dataset, cache: StatCache, report: OnProgress | None
) -> tuple[Dataset, Measured, list[str]]:
    """What a dataset holds, with what could not be kept in words; then it counts as not kept."""
    try:
        return dataset, measure_dataset(project, dataset, cache, on_progress=report), []
    except StorageError as error:
        if not dataset.keep:
            raise InvalidInputError(error.message) from error
        warning = f"the bytes of dataset `{dataset.name}` are not kept: {error.message}"
    hashed = replace(dataset, keep=False)
    return hashed, measure_dataset(project, hashed, cache, on_progress=report), [warning]


def _left_out(dataset: Dataset, measured: Measured) -> list[str]:
    left = measured.left_out
    if not left:
        return []
    named = ", ".join(f"`{escape(path)}`" for path in left[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return [f"dataset `{dataset.name}` has names that no record may hold: {named}{more}"]


def _find_held(
    project: Project, objects: Objects, cache: StatCache, dataset: Dataset
) -> tuple[str, RecordedPages] | None:
    """A run commit with pages of this dataset, and these; None where there is none."""
    runs = cache.holders(dataset.name)
    refs = list_refs(project.repository.git, *(RUNS + run for run in runs)) if runs else {}
    for run in runs:
        commit = refs.get(RUNS + run)
        try:
            pages = commit and read_pages(objects, commit, dataset.name)
        except ReproError:
            continue  # whatever is wrong with that record is no reason to stop this run
        if commit and pages and pages[0].kept == dataset.keep and not pages[0].is_file:
            return commit, pages[1]
    return None


def read_pages(objects: Objects, commit: str, name: str) -> tuple[DataFacts, RecordedPages] | None:
    """What the record in `commit` says of the dataset `name`, and its pages; None for nothing.

    Raises:
        DamagedRecordError: The record breaks FORMAT.md.
    """
    data = parse_json(read_file(objects, commit, FILE) or b"{}\n", name=FILE)
    if not isinstance(data, dict) or name not in data:
        return None
    facts = decode_facts(data, name)
    folder = read_tree(objects, commit).get(FOLDER)
    return facts, open_recorded_pages(objects, folder.oid if folder else None, name, facts)
