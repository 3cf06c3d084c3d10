"""The record's `config.yaml`: a small form of YAML with one text for one config (FORMAT.md)."""

import re
from collections.abc import Iterator, Mapping
from json import dumps
from math import isfinite

from repro.errors import DamagedRecordError
from repro.model.canonical import MAX_BYTES, MAX_DEPTH, TOO_LARGE, Json, carriable_text, decode_json
from repro.model.text import escape

# YAML takes a key on one line only up to 1,024 characters; a longer one stands behind a `?`.
_LONGEST_KEY = 1000

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z", re.ASCII)
_PLAIN_TEXT = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+-]+)*\Z")
# Words that one YAML or another reads as something else than text.
_RESERVED = frozenset(
    ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", "nan", "inf"]
)
# What YAML readers refuse or fold inside a quoted string, or what would reorder text on a terminal.
_NOT_RAW = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]"
)

_DIGITS = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:e[+-][0-9]+)?)?"
# Nearly all values are numbers: told apart here, a config takes a quarter less time.
_LINE = re.compile(
    r'((?:  )*)([A-Za-z_][A-Za-z0-9_./-]*|"(?:[^"\\]|\\.)*+"):'
    rf"(?: (?:({_DIGITS})|(.+)))?\Z"
)
_SHORT = 300
_LONG_KEY = re.compile(r'^( *)\? ("(?:[^"\\\n]|\\.)*+")\n\1:', re.MULTILINE)
_STRING = re.compile(r'"[^"\\\x00-\x1f]*"\Z')
_WORDS: dict[str, Json] = {
    "null": None,
    "true": True,
    "false": False,
    ".nan": float("nan"),
    ".inf": float("inf"),
    "-.inf": float("-inf"),
}
# Where a flow list differs from JSON, outside of its strings.
_NOT_JSON = re.compile(r'"(?:[^"\\]|\\.)*+"|-?\.(?:nan|inf)\b|\? (?=")|NaN|-?Infinity')
_TO_JSON = {".nan": "NaN", ".inf": "Infinity", "-.inf": "-Infinity", "? ": ""}


def format_config(config: Mapping[str, Json]) -> bytes:
    """Write a config so that any YAML reader finds the same values in the same order.

    Mappings take a line for each key, two spaces deeper each; a list is one line. Halves of
    surrogate pairs, which UTF-8 cannot carry, become their visible escape.
    """
    return ("\n".join(_lines(config, "")) + "\n" if config else "{}\n").encode()


def _lines(config: Mapping[str, Json], indent: str) -> Iterator[str]:
    for key, value in config.items():
        name = key if _is_plain(key, _PLAIN_KEY) else _quote(key)
        if len(name) > _LONGEST_KEY:
            yield f"{indent}? {_quote(key)}"
            name = ""
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}:"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, str) and _is_plain(value, _PLAIN_TEXT):
            yield f"{indent}{name}: {value}"
        else:
            yield f"{indent}{name}: {_flow(value)}"


def _is_plain(text: str, pattern: re.Pattern[str]) -> bool:
    return pattern.match(text) is not None and text.lower() not in _RESERVED


def _flow(value: Json) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, (bool, int)):
        return _format_int(value) if type(value) is int else dumps(value)
    if isinstance(value, float):
        return _format_float(value)
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{_flow_key(key)}: {_flow(item)}" for key, item in value.items()) + "}"
        )
    return "[" + ", ".join(_flow(item) for item in value) + "]"


def _flow_key(key: str) -> str:
    name = _quote(key)
    return name if len(name) <= _LONGEST_KEY else f"? {name}"


def _format_int(value: int) -> str:
    return str(value) if abs(value) < TOO_LARGE else _quote(hex(value))


def _format_float(value: float) -> str:
    """The shortest decimal, with the dot and the sign that YAML 1.1 wants: `1.0e-05`."""
    text = repr(value)
    if "n" in text:
        return text.replace("nan", ".nan").replace("inf", ".inf")
    digits, e, exponent = text.partition("e")
    return f"{digits}.0e{exponent}" if e and "." not in digits else text


def _quote(text: str) -> str:
    quoted = dumps(carriable_text(text), ensure_ascii=False)
    return _NOT_RAW.sub(lambda match: f"\\u{ord(match.group()):04x}", quoted)


def parse_config(data: bytes, *, name: str) -> dict[str, Json]:
    """Read what `format_config` wrote; other YAML is refused.

    Args:
        data: The whole text.
        name: What to call the text in an error.

    Raises:
        DamagedRecordError: Another form, duplicate keys, nested deeper than 64, over 64 MiB.
    """
    try:
        return _parse(data)
    except ValueError as error:
        raise DamagedRecordError(
            f"cannot read {name}: {error}",
            hint="fetch the record again from where it came; other runs are not affected",
        ) from error


def _parse(data: bytes) -> dict[str, Json]:
    if len(data) > MAX_BYTES:
        raise ValueError(f"{len(data):,} bytes are more than the limit of {MAX_BYTES:,}")
    if data == b"{}\n":
        return {}
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from None
    if not text.endswith("\n"):
        raise ValueError("it ends in the middle of a line")
    if "? " in text:
        text = _LONG_KEY.sub(r"\1\2:", text)
    return _parse_lines(text[:-1].split("\n"))


def _parse_lines(lines: list[str]) -> dict[str, Json]:
    root: dict[str, Json] = {}
    levels = [root]
    is_new = False  # whether the line before opened a mapping, which must not stay empty
    for number, line in enumerate(lines, 1):
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"line {number} is not of the form that repro writes")
        indent, key, digits, value = match.groups()
        depth = len(indent) // 2 + 1
        if depth != len(levels):
            if is_new or depth > len(levels):
                raise ValueError(f"line {number} is not indented as it must be")
            del levels[depth:]
        mapping = levels[-1]
        if digits is not None and _is_short(digits) and key not in mapping and key[0] != '"':
            # As `_put` would, which takes as long again for nearly all lines.
            mapping[key] = float(digits) if "." in digits else int(digits)
            is_new = False
            continue
        try:
            _put(levels, key, digits, value)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        is_new = digits is None and value is None
    if is_new:
        raise ValueError("it ends with a key that has no value")
    return root


def _is_short(digits: str) -> bool:
    """Whether a number is in range without a look at its value."""
    return len(digits) <= _SHORT and "e" not in digits


def _put(levels: list[dict[str, Json]], key: str, digits: str | None, value: str | None) -> None:
    name = _parse_string(key) if key[0] == '"' else key
    mapping = levels[-1]
    if name in mapping:
        raise ValueError(f"the key `{escape(name[:80])}` occurs twice")
    if digits is not None:
        mapping[name] = _parse_number(digits)
    elif value is not None:
        mapping[name] = _parse_value(value)
    elif len(levels) >= MAX_DEPTH:
        raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")
    else:
        below: dict[str, Json] = {}
        mapping[name] = below
        levels.append(below)


def _parse_value(text: str) -> Json:
    first = text[0]
    if first == '"':
        return _parse_string(text)
    if text in _WORDS:
        return _WORDS[text]
    if first in "[{":
        return decode_json(_NOT_JSON.sub(_to_json, text).encode(), nan=True)
    if _is_plain(text, _PLAIN_TEXT):
        return text
    if first in "-0123456789":
        raise ValueError(f"`{escape(text[:80])}` is not a number")
    raise ValueError(f"`{escape(text[:80])}` is not of the form that repro writes")


def _parse_string(text: str) -> str:
    if _STRING.match(text):
        return text[1:-1]
    value = decode_json(text.encode())
    if not isinstance(value, str):
        raise ValueError(f"`{escape(text[:80])}` is not one string")
    return value


def _parse_number(text: str) -> int | float:
    if "." not in text and len(text) <= 4300:
        return int(text)
    if "." in text and isfinite(value := float(text)):
        return value
    raise ValueError(f"`{escape(text[:80])}` is not a number")


def _to_json(match: re.Match[str]) -> str:
    token = match.group()
    if token[0] == '"':
        return token
    if token not in _TO_JSON:
        raise ValueError(f"`{token}` is not of the form that repro writes")
    return _TO_JSON[token]
