"""Artifacts as training code names them: a file, a folder, several files under one name."""

import glob
import os
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Self

from repro.errors import InvalidInputError
from repro.model.canonical import format_json
from repro.model.config import plain_value
from repro.sdk.loggable import Media

if TYPE_CHECKING:
    from repro.model.medium import FileType, MediaFile


def find_files(
    path: str | os.PathLike[str], name: str | None, bases: Sequence[Path]
) -> dict[str, Path]:
    """Map the name in the record of each file to where it is: one, or all of a folder.

    Args:
        name: What the record calls it; by default its path relative to the first of `bases` that
            it is in, or its bare name if it is elsewhere.
        bases: Folders as `Path.resolve` gives them.

    Raises:
        TypeError: `path` is none.
        InvalidInputError: There is no such file.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"log_artifact() takes a path, not {type(path).__qualname__}")
    source = Path(path)
    if not source.exists():
        raise InvalidInputError(f"there is no file `{source}` to keep")
    is_named = source.name not in ("", "..")  # a link keeps its name
    place = source.parent.resolve() / source.name if is_named else source.resolve()
    around = next((base for base in bases if place.is_relative_to(base)), place.parent)
    label = name or place.relative_to(around).as_posix()
    if not source.is_dir():
        return {label: source.resolve()}
    files = sorted(file for file in source.rglob("*") if file.is_file())
    inside = {file.relative_to(source): file for file in files}
    return {
        (PurePosixPath(label) / inner).as_posix(): file
        for inner, file in inside.items()
        if ".git" not in inner.parts
    }


def find_matches(pattern: str, base: str | None, bases: Sequence[Path]) -> dict[str, Path]:
    """Map the name in the record of each file that a pattern matches to where it is.

    Args:
        pattern: As `glob` has it, absolute; a folder stands for all that is in it.
        base: What names are relative to; else as for `find_files`, with its `bases`.

    Raises:
        InvalidInputError: A file is not below `base`.
    """
    found: dict[str, Path] = {}
    # `Path.glob` takes no pattern that is absolute.
    for place in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207
        name = None if base is None else Path(os.path.relpath(place, base)).as_posix()
        if name is not None and name.startswith("../"):
            raise InvalidInputError(f"`{place}` is not below `{base}`")
        found.update(find_files(place, name, bases))
    return found


def format_facts(*, type: str | None, aliases: Iterable[str] | None, **others: object) -> bytes:
    """The text of `<name>.artifact.json`: what was said of an artifact."""
    said = {"type": type, "aliases": [str(one) for one in aliases or ()], **others}
    return format_json({key: plain_value(value) for key, value in said.items() if value})


class Artifact:
    """Several files under one name; `log_artifact` keeps them as `<name>/<path>`.

    Beside them `<name>.artifact.json` has its type, description, metadata, aliases and references.

    Args:
        ignored: Other words of W&B, without a meaning here.

    Attributes:
        name: Before the names of its files.
        metadata: What was said of it; can be changed until it is kept.
    """

    def __init__(
        self,
        name: str,
        type: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **ignored: object,  # noqa: ARG002  words of W&B
    ) -> None:
        self.name = str(name)
        self.type = type
        self.description = description
        self.metadata: dict[str, Any] = dict(metadata or {})
        self._files: dict[str, Path] = {}
        self._references: dict[str, str] = {}
        self._made: list[Path] = []

    def add_file(
        self,
        local_path: str | os.PathLike[str],
        name: str | None = None,
        **ignored: object,  # noqa: ARG002  words of W&B
    ) -> None:
        """Add a file, under its bare name or `name`; it is read when the artifact is kept.

        Raises:
            InvalidInputError: There is no such file.
        """
        path = Path(local_path)
        if not path.is_file():
            raise InvalidInputError(f"there is no file `{path}` to add")
        self._files[name or path.name] = path.absolute()

    def add_dir(
        self,
        local_path: str | os.PathLike[str],
        name: str | None = None,
        **ignored: object,  # noqa: ARG002  words of W&B
    ) -> None:
        """Add all files of a folder, called as in it, or below `name`.

        Raises:
            InvalidInputError: There is no such folder.
        """
        folder = Path(local_path).absolute()
        if not folder.is_dir():
            raise InvalidInputError(f"there is no folder `{folder}` to add")
        for label, path in find_files(folder, ".", ()).items():
            self._files[(PurePosixPath(name or "") / label).as_posix()] = path

    @contextmanager
    def new_file(
        self, name: str, mode: str = "w", encoding: str | None = None
    ) -> Iterator[IO[Any]]:
        """Open a new file of the artifact to write it."""
        path = self._place()
        with path.open(mode, encoding=encoding) as file:
            yield file
        self._files[name] = path

    def add(self, obj: Media, name: str) -> None:
        """Add a table or a picture: `<name>.table.json` with its pictures beside it, `<name>.png`.

        Raises:
            TypeError: It is nothing of that kind.
        """
        from repro.model.medium import MediaFile  # noqa: PLC0415  # most programs add none

        kept: list[tuple[bytes, str]] = []

        def keep(data: bytes, kind: "FileType", size: tuple[int, int] | None) -> "MediaFile":
            kept.append((data, kind))
            return MediaFile(kind, len(data), "", "git", *(size or ()))

        if not isinstance(obj, Media):
            raise TypeError(f"an artifact has files, tables, pictures, not {type(obj).__name__}")
        obj.describe(keep)
        if not kept:
            raise TypeError(f"a {type(obj).__name__.lower()} has no file: log it with the run")
        *pictures, (data, kind) = kept
        self._write(f"{name}.table.json" if kind == "json" else f"{name}.{kind}", data)
        for number, (picture, suffix) in enumerate(pictures):
            self._write(f"{name}.pictures/{number}.{suffix}", picture)

    def add_reference(self, uri: str, name: str | None = None, **ignored: object) -> None:  # noqa: ARG002
        """Note an address; no bytes of it are kept."""
        self._references[name or str(uri).rpartition("/")[2]] = str(uri)

    def wait(self, timeout: int | None = None) -> Self:  # noqa: ARG002  a word of W&B
        """Give the artifact: what `log_artifact` keeps is kept once it returns."""
        return self

    def named_files(self) -> dict[str, Path]:
        """Map the name in the record of each file to where it is."""
        return {f"{self.name}/{label}": path for label, path in self._files.items()}

    def format_facts(self, aliases: Iterable[str] | None) -> bytes:
        """The text of `<name>.artifact.json`."""
        return format_facts(
            type=self.type,
            aliases=aliases,
            description=self.description,
            metadata=self.metadata,
            references=self._references,
        )

    def _write(self, name: str, data: bytes) -> None:
        path = self._place()
        path.write_bytes(data)
        self._files[name] = path

    def _place(self) -> Path:
        """Where a file is written that is of the artifact alone."""
        import shutil  # noqa: PLC0415  # most programs make none
        import tempfile  # noqa: PLC0415  # likewise

        if not self._made:
            folder = tempfile.mkdtemp(prefix="repro-artifact-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self._made.append(Path(folder))
        self._made.append(self._made[0] / str(len(self._made)))
        return self._made[-1]

    def __repr__(self) -> str:
        return f"<Artifact {self.name}: {len(self._files)} files>"
