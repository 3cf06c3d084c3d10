"""What a run in progress costs a list: `python -m tests.bench.bench_live [STEPS]`.

A run logs so many steps (200,000) of five metrics. Prints, in seconds of the processor and beside
`json.loads` of the same lines, the first look at it, one with nothing new, one behind 100 more
steps, and the memory that the process took at most.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from repro.core.known import open_runs
from repro.core.live import InProgress
from repro.core.project import open_project
from repro.core.request import Request
from repro.core.start import start_run
from tests.bench.generate import make_base

_METRICS = ("loss", "accuracy", "f1", "grad_norm", "lr")


def _look(live: InProgress, name: str, state: bytes | None, floor_s: float) -> bytes:
    start = time.process_time()
    record, state = live.read_brief(state)
    taken_s = time.process_time() - start
    ratio = f"   {taken_s / floor_s:5.2f} x json.loads" if state and floor_s else ""
    print(f"{name:24} {taken_s:7.3f} s{ratio}   {record.metrics['loss'].count:,} points each")
    return state


def measure(root: Path, n_steps: int) -> None:
    """Log, look, print."""
    make_base(root)
    project = open_project(root, environ=os.environ, clock=time.time, entropy=os.urandom)
    begun = start_run(project, Request(command=("python", "train.py"), cwd=root))

    def log(steps: range) -> None:
        for step in steps:
            values = {name: place + 1 / (step + 1) for place, name in enumerate(_METRICS)}
            begun.journal.log(step, time.time(), values)

    log(range(n_steps))
    with open_runs(project) as runs:
        [live] = runs.live.values()
    [journal] = begun.dir.glob("journal-*")
    start = time.process_time()
    with journal.open() as file:
        for line in file:
            json.loads(line[9:])
    floor_s = time.process_time() - start
    state = _look(live, "first look", None, floor_s)
    state = _look(live, "nothing new", state, floor_s)
    log(range(n_steps, n_steps + 100))
    _look(live, "100 more steps", state, floor_s)
    begun.journal.close()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'memory, at most':24} {most:7.0f} MiB")


def main() -> None:
    """Measure as many steps as are wanted."""
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder) / "project", int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)


if __name__ == "__main__":
    main()
