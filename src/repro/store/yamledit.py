"""Datasets are put into `repro.yaml` and taken out of it; every other line of the file stays.

Changes are pieces of text, put where a parser says that something begins or ends. A library that
writes the whole file anew changes lines of its user's (decisions/0010-ruamel-yaml.md).
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from repro.errors import InvalidInputError
from repro.store.lockfile import format_flow, format_pair, hold_guard, write_tracked
from repro.store.settings import (
    FILE,
    DataEntry,
    Settings,
    find_data_fault,
    parse_settings,
    read_input,
)
from repro.store.yamlnodes import Node, Pair, parse_nodes

_BOM = "\ufeff"
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_COMMA = re.compile(r"(\s*),[ \t]*")
_KEYS = ("path", "keep", "follow")


def add_dataset(root: Path, name: str, entry: DataEntry, *, guard: Path) -> None:
    """Make `entry` the dataset `name` of `repro.yaml`; the file is created where there is none.

    Args:
        guard: As for `update_lock`.

    Raises:
        InvalidInputError: The file, the name or the path is wrong, the dataset overlaps another
            one, or the file is written in a way that cannot be edited; nothing was written.
        StorageError: The disk is full, read-only or forbidden.
    """
    with hold_guard(guard):
        data = read_input(root, FILE) or b""
        before = parse_settings(data, root)
        after = replace(before, data={**before.data, name: entry})
        if fault := find_data_fault(after.data, root):
            raise InvalidInputError(fault.reason, hint=fault.hint)
        if after == before:
            return
        hint = f"write `{_pair(name, _format_entry(entry))}` under `data:` by hand"
        text = _Text(data, hint)
        _write(root, text, text.with_dataset(name, before.data.get(name), entry), after)


def remove_dataset(root: Path, name: str, *, guard: Path) -> bool:
    """Take the dataset `name` out of `repro.yaml`, and `data:` with the last one.

    Args:
        guard: As for `update_lock`.

    Returns:
        False where there is no such dataset.

    Raises:
        InvalidInputError: The file is wrong, or cannot be edited; nothing was written.
        StorageError: The disk is full, read-only or forbidden.
    """
    with hold_guard(guard):
        data = read_input(root, FILE) or b""
        before = parse_settings(data, root)
        if name not in before.data:
            return False
        rest = {other: entry for other, entry in before.data.items() if other != name}
        text = _Text(data, f"take `{name}` out of `data:` by hand")
        _write(root, text, text.without_dataset(name), replace(before, data=rest))
    return True


class _Edit(NamedTuple):
    """`text` in the place of what is between two offsets."""

    start: int
    end: int
    text: str = ""


class _Text:
    """A settings file as text, with what a parser found in it."""

    def __init__(self, data: bytes, hint: str) -> None:
        self.hint = hint
        text = data.decode()
        self.mark, self.text = text[: text.startswith(_BOM)], text.removeprefix(_BOM)
        first = _BREAK.search(self.text)
        self.newline = "\r\n" if first and first[0] == "\r\n" else "\n"
        self.is_cut = bool(self.text) and self.text[-1] not in "\r\n\x85\u2028\u2029"
        if self.is_cut:
            self.text += self.newline
        self.starts = [0, *(found.end() for found in _BREAK.finditer(self.text))]
        self.root, self.end = self._parse()

    def refusal(self) -> InvalidInputError:
        return InvalidInputError(
            f"`{FILE}` is written in a way that cannot be edited", hint=self.hint
        )

    def _parse(self) -> tuple[Node | None, int]:
        try:
            return parse_nodes(self.text)
        except ValueError:
            raise self.refusal() from None

    def edited(self, edits: Sequence[_Edit]) -> bytes:
        text = self.text
        for edit in sorted(edits, key=lambda edit: edit.start)[::-1]:
            text = text[: edit.start] + edit.text + text[edit.end :]
        if self.is_cut:
            text = text.removesuffix(self.newline)
        return (self.mark + text).encode()

    def with_dataset(self, name: str, old: DataEntry | None, new: DataEntry) -> Sequence[_Edit]:
        item = _pair(name, _format_entry(new))
        data = self.root and self.root.find("data")
        if not data:
            return [self._insert_section(item)]
        if data.value.pairs is None:
            return [self._fill(data, item)]
        pair = data.value.find(name)
        if pair is None or old is None:
            return [self._insert(data.value, item)]
        if pair.value.pairs is None:
            return [_replace(pair.value, _format_entry(new))]
        return [
            self._put(pair.value, key, _format(getattr(new, key)))
            for key in _KEYS
            if getattr(new, key) != getattr(old, key)
        ]

    def without_dataset(self, name: str) -> Sequence[_Edit]:
        data = self.root and self.root.find("data")
        pair = data and data.value.find(name)
        if not self.root or not data or not pair:
            raise self.refusal()
        if len(data.value.pairs or ()) > 1:
            return [self._drop(data.value, pair)]
        if data.value.inner is not None:
            return [self._drop(self.root, data)]
        # Comments between the two lines stay.
        return [self._lines(data.key.start, data.key.end), self._drop(data.value, pair)]

    def _insert_section(self, item: str) -> _Edit:
        """`data:` with its first dataset, at the end of the file."""
        if self.root and self.root.inner is not None:
            return self._insert(self.root, f"data: {{{item}}}")
        column = self.root.column if self.root else 0
        lines = [f"{' ' * column}data:", f"{' ' * (column + self._step())}{item}"]
        blank = self.newline * 2
        if blank in self.text and not self.text[: self.end].endswith(blank):
            lines.insert(0, "")
        return _Edit(self.end, self.end, "".join(line + self.newline for line in lines))

    def _step(self) -> int:
        """By how many columns the file indents."""
        outer = self.root.column if self.root else 0
        values = [pair.value for pair in (self.root and self.root.pairs) or ()]
        columns = [node.column for node in values if node.pairs and node.inner is None]
        return columns[0] - outer if columns else 2

    def _fill(self, data: Pair, item: str) -> _Edit:
        """The first dataset, for a `data` without a value."""
        if data.value.text is None:
            raise self.refusal()
        if data.value.start < data.value.end or not self.root or self.root.inner is not None:
            return _replace(data.value, f"{{{item}}}")
        indent = " " * (self.root.column + self._step())
        at = self._line_end(data.end)
        return _Edit(at, at, f"{indent}{item}{self.newline}")

    def _put(self, mapping: Node, key: str, value: str) -> _Edit:
        pair = mapping.find(key)
        return _replace(pair.value, value) if pair else self._insert(mapping, _pair(key, value))

    def _insert(self, mapping: Node, item: str) -> _Edit:
        """One more entry, on a line of its own where that is how the others stand."""
        pairs = mapping.pairs or ()
        if mapping.inner is None:
            at = self._line_end(pairs[-1].end)
            return _Edit(at, at, f"{' ' * mapping.column}{item}{self.newline}")
        if not pairs:
            return _Edit(mapping.inner, mapping.inner, item)
        first, last = pairs[0].key.start, pairs[-1].end
        if not _BREAK.search(self.text, last, mapping.end):
            return _Edit(last, last, f", {item}")
        # The brace closes on a later line, and a comment may stand behind the last entry: the
        # place before the first one, or behind a comma, needs no change of another line.
        comma = _COMMA.match(self.text, last)
        if comma and _BREAK.search(comma[1]):
            return _Edit(last, last, f", {item}")
        at = self._line_end(last) if comma else self._line_start(first)
        if comma is None and self.text[at:first].strip():
            return _Edit(mapping.inner, mapping.inner, f"{item}, ")
        indent = " " * (first - self._line_start(first))
        return _Edit(at, at, f"{indent}{item},{self.newline}")

    def _drop(self, mapping: Node, pair: Pair) -> _Edit:
        start, end = pair.key.start, pair.end
        if mapping.inner is None:
            return self._lines(start, end)
        place = (mapping.pairs or ()).index(pair)
        before = (mapping.pairs or ())[place - 1].end if place else mapping.inner
        if comma := _COMMA.match(self.text, end):
            end = comma.end()
        elif place and not _BREAK.search(self.text, before, start):
            start = before
        line = self._lines(start, end)
        is_alone = not (self.text[line.start : start] + self.text[end : line.end]).strip()
        return line if is_alone else _Edit(start, end)

    def _lines(self, start: int, end: int) -> _Edit:
        """Without the lines from that of `start` to that of `end`."""
        return _Edit(self._line_start(start), self._line_end(end))

    def _line_start(self, offset: int) -> int:
        return self.starts[bisect_right(self.starts, offset) - 1]

    def _line_end(self, offset: int) -> int:
        after = bisect_right(self.starts, offset)
        return self.starts[after] if after < len(self.starts) else len(self.text)


def _write(root: Path, text: _Text, edits: Sequence[_Edit], wanted: Settings) -> None:
    data = text.edited(edits)
    try:
        is_right = parse_settings(data, root) == wanted
    except InvalidInputError:
        is_right = False
    if not is_right:
        raise text.refusal()
    write_tracked(root / FILE, data)


def _replace(node: Node, text: str) -> _Edit:
    return _Edit(node.start, node.end, text if node.start < node.end else f" {text}")


def _pair(key: str, value: str) -> str:
    return format_pair(key, 0).removesuffix("0") + value


def _format(value: str | bool) -> str:
    return format_pair("_", value).removeprefix("_: ")


def _format_entry(entry: DataEntry) -> str:
    if not entry.keep and not entry.follow:
        return _format(entry.path)
    values = {key: getattr(entry, key) for key in _KEYS}
    return format_flow({key: value for key, value in values.items() if value})
