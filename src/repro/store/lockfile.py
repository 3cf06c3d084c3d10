"""`repro.lock`: the digest of each dataset, tracked by git, so that plain commits pin data too."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import FileLock, fsync_dir, storage_errors, write_file
from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.configfile import format_config
from repro.model.manifest import LARGEST_SIZE
from repro.model.text import escape
from repro.store.settings import find_dataset_name_fault, find_path_fault, read_input
from repro.store.yamlfile import load_yaml_lines

FILE = "repro.lock"

_HEADER = b"# Written by `repro data`. Commit it: it pins the data that the code was used with.\n"
_XXH3 = re.compile(r"xxh3:[0-9a-f]{32}\Z")
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}\Z")
_ANY = re.compile("")
# What git puts around the two sides of a conflict, and around the common ancestor's (diff3).
_MARK = re.compile(rb"(<{7}|\|{7}|={7}|>{7})(?:[ \r\n]|\Z)")
_OURS, _THEIRS = 0, 1
_SIDES = {b"<": (_OURS,), b"|": (), b"=": (_THEIRS,), b">": (_OURS, _THEIRS)}

Lines = Mapping[tuple[str | int, ...], int]


@dataclass(frozen=True, slots=True)
class Locked:
    """A dataset as a `data` verb last saw it.

    Attributes:
        path: Relative to the root, or absolute.
        digest: `xxh3:` and 32 hex digits, of the page of its top, or of its one file.
        files: Files and links in it.
        size: Their bytes; the key is `bytes`.
        kept: Whether all its bytes went to the content store.
        manifest: `sha256:` and 64 hex digits: the entry of the content store with all pages.
        manifest_size: Bytes of that; the key is `manifest_bytes`.
    """

    path: str
    digest: str
    files: int
    size: int
    kept: bool
    manifest: str
    manifest_size: int


def read_lock(root: Path) -> dict[str, Locked]:
    """Give what is locked in the project at `root`, by the names of the datasets.

    Raises:
        InvalidInputError: The file is wrong, or a merge left conflicts in it; the line is named.
    """
    return parse_lock(read_input(root, FILE) or b"", root)


def parse_lock(data: bytes, root: Path) -> dict[str, Locked]:
    """Give what a `repro.lock` with the bytes `data` locks in the project at `root`.

    Raises:
        InvalidInputError: As `read_lock`.
    """
    for number, line in enumerate(data.split(b"\n"), 1):
        if _MARK.match(line):
            reason = "a merge left a conflict here"
            raise _refusal(number, reason, "`repro data add …` writes it anew after a merge")
    value, lines = load_yaml_lines(data, name=FILE)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refusal(1, "the file must be a mapping of names of datasets")
    found = {name: _parse_entry(name, entry, lines, root) for name, entry in value.items()}
    return {name: found[name] for name in sorted(found)}


def write_lock(root: Path, locked: Mapping[str, Locked]) -> bool:
    """Make `locked` all that is locked; whether the file changed. Without entries there is none.

    Raises:
        InvalidInputError: A value is not one that could be read back; nothing was written.
        StorageError: The disk is full, read-only or forbidden.
    """
    path = root / FILE
    before = read_input(root, FILE)
    if not locked:
        return before is not None and _remove(path)
    after = _HEADER + "".join(_format_entry(name, locked[name]) for name in sorted(locked)).encode()
    if before is not None and b"\r\n" in before:  # git checked it out so
        after = after.replace(b"\n", b"\r\n")
    if after == before:
        return False
    if parse_lock(after, root) != dict(locked):
        raise InvalidInputError(f"`{FILE}` cannot hold a name or path that is not plain text")
    write_tracked(path, after)
    return True


def update_lock(
    root: Path,
    name: str,
    locked: Locked | None,
    *,
    guard: Path,
    check: Callable[[], None] = lambda: None,
) -> bool:
    """Lock one dataset, or unlock it (None); whether the file changed.

    After a merge with conflicts the entries on which both sides agree, or that one side alone
    has, stay; where they differ, nothing is locked until that dataset is added anew.

    Args:
        guard: The lock file under which all processes change the file; not held by the caller.
        check: Called while it is held, before anything is written; may raise.

    Raises:
        InvalidInputError: As `read_lock`, but for conflicts; or as `write_lock`.
        StorageError: The disk is full, read-only or forbidden.
    """
    with hold_guard(guard):
        check()
        found = _read_merged(root)
        found.pop(name, None)
        return write_lock(root, found if locked is None else {**found, name: locked})


@contextmanager
def hold_guard(guard: Path) -> Iterator[None]:
    """Hold the lock of `repro.lock` and `repro.yaml`, its folder made where there is none."""
    with storage_errors(f"the lock `{guard.name}`"):
        guard.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(guard):
        yield


def write_tracked(path: Path, data: bytes) -> None:
    """Put `data` at `path` as a person's editor would: through a link, the mode kept.

    A new file has the mode that the umask leaves of 0666. Durable on return; a reader sees the
    old file or the new one.

    Raises:
        InvalidInputError: `path` is a link that leads nowhere.
        StorageError: The disk is full, read-only or forbidden.
    """
    if path.is_symlink() and not path.exists():
        raise InvalidInputError(
            f"`{path.name}` is a link that leads nowhere", hint="remove it, or mend its target"
        )
    target = path.resolve()
    with storage_errors(f"`{path.name}`"):
        mode = target.stat().st_mode & 0o7777 if target.exists() else _mode_of_new(target)
    write_file(target, data, mode=mode)


def _remove(path: Path) -> bool:
    with storage_errors(f"`{path.name}`"):
        path.unlink(missing_ok=True)
        fsync_dir(path.parent)
    return True


def _mode_of_new(path: Path) -> int:
    # Asking for the umask would change it, for all threads.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        fd = os.open(Path(folder, path.name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        try:
            return os.fstat(fd).st_mode & 0o7777
        finally:
            os.close(fd)


def format_pair(key: str, value: Json) -> str:
    """Give `key: value` as YAML, in any context; the value is no list or mapping."""
    return format_config({key: value}).decode().removesuffix("\n")


def format_flow(values: Mapping[str, Json]) -> str:
    """Give `{key: value, …}` as YAML."""
    return "{" + ", ".join(format_pair(*pair) for pair in values.items()) + "}"


def _format_entry(name: str, locked: Locked) -> str:
    # One line, so that a merge in git never makes an entry of lines from both sides; a blank one
    # before it, so that neighbours that were changed apart are not a conflict.
    facts: dict[str, Json] = {
        "path": locked.path,
        "digest": locked.digest,
        "files": locked.files,
        "bytes": locked.size,
        "kept": locked.kept,
        "manifest": locked.manifest,
        "manifest_bytes": locked.manifest_size,
    }
    return f"\n{format_pair(name, 0).removesuffix('0')}{format_flow(facts)}\n"


def _read_merged(root: Path) -> dict[str, Locked]:
    data = read_input(root, FILE) or b""
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    into = _SIDES[b">"]
    for line in data.splitlines(keepends=True):
        if mark := _MARK.match(line):
            into = _SIDES[mark[1][:1]]
            continue
        for side in into:
            sides[side].append(line)
    ours, theirs = (parse_lock(b"".join(lines), root) for lines in sides)
    both = {**ours, **theirs}
    return {name: both[name] for name in both if ours.get(name, both[name]) == both[name]}


def _parse_entry(name: str, value: Json, lines: Lines, root: Path) -> Locked:
    if fault := find_dataset_name_fault(name):
        raise _refusal(lines.get((name,), 1), fault.reason)
    if not isinstance(value, dict):
        raise _refusal(lines.get((name,), 1), f"`{name}` must be a mapping")
    entry = _Entry(name, value, lines)
    path = entry.text("path", _ANY, "text")
    if which := find_path_fault(path, root):
        raise entry.refusal("path", f"is `{escape(path[:80])}`, which {which}")
    return Locked(
        path=path,
        digest=entry.text("digest", _XXH3, "`xxh3:` with 32 hex digits"),
        files=entry.count("files"),
        size=entry.count("bytes"),
        kept=entry.flag("kept"),
        manifest=entry.text("manifest", _SHA256, "`sha256:` with 64 hex digits"),
        manifest_size=entry.count("manifest_bytes"),
    )


class _Entry:
    """Takes typed values out of an entry, naming line and key where one is wrong."""

    def __init__(self, name: str, values: Mapping[str, Json], lines: Lines) -> None:
        self.name = name
        self.values = values
        self.lines = lines

    def refusal(self, key: str, reason: str) -> InvalidInputError:
        line = self.lines.get((self.name, key), self.lines.get((self.name,), 1))
        return _refusal(line, f"`{self.name}.{key}` {reason}")

    def text(self, key: str, pattern: re.Pattern[str], kind: str) -> str:
        value = self.values.get(key)
        if not isinstance(value, str) or not pattern.match(value):
            raise self.wrong(key, kind)
        return value

    def count(self, key: str) -> int:
        value = self.values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_SIZE:
            raise self.wrong(key, "a number from 0 to 2^63 - 1")
        return value

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def wrong(self, key: str, kind: str) -> InvalidInputError:
        return self.refusal(key, f"must be {kind}" if key in self.values else "is missing")


def _refusal(line: int, reason: str, hint: str | None = None) -> InvalidInputError:
    return InvalidInputError(
        f"`{FILE}` line {line}: {reason}",
        hint=hint or "restore the file with git, or remove it and run `repro data add …` again",
    )
