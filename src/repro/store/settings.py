"""The settings of a project: `repro.yaml`."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.kinds import name_kind
from repro.model.paths import LONGEST_PATH, find_name_fault
from repro.model.text import escape
from repro.store.yamlfile import MAX_BYTES, load_yaml_lines

FILE = "repro.yaml"

_SIZE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(?:([kmgtp])(i?))?b?\Z", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LARGEST_SIZE = 2**63 - 1
_MIB = 1024 * 1024
_LONGEST_DATASET = 200  # bytes of its name
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # in the path of a dataset


@dataclass(frozen=True, slots=True)
class DataEntry:
    """A dataset that runs read.

    Attributes:
        path: Relative to the root, or absolute.
        keep: Whether its bytes go to the content store.
        follow: Whether links that lead out of it are followed.
    """

    path: str
    keep: bool = False
    follow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `repro.yaml` says; all of it is optional.

    Attributes:
        config: Params files, relative to the root, later ones winning.
        metrics: Patterns of files that hold metrics, as in `.gitignore`.
        artifacts: Patterns of files that runs produce.
        data: Datasets by name.
        store: Folder or URL of the content store; None for the private folder.
        max_file: Bytes; a larger untracked file is left out of the snapshot.
        max_total: Bytes of all untracked files of a snapshot.
        exclude: Patterns of untracked files to leave out of it.
    """

    config: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    data: Mapping[str, DataEntry] = field(default_factory=dict)
    store: str | None = None
    max_file: int = 10 * _MIB
    max_total: int = 100 * _MIB
    exclude: tuple[str, ...] = ()


def read_settings(root: Path) -> Settings:
    """Give the settings of the project at `root`; the defaults where it has no `repro.yaml`.

    Raises:
        InvalidInputError: The file is wrong; file, line and key are named.
    """
    data = read_input(root, FILE)
    return Settings() if data is None else parse_settings(data, root)


def parse_settings(data: bytes, root: Path) -> Settings:
    """Give the settings that a `repro.yaml` with the bytes `data` has in the project at `root`.

    Raises:
        InvalidInputError: As `read_settings`.
    """
    value, lines = load_yaml_lines(data, name=FILE)
    reader = _Reader(lines)
    top = reader.section({} if value is None else value, (), _TOP_KEYS)
    snapshot = reader.section(top.get("snapshot", {}), ("snapshot",), _SNAPSHOT_KEYS)
    settings = Settings()
    return Settings(
        config=reader.strings(top, ("config",), example="params.yaml"),
        metrics=reader.strings(top, ("metrics",), example="metrics.json"),
        artifacts=reader.strings(top, ("artifacts",), example="models/*.pt"),
        data=reader.datasets(top.get("data", {}), root),
        store=reader.text(top, ("store",)),
        max_file=reader.size(snapshot, ("snapshot", "max_file"), settings.max_file),
        max_total=reader.size(snapshot, ("snapshot", "max_total"), settings.max_total),
        exclude=reader.strings(snapshot, ("snapshot", "exclude"), example="*.ckpt"),
    )


_TOP_KEYS = ("config", "metrics", "artifacts", "data", "store", "snapshot")
_SNAPSHOT_KEYS = ("max_file", "max_total", "exclude")
_DATA_KEYS = ("path", "keep", "follow")

Keys = tuple[str | int, ...]


class _Reader:
    """Takes typed values out of `repro.yaml`, naming line and key where one is wrong."""

    def __init__(self, lines: Mapping[Keys, int]) -> None:
        self.lines = lines

    def refusal(self, keys: Keys, reason: str, hint: str) -> InvalidInputError:
        line = next(
            (self.lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self.lines), 1
        )
        return InvalidInputError(f"`{FILE}` line {line}: {reason}", hint=hint)

    def wrong_type(self, keys: Keys, wanted: str, value: Json, hint: str) -> InvalidInputError:
        what = f"`{_dotted(keys)}`" if keys else "the file"
        return self.refusal(keys, f"{what} must be {wanted}, not {name_kind(value)}", hint)

    def section(self, value: Json, keys: Keys, known: Sequence[str]) -> dict[str, Json]:
        """The entries of a mapping with known keys; those without a value count as absent."""
        if not isinstance(value, dict):
            raise self.wrong_type(keys, "a mapping", value, f"its keys are {_listed(known)}")
        for key in value:
            if key not in known:
                near = _nearest(key, known)
                hint = f"did you mean `{near}`?" if near else f"the keys are {_listed(known)}"
                shown = escape(_dotted((*keys, key))[:80])
                raise self.refusal((*keys, key), f"unknown key `{shown}`", hint)
        return {key: item for key, item in value.items() if item is not None}

    def text(self, section: Mapping[str, Json], keys: Keys) -> str | None:
        value = section.get(str(keys[-1]))
        return None if value is None else self.one_text(value, keys)

    def one_text(self, value: Json, keys: Keys) -> str:
        if not isinstance(value, str):
            raise self.wrong_type(keys, "text", value, "put quotes around it")
        if not value or "\0" in value or "\n" in value:
            reason = f"`{_dotted(keys)}` is empty or holds a line break"
            raise self.refusal(keys, reason, "write a path on one line")
        return value

    def strings(self, section: Mapping[str, Json], keys: Keys, *, example: str) -> tuple[str, ...]:
        value = section.get(str(keys[-1]), [])
        if not isinstance(value, list):
            hint = f"write it as `{keys[-1]}: [{_quoted(example)}]`"
            raise self.wrong_type(keys, "a list of paths", value, hint)
        return tuple(self.one_text(item, (*keys, n)) for n, item in enumerate(value))

    def size(self, section: Mapping[str, Json], keys: Keys, default: int) -> int:
        value = section.get(str(keys[-1]), default)
        hint = "write it as `10MiB`, `500KB` or `1000000`"
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise self.wrong_type(keys, "a size", value, hint)
        try:
            return parse_size(str(value))
        except ValueError:
            reason = f"`{_dotted(keys)}` is `{escape(str(value)[:40])}`, which is no size"
            raise self.refusal(keys, reason, hint) from None

    def datasets(self, value: Json, root: Path) -> dict[str, DataEntry]:
        if not isinstance(value, dict):
            hint = "write it as `data: {train: data/train}`"
            raise self.wrong_type(("data",), "a mapping of names to paths", value, hint)
        found = {name: self.dataset(name, entry) for name, entry in value.items()}
        if fault := find_data_fault(found, root):
            raise self.refusal(("data", fault.name), fault.reason, fault.hint)
        return found

    def dataset(self, name: str, value: Json) -> DataEntry:
        keys = ("data", name)
        if fault := find_dataset_name_fault(name):
            raise self.refusal(keys, fault.reason, fault.hint)
        if isinstance(value, str):
            return DataEntry(self.one_text(value, keys))
        hint = "write it as `labels: {path: data/labels.csv, keep: true}`"
        if not isinstance(value, dict):
            raise self.wrong_type(keys, "a path or a mapping", value, hint)
        entry = self.section(value, keys, _DATA_KEYS)
        path = self.text(entry, (*keys, "path"))
        if path is None:
            raise self.refusal(keys, f"`{_dotted(keys)}` has no `path`", hint)
        keep = self.flag(entry, (*keys, "keep"), hint)
        return DataEntry(path, keep, self.flag(entry, (*keys, "follow"), hint))

    def flag(self, section: Mapping[str, Json], keys: Keys, hint: str) -> bool:
        value = section.get(str(keys[-1]), False)
        if not isinstance(value, bool):
            raise self.wrong_type(keys, "true or false", value, hint)
        return value


class DataFault(NamedTuple):
    """Why the dataset `name` cannot be as it is said to be."""

    name: str
    reason: str
    hint: str


def find_data_fault(data: Mapping[str, DataEntry], root: Path) -> DataFault | None:
    """Give a fault of the names and paths of datasets, if there is one; no link is looked at."""
    places = []
    for name, entry in data.items():
        if fault := find_dataset_name_fault(name):
            return fault
        if which := find_path_fault(entry.path, root):
            reason = f"`data.{name}` is `{escape(entry.path[:80])}`, which {which}"
            return DataFault(name, reason, "name what lies in the project, or an absolute path")
        places.append((_components(root / entry.path), name))
    order = list(data)
    # Sorted, what lies inside a folder follows it, with nothing but its like between.
    for (outer, one), (inner, other) in pairwise(sorted(places)):
        if inner[: len(outer)] == outer:
            first, second = sorted((one, other), key=order.index)
            a, b = (f"`data.{n}` (`{escape(data[n].path[:80])}`)" for n in (second, first))
            return DataFault(second, f"{a} overlaps {b}", "keep one of the two")
    return None


def find_dataset_name_fault(name: str) -> DataFault | None:
    """Why `name` is no name for a dataset, if it is none."""
    if name.isprintable() and 0 < len(name.encode()) <= _LONGEST_DATASET:
        return None
    reason = f"`{escape(name[:80])}` is no name for a dataset"
    return DataFault(name, reason, f"use printable characters, at most {_LONGEST_DATASET} bytes")


def find_path_fault(path: str, root: Path) -> str | None:
    """What forbids a path of a dataset, in words that follow "which"; None if nothing."""
    if not path or _UNFIT.search(path):
        return "is empty, not UTF-8, or holds a control character"
    if len(path.encode()) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} bytes"
    top, place = _components(root), _components(root / path)
    if top[: len(place)] == place:
        return "contains the whole repository"
    is_inside = place[: len(top)] == top
    if not is_inside and not path.startswith("/"):
        return "leads out of the repository"
    return next(filter(None, map(find_name_fault, place[len(top) if is_inside else 0 :])), None)


def _components(path: Path) -> list[str]:
    return [part for part in os.path.normpath(path.absolute()).split("/") if part]


def parse_size(text: str) -> int:
    """Read a size such as `10MiB`, `500KB`, `1.5G` or `1000000`, in bytes.

    `KiB` and `K` are 1,024 bytes, `KB` is 1,000.

    Raises:
        ValueError: `text` has another form, or is beyond 8 EiB.
    """
    match = _SIZE.match(text.strip())
    if match is None:
        raise ValueError(f"not a size: {text!r}")
    number, prefix, binary = match.groups(default="")
    is_decimal = not binary and text.strip()[-1] in "bB"
    unit = (1000 if is_decimal else 1024) ** _POWERS[prefix.lower()]
    size = int(float(number) * unit) if "." in number else int(number) * unit
    if size > _LARGEST_SIZE:
        raise ValueError(f"not a size: {text!r}")
    return size


def read_input(root: Path, name: str) -> bytes | None:
    """Give the bytes of a file that a person wrote, None where there is none.

    Of one beyond the limit of YAML it gives one byte too many, so that the parser refuses it.

    Raises:
        InvalidInputError: It is no file, or cannot be read.
    """
    path = root / name
    try:
        if not path.is_file() and path.exists():
            raise InvalidInputError(f"`{name}` is not a file", hint="put a text file in its place")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInputError(
            f"cannot read `{name}`: {error.strerror}", hint="mend its permissions"
        ) from error


def _dotted(keys: Keys) -> str:
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _quoted(example: str) -> str:
    return f'"{example}"' if "*" in example else example


def _nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word with the fewest letters to change, if those are less than half."""
    distance, nearest = min((_distance(word[:40], other), other) for other in known)
    return nearest if distance * 2 < len(nearest) else None


def _distance(a: str, b: str) -> int:
    """Letters to insert, drop or change. Source: V. Levenshtein, 1966."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
