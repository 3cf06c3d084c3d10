"""Blobs of git that may be too large for memory, read piece by piece."""

from collections.abc import Iterator

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
