"""Blobs of git that may be too large for memory, read piece by piece."""

from collections.abc import Iterator, Sequence

from repro.store.git import Git

_BLOCK = 1 << 20


def stream_blob(git: Git, oid: str) -> Iterator[bytes]:
    """Give the bytes of a blob, at most 1 MiB at a time.

    Raises:
        GitError: It is missing, damaged, or no blob.
    """
    words = ("cat-file", "blob", oid)
    process = git.spawn(*words)
    assert process.stdin is not None  # pipes, by `spawn`
    assert process.stdout is not None
    try:
        process.stdin.close()
        while block := process.stdout.read(_BLOCK):
            yield block
        process.stdin = None  # `communicate` would flush what is closed
        _, err = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        raise git.failure(words, process.returncode, err.decode(errors="replace"))


def blob_sizes(git: Git, oids: Sequence[str]) -> dict[str, int]:
    """Map each blob that is here to its size in bytes; none is fetched, and none is read.

    Args:
        oids: Whole object ids.
    """
    if not oids:
        return {}
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    words = ("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)")
    said = git.run(*words, stdin=asked, env={"GIT_NO_LAZY_FETCH": "1"}).out.decode()
    lines = [line.split(" ") for line in said.splitlines()]
    return {line[0]: int(line[2]) for line in lines if len(line) == 3 and line[1] == "blob"}
