"""Facts of a record as a page shows them: only what there is, sizes in readable units."""

from collections.abc import Mapping

from repro.model.canonical import Json
from repro.model.readable import format_size

_BYTES = "_bytes"
_MOST = 1 << 63  # of bytes; beyond it a number is none of a size


def show_facts(facts: Mapping[str, Json]) -> dict[str, Json]:
    """Leave out what is null or empty; write `memory_bytes` as `memory`, in its unit."""
    shown: dict[str, Json] = {}
    for key, value in facts.items():
        if value is None or value in ([], {}):
            continue
        if key.endswith(_BYTES) and _is_size(value):
            assert isinstance(value, int)
            shown[key.removesuffix(_BYTES)] = format_size(value)
        elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
            shown |= {
                f"{key}.{n}.{inner}": fact
                for n, one in enumerate(value)
                for inner, fact in show_facts(one if isinstance(one, dict) else {}).items()
            }
        else:
            shown[key] = value
    return shown


def _is_size(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST
