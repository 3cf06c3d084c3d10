"""What the bootstrap adds to a start of Python: `python -m tests.bench.bench_bootstrap`.

CPU time, the best of many starts, in turns with a start without it. Budget: 3 ms.
"""

import compileall
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import repro
from repro.core.randomness import child_environment
from repro.model.randomness import RandomPlan

STARTS = 40
PROGRAMS = ("pass", "import random", "import numpy.random")


def cpu_ms(program: str, environ: Mapping[str, str]) -> float:
    """CPU time of one start, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], env=dict(environ), check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Print the cost for programs that load no generator, Python's, and NumPy's."""
    compileall.compile_dir(Path(repro.__file__).parent / "bootstrap", quiet=1)
    for program in PROGRAMS:
        spent = []
        for _ in range(STARTS):
            with tempfile.TemporaryDirectory() as live:
                bare = {**os.environ, "REPRO_LIVE_DIR": live}
                seeded = child_environment(RandomPlan(seed=1), bare)
                spent.append((cpu_ms(program, bare), cpu_ms(program, seeded)))
        without, with_it = (min(times) for times in zip(*spent, strict=True))
        print(f"{program:20} {without:6.2f} ms, with the bootstrap {with_it - without:+.2f} ms")


if __name__ == "__main__":
    main()
