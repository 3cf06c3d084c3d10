"""Objects read by one `git cat-file --batch`: right on every form of repository."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from itertools import islice

from repro.errors import DamagedRecordError
from repro.store.git import Git

LARGEST = 64 << 20

# Requests of one batch must fit into the smallest pipe (4 KiB): git writes its answers
# meanwhile, and both sides would wait for ever.
_BATCH = 60


class CatFileObjects:
    """One git process that answers for object after object; started again if one kills it."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, oid: str, *, limit: int = LARGEST) -> tuple[str, bytes]:
        """The kind and the content of an object."""
        [found] = self._read_batch([oid], limit)
        if found is None:
            raise DamagedRecordError(
                f"object {oid} is missing or corrupt", hint="`git fsck` says which objects are"
            )
        return found

    def read_many(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes] | None]:
        """Kind and content of each object, in order; None for one that `read` would refuse."""
        waiting = iter(oids)
        while batch := list(islice(waiting, _BATCH)):
            yield from self._read_batch(batch, LARGEST)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _read_batch(self, batch: list[str], limit: int) -> list[tuple[str, bytes] | None]:
        answers: list[tuple[str, bytes] | None] = []
        while len(answers) < len(batch):
            process = self._running()
            _ask(process, batch[len(answers) :])
            died = False
            while len(answers) < len(batch) and not died:
                answer, died = _answer(process, limit)
                answers.append(answer)
            _discard_messages(process)
            if died:
                self.close()
        return answers

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = self._git.spawn("cat-file", "--batch")
            assert self._process.stderr is not None  # a pipe, by `spawn`
            os.set_blocking(self._process.stderr.fileno(), False)
        return self._process


def _ask(process: "subprocess.Popen[bytes]", oids: list[str]) -> None:
    assert process.stdin is not None  # a pipe, by `spawn`
    try:
        process.stdin.write("".join(f"{oid}\n" for oid in oids).encode())
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it died; the end of its output says so


def _answer(
    process: "subprocess.Popen[bytes]", limit: int
) -> tuple[tuple[str, bytes] | None, bool]:
    """The next answer, None for what cannot be read; whether the process died over it."""
    assert process.stdout is not None  # a pipe, by `spawn`
    header = process.stdout.readline()
    words = header.decode(errors="replace").split()
    if len(words) != 3:
        return None, not header
    size = int(words[2])
    if size > limit:
        _skip(process, size + 1)
        return None, False
    content = process.stdout.read(size + 1)
    if len(content) != size + 1:
        return None, True
    return (words[1], content[:-1]), False


def _skip(process: "subprocess.Popen[bytes]", size: int) -> None:
    assert process.stdout is not None  # a pipe, by `spawn`
    while size > 0 and (block := process.stdout.read(min(size, 1 << 20))):
        size -= len(block)


def _discard_messages(process: "subprocess.Popen[bytes]") -> None:
    """Empty the pipe of messages, so that git never waits for us to read them."""
    assert process.stderr is not None  # a pipe, by `spawn`
    while process.stderr.read(1 << 16):
        pass
