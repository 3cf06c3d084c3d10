"""A rerun with other params: where each param came from, and what must change for a new value."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath

from repro.errors import DamagedRecordError, InvalidInputError, UsageError
from repro.model.canonical import Json
from repro.model.config import flatten_config
from repro.model.dotted import find_path, value_at
from repro.model.marking import is_marked
from repro.model.nearest import say_meant
from repro.model.paths import validate_path
from repro.model.run import Record
from repro.model.text import escape
from repro.model.values import ABSENT, Value
from repro.model.varied import format_varied
from repro.model.varyargv import vary_argv
from repro.store.journal import Journal
from repro.store.lockfile import write_tracked
from repro.store.paramsfile import parse_config_file
from repro.store.settings import FILE, Settings, read_input
from repro.store.valueedit import edit_value

_LONGEST_SAID = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class Variation:
    """What a rerun with other params changes.

    Attributes:
        argv: The recorded command with the new values; paths and secrets are still recorded ones.
        edits: New bytes of params files, by their path relative to the root.
        overrides: All varied params by their dotted keys, for `REPRO_VARIED`.
        awaited: Those that neither command nor file gives, with their recorded values: the
            program must read them from the config of the run, or they had no effect.
        said: One line for each param, as in "`lr`: 0.1 → 0.2, in the command".
    """

    argv: tuple[str, ...]
    edits: Mapping[str, bytes] = field(default_factory=dict)
    overrides: Mapping[str, Json] = field(default_factory=dict)
    awaited: Mapping[str, Json] = field(default_factory=dict)
    said: tuple[str, ...] = ()


def plan_variation(
    root: Path,
    settings: Settings,
    record: Record,
    assignments: Mapping[str, Json],
    appended: Sequence[str] = (),
) -> Variation:
    """Say what must change for a rerun of `record` to have other params; nothing is written.

    A param comes from the command, else from the last params file that gives it, else from the
    code or from `-c`: then only the SDK can bring it in.

    Args:
        root: A fresh working tree of the run.
        settings: What its `repro.yaml` says.
        assignments: New values by dotted keys; a mapping stands for its entries.
        appended: Words that the command gets at its end.

    Raises:
        UsageError: The run has no such param.
        InvalidInputError: It is a whole section or a secret, or it stands where it cannot be
            edited.
    """
    plan = _Plan(root, settings, record, appended)
    flat: dict[str, Json] = {}
    for key, value in assignments.items():
        flat.update(flatten_config({key: value}))
    for key, value in flat.items():
        plan.vary(key, value)
    format_varied(flat)
    return Variation(
        tuple(plan.argv), dict(plan.files.edits), flat, dict(plan.awaited), tuple(plan.said)
    )


def write_variation(root: Path, variation: Variation) -> None:
    """Write the params files of a variation into a working tree.

    Raises:
        InvalidInputError: A path leads out of the tree, as through a link.
        StorageError: The disk is full, read-only or forbidden.
    """
    for name, data in variation.edits.items():
        if not _is_inside(root, name):
            raise InvalidInputError(
                f"the params file `{escape(name[:200])}` is not inside of the run's code",
                hint="a variation edits only files of the run; change that file by hand",
            )
        write_tracked(root / name, data)


def find_unconsumed(journals: Iterable[Journal], awaited: Iterable[str]) -> list[str]:
    """Give the varied params that the program did not read, going by what its journals say.

    Args:
        journals: Of the live folder of the rerun, before or after its end.
        awaited: As in `Variation`.
    """
    consumed: set[str] = set()
    for journal in journals:
        for entry in journal.records if journal.header.get("rank", 0) == 0 else ():
            keys = entry.get("v")
            if entry.get("k") == "varied" and isinstance(keys, list):
                consumed.update(key for key in keys if isinstance(key, str))
    return [key for key in awaited if key not in consumed]


class ParamsFiles:
    """The params files of a working tree, and what changes in them; nothing is written.

    Attributes:
        edits: New bytes, by path relative to the root.
    """

    def __init__(self, root: Path, settings: Settings) -> None:
        self._root = root
        self._names = settings.config
        self.edits: dict[str, bytes] = {}

    def edit(self, key: str, value: Json) -> str | None:
        """Give a param another value in the file whose value counts; the name of the file.

        One outside of the tree is not ours to edit.

        Returns:
            None where no file gives that param.

        Raises:
            InvalidInputError: A file is absent or wrong; the param is a section or a secret, or
                stands where it cannot be edited.
        """
        for name in reversed(self._names):
            if not _is_inside(self._root, name):
                continue
            data = self._read(name)
            config = parse_config_file(data, name)
            path = find_path(config, key)
            if path is not None:
                check_old(key, value_at(config, path))
                self.edits[name] = edit_value(data, name, key, value)
                return name
        return None

    def _read(self, name: str) -> bytes:
        if name in self.edits:
            return self.edits[name]
        data = read_input(self._root, name)
        if data is None:
            raise InvalidInputError(
                f"there is no params file `{escape(name)}` in the run's code",
                hint=f"`config:` in its `{FILE}` names a file that was not recorded",
            )
        return data


class _Plan:
    """The changes so far, one param after the other."""

    def __init__(
        self, root: Path, settings: Settings, record: Record, appended: Sequence[str]
    ) -> None:
        self.files = ParamsFiles(root, settings)
        self.config = record.config
        self.run = record.run.id
        self.argv: Sequence[str] = (*record.run.command, *appended)
        self.awaited: dict[str, Json] = {}
        self.said: list[str] = []
        if appended:
            self.said.append(f"appended to the command: {escape(shlex.join(appended))}")

    def vary(self, key: str, value: Json) -> None:
        path = find_path(self.config, key)
        old: Value = ABSENT if path is None else value_at(self.config, path)
        check_old(key, old)
        varied = vary_argv(self.argv, key, value)
        if varied is not None:
            if any(map(is_marked, set(self.argv) - set(varied))):
                raise secret_error(key)
            self.argv = varied
            self.say(key, old, value, "in the command")
        elif name := self.files.edit(key, value):
            self.say(key, old, value, f"in `{escape(name)}`")
        elif path is not None:
            self.awaited[key] = value_at(self.config, path)
            self.say(key, old, value, "in the config that the program reads from its run")
        else:
            raise self.unknown(key)

    def say(self, key: str, old: Value, new: Json, where: str) -> None:
        before = "" if old is ABSENT else f"{_shown(old)} → "
        self.said.append(f"`{escape(key)}`: {before}{_shown(new)}, {where}")

    def unknown(self, key: str) -> UsageError:
        known = list(flatten_config(self.config))
        return UsageError(
            f"the run has no param `{escape(key[:200])}`{say_meant(key, known)}",
            hint=f"`repro show {self.run} --config` lists its params",
        )


def check_old(key: str, old: Value) -> None:
    """Refuse what is no single value, and what the record does not hold."""
    if isinstance(old, Mapping):
        entries = [f"{key}.{inner}" for inner in flatten_config(old)] or [f"{key}.NAME"]
        raise InvalidInputError(
            f"`{escape(key)}` is a section of the config, not a param",
            hint=f"name an entry of it, such as `-c {escape(entries[0])}=VALUE`",
        )
    if old is not ABSENT and is_marked(json.dumps(old)):
        raise secret_error(key)


def secret_error(key: str) -> InvalidInputError:
    """The error for a param whose value nobody recorded."""
    return InvalidInputError(
        f"`{escape(key)}` was recorded without its value, for it looks like a secret",
        hint="leave it out of `-c`, and give it in the environment as the run had it",
    )


def _is_inside(root: Path, name: str) -> bool:
    """Whether a params file is inside of the tree; the record that names it may be hostile."""
    try:
        validate_path(normpath(name))
        return (root / name).resolve().is_relative_to(root.resolve())
    except (DamagedRecordError, OSError, RuntimeError, ValueError):
        return False


def _shown(value: Value) -> str:
    text = escape(json.dumps(value, ensure_ascii=False) if value is not ABSENT else "")
    return text if len(text) <= _LONGEST_SAID else f"{text[: _LONGEST_SAID - 1]}…"
