"""Sweeps for tests: specs, frozen sweeps and entries of their ledgers."""

from pathlib import Path
from typing import Any

from repro.core.project import Project
from repro.core.sweep.freeze import freeze
from repro.model.space import Categorical
from repro.model.sweep import Agent, Asked, SweepAt, Told, TrialState
from repro.model.sweepspec import Method, SweepSpec

AGENT = Agent("annaannaanna", "here")
TRAIN = """\
import json, sys
lr = float(next(word.split("=")[1] for word in sys.argv if word.startswith("--lr=")))
print("training with", lr)
"""


def make_spec(**values: Any) -> SweepSpec:
    """A grid of two learning rates, as `values` say otherwise."""
    given: dict[str, Any] = {
        "method": Method.GRID,
        "space": {"lr": Categorical((0.1, 0.2))},
        "command": ("python", "train.py"),
    }
    return SweepSpec(**{**given, **values})


def make_sweep(project: Project, **values: Any) -> SweepAt:
    """A frozen sweep of a script in the working tree, which is written where it is not there."""
    script = Path(project.repository.root) / "train.py"
    if not script.exists():
        script.write_text(TRAIN)
    return freeze(project, make_spec(**values), cwd=project.repository.root)


def ask(number: int, run: str, **values: Any) -> Asked:
    """A claim of a trial."""
    given: dict[str, Any] = {"params": {"lr": 0.1}, "agent": AGENT, "time": 1.0}
    return Asked(number=number, run=run, **{**given, **values})


def tell(number: int, run: str, value: float | None = 0.5, **values: Any) -> Told:
    """A result of a trial."""
    given: dict[str, Any] = {"state": TrialState.FINISHED, "time": 2.0}
    return Told(number=number, run=run, value=value, **{**given, **values})
