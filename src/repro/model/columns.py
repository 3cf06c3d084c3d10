"""The columns of a table of runs, chosen by what tells the runs apart."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from repro.model.condition import Key, Space
from repro.model.config import flatten_config
from repro.model.counters import find_counters
from repro.model.fields import FIELDS
from repro.model.lookup import reader
from repro.model.progress import last_step
from repro.model.run import Record, Status
from repro.model.values import ABSENT, Value, is_same

TAGS = Key(Space.TAG, "")
_ADDED = (Space.METRIC, Space.SUMMARY, Space.DATA)  # shown where runs are sorted by them
_RARE = 4  # what fewer than one run in so many has is worth a column only where there is room
_BARE = (Space.FIELD, Space.CONFIG, Space.METRIC)  # named without their space where it is clear


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: What a value of it is; None for the last step of a run, which is no name of the
            query language.
        is_minor: Whether it tells little about the runs, and others need the room first.
    """

    title: str
    key: Key | None
    is_minor: bool = field(default=False, compare=False)

    def values(self, records: Iterable[Record]) -> list[Value]:
        """What each run has there."""
        return list(map(_read_step if self.key is None else reader(self.key), records))

    def value(self, record: Record) -> Value:
        """What a run has there."""
        [value] = self.values([record])
        return value


def _read_step(record: Record) -> Value:
    step = last_step(record)
    return ABSENT if step is None else step


STEP = Column("step", None)


def field_column(name: str) -> Column:
    """The column of a field of `model/fields.py`."""
    return Column(name, Key(Space.FIELD, name))


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """What some runs have beside their fields, most telling first.

    Attributes:
        params: Those that differ between the runs; those that few runs have come last.
        metrics: Those with a goal first; those that few runs have, or that only count, last.
        constant: Params that are the same in all of the runs, with their values.
        minor: Those of `params` and `metrics` that come last.
    """

    params: tuple[Key, ...]
    metrics: tuple[Key, ...]
    constant: tuple[tuple[Key, Value], ...]
    minor: frozenset[Key] = frozenset()


def choose_keys(records: Sequence[Record]) -> KeyChoice:
    """Give the params and metrics of some runs, sorted by what tells the runs apart."""
    flat = [flatten_config(record.config) for record in records]
    n_having = Counter(name for config in flat for name in config)
    differing, constant = [], []
    for name in n_having:
        key, first = Key(Space.CONFIG, name), flat[0].get(name, ABSENT)
        if all(is_same(config.get(name, ABSENT), first) for config in flat):
            constant.append((key, first))
        else:
            differing.append(key)
    minor = {key for key in differing if _is_rare(n_having[key.name], len(records))}
    metrics = _sort_metrics(records)
    minor |= {key for key, is_minor in metrics.items() if is_minor}
    return KeyChoice(
        tuple(sorted(differing, key=minor.__contains__)),
        tuple(metrics),
        tuple(constant),
        frozenset(minor),
    )


def _sort_metrics(records: Sequence[Record]) -> dict[Key, bool]:
    """The metrics, most telling first, and whether each is one that comes last."""
    n_having = Counter(name for record in records for name in record.metrics)
    wanted = {
        name for record in records for name, one in record.metrics.items() if one.goal is not None
    }
    counters = find_counters(records)
    minor = {
        name: name not in wanted and (name in counters or _is_rare(count, len(records)))
        for name, count in n_having.items()
    }
    order = sorted(minor, key=lambda name: (name not in wanted, minor[name]))
    return {Key(Space.METRIC, name): minor[name] for name in order}


def _is_rare(n_having: int, n_runs: int) -> bool:
    return n_having * _RARE < n_runs


def name_params(records: Iterable[Record]) -> tuple[list[str], list[str]]:
    """The names of all params, and of all metrics, that some runs have."""
    params: dict[str, None] = {}
    metrics: dict[str, None] = {}
    for record in records:
        params.update(dict.fromkeys(flatten_config(record.config)))
        metrics.update(dict.fromkeys(record.metrics))
    return list(params), list(metrics)


def default_columns(
    records: Sequence[Record], choice: KeyChoice, asked: Iterable[Key] = ()
) -> list[Column]:
    """The columns of a table that nobody asked for others.

    Args:
        asked: What the runs are sorted and chosen by; it stands before all other values, but for
            params that are the same in all runs.
    """
    names = ["id", "name", "status", "created", "duration"]
    if not any(record.run.name for record in records):
        names.remove("name")
    found = (*choice.params, *choice.metrics)
    usual = sorted(found, key=choice.minor.__contains__)
    first = [key for key in asked if key in usual or key.space in _ADDED]
    is_live = any(record.run.status is Status.RUNNING for record in records)
    return [
        *map(field_column, names),
        *([STEP] if is_live else []),
        *title_keys(dict.fromkeys((*first, *usual)), choice.minor.difference(first)),
    ]


def keep_room(keys: Sequence[Key | None], most: int) -> list[int]:
    """The places of those that are shown where there is room for `most`, in their order.

    Params leave half of the room to all others; what these do not need is theirs.
    """
    params = [n for n, key in enumerate(keys) if key is not None and key.space is Space.CONFIG]
    others = [n for n in range(len(keys)) if n not in set(params)]
    kept = params[: max(most - len(others), most // 2)]
    return sorted([*kept, *others[: most - len(kept)]])


def title_keys(keys: Iterable[Key], minor: Collection[Key] = ()) -> list[Column]:
    """A column for each key, titled by its name alone where that is clear among them.

    Args:
        minor: Those of the keys that tell little.
    """
    listed = list(keys)
    spaces: dict[str, set[Space]] = {}
    for key in listed:
        spaces.setdefault(key.name, set()).add(key.space)
    return [
        Column(_title(key, is_full=len(spaces[key.name]) > 1), key, key in minor) for key in listed
    ]


def _title(key: Key, *, is_full: bool) -> str:
    if key.space is Space.TAG:
        return "tags"
    if key.space is Space.FIELD:
        return key.name
    statistic = "" if key.statistic == "last" else f".{key.statistic}"
    is_prefixed = is_full or key.space not in _BARE or key.name in FIELDS
    return (f"{key.space}." if is_prefixed else "") + key.name + statistic
