"""Searches played without running anything: a function stands for the command."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, exp, pi, sin

from repro.core.sweep.protocols import Suggester
from repro.core.sweep.suggest import make_suggester
from repro.model.canonical import Json
from repro.model.space import Categorical, Constant, IntUniform, Normal, Params, Uniform
from repro.model.sweep import Ledger, TrialState
from repro.model.sweepspec import Method, SweepSpec
from tests.support.sweeps import ask, tell

SIX = {f"x{number}": Uniform(0.0, 1.0) for number in range(6)}
MIXED = {
    "lr": Uniform(1e-5, 1e-1, is_log=True),
    "opt": Categorical(("sgd", "adam", None, [1, 2])),
    "width": IntUniform(1, 1024, is_log=True),
    "depth": IntUniform(0, 10),
    "drop": Uniform(0.05, 0.5, q=0.1),
    "gain": Normal(0.0, 1.0, q=0.5),
    "scale": Normal(0.0, 1.0, is_log=True),
    "epochs": Constant({"most": 3}),
}

Objective = Callable[[Params], float | None]


@dataclass(frozen=True)
class Search:
    """A search that was played.

    Attributes:
        points: The params of each trial.
        before: The ledger from which each was suggested.
        values: Of each trial.
        seconds: That each suggestion took.
    """

    ledger: Ledger
    points: Sequence[Params]
    before: Sequence[Ledger]
    values: Sequence[float | None]
    seconds: Sequence[float]

    def best(self) -> float:
        """The least value."""
        return min(value for value in self.values if value is not None)


def make_search_spec(method: str, space: Mapping[str, object] = SIX, **values: object) -> SweepSpec:
    """A search for the least loss."""
    return SweepSpec(method=Method(method), space=space, **{"metric": "loss", **values})


def play(
    spec: SweepSpec,
    objective: Objective,
    n: int,
    *,
    n_jobs: int = 1,
    suggester: Suggester | None = None,
) -> Search:
    """Search through `n` trials, of which `n_jobs` run at a time and end in their order.

    A trial without a value has failed.
    """
    suggester = suggester or make_suggester(spec)
    ledger = Ledger()
    points, before, values, seconds = [], [], [], []
    for number in range(n):
        start = time.perf_counter()
        params = suggester.suggest(ledger)
        seconds.append(time.perf_counter() - start)
        if params is None:
            break
        before.append(ledger)
        points.append(params)
        values.append(objective(params))
        ledger = ledger.extended([ask(number, f"run{number}", params=params)])
        over = number + 1 - n_jobs
        if over >= 0:
            state = TrialState.FAILED if values[over] is None else TrialState.FINISHED
            ledger = ledger.extended([tell(over, f"run{over}", values[over], state=state)])
    return Search(ledger, points, before, values, seconds)


def mixed_loss(params: Params) -> float | None:
    """A function over `MIXED`; of ten layers it fails."""
    if params["depth"] == 10:
        return None
    lr = float(params["lr"])
    return abs(lr - 1e-3) + abs(params["depth"] - 5) + (params["opt"] != "adam") + params["drop"]


def hartmann(params: Params) -> float:
    """Hartmann's function of six numbers from 0 to 1; its least value is -3.32237."""
    xs = units(params)
    bells = [
        weight * exp(-sum(a * (x - p / 1e4) ** 2 for a, x, p in zip(rates, xs, at, strict=True)))
        for weight, rates, at in zip(_WEIGHTS, _RATES, _PLACES, strict=True)
    ]
    return -sum(bells)


def levy(params: Params) -> float:
    """Levy's function of six numbers, from -10 to 10; its least value is 0, amid many hollows."""
    ws = [1 + (20 * unit - 10 - 1) / 4 for unit in units(params)]
    inner = sum((w - 1) ** 2 * (1 + 10 * sin(pi * w + 1) ** 2) for w in ws[:-1])
    last = (ws[-1] - 1) ** 2 * (1 + sin(2 * pi * ws[-1]) ** 2)
    return sin(pi * ws[0]) ** 2 + inner + last


def rastrigin(params: Params) -> float:
    """Rastrigin's function of six numbers, from -5.12 to 5.12; its least value is 0."""
    xs = [10.24 * unit - 5.12 for unit in units(params)]
    return 10 * len(xs) + sum(x * x - 10 * cos(2 * pi * x) for x in xs)


def units(params: Params) -> list[float]:
    """The numbers of `SIX`."""
    return [float(_number(value)) for value in params.values()]


def _number(value: Json) -> float:
    assert isinstance(value, int | float)
    return value


_WEIGHTS = (1.0, 1.2, 3.0, 3.2)
_RATES = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_PLACES = (
    (1312, 1696, 5569, 124, 8283, 5886),
    (2329, 4135, 8307, 3736, 1004, 9991),
    (2348, 1451, 3522, 2883, 3047, 6650),
    (4047, 8828, 8732, 5743, 1091, 381),
)
