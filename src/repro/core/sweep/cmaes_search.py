"""Params by CMA-ES: a bell over the numeric params that is moved and shaped by the better trials.

What the bell is follows from the order of the ledger: it is laid out anew and told the values
again, which draws nothing, so no state of it is kept. Each draw from it is seeded by the number of
the trial.
"""

from collections.abc import Callable
from math import isfinite

import numpy as np
from cmaes import CMA

from repro.model.sampling import draw, rng_for
from repro.model.scales import Numeric, from_unit, to_unit
from repro.model.space import Params
from repro.model.sweep import Asked, Ledger, Told, Trial, TrialState
from repro.model.sweepspec import SweepSpec

_SIGMA = 1 / 6  # of the edge of the cube, as Optuna has it: three of them reach each end
_DRAWS = 10  # for each param, until one is inside of the cube
_GROWTH = 2  # of the population, when the bell has shrunk to a point and is laid out anew


def make_cmaes(spec: SweepSpec) -> Callable[[Ledger], Params]:
    """Give what suggests the params of the next trial by CMA-ES.

    Params that are no numbers are drawn at random. Failed trials are left out; a pruned one counts
    by its last value. What was asked of an earlier bell and comes late is left out too.

    Cost: 0.1 s for 1,000 trials.

    Source: N. Hansen, "The CMA evolution strategy: A tutorial", 2016, as the library `cmaes` has
    it, which is Optuna's; A. Auger and N. Hansen, "A restart CMA evolution strategy with increasing
    population size", CEC 2005.
    """
    edges = {key: one for key, one in spec.space.items() if isinstance(one, Numeric)}
    others = {key: one for key, one in spec.space.items() if key not in edges}

    def suggest(ledger: Ledger) -> Params:
        rng = rng_for(spec.seed, len(ledger.progress.trials))
        bell = _replay(spec, edges, ledger).bell
        bell.reseed_rng(rng.getrandbits(32))
        units = dict(zip(edges, bell.ask(), strict=True))
        drawn = draw(others, rng)
        return {
            key: from_unit(edges[key], float(units[key])) if key in edges else drawn[key]
            for key in spec.space
        }

    return suggest


class _Bells:
    """The bell that is drawn from, and what it was told of late."""

    def __init__(self, n_edges: int, seed: int) -> None:
        self._n_edges = n_edges
        self._seed = seed
        self._n_restarts = 0
        self.generation = 0
        self._told: list[tuple[np.ndarray, float]] = []
        self.bell = self._lay_out([0.5] * n_edges, None)

    def tell(self, units: list[float], value: float) -> None:
        """Take a value in; the bell moves once there are enough."""
        self._told.append((np.array(units), value))
        if len(self._told) < self.bell.population_size:
            return
        self.bell.tell(self._told)
        self._told = []
        self.generation += 1
        if self.bell.should_stop():
            self._n_restarts += 1
            rng = rng_for(self._seed, -self._n_restarts)  # which no trial has as its number
            mean = [rng.random() for _ in range(self._n_edges)]
            self.bell = self._lay_out(mean, _GROWTH * self.bell.population_size)

    def _lay_out(self, mean: list[float], n_population: int | None) -> CMA:
        return CMA(
            mean=np.array(mean),
            sigma=_SIGMA,
            bounds=np.array([[0.0, 1.0]] * self._n_edges),
            n_max_resampling=_DRAWS * self._n_edges,
            population_size=n_population,
        )


def _replay(spec: SweepSpec, edges: dict[str, Numeric], ledger: Ledger) -> _Bells:
    bells = _Bells(len(edges), spec.seed)
    trials = ledger.progress.trials
    sign = -1.0 if spec.goal == "maximize" else 1.0
    asked_at: dict[int, int] = {}  # generation, by number
    told = set()
    for entry in ledger.entries:
        match entry:
            case Asked(number=number):
                asked_at.setdefault(number, bells.generation)
            case Told(number=number) if _is_end(entry, trials) and number not in told:
                told.add(number)
                value = _value(trials[number])
                units = _units(edges, trials[number].params)
                if (
                    value is not None
                    and units is not None
                    and asked_at.get(number) == bells.generation
                ):
                    bells.tell(units, sign * value)
    return bells


def _is_end(told: Told, trials: tuple[Trial, ...]) -> bool:
    """Whether this entry ended its trial; others are left out of what a ledger adds up to."""
    if not 0 <= told.number < len(trials):
        return False
    trial = trials[told.number]
    return trial.is_over and trial.run == (told.reused or told.run)


def _value(trial: Trial) -> float | None:
    match trial.state:
        case TrialState.FINISHED:
            value = trial.value
        case TrialState.PRUNED if trial.steps:
            value = trial.steps[-1][1]
        case _:
            return None
    return value if value is not None and isfinite(value) else None


def _units(edges: dict[str, Numeric], params: Params) -> list[float] | None:
    """Where params lie in the cube; None where they do not, as anybody may write some."""
    units = [to_unit(edge, params.get(key)) for key, edge in edges.items()]
    held = [unit for unit in units if unit is not None]
    return held if len(held) == len(units) else None
