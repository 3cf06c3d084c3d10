"""Folders looked at by other processes, while this one looks at others or waits for git.

One `stat` a file is all that an unchanged dataset costs, but a hundred thousand of them take a
third of a second, and Python's threads cannot share that. The program of these processes is this
very file, so it needs nothing but the standard library: it starts in 15 ms.
"""

import os
import subprocess
import sys
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

Raw = tuple[str, int, int, int, int, int, str | None]
"""A name in a folder: name, mode, bytes, mtime and ctime in ns, inode, target of a kept link.

A bare tuple, for there is one for each file of a dataset at each look.
"""

WORD = (1 << 64) - 1  # what a time, which may be before 1970, is cut to

_TYPE, _REGULAR, _FOLDER = 0o170000, 0o100000, 0o040000
_MOST_HELPERS = 3
_LEAST_FILES = 10_000  # of each process, for starting it to pay off


def sign(found: Sequence[Raw], folders: Sequence[str]) -> str:
    """What only a folder with these very files, links and folders has; 32 hex digits.

    Args:
        found: Sorted by name.
        folders: Sorted.
    """
    names = [raw[0] for raw in found]
    targets = [raw[6] for raw in found if raw[6] is not None]
    numbers = array("Q", (number for raw in found for number in raw[1:6]))
    text = "\0".join([*names, "", *folders, "", *targets])
    hasher = blake2b(os.fsencode(text), digest_size=16)
    hasher.update(numbers.tobytes())
    return hasher.hexdigest()


def sign_plain(folder: str) -> str:
    """The signature of a folder in which there are only files and folders; empty for any other."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return ""
    found: list[Raw] = []
    folders: list[str] = []
    look = os.stat
    try:
        names = os.listdir(fd)
        names.sort()
        for name in names:
            status = look(name, dir_fd=fd, follow_symlinks=False)
            mode = status.st_mode
            if mode & _TYPE == _REGULAR:
                times = status.st_mtime_ns & WORD, status.st_ctime_ns & WORD
                found.append((name, mode, status.st_size, *times, status.st_ino, None))
            elif mode & _TYPE == _FOLDER:
                folders.append(name)
            else:
                return ""
    except OSError:
        return ""
    finally:
        os.close(fd)
    return sign(found, folders)


class LookAhead:
    """Other processes at work; what they cannot say is simply not known."""

    def __init__(self) -> None:
        self._processes: list[tuple[subprocess.Popen[bytes], list[str]]] = []
        self._place: dict[str, int] = {}
        self._found: dict[str, str] = {}

    def start(self, folders: Sequence[tuple[str, int]]) -> None:
        """Let processes look at some of the folders; nothing happens where that does not pay.

        Args:
            folders: Paths, each with the number of files last known in it, in the reverse of the
                order in which they will be asked for.
        """
        total = sum(count for _, count in folders)
        shares = min(_processors(), _MOST_HELPERS + 1, total // _LEAST_FILES)
        # A program with Python inside of it may name itself here.
        if shares < 2 or not Path(sys.executable or "").name.startswith(("python", "pypy")):
            return
        chunk: list[str] = []
        taken = started = 0
        for path, count in folders:
            chunk.append(path)
            taken += count
            if taken * shares >= total * (started + 1):
                self._start(chunk)
                chunk, started = [], started + 1
                if started == shares - 1:
                    return  # the last share is this process's own

    def _start(self, chunk: list[str]) -> None:
        words = [sys.executable, "-I", "-S", str(Path(__file__).absolute())]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        except OSError:
            return
        assert process.stdin is not None  # a pipe
        try:
            process.stdin.write(b"\0".join(map(os.fsencode, chunk)))
            process.stdin.close()
        except BrokenPipeError:
            pass
        for path in chunk:
            self._place[path] = len(self._processes)
        self._processes.append((process, chunk))

    def signature_of(self, folder: str) -> str:
        """The signature that another process found for a folder; empty where none did."""
        number = self._place.get(folder)
        if number is None:
            return ""
        process, chunk = self._processes[number]
        if process.stdout is not None and not process.stdout.closed:
            lines = process.stdout.read().decode().split("\n")
            process.stdout.close()
            process.wait()
            self._found.update(zip(chunk, lines, strict=False))
        return self._found.get(folder, "")

    def close(self) -> None:
        """End processes that nobody waited for."""
        for process, _ in self._processes:
            if process.stdout is not None and not process.stdout.closed:
                process.kill()
                process.stdout.close()
                process.wait()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _main() -> None:
    folders = sys.stdin.buffer.read().split(b"\0")
    sys.stdout.write("\n".join(sign_plain(os.fsdecode(folder)) for folder in folders))


if __name__ == "__main__":
    _main()
