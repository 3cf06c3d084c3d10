"""How many bytes of objects git could free once some refs are gone."""

from collections.abc import Collection, Iterable

from repro.store.git import Git
from repro.store.refs import list_refs


def measure_freeable(git: Git, refs: Collection[str]) -> int:
    """Bytes, as git stores them, of the objects that only these refs reach.

    What other refs, reflogs, HEADs, or the index of this worktree reach does not count.

    Args:
        refs: Whole names of refs; names of none are passed over.

    Raises:
        GitError: Something that the refs reach is missing.

    Cost: one walk through what the refs reach and others do not.
    """
    everything = list_refs(git)
    going = {everything[ref] for ref in refs if ref in everything}
    if not going:
        return 0
    staying = {oid for ref, oid in everything.items() if ref not in refs}
    words = ("rev-list", "--objects", "--disk-usage", "--ignore-missing", "--stdin")
    listed = _lines(going, "") + _lines(staying, "^")
    return int(git.run(*words, "--not", *_HELD, stdin=listed).out or b"0")


# Each HEAD beside the refs: of this worktree and of the linked ones, by their reflogs as well.
_HELD = ("--reflog", "--indexed-objects")


def _lines(oids: Iterable[str], mark: str) -> bytes:
    return "".join(f"{mark}{oid}\n" for oid in sorted(oids)).encode()
