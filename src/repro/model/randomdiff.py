"""What of the randomness of two runs differs, with what only follows from it left out."""

from collections.abc import Mapping

from repro.model.canonical import Json
from repro.model.environment import part
from repro.model.randomness import derive_hash_seed
from repro.model.values import ABSENT, Value

_SET = "flags.variables.PYTHONHASHSEED"  # by `repro.seed()`, for children


def fold_randomness(
    changes: Mapping[str, tuple[Value, Value]], a: Mapping[str, Json], b: Mapping[str, Json]
) -> dict[str, tuple[Value, Value]]:
    """The entries of `changes` that are differences of their own.

    Seeds of single generators, their states and the hash seed follow from the `seed` of the run,
    or from what `repro.seed()` got. Where both programs chose the same numbers, the seeds that
    were drawn for them count for nothing. What one side merely has not, because it never came to
    `repro.init()` or never loaded the package, is no condition.

    Args:
        changes: By dotted key, as a comparison has it.
        a: `randomness.json` of the one run.
        b: That of the other.
    """
    is_chosen = _is_chosen(a, b)
    generators = {*part(a, "generators"), *part(b, "generators")}
    is_explained = "seed" in changes or "set" in changes
    kept = {}
    for key, change in changes.items():
        if key == "seed":
            is_kept = not (is_chosen and find_drawn(a, b))
        elif key == "hash_seed":
            is_kept = "seed" not in changes or not all(map(_has_drawn_hash_seed, (a, b)))
        elif key == _SET:
            is_kept = "set" not in changes and not _is_unknown(key, change, a, b)
        elif key in generators or key.startswith("states."):
            is_kept = not is_explained and ABSENT not in change
        else:
            is_kept = not _is_unknown(key, change, a, b)
        if is_kept:
            kept[key] = change
    return kept


def find_drawn(a: Mapping[str, Json], b: Mapping[str, Json]) -> tuple[int, int] | None:
    """The seeds that were drawn for both runs; None where they are equal or one had none."""
    x, y = a.get("seed"), b.get("seed")
    return (x, y) if isinstance(x, int) and isinstance(y, int) and x != y else None


def _is_chosen(a: Mapping[str, Json], b: Mapping[str, Json]) -> bool:
    """Whether both programs chose the same seeds: by `repro.seed()`, or in a way of their own."""
    if a.get("set") or b.get("set"):
        return a.get("set") == b.get("set")
    states = part(a, "states")
    return bool(states) and states == part(b, "states")


def _has_drawn_hash_seed(randomness: Mapping[str, Json]) -> bool:
    """Whether nobody chose its hash seed."""
    seed, hash_seed = randomness.get("seed"), randomness.get("hash_seed")
    return hash_seed is None or (isinstance(seed, int) and hash_seed == derive_hash_seed(seed))


def _is_unknown(
    key: str, change: tuple[Value, Value], a: Mapping[str, Json], b: Mapping[str, Json]
) -> bool:
    """Whether one side says nothing of a flag, or of a seed, that it may never have come to."""
    section, _, rest = key.partition(".")
    if ABSENT not in change or section not in ("flags", "set"):
        return False
    lacking, other = (a, b) if change[0] is ABSENT else (b, a)
    if part(other, "states") and not part(lacking, "states"):  # it never came to `init()`
        return True
    package = rest.partition(".")[0]
    return section == "flags" and package != "variables" and not part(lacking, "flags").get(package)
