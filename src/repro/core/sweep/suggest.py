"""Which params the next trial of a sweep gets, and which trial is not worth going on with.

Both follow from the spec and the ledger alone: whoever has these, on whatever machine, comes to the
same answer, and no state of a search is kept anywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from repro.core.sweep.protocols import Suggester
from repro.errors import InvalidInputError
from repro.model.sampling import count_grid, draw, grid_point, rng_for
from repro.model.space import Params
from repro.model.sweep import Ledger, Trial
from repro.model.sweepspec import Method, SweepSpec

Choose = Callable[[Ledger], Params | None]
Judge = Callable[[Ledger, Sequence[tuple[int, float]]], bool]

_EXTRA = "`pip install 'git-repro[sweep]'`"


def make_suggester(spec: SweepSpec) -> Suggester:
    """Give what chooses the params of a sweep's trials.

    A grid goes by the number of the trial, a random search draws from the seed and that number;
    what learns does so from the trials of the ledger: `optuna_search` and `cmaes_search` say how.

    Args:
        spec: One that `check_spec` has passed.

    Raises:
        InvalidInputError: What the method needs is not installed.
    """
    return _Suggester(_chooser(spec), _judge(spec))


@dataclass(frozen=True, slots=True)
class _Suggester:
    choose: Choose
    judge: Judge | None

    def suggest(self, ledger: Ledger) -> Params | None:
        return self.choose(ledger)

    def should_prune(
        self, ledger: Ledger, trial: Trial, steps: Sequence[tuple[int, float]]
    ) -> bool:
        del trial  # its values say it all
        return self.judge is not None and self.judge(ledger, steps)


def _chooser(spec: SweepSpec) -> Choose:
    match spec.method:
        case Method.GRID:
            return _grid(spec)
        case Method.RANDOM:
            return lambda ledger: draw(spec.space, rng_for(spec.seed, _next(ledger)))
        case Method.CMAES:
            try:
                from repro.core.sweep.cmaes_search import make_cmaes  # noqa: PLC0415  # 0.1 s
            except ImportError as error:
                raise _missing("method cmaes", "cmaes", error) from error
            return make_cmaes(spec)
        case Method.TPE | Method.GP:
            try:
                from repro.core.sweep.optuna_search import make_search  # noqa: PLC0415  # 0.8 s
            except ImportError as error:
                raise _missing(f"method {spec.method}", "Optuna", error) from error
            return make_search(spec)


def _judge(spec: SweepSpec) -> Judge | None:
    if spec.early is None:
        return None
    try:
        from repro.core.sweep.optuna_pruning import make_judge  # noqa: PLC0415  # 0.8 s
    except ImportError as error:
        raise _missing(f"early stopping by {spec.early.kind}", "Optuna", error) from error
    return make_judge(spec.early, spec.goal)


def _grid(spec: SweepSpec) -> Choose:
    n_points = count_grid(spec.space)

    def choose(ledger: Ledger) -> Params | None:
        number = _next(ledger)
        return grid_point(spec.space, number) if number < n_points else None

    return choose


def _next(ledger: Ledger) -> int:
    return len(ledger.progress.trials)


def _missing(what: str, library: str, error: ImportError) -> InvalidInputError:
    return InvalidInputError(
        f"{what} needs {library}, which cannot be loaded here: {error}", hint=_EXTRA
    )
