"""The objects that some commits reach and others do not: what a push to them would send."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from repro.store.git import Git

# What a partial clone lacks is where it came from; it is not fetched to be looked at.
_HERE = {"GIT_NO_LAZY_FETCH": "1"}


class Unsent(NamedTuple):
    """An object that would be sent.

    Attributes:
        kind: `commit`, `blob`, `tree` or `tag`.
        size: Bytes.
        path: Where a tree has it, one place of perhaps several; empty for a commit.
    """

    oid: str
    kind: str
    size: int
    path: str


def list_unsent(git: Git, tips: Sequence[str], known: Sequence[str]) -> list[Unsent]:
    """Give the commits, files and tags that `tips` reach and `known` do not; each once.

    Args:
        known: May name objects that are not here.

    Cost: two git processes; time and memory by the number of objects.
    """
    return [one for one in describe(git, _reached(git, tips, known)) if one.kind != "tree"]


def describe(git: Git, paths: Mapping[str, str]) -> list[Unsent]:
    """Give what is known of those of some objects that are here, trees among them.

    Args:
        paths: A path for each object.
    """
    return [Unsent(oid, kind, size, paths[oid]) for oid, kind, size in _describe(git, paths)]


def reaches(git: Git, tip: str, known: Sequence[str]) -> frozenset[str]:
    """The ids of all objects that `tip` reaches and `known` do not."""
    return frozenset(_reached(git, [tip], known))


def _reached(git: Git, tips: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    lines = [*tips, *(f"^{commit}" for commit in known)]
    done = git.run(
        "rev-list", "--objects", "--ignore-missing", "--missing=allow-promisor", "--stdin",
        stdin="".join(f"{line}\n" for line in lines).encode(),
        env=_HERE,
    )  # fmt: skip
    return dict(_split(done.out))


def _split(output: bytes) -> Iterator[tuple[str, str]]:
    for line in output.split(b"\n"):
        oid, _, path = line.partition(b" ")
        if oid:
            yield oid.decode(), path.decode(errors="surrogateescape")


def list_staged(git: Git, index: str | None) -> list[Unsent]:
    """Give the files that the index has and HEAD has not.

    Args:
        index: The index file; None for the usual one.
    """
    env = {**_HERE, **({"GIT_INDEX_FILE": index} if index else {})}
    done = git.run(
        "diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff",
        "--diff-filter=ACMT", "--ignore-submodules=all",
        env=env,
    )  # fmt: skip
    fields = done.out.split(b"\0")
    paths: dict[str, list[str]] = {}
    for facts, path in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, oid, _ = facts.decode().split(" ")
        if mode != "160000":
            paths.setdefault(oid, []).append(path.decode(errors="surrogateescape"))
    return [
        Unsent(oid, kind, size, path)
        for oid, kind, size in _describe(git, paths)
        for path in paths[oid]
    ]


def _describe(git: Git, oids: Iterable[str]) -> Iterator[tuple[str, str, int]]:
    """Id, kind and bytes of each object that is here."""
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    if not asked:
        return
    words = ("--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer")
    told = git.run("cat-file", *words, stdin=asked, env=_HERE).out
    for line in told.decode().splitlines():
        facts = line.split()
        if len(facts) == 3:
            yield facts[0], facts[1], int(facts[2])


def read_start(git: Git, oid: str, most: int) -> bytes:
    """The first bytes of an object that is too large to be read whole."""
    process = git.spawn("cat-file", "blob", oid, env=_HERE)
    try:
        assert process.stdout is not None  # a pipe, by `spawn`
        return process.stdout.read(most)
    finally:
        process.kill()
        process.communicate()
