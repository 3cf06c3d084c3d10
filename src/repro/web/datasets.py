"""The datasets of a run, and how they differ from those of another, as rows of a page."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from repro.core.datadiff import compare_data
from repro.core.project import Project
from repro.model.datatext import describe_change
from repro.model.diff import DataChange
from repro.model.run import Record

_MOST_FILES = 300  # of a dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """What a record says of a dataset; None where it does not, or says something odd."""

    name: str
    path: str | None
    files: int | None
    size: int | None
    is_kept: bool
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """What differs in a dataset.

    Attributes:
        said: How much, in words.
        unlisted: Why there is no list of files.
        files: The first ones that differ: a kind (`added`, `removed`, `changed`) and a path.
        n_files: How many differ.
    """

    said: str
    unlisted: str | None
    files: tuple[tuple[str, str], ...]
    n_files: int


def list_facts(record: Record) -> list[DatasetFacts]:
    """The datasets of a run, as far as its record can be understood."""
    return [_facts(name, entry) for name, entry in record.data.items()]


def _facts(name: str, entry: object) -> DatasetFacts:
    said = entry if isinstance(entry, dict) else {}
    path, digest = said.get("path"), said.get("digest")
    return DatasetFacts(
        name=name,
        path=path if isinstance(path, str) else None,
        files=_count(said.get("files")),
        size=_count(said.get("bytes")),
        is_kept=said.get("kept") is True,
        digest=digest if isinstance(digest, str) else None,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 1 << 63 else None


def compare_with(project: Project, before: Record, after: Record) -> dict[str, ShownChange]:
    """What differs in each dataset of two runs; equal ones are left out."""
    return show_changes(compare_data(project, before, after))


def show_changes(changes: Mapping[str, DataChange]) -> dict[str, ShownChange]:
    """Differences of datasets as a page shows them."""
    return {name: _show(change) for name, change in changes.items()}


def _show(change: DataChange) -> ShownChange:
    kinds = {"added": change.added, "removed": change.removed, "changed": change.changed}
    files = [(kind, path) for kind, paths in kinds.items() for path in paths]
    files.sort(key=lambda one: os.fsencode(one[1]))
    return ShownChange(
        said=describe_change(change),
        unlisted=change.unlisted,
        files=tuple(files[:_MOST_FILES]),
        n_files=len(files),
    )
