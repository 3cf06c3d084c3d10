"""Conditions that differ between two runs, in the order in which they are likely to matter."""

import re
from collections.abc import Callable, Iterator, Sequence

from repro.model.config import config_from_command, flatten_config
from repro.model.diff import (
    Change,
    Changes,
    Comparison,
    DataChange,
    FileChange,
    describe_package,
)
from repro.model.environment import OURS
from repro.model.readable import format_value
from repro.model.text import escape
from repro.model.values import ABSENT, Value
from repro.model.verdict import Cause

_MOST = 20  # causes of one kind
_FILES_NAMED = 3  # of one dataset
_STATUS = {"A": "added", "D": "deleted", "M": "modified", "T": "of another type"}

_SOURCE = re.compile(
    r"\.(?:py|pyx|pxd|ipynb|c|cc|cpp|cxx|cu|cuh|h|hpp|rs|jl|r|sh|bash|m|f90|java|scala|go|js|ts)\Z",
    re.IGNORECASE,
)
_IDLE = re.compile(  # what no program reads while it computes
    r"(?:\A|/)(?:README|LICEN[CS]E|CHANGELOG|CONTRIBUTING|AUTHORS|CITATION)[^/]*\Z"
    r"|\.(?:md|rst|adoc)\Z|(?:\A|/)\.git(?:ignore|attributes|modules|keep)\Z"
    r"|(?:\A|/)\.(?:editorconfig|dockerignore|pre-commit-config\.yaml)\Z"
    r"|\A(?:docs?|\.github|\.vscode|\.idea)/",
    re.IGNORECASE,
)
_SETTINGS = re.compile(r"\.(?:ya?ml|toml|json|ini|cfg|conf)\Z", re.IGNORECASE)
_LOCKS = re.compile(
    r"(?:\A|/)(?:requirements[^/]*\.(?:txt|in)|constraints[^/]*\.txt|[^/]*\.lock|pylock[^/]*\.toml"
    r"|pyproject\.toml|setup\.(?:py|cfg)|environment[^/]*\.ya?ml|\.python-version)\Z"
)
_OWN = ("repro.yaml", "repro.lock")  # what they change is in the parts of its own
_NUMERIC = (
    "numpy", "scipy", "torch", "tensorflow", "jax", "jaxlib", "scikit-learn", "pandas",
    "xgboost", "lightgbm", "keras", "transformers", "numba",
)  # fmt: skip
_INSTALLERS = ("pip", "setuptools", "wheel", "uv", "virtualenv", OURS)
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*\Z")

# Where things are, and what tools they were made with: a different result has other reasons.
_PLACES = re.compile(
    r"(?:interpreter\.(?:executable|prefix)|git|repro|conda|indexes|lockfiles)(?:\..*)?\Z",
    re.DOTALL,
)

UNKNOWN = Cause(
    "unknown",
    "nothing that was recorded, and could matter, differs: threads, GPU kernels, the time, its"
    " input, the network and files outside of the repository are the usual suspects",
)


def rank_causes(
    comparison: Comparison, *, is_rerun: bool, data_paths: Sequence[str] = ()
) -> tuple[Cause, ...]:
    """Name the conditions that differ, the one that most likely made the difference first.

    Code, command, config, data, randomness, environment, hardware; but what only repeats
    another difference stands behind it: a file of the config behind the config, the file of a
    dataset behind the dataset, a lock file behind the packages, the options of a command behind
    the params that they set. What hardly matters, such as README.md or the folder of the
    interpreter, is last of all.

    Args:
        is_rerun: Whether the second run was made to repeat the first. Only then does a seed that
            was drawn anew say much: all other runs draw their own.
        data_paths: Where datasets are, relative to the root.

    Returns:
        At least one; `UNKNOWN` first where nothing that could matter differs.
    """
    sorter = _Sorter(comparison, data_paths)
    given, other_randomness = _split(comparison.randomness, _is_given)
    drawn = tuple(_drawn(other_randomness, comparison.drawn))
    packages, other = _split(comparison.environment, _is_package)
    places, surroundings = _split(other, _is_place)
    likely = (
        *sorter.code("source"),
        *sorter.command("program"),
        *_entries("config", comparison.config),
        *sorter.code("config"),
        *sorter.command("options"),
        *_data(comparison),
        *sorter.code("data"),
        *_entries("randomness", given),
        *(drawn if is_rerun else ()),
        *_packages(packages),
        *_entries("environment", _variables_last(surroundings)),
        *sorter.code("environment"),
        *_entries("hardware", comparison.hardware),
        *(() if is_rerun else drawn),
    )
    idle = (
        *sorter.code("idle"),
        *sorter.command("interpreter"),
        *_entries("environment", places),
    )
    return (*(likely or (UNKNOWN,)), *idle)


class _Sorter:
    """Which part of the conditions each file, and the command, stands for."""

    def __init__(self, comparison: Comparison, data_paths: Sequence[str]) -> None:
        self._comparison = comparison
        self._data_paths = tuple(path.strip("/") for path in data_paths if path.strip("/."))
        self._has_packages = any(_is_package(key) for key in comparison.environment)

    def code(self, kind: str) -> Iterator[Cause]:
        """The files of one kind, sources first among those of the code."""
        files = [one for one in self._comparison.code if self._kind(one.path) == kind]
        if kind == "source":
            files.sort(key=lambda one: (not is_source(one.path), _is_test(one.path)))
        yield from (Cause("code", _file(one)) for one in files[:_MOST])
        if len(files) > _MOST:
            yield Cause("code", f"{len(files) - _MOST} more files differ")

    def _kind(self, path: str) -> str:
        comparison = self._comparison
        if comparison.data and (path == "repro.lock" or self._is_data(path)):
            return "data"
        if path in _OWN or _IDLE.search(path):
            return "idle"
        if self._has_packages and _LOCKS.search(path):
            return "environment"
        return "config" if comparison.config and _SETTINGS.search(path) else "source"

    def _is_data(self, path: str) -> bool:
        return any(path == top or path.startswith(f"{top}/") for top in self._data_paths)

    def command(self, kind: str) -> Iterator[Cause]:
        """The command, if `kind` is what differs in it: program, options or interpreter."""
        change = self._comparison.command
        if change is not None and self._command_kind(change) == kind:
            part = "environment" if kind == "interpreter" else "command"
            before, after = (escape(" ".join(_words(side))) for side in change)
            yield Cause(part, f"`{before}` → `{after}`")

    def _command_kind(self, change: Change) -> str:
        before, after = map(_words, change)
        if before[1:] == after[1:] and all(_is_python(side) for side in (before, after)):
            return "interpreter"
        if self._comparison.config and _operands(before) == _operands(after):
            return "options"
        return "program"


def _words(side: Value) -> list[str]:
    return [str(word) for word in side] if isinstance(side, list) else []


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _is_python(words: Sequence[str]) -> bool:
    return bool(words) and _PYTHON.match(_name(words[0])) is not None


def _operands(words: Sequence[str]) -> list[str]:
    """The words of a command that set no param."""
    values = set()
    for value in flatten_config(config_from_command(words)).values():
        values |= {str(one) for one in (value if isinstance(value, list) else [value])}
    rest = [_name(words[0])] if _is_python(words) else list(words[:1])
    for word in words[1:]:
        if not word.startswith("-") and "=" not in word and _plain(word) not in values:
            rest.append(word)
    return rest


def _plain(word: str) -> str:
    """A word as the value that it is read as, in text."""
    for number in (int, float):
        try:
            return str(number(word))
        except ValueError:
            continue
    return {"true": "True", "false": "False", "null": "None"}.get(word.lower(), word)


def _file(one: FileChange) -> str:
    return f"`{escape(one.path)}` {_STATUS.get(one.status, 'changed')}"


def is_source(path: str) -> bool:
    """Whether a file is code, going by its name."""
    return _SOURCE.search(path) is not None


def _is_test(path: str) -> bool:
    return path.startswith(("tests/", "test/")) or _name(path).startswith("test_")


def _entries(part: str, changes: Changes) -> Iterator[Cause]:
    for number, (key, change) in enumerate(changes.items()):
        if number == _MOST:
            yield Cause(part, f"{len(changes) - _MOST} more entries differ")
            return
        yield Cause(part, f"`{escape(key)}`: {_both(change)}")


def _both(change: Change) -> str:
    before, after = map(_value, change)
    if before == after:  # in the five digits that a table shows
        before, after = (escape(str(side)) for side in change)
    return f"{before} → {after}"


def _value(value: Value) -> str:
    return "absent" if value is ABSENT else format_value(value)


def _data(comparison: Comparison) -> Iterator[Cause]:
    for name, change in comparison.data.items():
        yield Cause("data", f"`{escape(name)}`: {_data_change(change)}")


def _data_change(change: DataChange) -> str:
    if change.unlisted is not None:
        return f"differs; file by file unknown: {escape(change.unlisted)}"
    counts = []
    kinds = {"changed": change.changed, "added": change.added, "removed": change.removed}
    for kind, paths in kinds.items():
        if paths:
            named = ", ".join(escape(path) for path in paths[:_FILES_NAMED])
            more = ", …" if len(paths) > _FILES_NAMED else ""
            files = "file" if len(paths) == 1 else "files"
            counts.append(f"{len(paths):,} {files} {kind}: {named}{more}")
    return "; ".join(counts) or "differs"


def _is_package(key: str) -> bool:
    return key.startswith("packages.")


def _packages(changes: Changes) -> Iterator[Cause]:
    """Packages, those that compute first, those that only install others last."""
    found = {key.removeprefix("packages."): change for key, change in changes.items()}
    ordered = sorted(found, key=lambda name: (name in _INSTALLERS, name not in _NUMERIC))
    for name in ordered[:_MOST]:
        yield Cause("environment", escape(describe_package(name, found[name])))
    if len(ordered) > _MOST:
        yield Cause("environment", f"{len(ordered) - _MOST} more packages differ")


def _variables_last(environment: Changes) -> Changes:
    """The interpreter first, variables last."""
    keys = sorted(
        environment,
        key=lambda key: (key.startswith("variables."), not key.startswith("interpreter")),
    )
    return {key: environment[key] for key in keys}


def _split(changes: Changes, belongs: Callable[[str], bool]) -> tuple[Changes, Changes]:
    """Those whose key belongs, and the others."""
    mine = {key: changes[key] for key in changes if belongs(key)}
    return mine, {key: changes[key] for key in changes if key not in mine}


def _is_given(key: str) -> bool:
    """Whether somebody set it (flags, variables, `repro.seed`): what runs draw, nobody did."""
    return key.partition(".")[0] in ("flags", "variables", "set")


def _is_place(key: str) -> bool:
    return _PLACES.match(key) is not None


def _drawn(changes: Changes, drawn: Change | None) -> Iterator[Cause]:
    """One cause for the drawn seeds: those of single generators follow from that of the run.

    They are one even where the program chose its own, for the order of sets, and what came
    before it chose, follow from them.
    """
    seed = changes.get("seed", drawn)
    if seed is not None:
        yield Cause("randomness", f"`seed`, drawn for each run: {_both(seed)}")
    elif changes:
        yield from _entries("randomness", changes)
