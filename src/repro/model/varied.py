"""The variables that tell the SDK inside of a run, or any program, which params were varied."""

import json
from collections.abc import Mapping

from repro.errors import InvalidInputError
from repro.model.canonical import Json, decode_json
from repro.model.config import MOST_PARTS, nest_config
from repro.model.marking import is_marked

VARIABLE = "REPRO_VARIED"
CONFIG = "REPRO_CONFIG"  # for any program: the params of a trial as one nested JSON object
OF_PARAMS = (VARIABLE, CONFIG)
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


def trial_variables(params: Mapping[str, Json]) -> dict[str, str]:
    """Give the variables by which a trial of a sweep gets its params, by their dotted keys.

    One whose value is not recorded, for it looks like a secret, is left out.

    Raises:
        InvalidInputError: They take more than 64 KiB.
    """
    known = {key: value for key, value in params.items() if not is_marked(json.dumps(value))}
    return {VARIABLE: format_varied(known), CONFIG: json.dumps(nest_config(known))}


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
