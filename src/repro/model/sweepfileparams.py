"""The `parameters` of a sweep file: W&B's distributions as those of a search space.

Source: wandb/sweeps, `src/sweeps/config/schema.json` and `src/sweeps/params.py` of June 2026.
"""

from collections.abc import Callable
from math import exp
from typing import NamedTuple

from repro.model.canonical import Json
from repro.model.config import MOST_PARTS
from repro.model.space import (
    Beta,
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    Normal,
    Uniform,
)
from repro.model.spacecheck import find_fault, find_name_fault
from repro.model.sweepfields import Section

_MOST_EXPONENT = 700.0  # e to the power of it is a float
_ALL_KEYS = (
    "value",
    "values",
    "probabilities",
    "distribution",
    "min",
    "max",
    "q",
    "mu",
    "sigma",
    "a",
    "b",
    "parameters",
)
_EXAMPLE = "write it as `lr: {min: 0.001, max: 0.1}`, `opt: {values: [sgd, adam]}`"


def parse_parameters(section: Section) -> dict[str, Distribution]:
    """Give the search space of the mapping `parameters`, by dotted keys in the order of the file.

    Raises:
        InvalidInputError: A key is unknown, or a distribution makes no sense.
    """
    space: dict[str, Distribution] = {}
    _add(section, "", space)
    return space


def _add(section: Section, above: str, space: dict[str, Distribution]) -> None:
    for key, value in section.values.items():
        dotted = f"{above}{key}"
        fault = find_name_fault(dotted)
        if fault is not None:
            raise section.wrong(f"`{section.place(key)}` {fault}", "rename the param", key)
        if not isinstance(value, dict):
            raise section.wrong_type(key, "a mapping", _say_how(value))
        param = section.inner(key, _EXAMPLE)
        if "parameters" in value:
            param.check_keys(["parameters"])
            if dotted.count(".") >= MOST_PARTS:
                raise section.wrong("params are nested too deep", "take a level out", key)
            _add(param.inner("parameters", _EXAMPLE), f"{dotted}.", space)
            continue
        if dotted in space:
            raise section.wrong(f"the param `{section.place(key)}` is there twice", "keep one", key)
        space[dotted] = _distribution(param)


def _say_how(value: Json) -> str:
    if isinstance(value, list):
        return "write a list of choices as `{values: [A, B]}`"
    return "write one fixed value as `{value: X}`"


def _distribution(param: Section) -> Distribution:
    param.check_keys(_ALL_KEYS)
    kind = param.one_of("distribution", _KINDS) or _infer(param)
    needed, optional, make = _KINDS[kind]
    for key in param.values:
        if key != "distribution" and key not in needed and key not in optional:
            raise _senseless(param, kind, key)
    for key in needed:
        if key not in param.values or (key != "value" and not param.has(key)):
            raise param.wrong(f"`{param.place()}` has no `{key}`, which `{kind}` needs", _EXAMPLE)
    distribution = make(param)
    fault = find_fault(distribution)
    if fault is not None:
        hint = f"mend `{param.place()}`, then run the command again"
        raise param.wrong(f"`{param.place()}`: {fault}", hint)
    return distribution


def _senseless(param: Section, kind: str, key: str) -> Exception:
    hint = f"take `{key}` out"
    quantised = f"q_{kind.removeprefix('q_')}"
    if key == "q" and quantised in _KINDS:
        hint = f"write `distribution: {quantised}`, or take `q` out"
    elif "distribution" not in param.values:
        hint = "say which `distribution` is meant, or take one of the two out"
    return param.wrong(f"`{param.place(key)}` means nothing for `{kind}`", hint, key)


def _infer(param: Section) -> str:
    """The distribution of a param that names none."""
    values = param.values
    if "value" in values:
        return "constant"
    if "values" in values:
        return "categorical"
    if "min" in values or "max" in values:
        whole = type(values.get("min")) is int and type(values.get("max")) is int
        return "int_uniform" if whole and "q" not in values else "uniform"
    shown = "mu" in values or "sigma" in values or "a" in values or "b" in values
    what = "which `distribution` it has" if shown else "which values it takes"
    raise param.wrong(f"`{param.place()}` does not say {what}", _EXAMPLE)


def _constant(param: Section) -> Distribution:
    return Constant(param.values["value"])


def _categorical(param: Section) -> Distribution:
    values = tuple(param.items("values"))
    if not param.has("probabilities"):
        return Categorical(values)
    weights = []
    for weight in param.items("probabilities"):
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise param.wrong(
                f"`{param.place('probabilities')}` must hold numbers only",
                "write them as `[0.3, 0.7]`",
                "probabilities",
            )
        weights.append(float(min(max(weight, -2), 2)))  # beyond 1 it is refused all the same
    return Categorical(values, tuple(weights))


def _int(param: Section) -> Distribution:
    return IntUniform(param.integer("min") or 0, param.integer("max") or 0)


def _get(param: Section, key: str, default: float = 0.0) -> float:
    value = param.number(key)
    return float(default if value is None else value)


def _uniform(param: Section) -> Distribution:
    return Uniform(_get(param, "min"), _get(param, "max"))


def _q(param: Section) -> float:
    """By default 1; of an int multiples are whole numbers."""
    value = param.number("q")
    return 1 if value is None else value


def _q_uniform(param: Section) -> Distribution:
    return Uniform(_get(param, "min"), _get(param, "max"), _q(param))


def _log_values(param: Section) -> Distribution:
    return Uniform(_get(param, "min"), _get(param, "max"), is_log=True)


def _q_log_values(param: Section) -> Distribution:
    return Uniform(_get(param, "min"), _get(param, "max"), _q(param), is_log=True)


def _log_exponents(param: Section) -> Distribution:
    low, high = _exponents(param)
    return Uniform(exp(low), exp(high), is_log=True)


def _q_log_exponents(param: Section) -> Distribution:
    low, high = _exponents(param)
    return Uniform(exp(low), exp(high), _q(param), is_log=True)


def _inverse_exponents(param: Section) -> Distribution:
    """The logarithm of 1/x is uniform between the bounds."""
    low, high = _exponents(param)
    return Uniform(exp(-high), exp(-low), is_log=True)


def _exponents(param: Section) -> tuple[float, float]:
    """Bounds that are natural exponents, unless they were surely meant as values.

    Nobody means the exponent 1e-5, which gives 1.00001, nor 256, which gives 1e111; but both are
    what one writes who takes `log_uniform` for what W&B calls `log_uniform_values`.
    """
    low, high = _get(param, "min"), _get(param, "max")
    if 0 < low < 0.1 or high > 30 or max(abs(low), abs(high)) > _MOST_EXPONENT:
        kind = param.values["distribution"]
        ends = " and ".join(
            f"{exp(min(max(one, -_MOST_EXPONENT), _MOST_EXPONENT)):.7g}" for one in (low, high)
        )
        raise param.wrong(
            f"`{param.place()}`: bounds of `{kind}` are exponents of e, so {low:g} and {high:g} "
            f"mean {ends}",
            f"write `distribution: {kind}_values` with the values that you mean",
        )
    return low, high


def _normal(param: Section) -> Distribution:
    return Normal(_get(param, "mu"), _get(param, "sigma", 1.0))


def _q_normal(param: Section) -> Distribution:
    return Normal(_get(param, "mu"), _get(param, "sigma", 1.0), _q(param))


def _log_normal(param: Section) -> Distribution:
    return Normal(_get(param, "mu"), _get(param, "sigma", 1.0), is_log=True)


def _q_log_normal(param: Section) -> Distribution:
    return Normal(_get(param, "mu"), _get(param, "sigma", 1.0), _q(param), is_log=True)


def _beta(param: Section) -> Distribution:
    return Beta(_get(param, "a", 1.0), _get(param, "b", 1.0))


def _q_beta(param: Section) -> Distribution:
    return Beta(_get(param, "a", 1.0), _get(param, "b", 1.0), _q(param))


class _Kind(NamedTuple):
    """How a distribution is read.

    Attributes:
        needed: Keys that must be there.
        optional: Keys that may.
    """

    needed: tuple[str, ...]
    optional: tuple[str, ...]
    make: Callable[[Section], Distribution]


_BOUNDS, _GAUSS, _SHAPE = ("min", "max"), ("mu", "sigma"), ("a", "b")
_KINDS = {
    "constant": _Kind(("value",), (), _constant),
    "categorical": _Kind(("values",), ("probabilities",), _categorical),
    "categorical_w_probabilities": _Kind(("values", "probabilities"), (), _categorical),
    "int_uniform": _Kind(_BOUNDS, (), _int),
    "uniform": _Kind(_BOUNDS, (), _uniform),
    "q_uniform": _Kind(_BOUNDS, ("q",), _q_uniform),
    "log_uniform": _Kind(_BOUNDS, (), _log_exponents),
    "log_uniform_values": _Kind(_BOUNDS, (), _log_values),
    "inv_log_uniform": _Kind(_BOUNDS, (), _inverse_exponents),
    # That 1/x is log-uniform between 1/max and 1/min says the same of x.
    "inv_log_uniform_values": _Kind(_BOUNDS, (), _log_values),
    "q_log_uniform": _Kind(_BOUNDS, ("q",), _q_log_exponents),
    "q_log_uniform_values": _Kind(_BOUNDS, ("q",), _q_log_values),
    "normal": _Kind((), _GAUSS, _normal),
    "q_normal": _Kind((), (*_GAUSS, "q"), _q_normal),
    "log_normal": _Kind((), _GAUSS, _log_normal),
    "q_log_normal": _Kind((), (*_GAUSS, "q"), _q_log_normal),
    "beta": _Kind((), _SHAPE, _beta),
    "q_beta": _Kind((), (*_SHAPE, "q"), _q_beta),
}
