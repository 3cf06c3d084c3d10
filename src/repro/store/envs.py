"""Rebuilt environments in the private folder: whole ones, marked as such, and locked to be made.

A virtual environment holds its own path, so it cannot be made elsewhere and moved into place.
It is made where it stays, and is there only once its marker, which is written last, is.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from repro.atomic import FileLock, fsync_dir, storage_errors, write_file
from repro.errors import BusyRepositoryError, DamagedRecordError
from repro.model.canonical import format_json, parse_json
from repro.store.fields import Fields

_MARKER = "complete.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Substitute:
    """A version that was taken in the place of one that could not be had."""

    name: str
    wanted: str
    taken: str


@dataclass(frozen=True, slots=True)
class Built:
    """A whole environment.

    Attributes:
        folder: Its absolute path.
        digest: Of the recorded environment.
        listing: Hash of the list of packages that it was made from.
        python: Version of its interpreter.
        packages: How many distributions were installed.
        installer: What made it.
        substitutes: What is not as recorded.
        notes: What its maker was told, in sentences.
    """

    folder: Path
    digest: str
    listing: str
    python: str
    packages: int
    installer: str
    substitutes: tuple[Substitute, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def executable(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def read_built(folder: Path, listing: str | None = None) -> Built | None:
    """The environment at `folder`; None where it is not whole, or its interpreter is gone.

    Args:
        listing: None too where it was made from another list of packages than this.

    Cost: One small file; starts no process.
    """
    try:
        data = (folder / _MARKER).read_bytes()
    except OSError:
        return None
    if not os.access(folder / "bin" / "python", os.X_OK):  # follows the link to the interpreter
        return None
    try:
        said = Fields(parse_json(data, name=_MARKER), _MARKER)
        if said.integer("format") != _FORMAT:
            return None
        if listing is not None and said.text("listing") != listing:
            return None
        return Built(
            folder=folder,
            digest=said.sha256("digest"),
            listing=said.sha256("listing"),
            python=said.text("python"),
            packages=said.natural("packages"),
            installer=said.text("installer"),
            substitutes=tuple(
                Substitute(one.text("name"), one.text("wanted"), one.text("taken"))
                for one in said.objects("substitutes")
            ),
            notes=said.texts("notes"),
        )
    except DamagedRecordError:
        return None


def mark_built(built: Built) -> None:
    """Declare an environment whole; before this, it is as if it was not there.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    facts = {key: value for key, value in asdict(built).items() if key != "folder"}
    facts["substitutes"] = [asdict(one) for one in built.substitutes]
    facts["notes"] = list(built.notes)
    with suppress(OSError):  # not every file system can, and what is lost is made again
        fsync_dir(built.folder)
    write_file(built.folder / _MARKER, format_json({**facts, "format": _FORMAT}))


@contextmanager
def building(folder: Path, *, on_wait: Callable[[], None]) -> Iterator[int]:
    """Hold the right to make the environment at `folder`, waiting while another process does.

    Args:
        on_wait: Is called when another process is at it.

    Yields:
        A descriptor that every program which writes there must be given. Whoever comes next
        waits for those programs, too: they may outlive us.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    with storage_errors("the folder of environments"):
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(_lock_of(folder))
    if not lock.try_acquire():
        on_wait()
        lock.acquire()
    try:
        with storage_errors("the folder of environments"):
            held = os.open(_lock_of(folder).with_suffix(".writers"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _wait_for_writers(held, on_wait)
            yield held
        finally:
            os.close(held)
    finally:
        lock.release()


def _wait_for_writers(held: int, on_wait: Callable[[], None]) -> None:
    # A `flock` goes to child processes, a record lock does not.
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait()
        fcntl.flock(held, fcntl.LOCK_EX)
    except OSError:  # a file system without such locks
        return


def clear(folder: Path) -> None:
    """Take away what is there of an environment, its marker first.

    Raises:
        StorageError: It cannot be taken away.
    """
    with storage_errors(f"the environment `{folder.name}`"):
        (folder / _MARKER).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def remove(folder: Path) -> None:
    """Take an environment away.

    Raises:
        BusyRepositoryError: It is just being made.
        StorageError: It cannot be taken away.
    """

    def refuse() -> NoReturn:
        raise BusyRepositoryError(
            f"the environment `{folder.name}` is just being made",
            hint="run the command again when that is done",
        )

    # Both files stay: who waits for one that is deleted would hold what nobody else sees.
    with building(folder, on_wait=refuse):
        clear(folder)


def list_folders(envs: Path) -> list[Path]:
    """The folders of all environments, whole or not, in the order of their names."""
    try:
        with os.scandir(envs) as entries:
            names = sorted(one.name for one in entries if one.is_dir(follow_symlinks=False))
    except OSError:  # none was ever made
        return []
    return [envs / name for name in names]


def size_of(folder: Path) -> int:
    """Bytes that a folder takes; what other folders share with it counts too.

    Cost: A look at each file.
    """
    total = 0
    folders: list[str] = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # it went away meanwhile
            continue
    return total


def site_folder(folder: Path) -> Path | None:
    """Where an environment has its packages; None where there is no such place."""
    return next(iter(sorted(folder.glob("lib/*/site-packages"))), None)


def put_package(
    folder: Path, source: Path, *, name: str, version: str, scripts: Sequence[tuple[str, str]]
) -> None:
    """Install a package by copying its folder, as it is now.

    Args:
        source: The folder of the package.
        name: Of the distribution.
        scripts: Names of programs, each with `module:function`.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    site = site_folder(folder)
    if site is None:
        return
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    ignored = shutil.ignore_patterns("__pycache__")
    with storage_errors(f"`{name}` into the environment"):
        shutil.copytree(source, site / source.name, ignore=ignored, dirs_exist_ok=True)
        (site / info).mkdir(exist_ok=True)
        written = {
            site / info / "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            site / info / "INSTALLER": "repro\n",
            site / info / "entry_points.txt": "[console_scripts]\n"
            + "".join(f"{script} = {target}\n" for script, target in scripts),
        }
        for path, text in written.items():
            path.write_text(text)
        for script, target in scripts:
            _write_script(folder / "bin" / script, target)
        files = [path for path in (site / source.name).rglob("*") if path.is_file()]
        rows = [f"{path.relative_to(site).as_posix()},," for path in [*files, *written]]
        rows += [f"../../../bin/{script},," for script, _ in scripts]
        (site / info / "RECORD").write_text("\n".join([*rows, f"{info}/RECORD,,", ""]))


def _write_script(path: Path, target: str) -> None:
    module, _, function = target.partition(":")
    # A first line can neither be long nor hold spaces, so a shell starts the interpreter.
    # Source: uv, crates/uv-install-wheel, the first line of relocatable scripts.
    path.write_text(
        "#!/bin/sh\n"
        '\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python\' "$0" "$@"\n'
        "' '''\n"
        f"import sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
    )
    path.chmod(0o755)


def _lock_of(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.lock"
