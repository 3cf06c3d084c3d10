"""The datasets that a `data` verb is about: as `repro.lock` pins them, or as runs recorded them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from repro.core.datasets import find_dataset
from repro.core.locking import read_locked_pages
from repro.core.pinning import read_pages
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.manifest import FileEntry, FolderEntry, join_path
from repro.model.run import Record
from repro.model.text import escape
from repro.store.datafacts import decode_facts
from repro.store.lockfile import Locked, read_lock
from repro.store.objects import reading
from repro.store.pages import CheckedPages


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A dataset as `repro.lock` pins it, or as a run recorded it.

    Attributes:
        path: Relative to the root, or absolute.
        kept: Whether all its bytes went to the content store.
        locked: What `repro.lock` says; None for a run.
        run: Id of the run, None for `repro.lock`.
        commit: Of that run.
    """

    name: str
    path: str
    kept: bool
    locked: Locked | None = None
    run: str | None = None
    commit: str = ""


def choose(project: Project, texts: Sequence[str], runs: Sequence[str]) -> tuple[Chosen, ...]:
    """Give the datasets of `repro.lock`, or those of runs.

    Args:
        texts: Names or paths of the only ones that are meant; none is all of them.
        runs: As `resolve_run` takes them; none is `repro.lock`.

    Raises:
        InvalidInputError: There is no such dataset; or a run is in progress.
        UnknownRunError: There is no such run.
        AmbiguousRunError: Several runs have that name.
        DamagedRecordError: A record breaks FORMAT.md.
    """
    if runs:
        return _recorded(project, texts, runs)
    locked = read_lock(project.repository.root)
    names = [_find_locked(project, locked, text) for text in texts] or list(locked)
    return tuple(
        Chosen(name=name, path=entry.path, kept=entry.kept, locked=entry)
        for name, entry in ((name, locked[name]) for name in dict.fromkeys(names))
    )


def _find_locked(project: Project, locked: dict[str, Locked], text: str) -> str:
    if text in locked:
        return text
    path = os.path.normpath(text)
    named = next((name for name, entry in locked.items() if entry.path == path), None)
    if named is not None:
        return named
    dataset = find_dataset(project, text)
    if dataset.name not in locked:
        raise InvalidInputError(
            f"dataset `{escape(dataset.name)}` is not pinned in repro.lock",
            hint=f"`repro data add {dataset.name}` pins it",
        )
    return dataset.name


def _recorded(project: Project, texts: Sequence[str], runs: Sequence[str]) -> tuple[Chosen, ...]:
    records = {record.run.id: record for record in (resolve_run(project, run) for run in runs)}
    found = tuple(one for record in records.values() for one in datasets_of(record))
    for text in texts:
        if not any(text == one.name or os.path.normpath(text) == one.path for one in found):
            raise InvalidInputError(
                f"no dataset `{escape(text)}` is in the record of {' or '.join(records)}",
                hint=f"`repro show {next(iter(records))} --data` lists its datasets",
            )
    paths = {os.path.normpath(text) for text in texts}
    return tuple(one for one in found if not texts or one.name in texts or one.path in paths)


def datasets_of(record: Record) -> Iterator[Chosen]:
    """Give the datasets of a run, kept or not.

    Raises:
        InvalidInputError: It is in progress.
        DamagedRecordError: The record breaks FORMAT.md.
    """
    if not record.commit:
        raise InvalidInputError(f"run `{record.run.id}` is in progress", hint="wait for it to end")
    for name in record.data:
        facts = decode_facts(record.data, name)
        yield Chosen(
            name=name,
            path=facts.path,
            kept=facts.kept,
            run=record.run.id,
            commit=record.commit,
        )


def split_kept(chosen: Iterable[Chosen]) -> tuple[tuple[Chosen, ...], tuple[Chosen, ...]]:
    """Those whose bytes are kept, and the others."""
    listed = tuple(chosen)
    return (
        tuple(one for one in listed if one.kept),
        tuple(one for one in listed if not one.kept),
    )


def iter_files(project: Project, one: Chosen) -> Iterator[tuple[str, FileEntry]]:
    """Give each file of a dataset with its path, those of equal folders once.

    Raises:
        DamagedRecordError: Its manifest is not here, or damaged, or would do harm.

    Cost: reads each different page once, so that few objects cannot claim to be endless work.
    """
    with reading(project.repository) as objects:
        if one.locked is not None:
            pages: CheckedPages = read_locked_pages(project, one.name, one.locked)
        else:
            found = read_pages(objects, one.commit, one.name)
            if found is None:
                raise DamagedRecordError(f"the record lacks the dataset `{escape(one.name)}`")
            pages = found[1]
        seen: set[str] = set()
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for entry in pages(folder):
                path = join_path(folder, entry.name)
                if isinstance(entry, FileEntry):
                    yield path, entry
                elif isinstance(entry, FolderEntry) and entry.digest not in seen:
                    seen.add(entry.digest)
                    waiting.append(path)
