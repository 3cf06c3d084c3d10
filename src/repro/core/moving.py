"""Files of a dataset looked at: what must change, what is missing for it, what it would lose."""

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from repro.errors import (
    DamagedRecordError,
    InvalidInputError,
    MissingDataError,
    WouldLoseWorkError,
)
from repro.model.moves import FileState, FolderState, LinkState, Move, State, is_as
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.hashing import Hasher, Tally, hash_file
from repro.store.placing import Seen, seen_of
from repro.store.walking import in_the_way, split_path

_BLOCK = 1 << 20
_USUAL = {0o644, 0o664, 0o755, 0o775}  # permission bits under the usual umasks


@dataclass(frozen=True, slots=True)
class Look:
    """What is at a path: its state, and what tells whether it is still that; None for nothing."""

    state: State | None
    seen: Seen | None


NOTHING = Look(None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMoves:
    """What a restore changes in one dataset.

    Attributes:
        root: Top of the working tree.
        path: Of the dataset, relative to it.
        is_file: Whether it is one file: its one move has the path "".
        looks: What was found at the path of each move.
        made: How many folders on the way to its files are new, its own included; these go with it.
        is_undo: Whether all that comes was here before, such as links that lead anywhere.
    """

    name: str
    root: Path
    path: str
    is_file: bool
    moves: tuple[Move, ...]
    looks: Mapping[str, Look]
    made: int = 0
    is_undo: bool = False

    def shown(self, move: Move) -> str:
        """The path of a move as the user knows it, relative to the root."""
        return f"{self.path}/{move.path}" if move.path else self.path


def plan_moves(
    name: str,
    root: Path,
    path: str,
    wanted: Mapping[str, State | None],
    *,
    is_file: bool,
    made: int | None = None,
) -> DataMoves:
    """Say what must change below `root/path` for each path to be as wanted.

    Args:
        wanted: By path relative to the dataset, in the order in which folders come first.
        made: For an undo: how many folders the restore made.

    Raises:
        WouldLoseWorkError: In the way is what can neither be kept nor come back.
        InvalidInputError: A file cannot be read, or never stands still.

    Cost: reads what is there and shall be something else, for its sha256.
    """
    moves: list[Move] = []
    looks: dict[str, Look] = {}
    top = root / path
    closed = set() if os.path.lexists(top) else {""}  # what nothing can be in
    for inner, new in wanted.items():
        look = NOTHING
        if inner == "" or inner.rpartition("/")[0] not in closed:
            look = _look(top / inner if inner else top, f"{path}/{inner}" if inner else path)
        if not isinstance(look.state, FolderState):
            closed.add(inner)
        if not is_as(look.state, new):
            moves.append(Move(inner, look.state, new))
            looks[inner] = look
    for move in tuple(moves):
        if isinstance(move.old, FolderState) and isinstance(move.new, (FileState, LinkState)):
            if is_file:
                raise in_the_way(f"a folder stands where the file `{escape(path)}` belongs", path)
            for inner, look in _find_strays(root, path, move.path, wanted):
                moves.append(Move(inner, look.state, None))
                looks[inner] = look
    absent = _count_absent(root, path.rpartition("/")[0] if is_file else path)
    return DataMoves(
        name=name,
        root=root,
        path=path,
        is_file=is_file,
        moves=tuple(moves),
        looks=looks,
        made=absent or made or 0,
        is_undo=made is not None,
    )


def _count_absent(root: Path, path: str) -> int:
    parts = path.split("/") if path else []
    there = [os.path.lexists(root.joinpath(*parts[: depth + 1])) for depth in range(len(parts))]
    return there.count(False)


def _find_strays(
    root: Path, path: str, inner: str, wanted: Mapping[str, State | None]
) -> Iterator[tuple[str, Look]]:
    """What is in a folder that has to go, and was not asked for."""
    top = root / path
    for folder, folders, names in os.walk(top / inner):
        for name in sorted((*folders, *names)):
            place = Path(folder, name)
            found = str(place.relative_to(top))
            if found in wanted:
                continue
            try:
                split_path(found)
                yield found, _look(place, f"{path}/{found}")
            except (DamagedRecordError, InvalidInputError) as error:
                shown = f"{path}/{found}"
                message = f"in the way is what repro cannot save: `{escape(shown)}`"
                raise in_the_way(message, shown) from error


def _look(place: Path, where: str) -> Look:
    try:
        status = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING
    if stat.S_ISDIR(status.st_mode):
        return Look(FolderState(_odd_bits(status)), None)
    if stat.S_ISLNK(status.st_mode):
        return Look(LinkState(str(place.readlink())), seen_of(status))
    try:
        hashed = hash_file(str(place), where=where, tally=Tally(), keep=_vouch)
    except FileNotFoundError:
        return NOTHING
    status = hashed.status
    is_executable = bool(status.st_mode & 0o100)
    state = FileState(hashed.sha256, status.st_size, is_executable, _odd_bits(status))
    return Look(state, seen_of(status))


def _odd_bits(status: os.stat_result) -> int | None:
    bits = status.st_mode & 0o777
    return None if bits in _USUAL else bits


def _vouch(fd: int, size: int, also: Hasher) -> str:
    hasher = hashlib.sha256()
    left = size + 1  # a file that grows has no end
    while left > 0 and (block := os.read(fd, min(left, _BLOCK))):
        hasher.update(block)
        also.update(block)
        left -= len(block)
    return hasher.hexdigest()


def find_missing(plans: Iterable[DataMoves], content: ContentStore) -> list[str]:
    """The paths whose bytes were not kept, or are not in the content store."""
    return [
        plan.shown(move)
        for plan in plans
        for move in plan.moves
        if isinstance(move.new, FileState) and not _is_there(content, move.new)
    ]


def _is_there(content: ContentStore, state: FileState) -> bool:
    return state.sha256 is not None and content.has(f"sha256:{state.sha256}")


def refuse_missing(missing: Sequence[str], whose: str, *, hint: str) -> None:
    """Refuse a restore that could not be whole.

    Args:
        whose: What needs the files, in words that follow "of".

    Raises:
        MissingDataError: Some bytes are not here.
    """
    if missing:
        count = f"{len(missing):,} file" + ("s" if len(missing) > 1 else "")
        raise MissingDataError(
            f"the bytes of {count} of {whose} are not in the content store",
            paths=missing,
            hint=hint,
        )


def find_replaced(plans: Iterable[DataMoves], content: ContentStore) -> list[str]:
    """The paths whose present bytes would be gone, for the content store does not have them.

    Cost: reads their entries, for one that is damaged is none.
    """
    olds = [
        (plan.shown(move), move.old)
        for plan in plans
        for move in plan.moves
        if isinstance(move.old, FileState)
    ]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        sound = pool.map(lambda one: _is_sound(content, one[1]), olds)
        return [path for (path, _), is_sound in zip(olds, sound, strict=True) if not is_sound]


def _is_sound(content: ContentStore, state: FileState) -> bool:
    if not _is_there(content, state):
        return False
    try:
        content.verify(f"sha256:{state.sha256}")
    except DamagedRecordError:
        return False
    return True


def keep_replaced(
    plans: Iterable[DataMoves], content: ContentStore, paths: Collection[str]
) -> None:
    """Put present bytes that will be replaced into the content store.

    Args:
        paths: What `find_replaced` gave.

    Raises:
        WouldLoseWorkError: A file is not what it was a moment ago.
        StorageError: The disk is full, read-only or forbidden; nothing was replaced.
    """
    wanted = set(paths)
    for plan in plans:
        for move in plan.moves:
            if isinstance(move.old, FileState) and plan.shown(move) in wanted:
                try:
                    digest = content.put_file(plan.root / plan.shown(move))
                except InvalidInputError as error:
                    raise changed(plan.shown(move)) from error
                if digest != f"sha256:{move.old.sha256}":
                    raise changed(plan.shown(move))


def changed(path: str) -> WouldLoseWorkError:
    """The error for what is not as it was a moment ago."""
    return WouldLoseWorkError(
        f"`{escape(path)}` changed meanwhile", paths=[path], hint="run the command again"
    )
