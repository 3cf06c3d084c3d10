"""The large files of git-lfs that a snapshot names, kept where `git lfs prune` cannot take them.

Source: "Git LFS Specification", https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import write_file
from repro.errors import GitError, StorageError
from repro.store.content import ContentStore
from repro.store.git import Repository
from repro.store.objects import open_objects

POINTER_LIMIT = 1024  # bytes; a pointer is shorter
_VERSIONS = {
    b"https://git-lfs.github.com/spec/v1",
    b"https://hawser.github.com/spec/v1",
    b"http://git-media.io/v/2",
}
_EXTENSION = re.compile(rb"ext-[0-9]-\w+")
_OID = re.compile(rb"sha256:([0-9a-f]{64})")
_HEX = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(rb"[0-9]{1,18}")
_MOST_UNPUSHED = 1000  # commits; past that nobody's remote counts


@dataclass(frozen=True, slots=True)
class Pointer:
    """What git holds in place of a large file.

    Attributes:
        oid: The sha256 of the file, 64 hex digits.
        size: Bytes of the file.
    """

    oid: str
    size: int


def parse_pointer(data: bytes) -> Pointer | None:
    r"""Read a pointer; None for anything else, never an error.

    Takes what git-lfs takes, also where it is not written as the specification demands:
    lines of `key value`, the keys `version`, `oid`, `size` in this order, extensions
    before the size, space around them all, blank lines, `\r\n`.
    """
    if len(data) >= POINTER_LIMIT:
        return None
    lines = [line.removesuffix(b"\r") for line in data.strip().split(b"\n")]
    pairs = [line.partition(b" ")[::2] for line in lines if line]
    plain = [(key, value) for key, value in pairs if not _EXTENSION.match(key)]
    # The last line of a name counts; two names of one priority are an error.
    extensions = {key: value for key, value in pairs if _EXTENSION.match(key)}
    if [key for key, _ in plain] != [b"version", b"oid", b"size"] or pairs[-1] != plain[-1]:
        return None
    if len({key[:5] for key in extensions}) < len(extensions):
        return None
    if not all(_OID.match(value) for value in extensions.values()):
        return None
    version, oid_text, size_text = (value for _, value in plain)
    oid, size = _OID.fullmatch(oid_text), _SIZE.fullmatch(size_text)
    if version not in _VERSIONS or oid is None or size is None:
        return None
    return Pointer(oid[1].decode(), int(size[0]))


def keep_objects(repository: Repository, tree: str, base: str | None, content: ContentStore) -> int:
    """Link into the content store the large files that a snapshot needs and no remote has.

    Those are what `tree` names and the base does not, with what the base names and its newest
    pushed ancestors do not: a base that was never pushed can be rebased away, and
    `git lfs prune` then takes its files.
    Files that were never downloaded, or are broken, are passed over.

    Args:
        base: The commit that the working tree started from.

    Returns:
        How many of them are in the content store now.

    Cost: Without git-lfs three looks at files; with it four git processes. The first time on
    a base that was never pushed all its small files are read, later what changed since.
    """
    if not is_used(repository):
        return 0
    folder = storage_folder(repository)
    wanted = set(find_pointers(repository, tree, [base] if base else []))
    if base is not None:
        wanted |= _unpushed_pointers(repository, base)
    kept = 0
    for pointer in wanted:
        path = folder / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid
        if _size(path) == pointer.size and content.link_in(path, pointer.oid):
            kept += 1
    return kept


def restore_objects(repository: Repository, tree: str, content: ContentStore) -> int:
    """Give git-lfs back the large files of `tree` that it lacks and the content store has.

    To be called before a checkout, whose filter then finds them without a network.

    Returns:
        How many were given back.

    Raises:
        DamagedRecordError: The content store holds one whose bytes are not those of its name.
        StorageError: The disk is full, read-only or forbidden.
    """
    if not is_used(repository):
        return 0
    folder = storage_folder(repository)
    restored = 0
    for pointer in find_pointers(repository, tree, ()):
        path = folder / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid
        digest = f"sha256:{pointer.oid}"
        if _size(path) != pointer.size and content.has(digest):
            content.link_out(digest, path)
            restored += 1
    return restored


def is_used(repository: Repository) -> bool:
    """Whether there is any sign of git-lfs; asks no git process."""
    if (repository.common_dir / "lfs").is_dir():
        return True
    attributes = _read(repository.root / ".gitattributes")
    return b"filter=lfs" in attributes or b"lfs" in _read(repository.common_dir / "config")


def find_pointers(
    repository: Repository, tree: str, without: Sequence[str], *, others: Sequence[str] = ()
) -> Iterator[Pointer]:
    """Give each pointer in `tree` once.

    Args:
        without: Commits whose pointers are left out.
        others: Commits whose pointers are given as well.

    Cost: Two git processes; reads every file under 1 KiB that is not in those commits.
    """
    # By standard input, for there may be more than a command line holds.
    lines = [f"{other}^{{tree}}" for other in others] + [f"^{one}^{{tree}}" for one in without]
    asked = repository.git.run(
        "rev-list",
        "--objects",
        "--no-object-names",
        "--filter=combine:object:type=blob+blob:limit=1024",
        # A partial clone would fetch each missing blob to learn its size.
        "--missing=allow-any",
        "--stdin",
        tree,
        stdin="".join(f"{line}\n" for line in lines).encode(),
    )
    listed = asked.out.decode()
    objects = open_objects(repository, many=False)
    try:
        for found in objects.read_many(listed.split()):
            pointer = parse_pointer(found[1]) if found and found[0] == "blob" else None
            if pointer is not None:
                yield pointer
    finally:
        objects.close()


def storage_folder(repository: Repository) -> Path:
    """The folder of git-lfs's own objects, at `aa/bb/<64 hex>`; all linked worktrees share it."""
    asked = repository.git.run("config", "--get", "lfs.storage", ok=(0, 1))
    named = os.fsdecode(asked.out).removesuffix("\n")
    return repository.common_dir / (named or "lfs") / "objects"


def _unpushed_pointers(repository: Repository, base: str) -> set[Pointer]:
    """The pointers of `base` that no remote has, remembered from one run to the next."""
    pushed = _pushed(repository, base)
    if pushed == [base]:
        return set()
    memory = repository.private / "lfs.json"
    last, pointers = _recall(memory, pushed)
    if last == base:
        return pointers
    try:
        pointers |= set(find_pointers(repository, base, [last] if last else pushed))
    except GitError:  # the commit of the last time is gone
        pointers = set(find_pointers(repository, base, pushed))
    _remember(memory, pushed, base, pointers)
    return pointers


def _recall(memory: Path, pushed: list[str]) -> tuple[str | None, set[Pointer]]:
    """The last base over these pushed commits with its pointers, and those of bases before."""
    try:
        kept = json.loads(memory.read_bytes())
        pointers = {Pointer(str(oid), int(size)) for oid, size in kept["pointers"]}
        is_sound = all(_HEX.fullmatch(pointer.oid) for pointer in pointers)
        if kept["pushed"] == pushed and isinstance(kept["base"], str) and is_sound:
            return kept["base"], pointers
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        pass  # they are read again
    return None, set()


def _remember(memory: Path, pushed: list[str], base: str, pointers: set[Pointer]) -> None:
    listed = sorted((pointer.oid, pointer.size) for pointer in pointers)
    kept = {"pushed": pushed, "base": base, "pointers": listed}
    try:
        memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(memory, json.dumps(kept).encode())
    except (OSError, StorageError):
        pass  # they are read again the next time


def _pushed(repository: Repository, base: str) -> list[str]:
    """The newest commits at or before `base` that a remote has."""
    listed = repository.git.text(
        "rev-list",
        "--boundary",
        "--first-parent",
        f"--max-count={_MOST_UNPUSHED}",
        base,
        "--not",
        "--remotes",
    ).split()
    if not listed:
        return [base]
    unpushed = [commit for commit in listed if not commit.startswith("-")]
    if len(unpushed) == _MOST_UNPUSHED:
        return []
    return [commit[1:] for commit in listed if commit.startswith("-")]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
