"""Git objects as values: one way to read them, whoever reads."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from repro.errors import DamagedRecordError
from repro.store.git import Repository
from repro.store.objects_catfile import LARGEST, CatFileObjects
from repro.store.objects_pygit2 import open_pygit2

FOLDER = 0o040000
SUBMODULE = 0o160000

_DEEPEST = 64  # folders in folders; a record has a handful
_OID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_AUTHOR = re.compile(rb".*> (\d{1,15}) [+-]\d{4}\Z", re.DOTALL)


class Objects(Protocol):
    """Reads objects by id; `tests/store/test_objects.py` is the contract of whoever does."""

    def read(self, oid: str, *, limit: int = LARGEST) -> tuple[str, bytes]:
        """The kind (`commit`, `tree`, `blob`, `tag`) and the content of an object.

        Raises:
            DamagedRecordError: It is missing, corrupt, or has more than `limit` bytes.
        """

    def read_many(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes] | None]:
        """Kind and content of each object, in order; None for one that `read` would refuse."""

    def close(self) -> None:
        """End what was started to read; nothing can be read after."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One name in a tree; bytes of it that are not UTF-8 are surrogates."""

    mode: int
    name: str
    oid: str


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit says.

    Attributes:
        author_time: Seconds since 1970; 0 where the line of the author is odd, as it is in some
            histories that were once converted.
        author: Name of the author, `email` the address; anybody can write any there.
    """

    tree: str
    parents: tuple[str, ...]
    author_time: int
    message: str
    author: str = ""
    email: str = ""


def open_objects(repository: Repository, *, many: bool) -> Objects:
    """Give a reader of the repository's objects; the caller closes it.

    Args:
        many: Whether hundreds of records will be read: then importing pygit2 pays off.
    """
    library = open_pygit2(repository) if many else None
    return library or CatFileObjects(repository.git)


@contextmanager
def reading(repository: Repository) -> Iterator[Objects]:
    """Give a reader for a few objects, and end it."""
    objects = open_objects(repository, many=False)
    try:
        yield objects
    finally:
        objects.close()


def is_oid(text: str) -> bool:
    """Whether `text` is a whole object id, of either object format."""
    return _OID.match(text) is not None


def blob_id(content: bytes, object_format: str) -> str:
    """The object id that git gives a file of this content.

    Args:
        object_format: `sha1` or `sha256`.
    """
    data = b"blob %d\0" % len(content) + content
    if object_format == "sha256":
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def parse_tree(payload: bytes, hash_len: int) -> list[TreeEntry]:
    """Read the content of a tree object.

    Args:
        hash_len: Bytes of an object id: 20 or 32.

    Raises:
        DamagedRecordError: It is no tree.
    """
    entries = []
    position = 0
    while position < len(payload):
        space = payload.find(b" ", position, position + 8)
        end = payload.find(b"\0", space)
        oid = payload[end + 1 : end + 1 + hash_len]
        if space < 0 or end < 0 or len(oid) != hash_len:
            raise DamagedRecordError("a git tree is cut short", hint="`git fsck` finds it")
        try:
            mode = int(payload[position:space], 8)
        except ValueError as error:
            raise DamagedRecordError(
                "a git tree has no mode", hint="`git fsck` finds it"
            ) from error
        name = payload[space + 1 : end].decode(errors="surrogateescape")
        entries.append(TreeEntry(mode, name, oid.hex()))
        position = end + 1 + hash_len
    return entries


def parse_commit(payload: bytes) -> Commit:
    """Read the content of a commit object.

    Raises:
        DamagedRecordError: It is no commit.
    """
    header, _, message = payload.partition(b"\n\n")
    tree, parents, is_authored, when, who = "", [], False, None, b""
    for line in header.split(b"\n"):
        key, _, value = line.partition(b" ")
        if key == b"tree":
            tree = value.decode(errors="replace")
        elif key == b"parent":
            parents.append(value.decode(errors="replace"))
        elif key == b"author":
            is_authored, when, who = True, _AUTHOR.match(value), value
    if not is_authored or not all(is_oid(oid) for oid in (tree, *parents)):
        raise DamagedRecordError("a git commit is malformed", hint="`git fsck` finds it")
    name, _, address = who[: when.start(1) if when else len(who)].partition(b"<")
    return Commit(
        tree,
        tuple(parents),
        int(when[1]) if when else 0,
        message.decode(errors="surrogateescape"),
        name.strip().decode(errors="replace"),
        address.rstrip(b" >").decode(errors="replace"),
    )


def read_commit(objects: Objects, oid: str) -> Commit:
    """Read the commit `oid`.

    Raises:
        DamagedRecordError: It is missing, or another kind of object.
    """
    kind, payload = objects.read(oid)
    if kind != "commit":
        raise DamagedRecordError(f"object {oid} is a {kind}, not a commit")
    return parse_commit(payload)


def read_tree(objects: Objects, oid: str) -> dict[str, TreeEntry]:
    """Map each name in the tree, or in the tree of the commit, `oid` to its entry.

    Raises:
        DamagedRecordError: It is missing, or a blob.
    """
    kind, payload = objects.read(oid)
    if kind == "commit":
        oid = parse_commit(payload).tree
        kind, payload = objects.read(oid)
    if kind != "tree":
        raise DamagedRecordError(f"object {oid} is a {kind}, not a tree")
    return {entry.name: entry for entry in parse_tree(payload, len(oid) // 2)}


def read_file(objects: Objects, oid: str, path: str) -> bytes | None:
    """The content of `path` in the commit or tree `oid`; None where there is no such file.

    Raises:
        DamagedRecordError: An object on the way is missing.
    """
    entry = find_entry(objects, oid, path)
    if entry is None or entry.mode in (FOLDER, SUBMODULE):
        return None
    return objects.read(entry.oid)[1]


def find_entry(objects: Objects, oid: str, path: str) -> TreeEntry | None:
    """What stands at `path` in the commit or tree `oid`; None where nothing does.

    Raises:
        DamagedRecordError: An object on the way is missing.
    """
    *folders, name = path.split("/")
    for folder in folders:
        inner = read_tree(objects, oid).get(folder)
        if inner is None or inner.mode != FOLDER:
            return None
        oid = inner.oid
    return read_tree(objects, oid).get(name)


def list_files(objects: Objects, oid: str, prefix: str = "") -> dict[str, str]:
    """Map the path of each file below the tree or commit `oid` to its object id.

    Args:
        prefix: Put before each path.

    Raises:
        DamagedRecordError: A folder is missing, or 64 folders deep.
    """
    return dict(_walk(objects, oid, prefix, _DEEPEST))


def _walk(objects: Objects, oid: str, prefix: str, deepest: int) -> Iterator[tuple[str, str]]:
    if not deepest:
        raise DamagedRecordError(f"`{prefix}` is more than {_DEEPEST} folders deep")
    for entry in read_tree(objects, oid).values():
        if entry.mode == FOLDER:
            yield from _walk(objects, entry.oid, f"{prefix}{entry.name}/", deepest - 1)
        elif entry.mode != SUBMODULE:
            yield prefix + entry.name, entry.oid
