"""The files that a run produced: found by the patterns of `repro.yaml`, kept if they are new."""

import errno
import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import storage_errors, write_file
from repro.errors import DamagedRecordError, InvalidInputError, ReproError, StorageError
from repro.model.globs import matcher
from repro.model.metricfile import parse_metrics
from repro.model.paths import validate_path
from repro.model.run import Artifact
from repro.model.secrets import is_secret_file
from repro.model.text import escape
from repro.store.content import ContentStore

FILES = "files"  # folder of a run in progress for files that the record keeps
GIT_LIMIT = 1 << 20  # bytes of an artifact that goes into git
METRICS_LIMIT = 256 << 20  # bytes of a metrics file
_PROBLEMS_SHOWN = 10  # of one metrics file
_WILD = frozenset("*?[")
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Signature = tuple[int, int, int]  # bytes, mtime in ns, inode


@dataclass(frozen=True, slots=True)
class MetricPoints:
    """Values of one step from a metrics file; `time` is when the file was last written."""

    step: int
    time: float
    values: Mapping[str, float]


def output_state(root: Path, patterns: Sequence[str]) -> dict[str, Signature]:
    """Map each file that a pattern matches to what changes when somebody writes it.

    Patterns mean what they mean to the snapshot, which leaves such files out: see
    `repro.model.globs`. A symlink stands for the file it names. No folder is entered through a
    symlink, except one that a pattern spells out, if it is inside the root.

    Cost: One walk over the folders that the patterns could match in; all of them for a
    pattern without a slash.
    """
    if not patterns:
        return {}
    is_match = matcher(patterns)
    found: dict[str, Signature] = {}
    for place in _places(root, patterns)[0]:
        for path in _walk(root, place):
            if path not in found and is_match(path):
                signature = signature_of(root / path)
                if signature is not None:
                    found[path] = signature
    return found


def _places(root: Path, patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Where to look for matches, and a warning on each pattern that leads out of the root."""
    top = root.resolve()
    places: dict[str, None] = {}
    warnings = []
    for pattern in patterns:
        place = _literal_start(pattern)
        if not (root / place).resolve().is_relative_to(top):
            warnings.append(f"`{pattern}` leads out of the repository; nothing of it is kept")
        else:
            places[place] = None
    if "" in places:  # it has all the others, but for those behind a symlink
        places = {
            place: None for place in places if not place or (root / place).resolve() != top / place
        }
    return sorted(places), warnings


def _literal_start(pattern: str) -> str:
    """The path before the first component with a wildcard, empty if it matches in any folder."""
    if "/" not in pattern.rstrip("/"):
        return ""
    start = []
    for component in pattern.strip("/").removeprefix("./").split("/"):
        if _WILD.intersection(component):
            break
        start.append(component)
    return "/".join(start)


def _walk(root: Path, place: str) -> Iterator[str]:
    """Paths, relative to the root, of all that is no folder in or at `place`."""
    pending = [place]
    if place and not (root / place).is_dir():
        pending = []
        yield place
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue  # gone meanwhile, or not ours to read
        for entry in ordered:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name == ".git":
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
            else:
                yield path


def signature_of(path: Path) -> Signature | None:
    """What changes when somebody writes the file; None of a folder, and where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _changed(root: Path, patterns: Sequence[str], before: Mapping[str, Signature]) -> list[str]:
    now = output_state(root, patterns)
    return sorted(path for path, signature in now.items() if before.get(path) != signature)


def collect_metrics(
    root: Path,
    patterns: Sequence[str],
    before: Mapping[str, Signature],
    last_steps: Mapping[str, int],
) -> Iterator[MetricPoints | str]:
    """Give the points of each metrics file that is new or changed, and a warning on each fault.

    Args:
        before: What `output_state` gave before the run.
        last_steps: The last step of metrics that the run logged itself: a value from a file
            that names no step belongs to it, else to step 0.
    """
    yield from _places(root, patterns)[1]
    for path in _changed(root, patterns, before):
        shown = escape(path)
        try:
            data, status = _read_source(_resolve(root, path), METRICS_LIMIT, shown)
        except InvalidInputError as error:
            yield error.message
            continue
        parsed = parse_metrics(data, name=shown)
        time = status.st_mtime_ns / 1e9
        for row in parsed.rows:
            if row.step is not None:
                yield MetricPoints(row.step, time, row.values)
                continue
            by_step: dict[int, dict[str, float]] = {}
            for name, value in row.values.items():
                by_step.setdefault(last_steps.get(name, 0), {})[name] = value
            for step, values in by_step.items():
                yield MetricPoints(step, time, values)
        yield from parsed.problems[:_PROBLEMS_SHOWN]
        if len(parsed.problems) > _PROBLEMS_SHOWN:
            yield f"`{shown}`: {len(parsed.problems) - _PROBLEMS_SHOWN} more such faults"


def collect_artifacts(
    root: Path,
    patterns: Sequence[str],
    before: Mapping[str, Signature],
    live_dir: Path,
    content_dir: Path,
) -> Iterator[Artifact | str]:
    """Keep each artifact that is new or changed; give it, or a warning why it is not kept.

    Args:
        before: What `output_state` gave before the run.
        live_dir: Folder of the run in progress.
        content_dir: Folder of the content store.
    """
    yield from _places(root, patterns)[1]
    paths = _changed(root, patterns, before)
    yield from _keep_each(live_dir, content_dir, paths, lambda path: _resolve(root, path))


def collect_files(
    live_dir: Path, content_dir: Path, seen: dict[str, Signature]
) -> Iterator[Artifact | str]:
    """Keep what a program left in the folder for files of its run; or say why one is not kept.

    They are called as they are in that folder.

    Args:
        live_dir: Folder of the run in progress.
        content_dir: Folder of the content store.
        seen: Gets what each file was before it was kept, by name.
    """
    folder = live_dir / FILES
    found = {path: signature_of(folder / path) for path in sorted(_walk(folder, ""))}
    seen.update({path: now for path, now in found.items() if now is not None})
    yield from _keep_each(live_dir, content_dir, [*seen], lambda path: (folder / path).resolve())


def _keep_each(
    live_dir: Path, content_dir: Path, paths: Sequence[str], find: Callable[[str], Path]
) -> Iterator[Artifact | str]:
    """Keep the file that `find` gives for each path; or say why it is not kept."""
    names: dict[str, str] = {}
    for path in paths:
        # One of two such names would replace the other where the record is checked out on a
        # file system that folds case or normalises names.
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in names:
            other = escape(names[folded])
            yield f"`{escape(path)}` is not kept: its name differs from `{other}` only in case"
            continue
        if is_secret_file(path):
            yield f"`{escape(path)}` is not kept: it looks like a secret"
            continue
        try:
            artifact = store_artifact(live_dir, content_dir, find(path), path)
        except ReproError as error:
            yield f"`{escape(path)}` is not kept: {error.message}"
            continue
        names[folded] = path
        yield artifact


def _resolve(root: Path, path: str) -> Path:
    """The file behind a match.

    Raises:
        InvalidInputError: It is outside the root.
    """
    real = (root / path).resolve()
    if not real.is_relative_to(root.resolve()):
        raise InvalidInputError(f"`{escape(path)}` is a symbolic link out of the repository")
    return real


def store_artifact(live_dir: Path, content_dir: Path, path: Path, name: str) -> Artifact:
    """Keep the bytes of a file for the record of a run in progress.

    Up to 1 MiB they go to `live_dir/artifacts/`, from there into git; more to the content store.

    Args:
        live_dir: Folder of the run in progress.
        content_dir: Folder of the content store.
        path: A regular file; no symlink.
        name: What the record calls it, relative with `/`.

    Raises:
        InvalidInputError: `path` is no regular file, cannot be read, or changed while it was
            read; or no record can hold `name`.
        StorageError: The disk is full, read-only or forbidden.
    """
    _check_name(name)
    fd, before = _open_source(path, escape(name))
    with os.fdopen(fd, "rb") as file:
        if before.st_size > GIT_LIMIT:
            digest = ContentStore(content_dir).put_file(path)
            # The store opened the path again: it must still be this very file.
            if _identity(os.lstat(path)) != _identity(before):
                raise _changed_meanwhile(name)
            return Artifact(name, before.st_size, digest, "store")
        data = _read_all(file.fileno(), GIT_LIMIT)
        if len(data) != before.st_size or _identity(os.fstat(file.fileno())) != _identity(before):
            raise _changed_meanwhile(name)
    return _store_small(live_dir, data, name)


def store_bytes(live_dir: Path, content_dir: Path, data: bytes, name: str) -> Artifact:
    """Keep bytes for the record of a run in progress, as `store_artifact` does with a file.

    Raises:
        InvalidInputError: No record can hold `name`.
        StorageError: The disk is full, read-only or forbidden.
    """
    _check_name(name)
    if len(data) <= GIT_LIMIT:
        return _store_small(live_dir, data, name)
    return Artifact(name, len(data), ContentStore(content_dir).put_bytes(data), "store")


def _store_small(live_dir: Path, data: bytes, name: str) -> Artifact:
    digest = hashlib.sha256(data).hexdigest()
    kept = live_dir / "artifacts" / digest
    try:
        with storage_errors(f"the artifact `{escape(name)}`"):
            kept.parent.mkdir(mode=0o700, exist_ok=True)
        if not kept.exists():
            write_file(kept, data)
    except FileNotFoundError as error:
        raise StorageError(f"`{live_dir}`, the folder of the run, is gone") from error
    return Artifact(name, len(data), f"sha256:{digest}", "git")


def _check_name(name: str) -> None:
    try:
        name.encode()
        validate_path(name)
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"the name `{escape(name)}` is not UTF-8") from error
    except DamagedRecordError as error:
        reason = error.message.partition("which ")[2]
        raise InvalidInputError(
            f"no record can hold the name `{escape(name)}`: it {reason}",
            hint="give a name that is relative to the root of the repository",
        ) from error


def _changed_meanwhile(name: str) -> InvalidInputError:
    return InvalidInputError(
        f"`{escape(name)}` changed while it was read", hint="keep it when nothing writes to it"
    )


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _open_source(path: Path, shown: str) -> tuple[int, os.stat_result]:
    try:
        # Without O_NONBLOCK a named pipe would hold us for ever.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK}:
            raise InvalidInputError(
                f"`{shown}` is a symbolic link", hint="name the file that it leads to"
            ) from error
        reason = "a socket or a device" if error.errno == errno.ENXIO else error.strerror
        raise InvalidInputError(f"`{shown}` cannot be read: {reason}") from error
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
        raise InvalidInputError(f"`{shown}` is {kind}, not a regular file")
    return fd, status


def _read_source(path: Path, limit: int, shown: str) -> tuple[bytes, os.stat_result]:
    fd, status = _open_source(path, shown)
    try:
        data = _read_all(fd, limit)
    finally:
        os.close(fd)
    if len(data) > limit:
        raise InvalidInputError(f"`{shown}` is larger than {limit >> 20} MiB; it is left out")
    return data, status


def _read_all(fd: int, limit: int) -> bytes:
    """Everything, or one byte more than `limit`."""
    parts = []
    left = limit + 1
    while left and (part := os.read(fd, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
