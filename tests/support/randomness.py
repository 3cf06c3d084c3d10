"""Programs run as `repro run` runs them: with the random numbers of a plan."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.command import resolve_command
from repro.core.launch import Streams, launch
from repro.core.query import read_part, resolve_run
from repro.core.randomness import child_environment
from repro.core.record import seal_run
from repro.core.relay import Relay
from repro.model.randomness import RandomPlan, Reports, derive_hash_seed
from repro.model.run import Record
from repro.store.random_reports import read_reports
from tests.support.projects import begin, open_here


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


def record_run(root: Path, words: tuple[str, ...], plan: RandomPlan | None) -> tuple[Record, str]:
    """The record of a command run with the random numbers of a plan, and what it printed."""
    project = open_here(root)
    live = begin(project, command=words, randomness=plan)
    command = resolve_command(words, cwd=root, environ=project.environ)
    null = os.open(os.devnull, os.O_RDWR)
    try:
        with Relay() as relay:
            launch(project, live, command, relay=relay, streams=Streams(null, null, null))
    finally:
        os.close(null)
    record = resolve_run(project, seal_run(project, live.dir).run.id)
    return record, (read_part(project, record, "output.log") or b"").decode()
