"""What people say of a run afterwards, as a state that merges in any order.

A last-writer-wins register for the name, the note and each tag; a tag that was taken off stays as
a tombstone. A stamp is the time of the change, or a microsecond past the newest one in the record
if that is later: what had seen another word wins over it, however far apart the clocks are.

Source: M. Shapiro, N. Preguiça, C. Baquero, M. Zawirski, "A comprehensive study of Convergent and
Commutative Replicated Data Types", INRIA RR-7506, 2011 (registers, element sets); S. Kulkarni et
al., "Logical Physical Clocks", OPODIS 2014 (stamps).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from repro.model.canonical import Json, format_json
from repro.model.run import Curation, Run
from repro.model.times import format_time

END = "9999"  # stamps are before this year, so that there is always a later one
MOST = 20_000  # stamps of tags, and of files; a person never comes to a hundredth of it

_LAST_BASE = "9998-12-31T23:59:59.000000Z"  # for a `created` beyond that
_SAID = {"name", "note", "tags", "curation", "extra"}
_FACTS = tuple(field.name for field in fields(Run) if field.name not in _SAID)

_Register = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class _State:
    """Each value with its stamp; of a tag, whether the run has it."""

    name: _Register
    note: _Register
    tags: Mapping[str, tuple[str, bool]]
    files: Mapping[str, str]
    extra: Mapping[str, Json]


def stamp_changes(before: Run, after: Run, now: float, *, files: Collection[str] = ()) -> Run:
    """Give `after` with the stamps of what it says otherwise than `before`.

    Tags that both have stay where they are, in front of new ones.

    Args:
        now: Seconds since 1970; a clock that is behind what the record has seen does no harm.
        files: Files of the record that changed as well.
    """
    old = _read(before)
    moment = max(format_time(now), _later(_newest(old)))
    kept = {tag for tag, (_, is_there) in old.tags.items() if is_there}
    wanted = dict.fromkeys(after.tags)
    added = [tag for tag in wanted if tag not in kept]
    tags = {
        **old.tags,
        **{tag: (moment, False) for tag in kept if tag not in wanted},
        # One after the other, so that they stay in the order they were given in.
        **{tag: (_later(moment, number), True) for number, tag in enumerate(added)},
    }
    new = _State(
        name=old.name if after.name == before.name else (moment, after.name),
        note=old.note if after.note == before.note else (moment, after.note),
        tags=tags,
        files={**old.files, **dict.fromkeys(files, moment)},
        extra=old.extra,
    )
    return _write(after, new)


def merge(a: Run, b: Run) -> Run:
    """Give the run with all that was said of it in two places.

    Commutative, associative and idempotent. Where one of both is a later attempt of the other, it
    is that attempt with what was said of both.

    Raises:
        ValueError: They disagree on what happened; `find_differing_facts` says where.
    """
    body = _later_attempt(a, b)
    if body is None:
        if find_differing_facts(a, b):
            raise ValueError("two runs")
        body = a
    one, other = _read(a), _read(b)
    tags = {
        tag: max(one.tags.get(tag, ("", False)), other.tags.get(tag, ("", False)))
        for tag in {**one.tags, **other.tags}
    }
    files = {
        name: max(one.files.get(name, ""), other.files.get(name, ""))
        for name in {**one.files, **other.files}
    }
    state = _State(
        name=max(one.name, other.name, key=_rank),
        note=max(one.note, other.note, key=_rank),
        tags=tags,
        files=files,
        extra=_union(one.extra, other.extra),
    )
    return _write(replace(body, extra=_union(a.extra, b.extra)), state)


def find_differing_facts(a: Run, b: Run) -> tuple[str, ...]:
    """Keys of `run.json` that no amendment changes and that differ; none for a later attempt."""
    if _later_attempt(a, b) is not None:
        return ()
    return tuple(key for key in _FACTS if _text(getattr(a, key)) != _text(getattr(b, key)))


def is_later_attempt(a: Run, b: Run) -> bool:
    """Whether `a` is the run `b` after it was continued."""
    count = len(b.attempts)
    is_same = (a.id, a.created) == (b.id, b.created)
    return is_same and 0 < count < len(a.attempts) and a.attempts[:count] == b.attempts


def stamp_of(run: Run, name: str) -> str:
    """When the file `name` of the record of a run was put there."""
    return _read(run).files.get(name, _base(run))


def count_words(run: Run) -> int:
    """How many tags a run keeps in mind, those that were taken off included."""
    return len(_read(run).tags)


def _later_attempt(a: Run, b: Run) -> Run | None:
    if is_later_attempt(a, b):
        return a
    return b if is_later_attempt(b, a) else None


def _rank(register: _Register) -> tuple[str, bool, str]:
    stamp, value = register
    return stamp, value is not None, value or ""


def _union(a: Mapping[str, Json], b: Mapping[str, Json]) -> dict[str, Json]:
    """All keys; of one that both have, the value whose text is greater, whoever looks."""
    both = {key: max(a[key], b[key], key=_text) for key in a.keys() & b.keys()}
    return {**a, **b, **both}


def _text(value: object) -> bytes:
    # Two values are the same if a record says the same of them: 1 and 1.0 are not, NaN and NaN are.
    if isinstance(value, tuple):
        return repr(value).encode(errors="surrogatepass")
    plain = dict(value) if isinstance(value, Mapping) else value
    return format_json(plain)  # type: ignore[arg-type]  # a field of Run, or Json


def _read(run: Run) -> _State:
    """The state of a run; `name`, `note` and `tags` say what holds, `curation` since when.

    Where the latter does not say, as nothing was changed yet or by a program that knows no
    stamps, it is since the run was created.
    """
    base, said = _base(run), run.curation
    tags = dict(_read_tags(run, base))
    if said is None:
        return _State((base, run.name), (base, run.note), tags, {}, {})
    return _State((said.name, run.name), (said.note, run.note), tags, said.files, said.extra)


def _read_tags(run: Run, base: str) -> Iterator[tuple[str, tuple[str, bool]]]:
    said = run.curation
    added = said.tags if said else {}
    removed = said.untagged if said else {}
    here = dict.fromkeys(run.tags)
    for number, tag in enumerate(here):
        stamp = added.get(tag) or _later(base, number)
        if tag in removed and stamp <= removed[tag]:
            stamp = _later(removed[tag])
        yield tag, (stamp, True)
    for tag, stamp in {**added, **removed}.items():
        if tag not in here:
            last = max(removed.get(tag, ""), _later(stamp) if tag in added else "")
            yield tag, (last, False)


def _write(run: Run, state: _State) -> Run:
    """The run that says what `state` does; without stamps where all of them go without saying.

    Nor where they are more than a reader takes: it still says what holds.
    """
    there = sorted((stamp, tag) for tag, (stamp, is_there) in state.tags.items() if is_there)
    tags = tuple(tag for _, tag in there)
    plain = replace(run, name=state.name[1], note=state.note[1], tags=tags, curation=None)
    if _read(plain) == state or max(len(state.tags), len(state.files)) > MOST:
        return plain
    curation = Curation(
        name=state.name[0],
        note=state.note[0],
        tags={tag: stamp for stamp, tag in there},
        untagged={tag: stamp for tag, (stamp, is_there) in state.tags.items() if not is_there},
        files=state.files,
        extra=state.extra,
    )
    return replace(plain, curation=curation)


def _base(run: Run) -> str:
    return run.created if run.created < END else _LAST_BASE


def _newest(state: _State) -> str:
    tags = (stamp for stamp, _ in state.tags.values())
    return max(state.name[0], state.note[0], *tags, *state.files.values())


def _later(stamp: str, microseconds: int = 1) -> str:
    if not microseconds:
        return stamp
    moment = datetime.fromisoformat(stamp) + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
