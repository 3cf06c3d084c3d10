"""Which random numbers a run gets, and what its record says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from repro.bootstrap._repro_generators import MOST, derive
from repro.model.canonical import Json

MAIN = "0"
HASH_SEEDS = 1 << 32
_MOST_PROCESSES = 64  # that are told one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomPlan:
    """Where the random numbers of a run come from.

    Attributes:
        seed: All seeds derive from it; None: none are given.
        hash_seed: What `PYTHONHASHSEED` is in the command; None leaves it as it is.
        replayed: Whether an earlier run's numbers are asked for again.
        bootstrap: Whether Python in the command is seeded at its start.
        states: Of generators by name, set back by `repro.init()`.
    """

    seed: int | None
    hash_seed: int | None = None
    replayed: bool = False
    bootstrap: bool = True
    states: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """What the record says of it; the states are not part of that."""
        return {
            "seed": self.seed,
            "hash_seed": self.hash_seed,
            "replayed": self.replayed,
            "bootstrap": self.bootstrap,
        }


def derive_hash_seed(seed: int) -> int:
    """The `PYTHONHASHSEED` that belongs to the seed of a run."""
    return derive(seed, "", "PYTHONHASHSEED", 32)


def parse_hash_seed(text: str | None) -> int | None:
    """The value of `PYTHONHASHSEED`, None where that is `random`, wrong or not set."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 10:
        return None
    return int(text) if int(text) < HASH_SEEDS else None


def read_plan(randomness: Mapping[str, Json], states: Mapping[str, Json]) -> RandomPlan | None:
    """The plan that gives the random numbers of a recorded run again.

    Args:
        randomness: What `randomness.json` of the run says.
        states: What `generators.json` says.

    Returns:
        None where neither tells of anything that can be given again.
    """
    seed = _below(randomness.get("seed"), MOST)
    if seed is None:
        return None
    hash_seed = _below(randomness.get("hash_seed"), HASH_SEEDS)
    return RandomPlan(seed=seed, hash_seed=hash_seed, replayed=True, states=states)


def _below(value: Json, limit: int) -> int | None:
    return value if type(value) is int and 0 <= value < limit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessReport:
    """What one process of a run said of itself.

    Attributes:
        key: Where it stands in the run; `0` is the main process.
        python: Version of its interpreter.
        started: Seconds since 1970.
        generators: The seed that each got, by name.
        flags: Nested, as `read_flags` of the bootstrap gives them.
        executable: Absolute path of its interpreter; empty where that is not said.
        prefix: Absolute path of the environment of that; empty where that is not said.
        pid: Its id in the system; that of a program which took its place by `exec` is the same.
    """

    key: str
    python: str
    started: float
    generators: Mapping[str, Json]
    flags: Mapping[str, Json]
    executable: str = ""
    prefix: str = ""
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Reports:
    """What all processes of a run said.

    Attributes:
        processes: The main one, or else the first, before the others.
        foreign: Absolute paths of the files below the roots of `REPRO_FOREIGN` that code was
            loaded from, sorted.
        unwatched: Programs that were started so that they report nothing, sorted.
    """

    processes: tuple[ProcessReport, ...] = ()
    foreign: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()


def describe_randomness(
    plan: Mapping[str, Json], processes: Sequence[ProcessReport], said: Mapping[str, Json]
) -> dict[str, Json]:
    """What `randomness.json` says; nothing where nothing is known.

    Args:
        plan: As `RandomPlan.to_json` gives it, empty where there was none.
        said: What the SDK said: `flags` and `states` at `init`, `set` by `repro.seed()`.
    """
    facts: dict[str, Json] = {**plan, **said}
    flags = _mapping(said.get("flags"))
    for process in reversed(processes):  # the first one wins
        flags = {**flags, **process.flags}
    hash_seed = plan.get("hash_seed")
    variables = _mapping(flags.get("variables"))
    if variables.get("PYTHONHASHSEED") == str(hash_seed):  # said already
        variables = {name: v for name, v in variables.items() if name != "PYTHONHASHSEED"}
        flags["variables"] = variables
    facts["flags"] = {name: value for name, value in flags.items() if value}
    if processes:
        facts["generators"] = dict(processes[0].generators)
        facts["processes"] = {
            one.key: {"interpreter": one.python, **one.generators}
            for one in processes[:_MOST_PROCESSES]
        }
    return {name: value for name, value in facts.items() if value not in ({}, [])}


def _mapping(value: Json) -> dict[str, Json]:
    return dict(value) if isinstance(value, dict) else {}


def compared_randomness(randomness: Mapping[str, Json]) -> dict[str, Json]:
    """What tells the randomness of two runs apart, as a comparison names it.

    Whether seeds were drawn or replayed makes no difference, nor which processes there were.
    """
    left_out = ("processes", "replayed", "bootstrap", "generators")
    rest = {key: value for key, value in randomness.items() if key not in left_out}
    return {**rest, **_mapping(randomness.get("generators"))}
