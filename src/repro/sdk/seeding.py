"""Seeds from training code: `repro.seed()`, and what `repro.init()` does about generators."""

import operator
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import SupportsIndex

from repro.atomic import write_file
from repro.bootstrap._repro_flags import read_flags
from repro.bootstrap._repro_generators import MOST, Generators
from repro.core.started import REPLAY
from repro.errors import DamagedRecordError, ReproError
from repro.model.canonical import Json, format_json, parse_json
from repro.model.randomness import HASH_SEEDS, MAIN
from repro.sdk.generators import digest_states, give_states, take_states
from repro.sdk.notices import warn
from repro.sdk.run import Run
from repro.store.random_reports import GENERATORS

_own: Generators | None = None
_chosen: int | None = None
_run: Run | None = None


def seed(n: SupportsIndex) -> int:
    """Seed every generator there is: Python's, and those of NumPy, torch and TensorFlow.

    One whose package is not loaded yet is seeded when it is; unseeded `default_rng()` derives
    from `n` from now on. `PYTHONHASHSEED` is set for programs that this one starts. The run
    records `n`. JAX has no global generator: make its keys from what this returns.

    Args:
        n: From 0 to 2^63 - 1. NumPy's, which takes 32 bits, gets the rest modulo 2^32.

    Returns:
        `n`, as an integer.

    Raises:
        TypeError: `n` is no integer.
        ValueError: It is out of range.
    """
    global _chosen
    number = operator.index(n)
    if not 0 <= number < MOST:
        raise ValueError(f"a seed is from 0 to 2^63 - 1, not {number}")
    generators = _bootstrapped() or _own or _install(number)
    generators.choose(number)
    os.environ["PYTHONHASHSEED"] = str(number % HASH_SEEDS)
    _chosen = number
    if _run is not None:
        _run._record("randomness", v={"set": number})
    return number


def begin_seeding(run: Run, randomness: Mapping[str, Json]) -> None:
    """Record the generators of a process as they are when it joins a run, or set them back.

    Without the bootstrap, in a run that the program made of itself, those that are loaded later
    get seeds that derive from the run's.

    Args:
        randomness: What `start.json` says of it.
    """
    global _run
    _run = run
    generators = _bootstrapped()
    drawn = randomness.get("seed")
    if generators is None and isinstance(drawn, int) and 0 <= drawn < MOST:
        generators = _install(drawn, MAIN if run.rank == 0 else f"rank-{run.rank}")
    if run.rank == 0:
        _replay(run, generators)
        _tell(run, in_full=_bootstrapped() is None)


def end_seeding(run: Run) -> None:
    """Leave the generators alone from now on."""
    global _own, _run
    if _run is run:
        _run = None
        if _own is not None and _own.chosen is None:
            _own.remove()
            _own = None


def _bootstrapped() -> Generators | None:
    """What the bootstrap of this process installed; of the repro that `repro run` is of."""
    module = sys.modules.get("_repro_bootstrap")
    found = getattr(module, "generators", None)
    return found if hasattr(found, "choose") and hasattr(found, "restart") else None


def _install(drawn: int, key: str = MAIN) -> Generators:
    global _own
    if _own is not None:  # of `repro.seed()`, which stays in force: no sequence begins anew
        _own.seed, _own.key = drawn, key
        return _own
    _own = Generators(drawn, key)
    _own.install(seed_loaded=False)
    return _own


def _replay(run: Run, generators: Generators | None) -> None:
    try:
        states = parse_json((run.live_dir / REPLAY).read_bytes(), name=REPLAY)
    except (OSError, DamagedRecordError):
        return
    if not isinstance(states, dict):
        return
    if generators is not None:
        generators.restart()
    failed = give_states(states)
    if failed:
        warn(f"no earlier state was given to the generators of {', '.join(sorted(failed))}")


def _tell(run: Run, *, in_full: bool) -> None:
    said: dict[str, Json] = {"flags": _flags(), "states": digest_states()}
    if _chosen is not None:
        said["set"] = _chosen
    run._record("randomness", v=said)
    if in_full:
        _write_states(run.live_dir)


def _flags() -> dict[str, Json]:
    return {
        package: {
            name: flag
            for name, flag in (inner.items() if isinstance(inner, dict) else ())
            if isinstance(flag, bool | int | str)
        }
        for package, inner in read_flags().items()
    }


def _write_states(live_dir: Path) -> None:
    states = take_states()
    if states:
        try:
            write_file(live_dir / GENERATORS, format_json(states))
        except (ReproError, OSError) as error:
            warn(f"the states of the generators are not kept: {error}")
