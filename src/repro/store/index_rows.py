"""A record as the cells and the document that the run index holds of it, and back."""

import json
import math
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from repro.model.canonical import Json, carriable_text, format_json
from repro.model.condition import Space
from repro.model.config import flatten_config
from repro.model.fields import FIELDS
from repro.model.ids import RunId
from repro.model.run import Attempt, MetricSummary, Omitted, Record, Run, Status
from repro.model.values import ABSENT, Value
from repro.store.collector import no_collection

if TYPE_CHECKING:
    from repro.model.verdict import Verdict

Cell = None | int | float | str | bytes

FALSE, TRUE, NAN = b"\x00", b"\x01", b"nan"
STATISTICS = ("first", "min", "max", "mean", "count", "last_step", "min_step", "max_step")

_LARGEST = 1 << 63
_MANY = 500  # documents, from which on a faster decoder pays off
_DATA = ("digest", "files", "bytes", "kept", "path")
# Nothing that is asked of the index depends on when somebody said a thing.
_RUN = tuple(field.name for field in fields(Run) if field.name != "curation")
_OMITTED, _ATTEMPTS = _RUN.index("omitted"), _RUN.index("attempts")
_ATTEMPT = tuple(field.name for field in fields(Attempt))  # each run has one: `asdict` is slow
_TEXTS = ("command", "tags", "warnings", "foreign", "unwatched")
_values_of = attrgetter(*_RUN)
_summary = attrgetter(*(field.name for field in fields(MetricSummary)))
_statistics = attrgetter(*STATISTICS)
_FIELDS = tuple(field.value for name, field in FIELDS.items() if name not in ("id", "created"))
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Row:
    """What the index is to hold of a run.

    Attributes:
        commit: Object id of the run commit; empty for one in progress.
        environment: Name of its environment: an object id, or what stands for it; None without.
        live: Stamp of the journals of one in progress, None for a sealed one.
        state: Of who reads these journals.
        is_plain: Whether all numbers in it are known to be finite.
        size: Bytes of the files that it was read from, where these are known.
    """

    record: Record
    commit: str
    environment: str | None
    live: str | None = None
    state: bytes | None = None
    is_plain: bool = False
    size: int = 0


def is_plain(files: Mapping[str, bytes]) -> bool:
    """Whether all numbers in the files of a record are finite; false where it is not sure."""
    metrics, config = files.get("metrics.json", b""), files.get("config.yaml", b"")
    return not any(
        word in text
        for text, words in ((metrics, (b"NaN", b"Infinity")), (config, (b".nan", b".inf")))
        for word in words
    )


def cell(value: Any) -> Cell:
    """A value of a record as the index holds it; of a few types only, and millions of them."""
    kind = type(value)
    if kind is float:
        return value if value == value else NAN
    if kind is str:
        return value if value.isascii() else carriable_text(value)
    if kind is bool:
        return TRUE if value else FALSE
    if kind is int:
        return value if -_LARGEST <= value < _LARGEST else float_of(value)
    if value is None or value is ABSENT:
        return None
    if isinstance(value, str):  # of a type of its own, as a status is
        return carriable_text(str(value))
    return carriable_text(json.dumps(value, ensure_ascii=False))


def float_of(value: int) -> float:
    """The float that is nearest, an infinity for what is beyond all of them."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def uncell(value: Cell) -> Value:
    """The value that a cell stands for; null where it was missing."""
    if isinstance(value, bytes):
        return math.nan if value == NAN else value == TRUE
    return value


def field_cells(record: Record) -> list[Cell]:
    """The fields of a run, in their order, without `id` and `created`."""
    return [cell(value(record)) for value in _FIELDS]


def value_cells(record: Record) -> dict[Space, dict[str, Cell]]:
    """The cells of a run beside its fields, tags and environment, by name."""
    found = {
        Space.CONFIG: {name: cell(value) for name, value in flatten_config(record.config).items()},
        Space.METRIC: {name: cell(summary.last) for name, summary in record.metrics.items()},
        Space.SUMMARY: {
            name: cell(value) for name, value in flatten_config(record.summary).items()
        },
        Space.DATA: dict[str, Cell](),
    }
    for name, facts in record.data.items():
        if isinstance(facts, Mapping):
            parts = {f"{name}.{part}": cell(facts.get(part)) for part in _DATA}
            found[Space.DATA].update({name: cell(facts.get("digest")), **parts})
    return found


def series_cells(summary: MetricSummary) -> list[Cell]:
    """What the index holds of a metric beside its last value: statistics, then the goal."""
    return [*map(cell, _statistics(summary)), cell(summary.goal)]


def environment_cells(environment: Mapping[str, Json]) -> dict[str, Cell]:
    """The cells of an environment by dotted key; each package has its version."""
    packages = environment.get("packages")
    if isinstance(packages, dict) and isinstance(listed := packages.get("list"), list):
        versions = {
            str(one["name"]): one.get("version")
            for one in listed
            if isinstance(one, dict) and "name" in one
        }
        rest = {key: value for key, value in packages.items() if key != "list"}
        environment = {**environment, "packages": {**rest, **versions}}
    return _flat_cells(environment)


def _flat_cells(values: Mapping[str, Json]) -> dict[str, Cell]:
    return {key: cell(value) for key, value in flatten_config(values).items()}


def name_environment(environment: Mapping[str, Json]) -> str | None:
    """What stands for the environment of a run in progress; None for an empty one."""
    return f"sha256:{sha256(format_json(dict(environment))).hexdigest()}" if environment else None


def encode_document(record: Record, *, fast: bool = False) -> bytes:
    """The record, environment and artifacts left out, as a list shows it.

    Args:
        fast: Whether all of its numbers are finite, and many records make an import pay off.
    """
    run = record.run
    values = list(_values_of(run))
    values[_OMITTED] = [asdict(omitted) for omitted in run.omitted]
    values[_ATTEMPTS] = [
        {name: getattr(attempt, name) for name in _ATTEMPT} for attempt in run.attempts
    ]
    metrics = {name: _summary(summary) for name, summary in record.metrics.items()}
    verdict: Json = None
    if record.verdict is not None:
        from repro.store.verdicts import encode_verdict  # noqa: PLC0415  # few runs have one

        verdict = encode_verdict(record.verdict)
    parts = [values, record.config, metrics, record.summary, record.data, verdict]
    # Level 1 halves the file, and takes less time than writing the other half would.
    return zlib.compress(_encode_fast(parts) if fast else _encode(parts).encode(), 1)


def _encode_fast(parts: object) -> bytes:
    """The same JSON in a tenth of the time."""
    import msgspec  # noqa: PLC0415  # takes as long to import as `repro ls` to read a few runs

    try:
        return msgspec.json.encode(parts)
    except (TypeError, ValueError, OverflowError):  # such as an integer of more than 64 bits
        return _encode(parts).encode()


def decode_documents(rows: Sequence[tuple[str, bytes]]) -> list[Record]:
    """Decode the documents of many runs, each behind the commit of the run.

    Raises:
        ValueError, TypeError, KeyError, zlib.error: One is something else.
    """
    is_fast = len(rows) >= _MANY or "msgspec" in sys.modules
    decode = _fast_decoder() if is_fast else json.loads
    with no_collection():
        return [decode_document(document, commit, decode) for commit, document in rows]


def _fast_decoder() -> Callable[[bytes], Any]:
    """Reads JSON in a seventh of the time."""
    import msgspec  # noqa: PLC0415  # takes as long to import as `repro ls` to read a few runs

    fast = msgspec.json.Decoder().decode

    def decode(text: bytes) -> Any:
        try:
            return fast(text)
        except msgspec.DecodeError:  # such as NaN, or half a surrogate pair
            return json.loads(text)

    return decode


def decode_document(
    document: bytes, commit: str, decode: Callable[[bytes], Any] = json.loads
) -> Record:
    """What `encode_document` took, without checks: no record but the index is read by it.

    Raises:
        ValueError, TypeError, KeyError, zlib.error: It is something else.
    """
    values, config, metrics, summary, data, verdict = decode(zlib.decompress(document))
    return Record(
        run=_decode_run(values),
        commit=commit,
        config=config,
        metrics={name: MetricSummary(*cells) for name, cells in metrics.items()},
        summary=summary,
        data=data,
        verdict=None if verdict is None else _decode_verdict(verdict),
    )


def _decode_run(values: Sequence[Any]) -> Run:
    facts: dict[str, Any] = dict(zip(_RUN, values, strict=True))
    return Run(
        **{
            **facts,
            "id": RunId(facts["id"]),
            "status": Status(facts["status"]),
            "omitted": tuple(Omitted(**one) for one in facts["omitted"]),
            "attempts": tuple(
                Attempt(**{**one, "status": Status(one["status"])}) for one in facts["attempts"]
            ),
            **{name: tuple(facts[name]) for name in _TEXTS},
        }
    )


def _decode_verdict(value: Json) -> "Verdict":
    from repro.store.verdicts import decode_verdict  # noqa: PLC0415  # few runs have one

    return decode_verdict(value, "verdict.json")
