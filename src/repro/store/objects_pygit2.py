"""Objects read in process by libgit2, where it knows the form of the repository."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from repro.errors import DamagedRecordError
from repro.store.git import Repository
from repro.store.objects_catfile import LARGEST

if TYPE_CHECKING:
    import pygit2

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}


def open_pygit2(repository: Repository) -> "Pygit2Objects | None":
    """Give a reader by libgit2; None where only git itself can read the objects.

    Only the object folder is opened: refs, settings and the owner of the repository are
    git's business, and were checked by it.
    """
    # libgit2 knows no SHA-256, and fetches nothing that a partial clone left away.
    if repository.object_format != "sha1" or _is_partial(repository):
        return None
    return open_folder(repository.objects)


def open_folder(folder: Path) -> "Pygit2Objects | None":
    """Give a reader of a folder of SHA-1 objects; None where there is none."""
    # Importing pygit2 costs as much as 30 git processes: only here.
    import pygit2  # noqa: PLC0415

    try:
        odb = pygit2.Odb(str(folder))
    except (pygit2.GitError, OSError):
        return None
    return Pygit2Objects(odb, pygit2.GitError)


def _is_partial(repository: Repository) -> bool:
    return any((repository.objects / "pack").glob("*.promisor"))


class Pygit2Objects:
    """The object folder, opened by libgit2."""

    def __init__(self, odb: "pygit2.Odb", failure: type[Exception]) -> None:
        self._odb = odb
        self._failures = (failure, KeyError, ValueError, OSError)

    def read(self, oid: str, *, limit: int = LARGEST) -> tuple[str, bytes]:
        """The kind and the content of an object."""
        found = self._find(oid, limit)
        if found is None:
            raise DamagedRecordError(
                f"object {oid} is missing or corrupt", hint="`git fsck` says which objects are"
            )
        return found

    def read_many(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes] | None]:
        """Kind and content of each object, in order; None for one that `read` would refuse."""
        return map(self._find, oids)

    def borrow(self, folder: Path) -> None:
        """Read the objects of another folder, too."""
        self._odb.add_disk_alternate(str(folder))

    def close(self) -> None:
        """Let the object folder go."""
        del self._odb

    def _find(self, oid: str, limit: int = LARGEST) -> tuple[str, bytes] | None:
        try:
            kind, size = self._odb.read_header(oid)
            if size > limit:
                return None
            return _KINDS[kind], self._odb.read(oid)[1]
        except self._failures:  # missing, malformed or corrupt
            return None
