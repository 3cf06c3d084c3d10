"""Datasets that are not here as they were pinned, found without reading much."""

from collections.abc import Iterable
from dataclasses import dataclass

from repro.core.datapresent import Facts, read_present
from repro.core.datasets import Dataset, list_datasets, open_cache
from repro.core.measured import Progress
from repro.core.project import Project
from repro.errors import ReproError
from repro.model.run import Record
from repro.model.text import escape
from repro.store.datafacts import decode_facts

_MOST_READ = 1 << 26  # bytes to hash before the prompt is back; past that nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Strayed:
    """Names of datasets, by what is wrong with them.

    Attributes:
        unread: More would have to be read than anybody waits for.
    """

    absent: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.absent or self.changed or self.unread)


class _TooMuchError(Exception):
    """More would have to be read than anybody waits for."""


def find_strayed(project: Project, pinned: Iterable[tuple[Dataset, Facts]]) -> Strayed:
    """Give the datasets that are not here as they were pinned.

    Cost: one `stat` a file, and the reading of at most 64 MiB that were not hashed before.
    """
    absent, changed, unread = [], [], []
    with open_cache(project) as cache:
        for dataset, pin in pinned:
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
            elif facts != pin:
                changed.append(dataset.name)
    return Strayed(absent=tuple(absent), changed=tuple(changed), unread=tuple(unread))


def find_strayed_of(project: Project, record: Record) -> Strayed:
    """Give the datasets that are not here as a run recorded them.

    Raises:
        DamagedRecordError: The record breaks FORMAT.md.

    Cost: as `find_strayed`; none where the run has no datasets.
    """
    pinned = []
    for name in record.data:
        facts = decode_facts(record.data, name)
        declared = [one for one in list_datasets(project) if one.path == facts.path]
        # A record from elsewhere must not choose what is read on this machine.
        if declared or not facts.path.startswith("/"):
            follow = any(one.follow for one in declared)
            dataset = Dataset(name=name, path=facts.path, follow=follow)
            pinned.append((dataset, (facts.digest, facts.files, facts.size)))
    return find_strayed(project, pinned) if pinned else Strayed()


def describe_strayed(strayed: Strayed, *, pinned_by: str) -> str:
    """One line that names the datasets, such as ``dataset `x` differs from `repro.lock` ``.

    Args:
        pinned_by: What they differ from.
    """
    parts = []
    if strayed.changed:
        verb = "differ" if len(strayed.changed) > 1 else "differs"
        parts.append(f"{_names(strayed.changed)} {verb} from {pinned_by}")
    if strayed.unread:
        parts.append(f"{_names(strayed.unread)} may differ from {pinned_by}")
    if strayed.absent:
        parts.append(f"{_names(strayed.absent)} {_are(strayed.absent)} not here")
    return f"dataset{'s' if len(parts) > 1 else ''} {', '.join(parts)}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{escape(name)}`" for name in names)


def _are(names: tuple[str, ...]) -> str:
    return "are" if len(names) > 1 else "is"


def _give_up(progress: Progress) -> None:
    if progress.all_size > _MOST_READ:
        raise _TooMuchError
