"""Whether a sweep can be done as it is wanted."""

from math import isfinite

from repro.errors import InvalidInputError
from repro.model.macros import check_command
from repro.model.sampling import count_grid
from repro.model.scales import Numeric
from repro.model.space import Beta, Categorical, Constant, Distribution, Space
from repro.model.spacecheck import find_fault, find_name_fault, find_space_fault
from repro.model.sweepspec import Method, SweepSpec
from repro.model.text import escape, is_argument

MOST_TRIALS = 1_000_000
MOST_SEED = 2**63 - 1

_LONGEST_METRIC = 500  # characters
_MODELS = frozenset({Method.TPE, Method.GP, Method.CMAES})


def check_spec(spec: SweepSpec) -> None:
    """Refuse a sweep that contradicts itself or has no end where it must have one.

    Raises:
        InvalidInputError: A param has no usable values, or is a section too; a method that learns
            cannot search it; a grid is continuous or too large; there is no metric where one is
            needed, or a number is out of range.
    """
    _check_space(spec.space)
    _check_learning(spec)
    _check_metric(spec)
    _check_numbers(spec)
    if spec.method is Method.GRID:
        _check_grid(spec)
    if not all(map(is_argument, spec.command)):
        raise InvalidInputError(
            "the command has a word that no program can be given",
            hint="take the NUL or the broken character out of it",
        )
    check_command(spec.command, spec.space)


def method_for(space: Space) -> Method:
    """The method where none is named: a grid if each param is a list of values, else random."""
    return Method.GRID if all(map(_is_list, space.values())) else Method.RANDOM


def _is_list(distribution: Distribution) -> bool:
    if isinstance(distribution, Categorical):
        return distribution.weights is None
    return isinstance(distribution, Constant)


def _check_space(space: Space) -> None:
    for key, distribution in space.items():
        fault = find_name_fault(key)
        if fault is not None:
            raise InvalidInputError(
                f"`{escape(key[:80])}` {fault}", hint="rename the param, as in `model.width`"
            )
        fault = find_fault(distribution)
        if fault is not None:
            raise InvalidInputError(
                f"param `{escape(key)}`: {fault}",
                hint=f"mend the values of `{escape(key)}`, then run the command again",
            )
    fault = find_space_fault(space)
    if fault is not None:
        raise InvalidInputError(
            f"no search space: {fault}",
            hint="leave out or rename some of them"
            if space
            else "name the params to search, as in `-p lr=loguniform(1e-5,1e-1)`",
        )


def _check_learning(spec: SweepSpec) -> None:
    """Refuse what a method that learns makes nothing of, instead of leaving it out."""
    if spec.method not in _MODELS:
        return
    for key, distribution in spec.space.items():
        if isinstance(distribution, Beta):
            raise InvalidInputError(
                f"`{escape(key)}` has a beta distribution, which {spec.method} cannot search",
                hint="give it a uniform one, or take the method `random`",
            )
        if isinstance(distribution, Categorical) and distribution.weights is not None:
            raise InvalidInputError(
                f"method {spec.method} finds out itself which values of `{escape(key)}` are good: "
                "it takes no probabilities",
                hint="take `probabilities` out, or take the method `random`",
            )
    has_numbers = any(isinstance(one, Numeric) for one in spec.space.values())
    if spec.method is Method.CMAES and not has_numbers:
        raise InvalidInputError(
            "method cmaes searches numbers, and there is none in the space",
            hint="take the method `tpe`",
        )


def _check_metric(spec: SweepSpec) -> None:
    if spec.metric is not None:
        is_named = spec.metric.strip() and is_argument(spec.metric)
        if not is_named or len(spec.metric) > _LONGEST_METRIC:
            raise InvalidInputError(
                f"`{escape(spec.metric[:80])}` is not the name of a metric",
                hint="name it as the program logs it, such as `val_loss`",
            )
        return
    wanting = [
        (f"the method `{spec.method.value}`", spec.method in _MODELS),
        ("stopping trials early", spec.early is not None),
        ("a target", spec.target is not None),
    ]
    for what, needs in wanting:
        if needs:
            raise InvalidInputError(
                f"{what} needs to know which metric counts",
                hint="name it: `metric: {name: val_loss, goal: minimize}` in the sweep file, "
                "or `--metric val_loss --goal minimize`",
            )


def _check_numbers(spec: SweepSpec) -> None:
    if spec.target is not None and not isfinite(spec.target):
        raise InvalidInputError(
            f"the target {spec.target} is not finite", hint="leave it out, or give a number"
        )
    if spec.run_cap is not None and not 1 <= spec.run_cap <= MOST_TRIALS:
        raise InvalidInputError(
            f"a sweep of {spec.run_cap:,} trials is not possible",
            hint=f"give a number from 1 to {MOST_TRIALS:,}",
        )
    if not 0 <= spec.seed <= MOST_SEED:
        raise InvalidInputError(
            f"the seed {spec.seed} is out of range", hint="give a number from 0 to 2^63 - 1"
        )
    early = spec.early
    if early is None:
        return
    if early.min_iter < 1 or early.eta < 2 or early.n_startup < 1:
        raise InvalidInputError(
            "early stopping needs `min_iter` and `n_startup` of 1 or more, and `eta` of 2 or more",
            hint="mend these numbers, or leave them out",
        )
    if early.max_iter is not None and early.max_iter < early.min_iter:
        raise InvalidInputError(
            f"early stopping: `max_iter` {early.max_iter} is less than `min_iter` {early.min_iter}",
            hint="`min_iter` is where trials are first stopped, `max_iter` where they end",
        )


def _check_grid(spec: SweepSpec) -> None:
    for key, distribution in spec.space.items():
        if isinstance(distribution, Categorical) and distribution.weights is not None:
            raise InvalidInputError(
                f"a grid tries each value of `{escape(key)}` once, so probabilities mean nothing",
                hint="take `probabilities` out, or take the method `random`",
            )
    n_points = count_grid(spec.space)
    if n_points > MOST_TRIALS and spec.run_cap is None:
        raise InvalidInputError(
            f"the grid has {_said(n_points)} points, and at most {MOST_TRIALS:,} are tried",
            hint="give fewer values, or a `run_cap` (`-n`), or take the method `random`",
        )


def _said(number: int) -> str:
    return f"{number:,}" if number < 10**15 else f"more than {10**15:,}"
