"""The datasets of a run put into a new worktree: linked where that is safe, else copied."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.core.query import code_of
from repro.core.replacing import staging_of
from repro.core.restore_data import (
    RecordedData,
    list_committed,
    open_recorded,
    refuse_behind,
    refuse_endless,
    refuse_needed,
    refuse_overlap,
)
from repro.errors import InvalidInputError, MissingDataError, ReproError
from repro.model.manifest import Entry, FileEntry, FolderEntry, LinkEntry, by_name, join_path
from repro.model.run import Record
from repro.store.content import ContentStore
from repro.store.hashing import digest_open
from repro.store.pages import PageOf, iter_pages
from repro.store.placing import Means, Place, open_place


@dataclass(frozen=True, slots=True, kw_only=True)
class DataBeside:
    """What a new worktree needs of one dataset.

    Attributes:
        path: Relative to the top of the worktree.
        linked: Where the dataset lies now, if the whole of it is linked: its bytes were not
            kept, and it is what was recorded.
        entries: What is to be written, by path in the dataset, folders first; None for `linked`.
        sources: Files of the present dataset that hold what the content store does not.
    """

    name: str
    path: str
    linked: Path | None
    is_file: bool
    entries: tuple[tuple[str, Entry], ...]
    sources: dict[str, Path]

    @property
    def size(self) -> int:
        """Bytes of the files that are to be written."""
        return sum(entry.size for _, entry in self.entries if isinstance(entry, FileEntry))


def plan_beside(
    project: Project,
    record: Record,
    names: Sequence[str] = (),
    *,
    link_from: int = 0,
    on_progress: OnProgress | None = None,
) -> list[DataBeside]:
    """Say what a new worktree needs to have the datasets of a run.

    Args:
        link_from: Bytes from which on a dataset that was not kept is linked; smaller ones are
            copied, so that what writes to them changes nothing of the user's.

    Raises:
        MissingDataError: Bytes are neither in the content store nor in the present dataset.
        InvalidInputError: The run has no such dataset, or what is there cannot be read.
        DamagedRecordError: The record breaks FORMAT.md.
    """
    missing: list[str] = []
    plans = []
    with open_recorded(project, record, names, on_progress=on_progress) as data:
        refuse_overlap(data)
        for one in data:
            if one.facts.path.startswith("/"):
                if not one.is_same:
                    missing.append(one.facts.path)
                continue
            plans.append(_plan(project, one, code_of(record.run), missing, link_from))
    refuse_needed(missing, record.run.id)
    return plans


def _plan(
    project: Project, one: RecordedData, commit: str, missing: list[str], link_from: int
) -> DataBeside:
    path = one.facts.path
    here = project.repository.root / path
    tracked = list_committed(project, path, commit)
    refuse_behind(project, one, commit)
    is_large = one.facts.size >= link_from
    if one.is_same and is_large and not one.facts.kept and not tracked:
        return DataBeside(
            name=one.name,
            path=path,
            linked=here,
            is_file=one.facts.is_file,
            entries=(),
            sources={},
        )
    refuse_endless(one)
    content = ContentStore(project.store)
    present = _present_files(one)
    entries: list[tuple[str, Entry]] = []
    sources: dict[str, Path] = {}
    for inner, entry in _entries(one.pages, is_file=one.facts.is_file):
        shown = f"{path}/{inner}" if inner else path
        if shown in tracked:
            continue
        entries.append((inner, entry))
        if not isinstance(entry, FileEntry):
            continue
        if entry.sha256 is None or not content.has(f"sha256:{entry.sha256}"):
            if present(inner, entry):
                sources[inner] = here / inner if inner else here
            else:
                missing.append(shown)
    return DataBeside(
        name=one.name,
        path=path,
        linked=None,
        is_file=one.facts.is_file,
        entries=tuple(entries),
        sources=sources,
    )


def _entries(page_of: PageOf, *, is_file: bool) -> list[tuple[str, Entry]]:
    found: list[tuple[str, Entry]] = []
    for folder, page in iter_pages(page_of):
        for entry in page:
            found.append(("" if is_file else join_path(folder, entry.name), entry))
    return found


def _present_files(one: RecordedData) -> Callable[[str, FileEntry], bool]:
    """Give a test whether the present dataset has a file as it was recorded."""
    present = one.present
    if present is None or present.is_file != one.facts.is_file:
        return lambda *_: False

    @cache
    def entries_of(folder: str) -> Mapping[str, Entry]:
        return by_name(present.page_of(folder))

    def has(path: str, entry: FileEntry) -> bool:
        folder, _, name = path.rpartition("/")
        found = entries_of(folder).get(name or entry.name)
        return isinstance(found, FileEntry) and found.digest == entry.digest

    return has


def fill_worktree(
    project: Project,
    folder: Path,
    plans: Sequence[DataBeside],
    *,
    report: Callable[[int], None] = lambda _: None,
) -> None:
    """Put datasets into a new worktree, which is taken away again if that fails.

    Args:
        report: Told of bytes as they are written.

    Raises:
        DamagedRecordError: Bytes of the content store are not what they should be.
        MissingDataError: A file of the present dataset changed meanwhile.
        StorageError: The disk is full, read-only or forbidden.
    """
    try:
        for plan in plans:
            if plan.linked is not None:
                _link_whole(folder, plan)
            else:
                _fill(project, folder, plan, report)
    except BaseException:
        # It is new, so nobody has worked in it: better none than one that looks like the run.
        with suppress(ReproError):
            words = ("worktree", "remove", "--force", "--", str(folder))
            project.repository.git.run(*words)
        raise


def _fill(project: Project, folder: Path, plan: DataBeside, report: Callable[[int], None]) -> None:
    content = ContentStore(project.store)
    top, _, single = plan.path.rpartition("/") if plan.is_file else (plan.path, "", "")
    with open_place(folder, top or ".", staging_of(project)) as place:
        for path, entry in plan.entries:
            _write(place, plan, content, single or path, path, entry)
            report(entry.size if isinstance(entry, FileEntry) else 0)


def _link_whole(folder: Path, plan: DataBeside) -> None:
    assert plan.linked is not None
    parent, _, name = plan.path.rpartition("/")
    target = folder / plan.path
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise InvalidInputError(
            f"`{parent}` in the new worktree leads out of it", hint="leave `--data` out"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    (target.parent / name).symlink_to(plan.linked.absolute())


def _write(
    place: Place, plan: DataBeside, content: ContentStore, path: str, inner: str, entry: Entry
) -> None:
    if isinstance(entry, FolderEntry):
        place.make_folder(path)
    elif isinstance(entry, LinkEntry):
        place.link(path, entry.target)
    elif inner in plan.sources:
        digest = entry.digest
        done = place.put_copy(
            path,
            plan.sources[inner],
            lambda fd: digest_open(fd) == digest,
            is_executable=entry.is_executable,
        )
        if not done:
            raise MissingDataError(
                f"`{plan.sources[inner]}` changed meanwhile",
                paths=[str(plan.sources[inner])],
                hint="run the command again",
            )
    else:
        draft = place.prepare(
            path,
            content,
            f"sha256:{entry.sha256}",
            entry.size,
            is_executable=entry.is_executable,
            means=Means.LINK,
        )
        place.verify(draft, path, entry.digest)
        place.settle(draft, path, seen=None)
