"""Canonical JSON: one value has one text (FORMAT.md section "Canonical JSON")."""

import json
import re
from collections.abc import Mapping
from math import isfinite, isnan

from repro.errors import DamagedRecordError
from repro.model.text import escape

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

MAX_DEPTH = 64
MAX_BYTES = 64 * 1024 * 1024

TOO_LARGE = 10**4300  # integers of more digits Python neither writes nor reads

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Possessive, and an unclosed string runs to the end: linear time on any input.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
# What a number out of range has, each digit written as 0: an exponent of three digits, or enough
# digits to reach 1e308 with one of two.
_LONG_NUMBERS = (b"0e000", b"0e+000", b"0" * 200)
_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def format_json(value: Json) -> bytes:
    """Write `value` in the one way there is: UTF-8, sorted keys, two spaces, a final newline.

    What JSON cannot carry is written as text: the numbers that are not finite as "NaN",
    "Infinity" and "-Infinity", half a surrogate pair as its escape.
    """
    try:
        return _dump(value)
    except ValueError:  # the rare value that JSON has no form for
        return _dump(_carriable(value))


def _dump(value: Json) -> bytes:
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _carriable(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {carriable_text(key): _carriable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_carriable(item) for item in value]
    if isinstance(value, str):
        return carriable_text(value)
    if isinstance(value, float) and not isfinite(value):
        return name_number(value)
    return hex(value) if isinstance(value, int) and abs(value) >= TOO_LARGE else value


def carriable_text(text: str) -> str:
    """Give `text` with halves of surrogate pairs, which UTF-8 cannot carry, made visible."""
    return _SURROGATE.sub(lambda match: escape(match.group()), text)


def name_number(value: float) -> str:
    """Give the text that stands for a number that is not finite."""
    if isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def parse_json(data: bytes, *, name: str) -> Json:
    """Read JSON that came with a record.

    Args:
        data: The whole text.
        name: What to call the text in an error, such as "run.json of run `k3f9zq`".

    Raises:
        DamagedRecordError: Not UTF-8 or not JSON; duplicate keys; nested deeper than 64; over
            64 MiB; NaN literals, numbers out of range, halves of surrogate pairs.
    """
    try:
        return decode_json(data)
    except ValueError as error:
        raise DamagedRecordError(
            f"cannot read {name}: {error}",
            hint="fetch the record again from where it came; other runs are not affected",
        ) from error


def decode_json(data: bytes, *, max_depth: int = MAX_DEPTH, nan: bool = False) -> Json:
    """Read JSON strictly.

    Args:
        data: The whole text.
        max_depth: How deep lists and objects may nest.
        nan: Whether `NaN`, `Infinity` and `-Infinity` are numbers, as Python's `json` writes them.

    Raises:
        ValueError: As `parse_json`; the message is the reason.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"{len(data):,} bytes are more than the limit of {MAX_BYTES:,}")
    if data.startswith(b"\xef\xbb\xbf"):
        raise ValueError("it starts with a byte order mark")
    if _depth(data, max_depth) > max_depth:
        raise ValueError(f"it nests deeper than {max_depth} levels")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from None
    value: Json = _DECODERS[nan, _has_long_numbers(data)].decode(text)
    if _ESCAPED_SURROGATE.search(text):
        _refuse_surrogates(value)
    return value


def _depth(data: bytes, limit: int) -> int:
    """How deep brackets nest, or a bound of it when even that is within the limit."""
    bound = data.count(b"[") + data.count(b"{")
    if bound <= limit:
        return bound
    deepest = depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key `{escape(key[:80])}` occurs twice")
            seen.add(key)
    return value


def _refuse_constant(text: str) -> float:
    raise ValueError(f"`{text}` is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"the number `{text[:40]}` is out of range")
    return value


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"a number of {len(text):,} digits is out of range") from None


def _has_long_numbers(data: bytes) -> bool:
    """Whether each number is worth a look: that takes as long as all else, and this a tenth."""
    zeros = data.translate(_ZEROS)
    return any(digits in zeros for digits in _LONG_NUMBERS)


def _decoder(*, nan: bool, long_numbers: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_constant=float if nan else _refuse_constant,
        parse_float=_finite if long_numbers else None,
        parse_int=_integer if long_numbers else None,
    )


# By whether NaN is a number and whether a number may be out of range.
_DECODERS = {
    (nan, long_numbers): _decoder(nan=nan, long_numbers=long_numbers)
    for nan in (False, True)
    for long_numbers in (False, True)
}


def _refuse_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a string holds half a surrogate pair") from None
