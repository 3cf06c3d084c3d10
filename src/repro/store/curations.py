"""Since when a run has its name, note and tags, as in its `run.json` (FORMAT.md "Curation")."""

from typing import cast

from repro.model.canonical import Json
from repro.model.curation import END, MOST
from repro.model.run import Curation
from repro.store.fields import Fields

KEY = "curation"

_KEYS = ("name", "note", "tags", "untagged", "files")


def encode_curation(curation: Curation) -> dict[str, Json]:
    """What the key `curation` says; keys of newer versions included."""
    known: dict[str, Json] = {"name": curation.name, "note": curation.note}
    for key in ("tags", "untagged", "files"):
        known[key] = dict(getattr(curation, key))
    return {**curation.extra, **known}


def decode_curation(run: Fields) -> Curation | None:
    """Read the key `curation` of a `run.json`; None where there is none.

    Raises:
        DamagedRecordError: A stamp is no time, or later than any can be; there are too many.
    """
    if run.values.get(KEY) is None:
        return None
    entry = run.inner(KEY)
    return Curation(
        name=_stamp(entry, "name"),
        note=_stamp(entry, "note"),
        tags=_stamps(entry, "tags"),
        untagged=_stamps(entry, "untagged"),
        files=_stamps(entry, "files"),
        extra={key: value for key, value in entry.values.items() if key not in _KEYS},
    )


def _stamp(entry: Fields, key: str) -> str:
    stamp = entry.time(key)
    if stamp >= END:
        raise entry.wrong(key, "is later than any stamp can be")
    return stamp


def _stamps(entry: Fields, key: str) -> dict[str, str]:
    if entry.values.get(key) is None:
        return {}
    inner = entry.inner(key)
    if len(inner.values) > MOST:
        raise entry.wrong(key, f"has {len(inner.values):,} stamps, more than {MOST:,}")
    for name in inner.values:
        _stamp(inner, name)
    # Each of them was just found to be a text.
    return cast(dict[str, str], dict(inner.values))
