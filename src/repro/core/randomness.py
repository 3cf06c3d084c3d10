"""The seeds of a run: drawn or replayed, handed to the command, and what came of them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from repro.bootstrap._repro_generators import MOST, RANKS
from repro.core.project import Project
from repro.model.launchers import is_launched
from repro.model.randomness import (
    RandomPlan,
    derive_hash_seed,
    parse_hash_seed,
    read_plan,
)
from repro.model.run import Record

_FOLDER = str(Path(__file__).resolve().parents[1] / "bootstrap")
_SEED = "REPRO_RANDOM"
_HASH_SEED = "PYTHONHASHSEED"
_PATH = "PYTHONPATH"
_DIGITS = 20  # more than any seed has


def draw_randomness(project: Project, *, bootstrap: bool = True) -> RandomPlan:
    """Draw the seed of a new run.

    A `PYTHONHASHSEED` that the user set stays, and is part of the plan.

    Args:
        bootstrap: False: the command is left alone, and no seed is drawn.
    """
    environ = user_environment(project.environ)
    given = environ.get(_HASH_SEED)
    if not bootstrap:
        return RandomPlan(seed=None, hash_seed=parse_hash_seed(given), bootstrap=False)
    seed = int.from_bytes(project.entropy(8), "big") % MOST
    hash_seed = parse_hash_seed(given) if given else derive_hash_seed(seed)
    return RandomPlan(seed=seed, hash_seed=hash_seed)


def draw_alone(project: Project) -> RandomPlan:
    """Draw the seed of a run that a program makes of itself, when it already runs."""
    plan = draw_randomness(project)
    hash_seed = parse_hash_seed(project.environ.get(_HASH_SEED))
    return RandomPlan(seed=plan.seed, hash_seed=hash_seed, bootstrap=False)


def replay_randomness(record: Record) -> RandomPlan | None:
    """The plan that gives a run's random numbers again.

    Returns:
        None where its record has nothing that could be given again.
    """
    return read_plan(record.randomness, record.generators)


def child_environment(
    plan: RandomPlan | None, environ: Mapping[str, str], command: Sequence[str] = ()
) -> dict[str, str]:
    """The environment in which a command gets the random numbers of a plan.

    What a run around this one put there for its own command is taken out.

    Args:
        plan: None, or one without `bootstrap`: nothing is put in.
        command: The words of the command, to tell its main process from others.
    """
    child = user_environment(environ)
    if plan is None or not plan.bootstrap or plan.seed is None:
        return child
    path = child.get(_PATH)
    child[_PATH] = f"{_FOLDER}{os.pathsep}{path}" if path else _FOLDER
    launcher = "" if is_launched(command) else str(os.getpid())
    ranks = ",".join(f"{name}={environ[name]}" for name in RANKS if environ.get(name, "").isdigit())
    child[_SEED] = f"{plan.seed};{launcher};{ranks};"
    if plan.hash_seed is not None:
        child[_HASH_SEED] = str(plan.hash_seed)
    return child


def user_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what a run around this process put there for its command."""
    child = dict(environ)
    outer = child.pop(_SEED, "").partition(";")[0]
    is_seed = outer.isdecimal() and len(outer) < _DIGITS
    if is_seed and child.get(_HASH_SEED) == str(derive_hash_seed(int(outer))):
        del child[_HASH_SEED]
    if _FOLDER in child.get(_PATH, ""):
        others = [part for part in child[_PATH].split(os.pathsep) if part != _FOLDER]
        child[_PATH] = os.pathsep.join(others)
        if not others:
            del child[_PATH]
    return child
