"""What differs between the conditions, and the results, of two runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from repro.model.canonical import Json
from repro.model.config import flatten_config
from repro.model.randomdiff import find_drawn, fold_randomness
from repro.model.randomness import compared_randomness
from repro.model.run import MetricSummary, Record
from repro.model.values import ABSENT, Value, is_same

_HARDWARE = ("hardware",)
_RANDOMNESS = ("seeds", "flags", "randomness")
_RANDOM_VARIABLES = ("CUBLAS_WORKSPACE_CONFIG", "PYTHONHASHSEED", "TF_DETERMINISTIC_OPS")

_DIGITS = 12  # of a digest that is shown
_LONGEST = 200  # characters of a version with its origin that are shown
_EDITABLE = " (editable, code "

Change = tuple[Value, Value]
Changes = dict[str, Change]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs.

    Attributes:
        path: Relative to the root, with `/`; bytes that are not UTF-8 as surrogates.
        status: As git writes it: `A` added, `D` deleted, `M` modified, `T` of another type.
    """

    path: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataChange:
    """The files of one dataset that differ.

    Paths are relative to the dataset, in the order of their bytes; one that ends in `/` is a
    folder without anything in it.

    Attributes:
        changed: With other bytes, another target of a link, or another exec bit.
        size_added: Bytes of what was added; `size_removed` of what was removed.
        size_before: Bytes of what changed, as it was.
        size_after: The same as it is.
        unlisted: Why the files cannot be listed, in words; None where they are.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    size_added: int = 0
    size_removed: int = 0
    size_before: int = 0
    size_after: int = 0
    unlisted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The parts in which B differs from A; an empty part is equal.

    Attributes:
        command: Both commands, each as a list of words; None where equal.
        config: By dotted key, in the order of A, then of B.
        environment: Interpreter, packages (`packages.<name>`) and variables, by dotted key.
        randomness: Without what only follows from another entry; `seed` for seeds that were
            drawn, unless both programs chose the same ones.
        drawn: The seeds that were drawn for both, where they differ, whatever else was chosen.
        metrics: Last values by metric; what the user set as summary beside them.
        compared: Names of the parts that both sides have; only these can differ.
    """

    code: tuple[FileChange, ...] = ()
    command: Change | None = None
    config: Changes = field(default_factory=dict)
    data: dict[str, DataChange] = field(default_factory=dict)
    environment: Changes = field(default_factory=dict)
    hardware: Changes = field(default_factory=dict)
    randomness: Changes = field(default_factory=dict)
    drawn: Change | None = None
    metrics: Changes = field(default_factory=dict)
    compared: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether any part does; seeds that were merely drawn for each run are no difference."""
        parts = (self.code, self.command, self.config, self.data, self.environment)
        randomness = self.randomness.keys() - ({"seed"} if self.drawn else set())
        return any([*parts, self.hardware, randomness, self.metrics])


def diff_flat(a: Mapping[str, Json], b: Mapping[str, Json]) -> Changes:
    """Map each key whose value differs to both values."""
    changes: Changes = {}
    for key in [*a, *(key for key in b if key not in a)]:
        before, after = a.get(key, ABSENT), b.get(key, ABSENT)
        if not is_same(before, after):
            changes[key] = (before, after)
    return changes


def diff_config(a: Mapping[str, Json], b: Mapping[str, Json]) -> Changes:
    """Map the dotted key of each param that differs to both values."""
    return diff_flat(flatten_config(a), flatten_config(b))


def find_changed_data(a: Mapping[str, Json], b: Mapping[str, Json]) -> list[str]:
    """Name each dataset that one side lacks, or that has another digest; those of A come first.

    Whether bytes were kept, and where the dataset lies, makes no difference.
    """
    names = [*a, *(name for name in b if name not in a)]
    return [name for name in names if _pin(a, name) != _pin(b, name)]


def _pin(data: Mapping[str, Json], name: str) -> object:
    """What tells a dataset from another: its digest, or its whole entry where that has none."""
    entry = data.get(name, ABSENT)
    digest = entry.get("digest") if isinstance(entry, dict) else None
    return entry if digest is None else digest


def diff_metrics(a: Record, b: Record) -> Changes:
    """Map each metric whose last value differs, and each summary entry, to both values."""
    return diff_flat(_results(a), _results(b))


def _results(record: Record) -> dict[str, Json]:
    metrics: Mapping[str, MetricSummary] = record.metrics
    return {**flatten_config(record.summary), **{name: m.last for name, m in metrics.items()}}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """An environment sorted into what a comparison keeps apart, each by dotted key."""

    environment: dict[str, Json]
    hardware: dict[str, Json]
    randomness: dict[str, Json]


def split_environment(
    environment: Mapping[str, Json], randomness: Mapping[str, Json] | None = None
) -> Surroundings:
    """Sort the facts of an `environment.json`.

    Packages become `packages.<name>`: version and origin; lock files `lockfiles.<path>`: digest.

    Args:
        randomness: What `randomness.json` says, which is added.
    """
    special = (*_HARDWARE, *_RANDOMNESS, "packages", "lockfiles")
    rest = flatten_config({key: v for key, v in environment.items() if key not in special})
    seeds = {key for key in rest if key.removeprefix("variables.") in _RANDOM_VARIABLES}
    return Surroundings(
        environment={key: rest[key] for key in rest if key not in seeds}
        | _packages(environment.get("packages"))
        | _lockfiles(environment.get("lockfiles")),
        hardware=_flat_parts(environment, _HARDWARE),
        randomness=_flat_parts(environment, _RANDOMNESS)
        | {key: rest[key] for key in seeds}
        | flatten_config(compared_randomness(randomness or {})),
    )


def _flat_parts(environment: Mapping[str, Json], names: Iterable[str]) -> dict[str, Json]:
    flat: dict[str, Json] = {}
    for name in names:
        value = environment.get(name)
        inner = value if isinstance(value, dict) else {name: value} if name in environment else {}
        flat.update(flatten_config(inner))
    return flat


def _packages(packages: Json | None) -> dict[str, Json]:
    listed = packages.get("list") if isinstance(packages, dict) else None
    versions: dict[str, Json] = {}
    for package in listed if isinstance(listed, list) else []:
        if isinstance(package, dict):
            versions[f"packages.{package.get('name')}"] = _version(package)
    return versions


def _lockfiles(listed: Json | None) -> dict[str, Json]:
    """Each lock file by its path: its digest, or its size where it is too large for one."""
    found: dict[str, Json] = {}
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict):
            digest = one.get("sha256")
            short = digest[:_DIGITS] if isinstance(digest, str) else one.get("size")
            found[f"lockfiles.{one.get('path')}"] = short
    return found


def _version(package: Mapping[str, Json]) -> Json:
    """The version, and where a package that no index has came from."""
    origin = package.get("origin")
    if not isinstance(origin, dict):
        return package.get("version")
    if origin.get("editable") is not True:
        words = [f"{key} {origin[key]}" for key in origin]
    elif isinstance(origin.get("tree"), str):  # its code counts, not where that lay
        words = [str(origin["tree"])[:_DIGITS], *_imported(origin)]
        return f"{package.get('version')}{_EDITABLE}{', '.join(words)})"
    else:
        words = [f"editable, {origin.get('path', origin.get('url'))}", *_imported(origin)]
    return f"{package.get('version')} ({', '.join(words)})"


def _imported(origin: Mapping[str, Json]) -> list[str]:
    roots = origin.get("import_roots")
    return [f"imported from {' '.join(map(str, roots))}"] if isinstance(roots, list) else []


def describe_package(name: str, change: Change) -> str:
    """Say what happened to a package: `numpy 2.3.1 → 2.3.2`, added, removed, or other code."""
    before, after = change
    if before is ABSENT:
        return f"added {name} {_cut(after)}"
    if after is ABSENT:
        return f"removed {name} {_cut(before)}"
    (version, old, roots), (version_after, new, roots_after) = map(_recorded, change)
    if old and new and (version, roots) == (version_after, roots_after):
        return f"editable {name}: other code ({old} → {new})"
    return f"{name} {_cut(before)} → {_cut(after)}"


def _cut(side: Value) -> str:
    text = str(side)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _recorded(side: Value) -> tuple[str, str, str]:
    """The version, the code and the rest of what `_version` says of a package in place."""
    version, _, rest = str(side).partition(_EDITABLE)
    return version, rest[:_DIGITS], rest[_DIGITS:]


def diff_environment(a: Record, b: Record) -> tuple[Changes, Changes, Changes]:
    """What differs in environment, hardware and randomness."""
    before = split_environment(a.environment, a.randomness)
    after = split_environment(b.environment, b.randomness)
    return (
        diff_flat(before.environment, after.environment),
        diff_flat(before.hardware, after.hardware),
        fold_randomness(diff_flat(before.randomness, after.randomness), a.randomness, b.randomness),
    )


def diff_drawn(a: Record, b: Record) -> Change | None:
    """The seeds that were drawn for both runs, None where they are equal or one had none."""
    return find_drawn(a.randomness, b.randomness)


def diff_command(a: Record, b: Record) -> Change | None:
    """Both commands, each as a list of words; None where they and their folders are equal."""
    before, after = a.run, b.run
    if (before.command, before.cwd) == (after.command, after.cwd):
        return None
    return _located(before.command, before.cwd), _located(after.command, after.cwd)


def _located(command: tuple[str, ...], cwd: str) -> list[Json]:
    return list(command) if cwd == "." else ["cd", cwd, "&&", *command]
