"""The spec of a sweep as JSON, in `sweep.json` (FORMAT.md, "Sweeps")."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from math import isfinite

from repro.errors import DamagedRecordError
from repro.model.canonical import Json
from repro.model.config import MOST_PARTS
from repro.model.space import (
    Beta,
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    Normal,
    Space,
    Uniform,
)
from repro.model.sweepspec import EarlyStop, Goal, Method, SweepSpec
from repro.store.fields import Fields

_KINDS: Mapping[str, type[Distribution]] = {
    "constant": Constant,
    "categorical": Categorical,
    "int": IntUniform,
    "uniform": Uniform,
    "normal": Normal,
    "beta": Beta,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_GOALS: Mapping[str, Goal] = {"minimize": "minimize", "maximize": "maximize"}
_MOST_PARAMS = 10_000


def encode_spec(spec: SweepSpec) -> dict[str, Json]:
    """The JSON object of a spec; its space is an array, for an object has no order there."""
    return {
        "method": spec.method.value,
        "space": [_encode_param(key, one) for key, one in spec.space.items()],
        "command": list(spec.command),
        "is_macro": spec.is_macro,
        "metric": spec.metric,
        "goal": spec.goal,
        "target": spec.target,
        "run_cap": spec.run_cap,
        "early": None if spec.early is None else asdict(spec.early),
        "seed": spec.seed,
        "name": spec.name,
        "note": spec.note,
    }


def decode_spec(value: Json, name: str) -> SweepSpec:
    """Read what `encode_spec` gave.

    Args:
        name: Where it stands, for messages.

    Raises:
        DamagedRecordError: It breaks FORMAT.md.
    """
    fields = Fields(value, name)
    method, goal = fields.text("method"), fields.text("goal")
    if method not in set(Method):
        raise fields.wrong("method", "is no method of a search")
    if goal not in _GOALS:
        raise fields.wrong("goal", "is neither `minimize` nor `maximize`")
    early = fields.values.get("early")
    return SweepSpec(
        method=Method(method),
        space=_decode_space(fields),
        command=fields.texts("command"),
        is_macro=fields.boolean("is_macro"),
        metric=fields.optional_text("metric"),
        goal=_GOALS[goal],
        target=fields.optional_finite("target"),
        run_cap=_optional_natural(fields, "run_cap"),
        early=None if early is None else _decode_early(fields.inner("early")),
        seed=fields.integer("seed"),
        name=fields.optional_text("name"),
        note=fields.optional_text("note"),
    )


def _encode_param(key: str, one: Distribution) -> dict[str, Json]:
    values: dict[str, Json] = {"key": key, "kind": _NAMES[type(one)]}
    for name, value in asdict(one).items():
        values[name] = list(value) if isinstance(value, tuple) else value
    return values


def _decode_space(fields: Fields) -> Space:
    params = fields.objects("space")
    space: dict[str, Distribution] = {}
    if not 0 < len(params) <= _MOST_PARAMS:
        raise fields.wrong("space", "has no params, or too many")
    for param in params:
        key, kind = param.text("key"), param.text("kind")
        parts = key.split(".")
        if "" in parts or len(parts) > MOST_PARTS or key in space:
            raise param.wrong("key", "is no config key, or stands there twice")
        if kind not in _READERS:
            raise param.wrong("kind", "is no kind of distribution")
        space[key] = _READERS[kind](param)
    return space


def _constant(param: Fields) -> Constant:
    return Constant(param.values.get("value"))


def _categorical(param: Fields) -> Categorical:
    values, weights = param.values.get("values"), param.values.get("weights")
    if not isinstance(values, list) or not values:
        raise param.wrong("values", "is no list of values")
    if weights is None:
        return Categorical(tuple(values))
    if not isinstance(weights, list) or len(weights) != len(values):
        raise param.wrong("weights", "are not as many as the values")
    numbers = [float(one) for one in weights if isinstance(one, int | float) and one >= 0]
    if len(numbers) != len(weights) or not 0 < sum(numbers) < float("inf"):
        raise param.wrong("weights", "are no probabilities")
    return Categorical(tuple(values), tuple(numbers))


def _int(param: Fields) -> IntUniform:
    low, high = param.integer("low"), param.integer("high")
    is_log = param.boolean("is_log")
    _check(param, low <= high and (low > 0 or not is_log))
    return IntUniform(low, high, is_log)


def _uniform(param: Fields) -> Uniform:
    low, high = _finite(param, "low"), _finite(param, "high")
    is_log = param.boolean("is_log")
    _check(param, low <= high and (low > 0 or not is_log))
    return Uniform(low, high, _step(param), is_log)


def _normal(param: Fields) -> Normal:
    mu, sigma = _finite(param, "mu"), _finite(param, "sigma")
    _check(param, sigma > 0)
    return Normal(mu, sigma, _step(param), param.boolean("is_log"))


def _beta(param: Fields) -> Beta:
    a, b = _finite(param, "a"), _finite(param, "b")
    _check(param, a > 0 and b > 0)
    return Beta(a, b, _step(param))


_READERS: Mapping[str, Callable[[Fields], Distribution]] = {
    "constant": _constant,
    "categorical": _categorical,
    "int": _int,
    "uniform": _uniform,
    "normal": _normal,
    "beta": _beta,
}


def _check(param: Fields, is_right: bool) -> None:
    if not is_right:
        raise DamagedRecordError(f"`{param.name}` has bounds between which there is nothing")


def _finite(param: Fields, key: str) -> float:
    value = param.number(key)
    if not isfinite(value):
        raise param.wrong(key, "is not finite")
    return value


def _step(param: Fields) -> float | None:
    step = param.optional_finite("q")
    _check(param, step is None or step > 0)
    return step


def _optional_natural(fields: Fields, key: str) -> int | None:
    return None if fields.values.get(key) is None else fields.natural(key)


def _decode_early(early: Fields) -> EarlyStop:
    kind = early.text("kind")
    if kind not in ("hyperband", "median"):
        raise early.wrong("kind", "is no way to stop early")
    eta = early.natural("eta")
    if eta < 2:  # of fewer than two none can be left out
        raise early.wrong("eta", "is less than 2")
    return EarlyStop(
        kind="hyperband" if kind == "hyperband" else "median",
        min_iter=early.natural("min_iter"),
        max_iter=_optional_natural(early, "max_iter"),
        eta=eta,
        n_startup=early.natural("n_startup"),
    )
