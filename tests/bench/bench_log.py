"""What `log()` of ten metrics and `import repro` cost: `python tests/bench/bench_log.py`.

Both as ratios to floors measured in the same run on the same disk: a bare writer of JSON lines
(one flushed `json.dumps` a call), and one `write(2)` of the same number of bytes.
Budgets: 5 µs a call; 50 ms CPU above a bare interpreter.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import repro

CALLS = 50_000
ROUNDS = 5
IMPORTS = 15


def time_calls(call: Callable[[int], None]) -> float:
    """Microseconds of one call, the best round; the first one warms up."""
    spent = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for step in range(CALLS):
            call(step)
        spent.append(time.perf_counter() - start)
    return min(spent[1:]) / CALLS * 1e6


def measure_log(root: Path) -> dict[str, float]:
    """Microseconds a call: our module function and method, and the floors."""
    values = {f"metric_{number}": 0.1234567 * number + 1 / 3 for number in range(10)}
    os.chdir(root)
    run = repro.init()
    line = json.dumps({"k": "log", "s": 0, "t": time.time(), "m": values}).encode()
    found = {
        "repro.log(values, step=i)": time_calls(lambda step: repro.log(values, step=step)),
        "repro.log(values)": time_calls(lambda step: repro.log(values)),
        "run.log(values, step=i)": time_calls(lambda step: run.log(values, step=step)),
    }
    with (root / ".git" / "floor.jsonl").open("w") as file:

        def bare(step: int) -> None:
            file.write(json.dumps({"s": step, "t": time.time(), "m": values}) + "\n")
            file.flush()

        found["bare JSON line writer"] = time_calls(bare)
    fd = os.open(root / ".git" / "floor.bin", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    found["one write(2) of those bytes"] = time_calls(lambda step: void(os.write(fd, line)))
    os.close(fd)
    run.finish()
    return found


def void(_: object) -> None:
    """Drop a result."""


def measure_import(code: str) -> float:
    """Milliseconds of CPU of a process that runs `code`, the median."""
    spent = []
    for _ in range(IMPORTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(spent) * 1e3


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "init", "-q", folder], check=True)
        found = measure_log(root)
        floor = found["bare JSON line writer"]
        print(f"{'log() of 10 metrics':32} {'µs':>7} {'/ bare':>7}")
        for name, spent in found.items():
            print(f"{name:32} {spent:7.2f} {spent / floor:7.2f}")
        os.chdir("/")
    bare = measure_import("pass")
    print(f"\n{'CPU above a bare interpreter':32} {'ms':>7}")
    for code in ("import repro", "import repro; repro.init", "import msgspec"):
        print(f"{code:32} {measure_import(code) - bare:7.1f}")


if __name__ == "__main__":
    main()
