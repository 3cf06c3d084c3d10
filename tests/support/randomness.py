"""Programs run as `repro run` runs them: with the random numbers of a plan."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.randomness import child_environment, read_reports
from repro.model.randomness import RandomPlan, Reports, derive_hash_seed


def a_plan(seed: int, **changes: object) -> RandomPlan:
    """A plan as one is drawn."""
    return RandomPlan(**{"seed": seed, "hash_seed": derive_hash_seed(seed), **changes})


@dataclass(frozen=True)
class Played:
    """What a program printed and reported."""

    out: str
    err: str
    reports: Reports

    def seeds(self) -> Mapping[str, object]:
        """The seeds of the first process."""
        return self.reports.processes[0].generators


def play(
    folder: Path,
    code: str,
    seed: int | None = 1,
    *,
    words: tuple[str, ...] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Played:
    """Run a program with the seeds of a plan, or with none.

    Args:
        folder: Where it is written, and runs.
        words: The command; by default Python with the program.
        environ: Variables beside those of this process.
    """
    program = folder / "program.py"
    folder.mkdir(parents=True, exist_ok=True)
    program.write_text(code)
    live = folder / f"live-{len(os.listdir(folder))}"
    live.mkdir()
    words = words or (sys.executable, program.name)
    before = {**os.environ, "REPRO_LIVE_DIR": str(live), **(environ or {})}
    plan = None if seed is None else a_plan(seed)
    done = subprocess.run(
        words,
        cwd=folder,
        env=child_environment(plan, before, words),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Played(done.stdout, done.stderr, read_reports(live))
