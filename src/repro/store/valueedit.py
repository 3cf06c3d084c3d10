"""One value of a params file replaced where it stands; every other character of it stays."""

import json
import re
from collections.abc import Callable, Sequence
from json.decoder import JSONDecoder
from pathlib import Path

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.configfile import format_config
from repro.model.dotted import find_path, value_at, with_value
from repro.model.text import escape
from repro.model.values import is_same
from repro.store.paramsfile import parse_config_file
from repro.store.yamlnodes import Node, parse_nodes

_BOM = "\ufeff"
_SPACE = re.compile(r"[ \t\n\r]*")


def edit_value(data: bytes, name: str, key: str, value: Json) -> bytes:
    """Give a params file with another value for an entry that it has.

    Comments, order and layout stay. The result is read back: it says the new value, and all
    else that it said before.

    Args:
        name: What to call it in an error; its ending tells YAML, JSON and TOML apart.
        key: With dots.

    Raises:
        InvalidInputError: It is wrong, or written in a way that cannot be edited.
    """
    before = parse_config_file(data, name)
    path = find_path(before, key)
    refusal = InvalidInputError(
        f"`{escape(key)}` stands in `{escape(name)}` in a way that cannot be edited",
        hint="edit the file by hand in your own tree, then `repro run -- CMD`",
    )
    if path is None:
        raise refusal
    if is_same(value_at(before, path), value):
        return data
    text = data.decode()
    mark, text = text[: text.startswith(_BOM)], text.removeprefix(_BOM)
    try:
        edited = (mark + _EDITORS[Path(name).suffix.lower()](text, path, value)).encode()
        if is_same(parse_config_file(edited, name), with_value(before, path, value)):
            return edited
    except (ValueError, RecursionError, InvalidInputError):
        pass
    raise refusal


def _edit_yaml(text: str, path: Sequence[str], value: Json) -> str:
    node, _ = parse_nodes(text)
    column = 0
    for key in path:
        pair = node.find(key) if node else None
        if pair is None:
            raise ValueError("it comes from an alias or a merge")
        node, column = pair.value, pair.key.column
    if node is None or (isinstance(value, dict) and value):
        raise ValueError("a mapping takes lines of its own")
    new = format_config({"_": value}).decode().removeprefix("_:").strip()
    return text[: node.start] + _pad(node, column) + new + text[node.end :]


def _pad(node: Node, column: int) -> str:
    """What keeps a value apart from its key: one that was absent, a list that is not indented."""
    if node.start == node.end:
        return " "
    return " " * max(0, column + 1 - node.column)


def _edit_json(text: str, path: Sequence[str], value: Json) -> str:
    at = _behind_space(text, 0)
    for key in path:
        at = _find_json(text, at, key)
    _, end = JSONDecoder().raw_decode(text, at)
    ascii_only = text.isascii()
    return text[:at] + json.dumps(value, ensure_ascii=ascii_only) + text[end:]


def _find_json(text: str, at: int, wanted: str) -> int:
    """Where the value of a key of the object at `at` begins."""
    decoder = JSONDecoder()
    while True:  # it is there: the file was read before
        key, at = decoder.raw_decode(text, _behind_space(text, at + 1))
        at = _behind_space(text, _behind_space(text, at) + 1)
        if key == wanted:
            return at
        _, at = decoder.raw_decode(text, at)
        at = _behind_space(text, at)


def _behind_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _edit_toml(text: str, path: Sequence[str], value: Json) -> str:
    # 4 ms of a 50 ms budget for `import repro`, and few projects keep params in TOML.
    from repro.store.tomlplaces import find_places, format_toml, has_dates  # noqa: PLC0415

    for place in find_places(text):
        old = text[place.start : place.stop]
        if place.path == tuple(path[: len(place.path)]):
            rest = path[len(place.path) :]
            if has_dates(old):
                raise ValueError("a config has a date as text")
            if rest:  # of an inline table
                table = parse_config_file(f"x = {old}".encode(), "x.toml")
                new = format_toml(with_value(table, ["x", *rest], value)["x"])
            else:
                new = format_toml(value)
            return text[: place.start] + new + text[place.stop :]
    raise ValueError("there is no such key")


_EDITORS: dict[str, Callable[[str, Sequence[str], Json], str]] = {
    ".yaml": _edit_yaml,
    ".yml": _edit_yaml,
    ".json": _edit_json,
    ".toml": _edit_toml,
}
