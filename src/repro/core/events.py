"""What the journals of a run say, put in order and sorted by kind."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from repro.core.started import Started
from repro.errors import DamagedRecordError
from repro.model.canonical import Json
from repro.model.config import merge_config
from repro.model.configfile import parse_config
from repro.model.medium import Medium
from repro.model.paths import validate_path
from repro.model.run import Artifact, Status
from repro.model.series import Row
from repro.model.times import is_moment
from repro.store.datafacts import decode_facts
from repro.store.fields import Fields
from repro.store.journal import Journal
from repro.store.journal_reader import WORDS
from repro.store.media import decode_item
from repro.store.objects import is_oid
from repro.store.random_reports import check_flags, check_states

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BEYOND = 1 << 63
_MOST_SEEDS = 1000  # calls of `repro.seed()` that are told
_FLOAT_ONLY = {float}  # nearly all values: no copy of them is made then

Order = tuple[int, int, int]  # rank, writer, place in its journal


@dataclass(slots=True)
class Events:
    """Everything logged so far.

    Attributes:
        rows: One for each `log()` call.
        system: One for each sample of the machine.
        goals: `minimize` or `maximize` by metric.
        artifacts: By their name in the record; the newest wins.
        media: By name and step, those of one `log()` call; the newest wins.
        data: What `data.json` shall say of datasets that were taken into use; by name.
        manifests: The tree of the pages of each of these.
        end: How the run ended, None while it has not.
        is_pruned: Whether it was told to end for others were better.
        identity: Of the run, where an environment says that it is another one now.
        awaited: Params that a rerun varied for the program to read, with the original's values.
        read: Those that it read.
        lost: Points that could not be kept.
        skipped: Lines that a crash or a bad disk damaged.
        last_time: Of the newest record of the run itself, in seconds since 1970; what people said
            of it does not make it longer.
    """

    rows: list[Row] = field(default_factory=list)
    system: list[Row] = field(default_factory=list)
    config: dict[str, Json] = field(default_factory=dict)
    summary: dict[str, Json] = field(default_factory=dict)
    goals: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    media: dict[tuple[str, int], tuple[Medium, ...]] = field(default_factory=dict)
    data: dict[str, Json] = field(default_factory=dict)
    manifests: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Json] = field(default_factory=dict)
    randomness: dict[str, Json] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    name: str | None = None
    note: str | None = None
    end: Mapping[str, Any] | None = None
    is_pruned: bool = False
    identity: str | None = None
    awaited: dict[str, Json] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    lost: int = 0
    skipped: int = 0
    last_time: float = 0.0

    @property
    def unread(self) -> dict[str, Json]:
        """Params that were varied in vain, with the values of the original."""
        return {key: value for key, value in self.awaited.items() if key not in self.read}


class Entry(NamedTuple):
    """A record of a journal in the order of all of them; its time is in seconds since 1970."""

    time: float
    order: Order
    is_owner: bool
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ordered:
    """The records of several journals in the order in which they count.

    Attributes:
        moments: Time of the newest record of each journal, in seconds since 1970, by name.
        skipped: Records left out, for they have no time.
    """

    entries: list[Entry]
    moments: dict[str, float]
    skipped: int


def read_events(started: Started, journals: Sequence[Journal]) -> Events:
    """Merge the journals of all processes of a run by time, then rank, writer and place."""
    events = begin_events(started)
    events.skipped += sum(journal.skipped_lines for journal in journals)
    ordered = order_records(started, journals)
    events.skipped += ordered.skipped
    moments = (moment for name, moment in ordered.moments.items() if name != WORDS)
    events.last_time = max(moments, default=0.0)
    take_entries(events, ordered.entries)
    drop_shadowed(events)
    return events


def begin_events(started: Started) -> Events:
    """What stands before anything was logged."""
    run = started.run
    return Events(tags=list(run.tags), name=run.name, note=run.note)


def order_records(
    started: Started,
    journals: Sequence[Journal],
    *,
    moments: Mapping[str, float] = MappingProxyType({}),
    read: Mapping[str, int] = MappingProxyType({}),
) -> Ordered:
    """Put the records of journals in order.

    Args:
        moments: Of a journal that was read before, the time of its newest record then; by name.
        read: How many records it had then; by name.
    """
    entries: list[Entry] = []
    newest: dict[str, float] = {}
    skipped = 0
    for writer, journal in enumerate(journals):
        rank = journal.header.get("rank", 0)
        is_owner = journal.name == started.journal
        moment = moments.get(journal.name, float(journal.header.get("t", 0.0)))
        for number, record in enumerate(journal.records, start=read.get(journal.name, 0)):
            # A record without a time of its own stays right behind the one before it.
            time = record.get("t", moment)
            if not is_moment(time):
                skipped += 1
                continue
            moment = float(time)
            entries.append(Entry(moment, (rank, writer, number), is_owner, record))
        newest[journal.name] = moment
    return Ordered(sorted(entries, key=itemgetter(0, 1)), newest, skipped)


def take_entries(events: Events, entries: Iterable[Entry]) -> None:
    """Add what records say; one that says nothing is counted."""
    for _, order, is_owner, record in entries:
        try:
            _take(events, record, order, is_owner=is_owner)
        except (AttributeError, KeyError, TypeError, ValueError, DamagedRecordError, OverflowError):
            events.skipped += 1  # its checksum is right, but no repro wrote it


def drop_shadowed(events: Events) -> None:
    """Of two artifacts `a` and `a/b`, which no folder can hold together, keep the newer one."""
    kept: dict[str, Artifact] = {}
    folders: set[str] = set()
    for path, artifact in reversed(events.artifacts.items()):
        parents = [str(parent) for parent in PurePosixPath(path).parents]
        if path in folders or not kept.keys().isdisjoint(parents):
            events.warnings.append(
                f"artifact `{path}` is not kept: a later one needs the name for a folder or a file"
            )
        else:
            kept[path] = artifact
            folders.update(parents)
    events.artifacts = dict(reversed(kept.items()))


def _take(events: Events, record: Mapping[str, Any], order: Order, *, is_owner: bool) -> None:
    kind = record.get("k")
    if kind in _TAKES:
        _TAKES[kind](events, record, order)
    elif kind == "end" and is_owner:
        _take_end(events, record)
    elif kind in _TAKES_OF_RANK_0 and order[0] == 0:
        _TAKES_OF_RANK_0[kind](events, record)


def _whole(value: Any) -> int:
    if type(value) is not int or not -_BEYOND <= value < _BEYOND:
        raise TypeError("not an integer of 64 bits")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _mapping(value: Any) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError("not a mapping")
    return value


def _take_end(events: Events, record: Mapping[str, Any]) -> None:
    Status(record["status"])
    if record.get("exit_code") is not None:
        _whole(record["exit_code"])
    if record.get("signal") is not None:
        _text(record["signal"])
    events.end = record


def _take_log(events: Events, record: Mapping[str, Any], order: Order) -> None:
    values = record["m"]
    if not _FLOAT_ONLY.issuperset(map(type, values.values())):
        values = {name: float(value) for name, value in values.items()}
    events.rows.append(Row(_whole(record["s"]), record["t"], values, order))


def _take_system(events: Events, record: Mapping[str, Any], order: Order) -> None:
    values = {name: float(value) for name, value in record["m"].items()}
    events.system.append(Row(len(events.system), record["t"], values, (0, *order[1:])))


def _take_artifact(events: Events, record: Mapping[str, Any], order: Order) -> None:
    del order
    path, digest = _text(record["path"]), _text(record["digest"])
    validate_path(path)
    if record["where"] not in ("git", "store") or not _DIGEST.fullmatch(digest):
        raise ValueError("not an artifact")
    events.artifacts.pop(path, None)  # so that the newest stands last
    events.artifacts[path] = Artifact(path, _whole(record["size"]), digest, record["where"])


def _take_media(events: Events, record: Mapping[str, Any], order: Order) -> None:
    step, time = _whole(record["s"]), float(record["t"])
    prefix = f"rank{order[0]}/" if order[0] > 0 else ""
    taken = {
        (prefix + name, step): tuple(
            decode_item(Fields(item, name), name=prefix + name, step=step, time=time, place=place)
            for place, item in enumerate(items)
        )
        for name, items in _mapping(record["v"]).items()
        if isinstance(items, list)
    }
    events.media.update(taken)


def _take_data(events: Events, record: Mapping[str, Any], order: Order) -> None:
    del order
    name, facts = _text(record["name"]), _mapping(record["v"])
    decode_facts({name: facts}, name)
    if not is_oid(_text(record["tree"])):
        raise ValueError("not an object id")
    events.data[name] = facts
    events.manifests[name] = record["tree"]


def _take_warning(events: Events, record: Mapping[str, Any], order: Order) -> None:
    del order
    events.warnings.append(_text(record["v"]))


def _take_lost(events: Events, record: Mapping[str, Any], order: Order) -> None:
    del order
    events.lost += _whole(record["n"])


def _take_config(events: Events, record: Mapping[str, Any]) -> None:
    change, exact = _mapping(record["c"]), record.get("y")
    if exact is not None:
        change = parse_config(_text(exact).encode(), name="a journal")
    events.config = merge_config(events.config, change)


def _take_awaited(events: Events, record: Mapping[str, Any]) -> None:
    events.awaited.update(_mapping(record["v"]))


def _take_varied(events: Events, record: Mapping[str, Any]) -> None:
    events.read.update([_text(key) for key in record["v"]])


def _take_summary(events: Events, record: Mapping[str, Any]) -> None:
    events.summary.update(_mapping(record["s"]))


def _take_goal(events: Events, record: Mapping[str, Any]) -> None:
    if record.get("goal"):
        events.goals[_text(record["n"])] = _text(record["goal"])


def _take_environment(events: Events, record: Mapping[str, Any]) -> None:
    environment, identity = dict(_mapping(record["v"])), record.get("identity")
    if identity is not None and not _DIGEST.fullmatch(_text(identity)):
        raise ValueError("not an identity")
    events.environment, events.identity = environment, identity


def _take_randomness(events: Events, record: Mapping[str, Any]) -> None:
    said = _mapping(record["v"])
    for name, check in (("flags", check_flags), ("states", check_states)):
        if name in said:
            events.randomness[name] = check(said[name])
    if "set" in said:
        before = events.randomness.get("set")
        seeds = before if isinstance(before, list) else []
        events.randomness["set"] = [*seeds[:_MOST_SEEDS], _whole(said["set"])]


def _take_tags(events: Events, record: Mapping[str, Any]) -> None:
    events.tags.extend([_text(tag) for tag in record["v"]])


def _take_untag(events: Events, record: Mapping[str, Any]) -> None:
    gone = {_text(tag) for tag in record["v"]}
    events.tags = [tag for tag in events.tags if tag not in gone]


def _take_name(events: Events, record: Mapping[str, Any]) -> None:
    events.name = _text(record["v"])


def _take_note(events: Events, record: Mapping[str, Any]) -> None:
    events.note = _text(record["v"]) or None


def _take_pruned(events: Events, record: Mapping[str, Any]) -> None:
    del record
    events.is_pruned = True


_TAKES: dict[Any, Callable[[Events, Mapping[str, Any], Order], None]] = {
    "log": _take_log,
    "system": _take_system,
    "artifact": _take_artifact,
    "media": _take_media,
    "data": _take_data,
    "warning": _take_warning,
    "lost": _take_lost,
}
# Eight ranks that set the same config are one config.
_TAKES_OF_RANK_0: dict[Any, Callable[[Events, Mapping[str, Any]], None]] = {
    "config": _take_config,
    "awaited": _take_awaited,
    "varied": _take_varied,
    "summary": _take_summary,
    "define": _take_goal,
    "environment": _take_environment,
    "randomness": _take_randomness,
    "tags": _take_tags,
    "untag": _take_untag,
    "name": _take_name,
    "note": _take_note,
    "pruned": _take_pruned,
}
