"""The conditions in which one run differs from another, counted as a person counts them."""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from repro.model.canonical import Json
from repro.model.config import config_from_command, find_given, flatten_config
from repro.model.diff import (
    Change,
    Changes,
    DataChange,
    FileChange,
    describe_package,
    diff_command,
    diff_environment,
    diff_flat,
    find_changed_data,
)
from repro.model.readable import count_of, format_value, shorten
from repro.model.run import Record
from repro.model.text import escape
from repro.model.values import ABSENT, Value, is_same

Part = Literal["config", "code", "data", "command", "packages", "environment", "unknown"]

_NAMED = 3  # files, packages or entries that one line names
_LOCK = "repro.lock"
_PACKAGE = "packages."
_DIGITS = 12  # of a digest that is shown
# What decides what is computed; where things lie, and what else a shell had set, does not.
DECIDING_KEYS = (
    "interpreter.implementation",
    "interpreter.version",
    "interpreter.abi",
    "platform.system",
    "platform.machine",
    "variables.PYTHONPATH",
    "variables.PYTHONHASHSEED",
    "variables.OMP_NUM_THREADS",
    "variables.MKL_NUM_THREADS",
    "variables.OPENBLAS_NUM_THREADS",
    "variables.CUBLAS_WORKSPACE_CONFIG",
    "variables.TF_DETERMINISTIC_OPS",
    "variables.TORCH_CUDNN_V8_API_ENABLED",
    "variables.TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "variables.NVIDIA_TF32_OVERRIDE",
    "variables.XLA_FLAGS",
    "variables.JAX_ENABLE_X64",
    "variables.TZ",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One condition that differs.

    Attributes:
        key: The param, or the dataset; None for the other parts, which are one item each.
        what: One line for people, fit for a terminal.
        values: Both sides of a param, a dataset's digests, or a command; None elsewhere.
    """

    part: Part
    key: str | None
    what: str
    values: Change | None = None


UNKNOWN = Difference("unknown", None, "what differs is not in the records")
# Of runs without an identity, as one with a dataset that could not be pinned.
UNSURE = Difference("unknown", None, "whether anything differs is not in the records")


def list_differences(
    a: Record,
    b: Record,
    code: Sequence[FileChange],
    *,
    config_files: Collection[str] = (),
    data: Mapping[str, DataChange] | None = None,
) -> tuple[Difference, ...]:
    """Name each condition in which B differs from A: params first, one item each.

    What only repeats another one is not counted: the options of a command behind the params that
    they set, a file of the config behind these, `repro.lock` behind the datasets.

    Args:
        code: The files that differ.
        config_files: Paths of files that the config is read from.
        data: What differs in datasets file by file, as far as that is known.
    """
    config = diff_flat(flatten_config(a.config), flatten_config(b.config))
    changed = find_changed_data(a.data, b.data)
    repeated = {*(config_files if config else ()), *((_LOCK,) if changed else ())}
    around, _, random = diff_environment(a, b)
    around = {**around, **random}
    return (
        *_config(config),
        *_code([one for one in code if one.path not in repeated]),
        *(_dataset(name, a.data, b.data, data or {}) for name in changed),
        *_command(a, b, has_params=bool(config)),
        *_packages({key: one for key, one in around.items() if key.startswith(_PACKAGE)}),
        *_environment({key: one for key, one in around.items() if key in DECIDING_KEYS}),
    )


def count_differences(a: Record, b: Record) -> int:
    """How many params, datasets and commands `list_differences` would name, much faster."""
    before, after = flatten_config(a.config), flatten_config(b.config)
    params = sum(
        not is_same(before.get(key, ABSENT), after.get(key, ABSENT))
        for key in before.keys() | after.keys()
    )
    has_other_command = next(_command(a, b, has_params=params > 0), None) is not None
    return params + len(find_changed_data(a.data, b.data)) + has_other_command


def known_config(a: Record, now: Mapping[str, Json]) -> dict[str, Json]:
    """The config that A would have if it started with the config `now`.

    What neither its command nor `-c` gave was set by its code, which would do so again.
    """
    kept = flatten_config(now)
    given = {
        *flatten_config(a.run.assigned or {}),
        *flatten_config(config_from_command(a.run.command)),
    }
    by_code = {
        key: value
        for key, value in flatten_config(a.config).items()
        if key not in given and key not in kept
    }
    return {**kept, **by_code}


def deciding_values(environment: Mapping[str, Json]) -> dict[str, Json]:
    """What of an environment decides what is computed, packages left aside."""
    flat = flatten_config(
        {part: environment.get(part, {}) for part in ("interpreter", "platform", "variables")}
    )
    return {key: flat[key] for key in DECIDING_KEYS if flat.get(key) is not None}


def diff_params(asked: Mapping[str, Json], config: Mapping[str, Json]) -> tuple[Difference, ...]:
    """The params that a config has otherwise than they are asked for.

    Args:
        asked: By dotted key.
    """
    flat = flatten_config(config)
    found = {key: flat.get(key, ABSENT) for key in asked}
    return tuple(_config(diff_flat(asked, {k: v for k, v in found.items() if v is not ABSENT})))


def distance(differences: Iterable[Difference]) -> float:
    """How far apart the values of params are, all together: from 0 to 1 for each.

    Two numbers are as far apart as their difference is of their sum; all else is 1.
    """
    return math.fsum(_apart(one.values) for one in differences)


def _apart(change: Change | None) -> float:
    a, b = change or (None, None)
    if isinstance(a, bool) or isinstance(b, bool):
        return 1.0
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        try:
            size = abs(a) + abs(b)
            apart = abs(a - b) / size if size else 0.0
        except OverflowError:
            return 1.0
        return min(apart, 1.0) if apart == apart else 1.0  # NaN is far from all
    return 1.0


def describe_values(key: str, change: Change) -> str:
    """A param and both its values on one line, such as `lr: 0.1 → 0.2`."""
    before, after = map(_value, change)
    if before == after:  # in the five digits that a table shows
        before, after = map(_exactly, change)
    return f"{escape(key)}: {before} → {after}"


def _value(value: Value) -> str:
    if value is ABSENT:
        return "absent"
    if isinstance(value, str) and (not value or value != value.strip()):
        return shorten(_exactly(value))  # else nobody sees the blanks
    return format_value(value)


def _exactly(value: Value) -> str:
    """A value in full, a text in quotes, so that it is told from the number `0.1`."""
    if isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    return escape(str(value))


def _config(changes: Changes) -> Iterator[Difference]:
    for key, change in changes.items():
        yield Difference("config", key, describe_values(key, change), change)


def _code(files: Sequence[FileChange]) -> Iterator[Difference]:
    if files:
        many = count_of(len(files), "file")
        yield Difference("code", None, f"code: {many} ({_named([one.path for one in files])})")


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(escape(name) for name in names[:_NAMED])
    return shown + (", …" if len(names) > _NAMED else "")


def _dataset(
    name: str, a: Mapping[str, Json], b: Mapping[str, Json], changes: Mapping[str, DataChange]
) -> Difference:
    before, after = (_pin(side.get(name, ABSENT)) for side in (a, b))
    if before is ABSENT or after is ABSENT:
        what = f"{_short(before)} → {_short(after)}"
    elif name in changes and changes[name].unlisted is None:
        what = _files(changes[name])
    else:
        what = f"{_short(before)} → {_short(after)}"
    return Difference("data", name, f"data {escape(name)}: {what}", (before, after))


def _pin(entry: Value) -> Value:
    digest = entry.get("digest") if isinstance(entry, dict) else None
    return entry if digest is None else digest


def _short(digest: Value) -> str:
    if digest is ABSENT:
        return "absent"
    return escape(digest.partition(":")[2][:_DIGITS] or digest) if isinstance(digest, str) else "?"


def _files(change: DataChange) -> str:
    kinds = {"changed": change.changed, "added": change.added, "removed": change.removed}
    said = [
        f"{count_of(len(paths), 'file')} {kind} ({_named(paths)})"
        for kind, paths in kinds.items()
        if paths
    ]
    return ", ".join(said) or "differs"


def _command(a: Record, b: Record, *, has_params: bool) -> Iterator[Difference]:
    change = diff_command(a, b)
    if change is None:
        return
    is_elsewhere = a.run.cwd != b.run.cwd
    if has_params and not is_elsewhere and bare_command(a) == bare_command(b):
        return
    before, after = (
        escape(" ".join(map(str, side))) if isinstance(side, list) else "-" for side in change
    )
    yield Difference("command", None, f"command: {before} → {after}", change)


def bare_command(record: Record) -> list[str]:
    """The words of a run's command that give no param."""
    words = record.run.command
    giving = {n for one in find_given(words) for n in range(one.start, one.stop)}
    return [word for n, word in enumerate(words) if n not in giving]


def _packages(changes: Changes) -> Iterator[Difference]:
    if changes:
        said = [describe_package(key.removeprefix(_PACKAGE), one) for key, one in changes.items()]
        many = f" ({len(said):,})" if len(said) > 1 else ""
        yield Difference("packages", None, f"packages{many}: {_named(said)}")


def _environment(changes: Changes) -> Iterator[Difference]:
    if changes:
        said = [describe_values(key, one) for key, one in changes.items()]
        more = ", …" if len(said) > _NAMED else ""
        yield Difference("environment", None, f"environment: {', '.join(said[:_NAMED])}{more}")
