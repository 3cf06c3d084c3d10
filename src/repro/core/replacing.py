"""Moves of a dataset made: files are written first, verified, and get their names last."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from repro.core.moving import DataMoves, changed
from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.moves import FileState, FolderState, LinkState, Move
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.placing import Means, Place, is_still, open_place


def staging_of(project: Project) -> Path:
    """The private folder for files that are being written."""
    return project.repository.private / "staging"


class Prepared:
    """Moves of a dataset whose files are written already, and only have to get their names."""

    def __init__(self, plan: DataMoves, place: Place, single: str) -> None:
        self._plan = plan
        self._place = place
        self._single = single  # the name of a dataset that is one file
        self._drafts: dict[str, str] = {}

    def write(self, content: ContentStore, means: Means, report: Callable[[int], None]) -> None:
        """Write the files that are to come, verified, where nobody sees them yet."""

        def prepare(move: Move) -> None:
            if isinstance(move.new, FileState):
                self._drafts[move.path] = self._prepare(move, move.new, content, means)
                report(move.new.size)

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            try:
                for _ in pool.map(prepare, self._plan.moves):
                    pass
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _prepare(self, move: Move, new: FileState, content: ContentStore, means: Means) -> str:
        path = self._single or move.path
        try:
            draft = self._place.prepare(
                path,
                content,
                f"sha256:{new.sha256}",
                new.size,
                is_executable=new.is_executable,
                means=means,
                bits=new.bits,
            )
            if new.xxh3 is not None:
                self._place.verify(draft, path, new.xxh3)
        except DamagedRecordError as error:
            raise DamagedRecordError(
                f"`{escape(self._plan.shown(move))}` cannot be restored: {error.message}",
                hint=error.hint,
            ) from error
        return draft

    def check(self) -> None:
        """Refuse what cannot be finished, as long as nothing has been replaced.

        Raises:
            WouldLoseWorkError: Something is not as it was when the moves were planned.
            StorageError: Nobody may change a folder.
        """
        plan, top = self._plan, self._place.top
        is_there = top.reopen(make=False)
        closed: set[str] = set()  # what is no folder, and all that shall be in it
        folders: set[str] = {""}
        for move in plan.moves:
            folder, state = move.path.rpartition("/")[0], plan.looks[move.path].state
            if not (move.path or plan.is_file):
                is_same = is_there == isinstance(state, FolderState)
            elif not is_there:
                is_same = state is None
            else:
                is_same = folder in closed or self._is_same(move)
                (closed if folder in closed else folders).add(folder)
                if folder in closed or not isinstance(state, FolderState):
                    closed.add(move.path)
            if not is_same:
                raise changed(plan.shown(move))
        for folder in sorted(folders):
            top.refuse_closed(folder)

    def _is_same(self, move: Move) -> bool:
        path, look = self._single or move.path, self._plan.looks[move.path]
        if isinstance(look.state, FolderState):
            return self._place.has_folder(path)
        return is_still(self._place.look(path), look.seen)

    def finish(self) -> None:
        """Give the files their names, and take away what has no place in the new state.

        Each file is old or new at any moment; killed in between, a second call goes on.

        Raises:
            WouldLoseWorkError: Something is not as it was when the moves were planned.
            StorageError: The disk is full, read-only or forbidden.
        """
        plan, place = self._plan, self._place
        # What git took away with the files that it had there is made again.
        if not place.top.reopen(make=any(move.new is not None for move in plan.moves)):
            return
        self._take_away()
        for move in plan.moves:
            path, seen = self._single or move.path, plan.looks[move.path].seen
            if isinstance(move.new, FolderState) and path:
                place.make_folder(path)
            elif isinstance(move.new, LinkState):
                place.link(path, move.new.target, seen=seen, is_own=plan.is_undo)
            elif isinstance(move.new, FileState):
                place.settle(self._drafts[move.path], path, seen=seen)
        for move in reversed(plan.moves):
            if isinstance(move.new, FolderState) and move.new.bits is not None:
                place.set_bits(move.path, move.new.bits)

    def _take_away(self) -> None:
        plan, place = self._plan, self._place
        for move in plan.moves:
            seen = plan.looks[move.path].seen
            if seen is not None and (move.new is None or isinstance(move.new, FolderState)):
                place.remove(self._single or move.path, seen=seen)
        for move in reversed(plan.moves):  # inner folders first
            was_folder = isinstance(move.old, FolderState)
            if move.path and was_folder and not isinstance(move.new, FolderState):
                place.remove_folder(move.path)
            elif not move.path and move.new is None:
                place.top.remove(plan.made)


@contextmanager
def prepare_moves(
    plan: DataMoves,
    content: ContentStore,
    *,
    staging: Path,
    means: Means = Means.COPY,
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[Prepared]:
    """Write the files of moves, verified, beside their places, and give what finishes them.

    Args:
        staging: A private folder for unfinished files.
        report: Told of bytes as they are written; called from several threads.

    Raises:
        WouldLoseWorkError: A link or a file stands where the dataset's folder belongs.
        DamagedRecordError: Bytes of the content store are not what they should be.
        StorageError: The disk is full, read-only or forbidden. Nothing was replaced.
    """
    folder, _, single = plan.path.rpartition("/") if plan.is_file else (plan.path, "", "")
    with open_place(plan.root, folder or ".", staging, make=False) as place:
        prepared = Prepared(plan, place, single)
        prepared.write(content, means, report)
        yield prepared


@contextmanager
def prepare_all(
    project: Project,
    plans: Sequence[DataMoves],
    content: ContentStore,
    *,
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[list[Prepared]]:
    """Prepare the moves of several datasets as `prepare_moves` does, and check all of them.

    Raises:
        WouldLoseWorkError, DamagedRecordError, StorageError: As there, and as `Prepared.check`.
    """
    staging = staging_of(project)
    with ExitStack() as stack:
        prepared = [
            stack.enter_context(prepare_moves(plan, content, staging=staging, report=report))
            for plan in plans
        ]
        for one in prepared:
            one.check()
        yield prepared
