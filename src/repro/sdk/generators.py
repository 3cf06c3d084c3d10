"""States of the global generators of this process, taken and set back; nothing is imported."""

import base64
import hashlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from repro.model.canonical import Json

_WORDS = 624  # of a Mersenne twister
_HEX = 16  # digits of a digest


class _Generator(NamedTuple):
    """How the state of one generator becomes JSON, and the other way round."""

    module: str
    take: Callable[[Any], Json]
    give: Callable[[Any, Any], None]


def take_states() -> dict[str, Json]:
    """The state of each generator whose package is loaded, by its name.

    Python's, NumPy's where it is a Mersenne twister, and torch's of the CPU.
    """
    return {name: state for name, state in _states() if state is not None}


def digest_states() -> dict[str, Json]:
    """A short digest of each of these states."""
    return {name: _digest(state) for name, state in _states() if state is not None}


def _digest(state: Json) -> str:
    return "sha256:" + hashlib.sha256(repr(state).encode()).hexdigest()[:_HEX]


def _states() -> Iterator[tuple[str, Json]]:
    for name, one in _GENERATORS.items():
        module = sys.modules.get(one.module)
        if module is not None:
            try:
                yield name, one.take(module)
            except Exception:  # noqa: BLE001, S112  half a package, or another one of that name
                continue


def give_states(states: dict[str, Json]) -> list[str]:
    """Set generators back to states that `take_states` gave.

    Returns:
        Names of those that could not be set: not loaded here, or no such state.
    """
    failed = []
    for name, state in states.items():
        one = _GENERATORS.get(name)
        module = sys.modules.get(one.module) if one is not None else None
        try:
            if one is None or module is None:
                raise LookupError(name)
            one.give(module, state)
        except Exception:  # noqa: BLE001  what another program wrote can be anything
            failed.append(name)
    return failed


def _take_python(module: Any) -> Json:
    version, words, gauss = module.getstate()
    return {"version": version, "words": list(words), "gauss": gauss}


def _give_python(module: Any, state: Any) -> None:
    module.setstate((state["version"], tuple(state["words"]), state["gauss"]))


def _take_numpy(module: Any) -> Json:
    kind, words, position, has_gauss, gauss = module.get_state(legacy=True)
    if kind != "MT19937":
        return None
    return {
        "words": [int(word) for word in words],
        "position": int(position),
        "has_gauss": int(has_gauss),
        "gauss": float(gauss),
    }


def _give_numpy(module: Any, state: Any) -> None:
    if len(state["words"]) != _WORDS or not 0 <= state["position"] <= _WORDS:
        raise ValueError("not a Mersenne twister")
    words = (state["words"], state["position"], state["has_gauss"], state["gauss"])
    module.set_state(("MT19937", *words))


def _take_torch(module: Any) -> Json:
    return base64.b64encode(bytes(module.get_rng_state().tolist())).decode()


def _give_torch(module: Any, state: Any) -> None:
    data = list(base64.b64decode(state, validate=True))
    module.set_rng_state(module.tensor(data, dtype=module.uint8))


_GENERATORS = {
    "python": _Generator("random", _take_python, _give_python),
    "numpy": _Generator("numpy.random", _take_numpy, _give_numpy),
    "torch": _Generator("torch", _take_torch, _give_torch),
}
