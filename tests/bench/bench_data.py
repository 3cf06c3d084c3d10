"""Datasets beside cat, find and git: `python -m tests.bench.bench_data [--files N] [--gib N]`.

Prints each figure with its ratio to the budget's measure, all on the same files, page cache warm.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support import git, make_repository

_ROUNDS = 3
REPRO = [sys.executable, "-m", "repro"]


def timed(work: Callable[[], object], rounds: int = _ROUNDS) -> float:
    """The median of the seconds that `work` takes."""
    spent = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def repro(root: Path, *words: str) -> None:
    subprocess.run([*REPRO, *words], cwd=root, check=True, capture_output=True)


def shell(root: Path, line: str) -> None:
    subprocess.run(["sh", "-c", line], cwd=root, check=True, stdout=subprocess.DEVNULL)


def fresh(root: Path, *words: str) -> Callable[[], None]:
    """A command with nothing known of the files."""

    def work() -> None:
        (root / ".git/repro/stat.db").unlink(missing_ok=True)
        repro(root, *words)

    return work


def say(what: str, seconds: float, than: str, other: float, budget: str) -> None:
    ratio = seconds / other
    print(f"{what:44} {seconds * 1000:9.0f} ms   {ratio:6.2f} x {than} (budget {budget})")


def small(place: Path, n_files: int) -> None:
    """Many files of 4 KiB, in folders of a thousand."""
    root = make_repository(place / "small", {"train.py": "print(1)\n", ".gitignore": "/data/\n"})
    block = os.urandom(1 << 20)
    for number in range(n_files):
        folder = root / "data/train" / f"{number // 1000:04d}"
        if number % 1000 == 0:
            folder.mkdir(parents=True)
        at = number * 37 % (len(block) - 4088)
        data = number.to_bytes(8, "little") + block[at : at + 4088]
        (folder / f"{number:07d}.bin").write_bytes(data)
    bare = timed(lambda: repro(root, "run", "--", "true"))
    cat = timed(lambda: shell(root, "find data -type f -print0 | xargs -0 cat"))
    find = timed(lambda: shell(root, "find data -type f -printf '%s%T@'"))
    first = timed(fresh(root, "data", "add", "data/train"))
    say(f"data add, {n_files:,} files, first", first, "cat", cat, "1.25")
    again = timed(lambda: repro(root, "data", "add", "data/train"))
    say("data add, unchanged", again, "find", find, "3")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "data")
    repro(root, "run", "--", "true")
    run = timed(lambda: repro(root, "run", "--", "true"))
    print(f"{'run -- true, later than without':44} {(run - bare) * 1000:9.0f} ms   (budget 300)")
    before = pack_bytes(root)
    (root / "data/train/0000/0000000.bin").write_bytes(b"changed")
    repro(root, "run", "--", "true")
    print(f"{'new bytes in git for one changed file':44} {pack_bytes(root) - before:9,}")
    status = timed(lambda: repro(root, "data", "status"))
    say("data status, one changed", status, "find", find, "-")


def pack_bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in (root / ".git/objects/pack").glob("*.pack"))


def large(place: Path, n_files: int) -> None:
    """A few files of 1 GiB."""
    root = make_repository(place / "large", {"train.py": "print(1)\n", ".gitignore": "/data/\n"})
    (root / "data").mkdir()
    block = os.urandom(1 << 20)
    for number in range(n_files):
        with (root / "data" / f"{number}.bin").open("wb") as file:
            for part in range(1 << 10):
                file.write((number << 20 | part).to_bytes(8, "little") + block[8:])
    cat = timed(lambda: shell(root, "cat data/*"))
    first = timed(fresh(root, "data", "add", "data"))
    bare = timed(lambda: repro(root, "--version"))
    say(f"data add, {n_files} x 1 GiB, first", first, "cat", cat, "1.25")
    print(f"{'  less what repro itself takes to start':44} {(first - bare) * 1000:9.0f} ms")
    again = timed(lambda: repro(root, "data", "add", "data"))
    print(f"{'data add, unchanged (no byte is read)':44} {again * 1000:9.0f} ms")


def main() -> None:
    """Measure both shapes in a temporary folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--gib", type=int, default=4)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small(Path(folder), chosen.files)
        large(Path(folder), chosen.gib)


if __name__ == "__main__":
    main()
