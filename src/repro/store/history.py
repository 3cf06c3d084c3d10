"""What commits of ours stand on, and what of them another repository lacks.

Nothing here fetches what a partial clone lacks: an object that was promised is one that the
promising remote has, and no question is worth a connection for each.
"""

from collections.abc import Iterable, Mapping

from repro.store.git import Git

_NO_FETCH = "--missing=allow-promisor"


def stands_on(git: Git, newer: str, older: str) -> bool:
    """Whether a commit is another one, or has it among its ancestors; False if one is missing."""
    if newer == older:
        return True
    words = ("merge-base", "--is-ancestor", older, newer)
    return git.run(*words, ok=(0, 1, 128)).code == 0


def list_earlier(git: Git, tips: Iterable[str]) -> dict[str, set[str]]:
    """Give the commits that amended or continued runs are on top of, by the commit of each.

    Args:
        tips: Commits of runs; what their snapshots stand on is left out.

    Cost: one git process.
    """
    asked = list(dict.fromkeys(tips))
    if not asked:
        return {}
    words = "".join(f"{tip}\n^{tip}^1\n" for tip in asked)
    listed = git.run("rev-list", "--parents", _NO_FETCH, "--stdin", stdin=words.encode())
    parents: Mapping[str, list[str]] = {
        commit: others
        for commit, *others in (line.split() for line in listed.out.decode().splitlines())
    }
    return {tip: _reach(tip, parents) for tip in asked}


def _reach(tip: str, parents: Mapping[str, list[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(parents.get(tip, ()))
    while waiting:
        commit = waiting.pop()
        if commit in parents and commit not in found:
            found.add(commit)
            waiting += parents[commit]
    return found


def find_here(git: Git, oids: Iterable[str]) -> list[str]:
    """Give the commits among some objects that are here, and those that tags among them name."""
    asked = "".join(f"{oid}\n" for oid in dict.fromkeys(oids))
    if not asked:
        return []
    words = ("rev-list", "--no-walk=unsorted", "--ignore-missing", "--missing=allow-any", "--stdin")
    return git.run(*words, stdin=asked.encode()).out.decode().split()


def count_bytes(git: Git, tips: Iterable[str], there: Iterable[str]) -> int:
    """Count the bytes that the objects take here which another repository lacks.

    Args:
        tips: Commits that it is to get.
        there: Commits that it has, and that are here.

    Raises:
        GitError: An object is missing here.

    Cost: one walk through what is new.
    """
    wanted = "".join([f"{tip}\n" for tip in tips] + [f"^{oid}\n" for oid in there])
    words = ("rev-list", "--objects", "--disk-usage", _NO_FETCH, "--stdin")
    return int(git.run(*words, stdin=wanted.encode()).out)


def list_paths(git: Git, tips: Iterable[str], there: Iterable[str]) -> list[str]:
    """Give the names of the files that another repository lacks, each once, in their order.

    Args:
        tips: As `count_bytes` takes them; `there` likewise.

    Raises:
        GitError: An object is missing here.
    """
    wanted = "".join([f"{tip}\n" for tip in tips] + [f"^{oid}\n" for oid in there])
    words = ("rev-list", "--objects", "--filter=object:type=blob", _NO_FETCH, "--stdin")
    listed = git.run(*words, stdin=wanted.encode()).out.split(b"\n")
    names = (line.partition(b" ")[2] for line in listed)
    return sorted({name.decode(errors="surrogateescape") for name in names if name})


def is_whole(git: Git, tip: str, there: Iterable[str]) -> bool:
    """Whether all that another repository lacks of a commit is here.

    Args:
        there: As `count_bytes` takes it.

    Cost: one walk through what is new.
    """
    wanted = "".join([f"{tip}\n"] + [f"^{oid}\n" for oid in there])
    words = ("rev-list", "--objects", "--quiet", _NO_FETCH, "--stdin")
    return git.run(*words, stdin=wanted.encode(), ok=range(256)).code == 0
