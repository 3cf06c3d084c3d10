"""The datasets of a run brought back: what must change in place, or a new worktree filled."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from repro.core.datasets import Dataset, list_datasets, measure_dataset, open_cache
from repro.core.entrydiff import iter_changes
from repro.core.measured import Measured, OnProgress
from repro.core.moving import DataMoves, find_missing, plan_moves, refuse_missing
from repro.core.pinning import read_pages
from repro.core.project import Project
from repro.core.query import code_of
from repro.errors import InvalidInputError, WouldLoseWorkError
from repro.model.manifest import (
    DataFacts,
    Entry,
    FileEntry,
    FolderEntry,
    LinkEntry,
    by_name,
    join_path,
    total_of,
)
from repro.model.moves import FileState, FolderState, LinkState, State
from repro.model.nearest import say_meant
from repro.model.readable import count_of
from repro.model.run import Record
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.git import split_names
from repro.store.objects import Objects, reading
from repro.store.pages import RecordedPages
from repro.store.statcache import StatCache
from repro.store.walking import harmful

_MOST = 10_000_000  # files and folders of a dataset that is restored: each is in memory for that


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedData:
    """A dataset as a run recorded it, beside what lies at its path now.

    Attributes:
        pages: Of the record.
        present: What is there now, None where nothing is.
    """

    name: str
    facts: DataFacts
    pages: RecordedPages
    present: Measured | None

    @property
    def is_same(self) -> bool:
        """Whether what is there is what was recorded."""
        now = self.present
        if now is None or f"xxh3:{now.digest}" != self.facts.digest:
            return False
        if now.is_file != self.facts.is_file:
            return False
        if not (now.is_file and self.facts.kept):
            return True
        # The digest of one file does not say whether it is executable.
        there, recorded = now.page_of("")[0], self.pages("")[0]
        return there[3:4] == recorded[3:4]


@contextmanager
def open_recorded(
    project: Project,
    record: Record,
    names: Sequence[str],
    *,
    on_progress: OnProgress | None = None,
) -> Iterator[list[RecordedData]]:
    """Give the datasets of a run as recorded and as they are; pages are read while it is open.

    Args:
        names: Only these; none is all of them.

    Raises:
        InvalidInputError: The run is in progress, or has no such dataset; or what is there cannot
            be read.
        DamagedRecordError: The record breaks FORMAT.md.
    """
    if not record.commit:
        raise InvalidInputError(
            f"run `{record.run.id}` is in progress, and its data recorded when it ends",
            hint="wait for it to end",
        )
    unknown = [name for name in names if name not in record.data]
    if unknown:
        raise InvalidInputError(
            f"run `{record.run.id}` has no dataset `{escape(unknown[0])}`"
            f"{say_meant(unknown[0], record.data)}",
            hint=f"`repro show {record.run.id} --data` lists its datasets",
        )
    with open_cache(project) as known, reading(project.repository) as objects:
        chosen = names or list(record.data)
        yield [_read(project, objects, known, record, name, on_progress) for name in chosen]


def _read(
    project: Project,
    objects: Objects,
    known: StatCache,
    record: Record,
    name: str,
    on_progress: OnProgress | None,
) -> RecordedData:
    found = read_pages(objects, record.commit, name)
    assert found is not None  # its name is from the same record
    facts, pages = found
    declared = [one for one in list_datasets(project) if one.path == facts.path]
    # A record from elsewhere must not choose what is read on this machine.
    is_ours = bool(declared) or not facts.path.startswith("/")
    present = None
    if is_ours and os.path.lexists(project.repository.root / facts.path):
        follow = any(one.follow for one in declared)
        there = Dataset(name=name, path=facts.path, follow=follow)
        present = measure_dataset(project, there, known, on_progress=on_progress)
    return RecordedData(name=name, facts=facts, pages=pages, present=present)


def plan_restore(
    project: Project,
    record: Record,
    names: Sequence[str] = (),
    *,
    on_progress: OnProgress | None = None,
) -> list[DataMoves]:
    """Say what must change in the working tree for the datasets of a run to be as recorded.

    Files that git tracks, here or in the code of the run, are left to the checkout of the code.

    Args:
        names: Only these datasets; none is all of them.

    Raises:
        WouldLoseWorkError: In the way is what can neither be kept nor come back.
        MissingDataError: Bytes that are needed are not in the content store; they are listed.
        InvalidInputError: The run has no such dataset; or one that differs is outside of the
            repository; or what is there cannot be read.
        DamagedRecordError: The record breaks FORMAT.md.
    """
    with open_recorded(project, record, names, on_progress=on_progress) as data:
        plans = _plan_all(project, data, code_of(record.run))
    refuse_needed(find_missing(plans, ContentStore(project.store)), record.run.id)
    return plans


def refuse_needed(missing: Sequence[str], run: str) -> None:
    """Refuse to restore datasets of a run of which bytes are not here.

    Raises:
        MissingDataError: They are listed.
    """
    hint = f"`repro data pull --run {run}` fetches them if they were kept and pushed"
    refuse_missing(missing, f"run {run}", hint=hint)


def _plan_all(project: Project, data: Sequence[RecordedData], commit: str) -> list[DataMoves]:
    plans = []
    root = project.repository.root
    refuse_overlap(data)
    for one in data:
        path = one.facts.path
        if path.startswith("/"):
            if one.is_same:
                continue
            raise InvalidInputError(
                f"dataset `{escape(one.name)}` lies outside of the repository at"
                f" `{escape(path)}`, where repro writes nothing, and is not as it was",
                hint="`--dataset NAME` restores the others only",
            )
        here, there = list_tracked(project, path), list_committed(project, path, commit)
        _refuse_tracked_since(one, here - there)
        if one.is_same:
            continue
        refuse_behind(project, one, commit)
        refuse_endless(one)
        is_left = _left_to_git(path, here, there)
        wanted = {inner: new for inner, new in _wanted(one).items() if not is_left(inner, new)}
        is_file = one.facts.is_file
        plans.append(plan_moves(one.name, root, path, wanted, is_file=is_file))
    return [plan for plan in plans if plan.moves]


def _left_to_git(path: str, here: Set[str], there: Set[str]) -> Callable[[str, State | None], bool]:
    """Give a test for what the checkout of the code brings or takes away."""
    above = {parent for name in there for parent in _parents(name)}

    def is_left(inner: str, new: State | None) -> bool:
        shown = f"{path}/{inner}" if inner else path
        if shown in there or (inner and shown in above):
            return True
        return (new is None and shown in here) or not there.isdisjoint(_parents(shown))

    return is_left


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def list_tracked(project: Project, path: str) -> set[str]:
    """Paths at or below `path` that git tracks."""
    # 128: it is behind a link, where git tracks nothing.
    words = ("--literal-pathspecs", "ls-files", "-z", "--", path)
    return set(split_names(project.repository.git.run(*words, ok=(0, 128)).out))


def list_committed(project: Project, path: str, commit: str) -> set[str]:
    """Paths at or below `path` that are in the tree of `commit`."""
    words = ("--literal-pathspecs", "ls-tree", "-r", "-z", "--name-only", "--full-tree")
    # A hostile record can name any text as its snapshot.
    return set(project.repository.git.paths(*words, "--end-of-options", commit, path))


def _refuse_tracked_since(one: RecordedData, tracked: Set[str]) -> None:
    """Refuse files that the checkout of the code would take away after they were restored."""

    @cache
    def entries_of(folder: str) -> Mapping[str, Entry]:
        return by_name(one.pages(folder))

    def holds(inner: str) -> bool:
        folder, _, name = inner.rpartition("/")
        walked = ""
        for part in filter(None, folder.split("/")):
            if not isinstance(entries_of(walked).get(part), FolderEntry):
                return False
            walked = join_path(walked, part)
        return isinstance(entries_of(walked).get(name), (FileEntry, LinkEntry))

    path = one.facts.path
    inners = {shown: shown.removeprefix(path).removeprefix("/") for shown in sorted(tracked)}
    found = [shown for shown, inner in inners.items() if one.facts.is_file or holds(inner)]
    if found:
        files = count_of(len(found), "file")
        raise WouldLoseWorkError(
            f"git tracks {files} of dataset `{escape(one.name)}` that the run had beside its code",
            paths=found,
            hint="`repro checkout -w DIR RUN --data` restores beside",
        )


def refuse_behind(project: Project, one: RecordedData, commit: str) -> None:
    """Refuse a dataset that lies behind a link, or in a file, in the code of the run.

    Raises:
        InvalidInputError: It does.
    """
    path = one.facts.path
    git = project.repository.git
    for folder in [*_parents(path), *([] if one.facts.is_file else [path])]:
        words = ("--literal-pathspecs", "ls-tree", "-z", "--full-tree", "--end-of-options", commit)
        for line in git.paths(*words, folder):
            facts, _, name = line.partition("\t")
            if name == folder and facts.split(" ")[1] != "tree":
                raise InvalidInputError(
                    f"dataset `{escape(one.name)}` lies behind `{escape(folder)}`, which is no"
                    " folder in the code of the run",
                    hint="`--dataset NAME` restores the others only",
                )


def refuse_overlap(data: Iterable[RecordedData]) -> None:
    """Refuse two datasets in one place, of which a run may have recorded different states.

    Raises:
        InvalidInputError: There are such.
    """
    names: dict[str, str] = {}
    for one in sorted(data, key=lambda one: one.facts.path):
        path = one.facts.path
        outer = next((place for place in (path, *_parents(path)) if place in names), None)
        if outer is not None:
            raise InvalidInputError(
                f"the datasets `{escape(names[outer])}` and `{escape(one.name)}` overlap",
                hint="`--dataset NAME` restores one of them",
            )
        names[path] = one.name


def refuse_endless(one: RecordedData) -> None:
    """Refuse a dataset of more files than anybody has: some small objects can claim those.

    Raises:
        DamagedRecordError: The record has one.
    """
    total = total_of(one.pages(""))
    if total.files + total.folders > _MOST:
        raise harmful(f"more than {_MOST:,} files for dataset `{escape(one.name)}`")


def _wanted(one: RecordedData) -> Mapping[str, State | None]:
    """What must be at each path that differs, folders before what is in them."""
    if one.facts.is_file:
        [entry] = one.pages("")
        return {"": state_of(entry)}
    has_folder = one.present is not None and not one.present.is_file
    before = one.present.page_of if one.present is not None and has_folder else None
    # The top as well, so that an undo takes it away again where there was none.
    top: dict[str, State | None] = {} if one.present is not None else {"": FolderState()}
    return top | {
        change.path: None if change.new is None else state_of(change.new)
        for change in iter_changes(before, one.pages)
    }


def state_of(entry: Entry) -> State:
    """What an entry of a page says must be there."""
    if isinstance(entry, FileEntry):
        xxh3 = entry.digest
        return FileState(entry.sha256, entry.size, entry.is_executable, xxh3=xxh3)
    if isinstance(entry, LinkEntry):
        return LinkState(entry.target)
    return FolderState()


def size_of(plans: Iterable[DataMoves]) -> int:
    """How many bytes moves will write."""
    return sum(
        move.new.size for plan in plans for move in plan.moves if isinstance(move.new, FileState)
    )
