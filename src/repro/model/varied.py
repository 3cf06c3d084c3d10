"""The text that tells the SDK inside of a rerun which params were varied."""

import json
from collections.abc import Mapping

from repro.errors import InvalidInputError
from repro.model.canonical import Json, decode_json
from repro.model.config import MOST_PARTS

VARIABLE = "REPRO_VARIED"
_MOST_BYTES = 64 * 1024  # Linux takes 128 KiB for one variable
_DEEPEST = 40


def format_varied(overrides: Mapping[str, Json]) -> str:
    """Write params by their dotted keys as the value of `REPRO_VARIED`.

    Raises:
        InvalidInputError: They take more than 64 KiB.
    """
    text = json.dumps(dict(overrides))
    if len(text) > _MOST_BYTES:
        raise InvalidInputError(
            f"varied params take {len(text):,} bytes, and a variable holds {_MOST_BYTES:,}",
            hint="put large values into a file that the program reads",
        )
    return text


def parse_varied(text: str) -> dict[str, Json]:
    """Read what `format_varied` wrote.

    Raises:
        ValueError: It is no JSON object of dotted keys, or too large.
    """
    if len(text) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    value = decode_json(text.encode(), max_depth=_DEEPEST, nan=True)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    for key in value:
        parts = key.split(".")
        if "" in parts or len(parts) > MOST_PARTS:
            raise ValueError("a key of it is no config key")
    return value
