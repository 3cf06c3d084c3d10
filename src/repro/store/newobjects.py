"""Objects that came from elsewhere, still in quarantine: listed, read, and checked by git."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from repro.errors import GitError, StorageError
from repro.store.git import Git, Result
from repro.store.objects import Objects
from repro.store.objects_catfile import CatFileObjects
from repro.store.objects_pygit2 import open_pygit2
from repro.store.quarantine import Quarantine

# What git itself once wrote, and what old mails that became commits are like: years of a
# colleague's history may come with a run, and none of this can do harm. All else that git knows
# is refused. Each name is one of git 2.34, which dies of one that it does not know.
_WARTS = (
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "missingAuthor",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "multipleAuthors",
    "nulInCommit",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)
_STRICT = f"--strict={','.join(f'{wart}=ignore' for wart in _WARTS)}"
_SAYING = re.compile(r"^error: object ([0-9a-f]+): (.*)$", re.MULTILINE)
_MANY = 50  # runs from which on importing pygit2 pays off


@dataclass(frozen=True, slots=True)
class NewObject:
    """What is known of an object before it is read.

    Attributes:
        kind: `commit`, `tree`, `blob` or `tag`.
        size: Bytes.
    """

    kind: str
    size: int


def list_new(quarantine: Quarantine) -> dict[str, NewObject]:
    """Each object in the quarantine by its id; a pack may repeat some the repository has.

    Cost: one git process, and a line for each of them.
    """
    words = ("cat-file", "--batch-all-objects", "--batch-check", "--unordered")
    found = {}
    for folder in quarantine.folders:
        env = {"GIT_OBJECT_DIRECTORY": str(folder), "GIT_ALTERNATE_OBJECT_DIRECTORIES": ""}
        for line in quarantine.repository.git.run(*words, env=env).out.decode().splitlines():
            oid, kind, size = line.split(" ")
            found[oid] = NewObject(kind, int(size))
    return found


@contextmanager
def reading_new(quarantine: Quarantine, *, n_runs: int) -> Iterator[Objects]:
    """Give a reader of the quarantine's objects and the repository's, and end it.

    Args:
        n_runs: How many records will be read.
    """
    library = open_pygit2(quarantine.repository) if n_runs >= _MANY else None
    if library is not None:
        for folder in quarantine.folders:
            library.borrow(folder)
    objects = library or CatFileObjects(seeing(quarantine))
    try:
        yield objects
    finally:
        objects.close()


def seeing(quarantine: Quarantine) -> Git:
    """Give git that sees what is in the quarantine, and fetches nothing that a clone left away."""
    git = quarantine.repository.git
    return replace(git, environ={**git.environ, **quarantine.env, "GIT_NO_LAZY_FETCH": "1"})


def find_unsound(
    quarantine: Quarantine,
    new: Mapping[str, NewObject],
    tips: Sequence[str],
    *,
    is_all: bool,
) -> dict[str, str]:
    """What git's own fsck says against commits: one line for each that reaches something unsound.

    Commits and trees are checked, each for itself and for having what it names; contents were
    hashed when they came. All at once, and by halves where something is wrong.

    Args:
        new: Of `list_new`.
        tips: Commits in the quarantine or the repository.
        is_all: Whether nothing else is known to be in the quarantine: then what is new is
            checked at once, without asking what they reach.

    Raises:
        StorageError: The disk is full.

    Cost: three git processes and what is new, without its contents.
    """
    checked = [oid for oid, one in new.items() if one.kind != "blob"]
    if not tips or (is_all and _fsck(quarantine, checked) is None):
        return {}
    return dict(_find_by_halves(quarantine, new, list(dict.fromkeys(tips))))


def _find_by_halves(
    quarantine: Quarantine, new: Mapping[str, NewObject], tips: list[str]
) -> Iterator[tuple[str, str]]:
    fault = _fsck_reachable(quarantine, new, tips)
    if fault is None:
        return
    if len(tips) == 1:
        yield tips[0], fault
        return
    middle = len(tips) // 2
    yield from _find_by_halves(quarantine, new, tips[:middle])
    yield from _find_by_halves(quarantine, new, tips[middle:])


def _fsck_reachable(
    quarantine: Quarantine, new: Mapping[str, NewObject], tips: Sequence[str]
) -> str | None:
    # What the user's own branches reach is theirs, however odd it is.
    words = ("rev-list", "--objects", "--no-object-names", "--filter=blob:none", "--stdin")
    theirs = ("--not", "--branches", "--tags", "--remotes")
    try:
        asked = "".join(f"{tip}\n" for tip in tips).encode()
        listed = seeing(quarantine).run(*words, *theirs, stdin=asked).out.decode().split()
    except GitError as error:
        return _shorten(error.message)
    return _fsck(quarantine, [oid for oid in listed if oid in new])


def _fsck(quarantine: Quarantine, oids: Sequence[str]) -> str | None:
    """What git says against these commits and trees; None where it has nothing to say."""
    if not oids:
        return None
    git = seeing(quarantine)
    # git renames the pack from its object folder, which must be on the same disk.
    folder = quarantine.folders[0].parent / f"fsck-{quarantine.next_number()}"
    words = ("pack-objects", "--quiet", "--threads=1", "--window=0", "--compression=0")
    try:
        folder.mkdir()
        asked = "".join(f"{oid}\n" for oid in oids).encode()
        name = git.run(*words, str(folder / "pack"), stdin=asked).out.decode().strip()
        pack = str(folder / f"pack-{name}.pack")
        check = ("index-pack", *_strictness(quarantine), "-o", str(folder / "again.idx"), pack)
        done = git.run(*check, ok=range(256))
    except OSError as error:
        raise StorageError(f"the quarantine cannot be written: {error.strerror}") from error
    except GitError as error:
        return _shorten(error.message)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None if done.code == 0 else _read_fault(check, done)


def _read_fault(words: Sequence[str], done: Result) -> str:
    if said := _SAYING.search(done.err):
        return f"git fsck says of object {said[1][:12]}: {said[2]}"
    failure = Git.failure(words, done.code, done.err)
    if isinstance(failure, StorageError):
        raise failure
    return _shorten(failure.message)


def _strictness(quarantine: Quarantine) -> tuple[str, ...]:
    # A partial clone lacks contents on purpose, and `--strict` asks for each. Without it git
    # took no severities before 2.45.
    if not any((quarantine.repository.objects / "pack").glob("*.promisor")):
        return (_STRICT,)
    if quarantine.repository.git.version < (2, 45):
        return ("--fsck-objects",)
    return (_STRICT.replace("--strict", "--fsck-objects"),)


def _shorten(message: str) -> str:
    """What git said without the verb that said it."""
    return message.partition("failed: ")[2] or message
