"""What a sweep shall do, as the object `spec` of its `sweep.json` (FORMAT.md, "Sweeps")."""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Literal

from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.canonical import Json
from repro.model.objective import GOALS, Goal
from repro.model.space import (
    Beta,
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    Normal,
    Uniform,
)
from repro.model.spacecheck import MOST_PARAMS
from repro.model.sweepcheck import check_spec
from repro.model.sweepspec import EarlyStop, Method, SweepSpec
from repro.store.fields import Fields

_EARLY: Mapping[str, Literal["hyperband", "median"]] = {
    "hyperband": "hyperband",
    "median": "median",
}


def encode_spec(spec: SweepSpec) -> dict[str, Json]:
    """The JSON object of a spec; its space is a list, as the order of params counts."""
    early = spec.early
    return {
        "method": spec.method.value,
        "space": [{"key": key, **_encode(one)} for key, one in spec.space.items()],
        "command": list(spec.command),
        "macros": spec.is_macro,
        "metric": spec.metric,
        "goal": spec.goal,
        "target": spec.target,
        "run_cap": spec.run_cap,
        "early": None
        if early is None
        else {
            "kind": early.kind,
            "min_iter": early.min_iter,
            "max_iter": early.max_iter,
            "eta": early.eta,
            "n_startup": early.n_startup,
        },
        "seed": spec.seed,
        "name": spec.name,
        "note": spec.note,
    }


def decode_spec(value: Json, name: str) -> SweepSpec:
    """Read what `encode_spec` gave; nothing of it is trusted.

    Args:
        name: What to call the object in an error.

    Raises:
        DamagedRecordError: It breaks FORMAT.md.
    """
    fields = Fields(value, name)
    spec = SweepSpec(
        method=_method(fields),
        space=_space(fields),
        command=fields.texts("command"),
        is_macro=fields.boolean("macros"),
        metric=fields.optional_text("metric"),
        goal=_goal(fields),
        target=fields.optional_finite("target"),
        run_cap=fields.optional_integer("run_cap"),
        early=_early(fields),
        seed=fields.natural("seed"),
        name=fields.optional_text("name"),
        note=fields.optional_text("note"),
    )
    try:
        check_spec(spec)
    except InvalidInputError as error:
        raise DamagedRecordError(
            f"`{name}` is no sweep that can be done: {error.message}"
        ) from error
    return spec


def _encode(distribution: Distribution) -> dict[str, Json]:
    match distribution:
        case Constant():
            return {"kind": "constant", "value": distribution.value}
        case Categorical():
            weights = distribution.weights
            return {
                "kind": "categorical",
                "values": list(distribution.values),
                "weights": None if weights is None else list(weights),
            }
        case IntUniform():
            low, high = distribution.low, distribution.high
            return {"kind": "int", "low": low, "high": high, "log": distribution.is_log}
        case Uniform():
            return {
                "kind": "uniform",
                "low": distribution.low,
                "high": distribution.high,
                "q": distribution.q,
                "log": distribution.is_log,
            }
        case Normal():
            return {
                "kind": "normal",
                "mu": distribution.mu,
                "sigma": distribution.sigma,
                "q": distribution.q,
                "log": distribution.is_log,
            }
        case Beta():
            return {"kind": "beta", "a": distribution.a, "b": distribution.b, "q": distribution.q}


def _method(fields: Fields) -> Method:
    text = fields.text("method")
    try:
        return Method(text)
    except ValueError as error:
        raise fields.wrong("method", "is no method") from error


def _goal(fields: Fields) -> Goal:
    goal = GOALS.get(fields.text("goal"))
    if goal is None:
        raise fields.wrong("goal", "is neither `minimize` nor `maximize`")
    return goal


def _early(fields: Fields) -> EarlyStop | None:
    if fields.values.get("early") is None:
        return None
    early = fields.inner("early")
    kind = _EARLY.get(early.text("kind"))
    if kind is None:
        raise early.wrong("kind", "is no way to stop trials early")
    return EarlyStop(
        kind=kind,
        min_iter=early.natural("min_iter"),
        max_iter=early.optional_integer("max_iter"),
        eta=early.natural("eta"),
        n_startup=early.natural("n_startup"),
    )


def _space(fields: Fields) -> dict[str, Distribution]:
    params = fields.objects("space")
    if len(params) > MOST_PARAMS:
        raise fields.wrong("space", f"has more than {MOST_PARAMS:,} params")
    space = {param.text("key"): _distribution(param) for param in params}
    if len(space) != len(params):
        raise fields.wrong("space", "has a param twice")
    return space


def _distribution(param: Fields) -> Distribution:
    decode = _KINDS.get(param.text("kind"))
    if decode is None:
        raise param.wrong("kind", "is no kind of distribution")
    return decode(param)


def _constant(param: Fields) -> Distribution:
    if "value" not in param.values:
        raise param.wrong("value", "is absent")
    return Constant(param.values["value"])


def _categorical(param: Fields) -> Distribution:
    values = param.values.get("values")
    if not isinstance(values, list):
        raise param.wrong("values", "is not a list")
    weights = param.values.get("weights")
    if weights is None:
        return Categorical(tuple(values))
    if not isinstance(weights, list):
        raise param.wrong("weights", "is not a list")
    numbers = (_finite(param, "weights", weight) for weight in weights)
    return Categorical(tuple(values), tuple(numbers))


def _int(param: Fields) -> Distribution:
    return IntUniform(param.integer("low"), param.integer("high"), param.boolean("log"))


def _uniform(param: Fields) -> Distribution:
    low, high = _number(param, "low"), _number(param, "high")
    return Uniform(low, high, _step(param), param.boolean("log"))


def _normal(param: Fields) -> Distribution:
    mu, sigma = _number(param, "mu"), _number(param, "sigma")
    return Normal(mu, sigma, _step(param), param.boolean("log"))


def _beta(param: Fields) -> Distribution:
    return Beta(_number(param, "a"), _number(param, "b"), _step(param))


_KINDS: Mapping[str, Callable[[Fields], Distribution]] = {
    "constant": _constant,
    "categorical": _categorical,
    "int": _int,
    "uniform": _uniform,
    "normal": _normal,
    "beta": _beta,
}


def _number(param: Fields, key: str) -> float:
    return float(_finite(param, key, param.values.get(key)))


def _step(param: Fields) -> float | None:
    """The `q`, which says by its type whether values are whole numbers."""
    value = param.values.get("q")
    return None if value is None else _finite(param, "q", value)


def _finite(param: Fields, key: str, value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise param.wrong(key, "is not a number")
    if (isinstance(value, int) and abs(value) > 2**63) or not isfinite(value):
        raise param.wrong(key, "is out of range")
    return value
