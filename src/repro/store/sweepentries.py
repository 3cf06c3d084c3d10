"""The entries of a sweep's ledger as lines of JSON (FORMAT.md, "Sweeps")."""

import json
from collections.abc import Iterable
from math import isfinite

from repro.errors import DamagedRecordError
from repro.model.canonical import Json, decode_json
from repro.model.config import MOST_PARTS
from repro.model.ids import is_id
from repro.model.sweep import (
    MOST_STEPS,
    OVER,
    Agent,
    Asked,
    Beat,
    Dropped,
    Entry,
    Reopened,
    Resumed,
    Stopped,
    Told,
    TrialState,
)
from repro.model.sweepcheck import MOST_TRIALS
from repro.store.fields import Fields

PER_PAGE = 100

_LONGEST_WHY = 1000  # characters


def format_page(entries: Iterable[Entry]) -> bytes:
    """One entry a line, each without spaces and with its keys in the order of FORMAT.md."""
    lines = (json.dumps(_encode(entry), separators=(",", ":")) for entry in entries)
    return "".join(f"{line}\n" for line in lines).encode()


def parse_page(data: bytes, name: str) -> list[Entry]:
    """Read what `format_page` wrote.

    Raises:
        DamagedRecordError: A line breaks FORMAT.md; the message names the file `name` and the line.
    """
    *lines, rest = data.split(b"\n")
    if rest:
        raise DamagedRecordError(f"`{name}` is cut off in its line {len(lines) + 1}")
    entries = []
    for number, line in enumerate(lines, 1):
        where = f"{name}:{number}"
        try:
            value = decode_json(line, nan=True)
        except ValueError as error:
            raise DamagedRecordError(f"`{where}` is no JSON: {error}") from error
        entries.append(_decode(Fields(value, where)))
    return entries


def _encode(entry: Entry) -> dict[str, Json]:
    """The JSON object of an entry."""
    match entry:
        case Asked():
            agent = entry.agent
            return {
                "k": "ask",
                "n": entry.number,
                "p": dict(entry.params),
                "run": entry.run,
                "by": {"id": agent.id, "host": agent.host, "process": dict(agent.process)},
                "t": entry.time,
            }
        case Told():
            return {
                "k": "tell",
                "n": entry.number,
                "run": entry.run,
                "state": entry.state.value,
                "v": entry.value,
                "s": [list(pair) for pair in entry.steps],
                "d": entry.duration_s,
                "reused": entry.reused,
                "why": entry.why[:_LONGEST_WHY],
                "t": entry.time,
            }
        case Dropped():
            return {
                "k": "drop",
                "n": entry.number,
                "run": entry.run,
                "why": entry.why[:_LONGEST_WHY],
                "lost": entry.is_lost,
                "t": entry.time,
            }
        case Reopened():
            return {"k": "again", "n": entry.number, "t": entry.time}
        case Beat():
            return {"k": "beat", "by": entry.agent, "t": entry.time}
        case Stopped():
            why = entry.why[:_LONGEST_WHY]
            return {"k": "stop", "why": why, "hard": entry.is_hard, "t": entry.time}
        case Resumed():
            return {"k": "go", "cap": entry.run_cap, "t": entry.time}


def _decode(line: Fields) -> Entry:
    kind = line.text("k")
    time = line.number("t")
    if not isfinite(time):
        raise line.wrong("t", "is no time")
    match kind:
        case "ask":
            return Asked(
                number=_number(line),
                params=_params(line),
                run=_id(line, "run"),
                agent=_agent(line.inner("by")),
                time=time,
            )
        case "tell":
            return _told(line, time)
        case "drop":
            return Dropped(
                number=_number(line),
                run=_id(line, "run"),
                why=line.text("why"),
                is_lost=line.boolean("lost"),
                time=time,
            )
        case "again":
            return Reopened(number=_number(line), time=time)
        case "beat":
            return Beat(agent=_id(line, "by"), time=time)
        case "stop":
            return Stopped(why=line.text("why"), is_hard=line.boolean("hard"), time=time)
        case "go":
            cap = line.values.get("cap")
            return Resumed(run_cap=None if cap is None else line.natural("cap"), time=time)
        case _:
            raise line.wrong("k", "is no kind of entry")


def _told(line: Fields, time: float) -> Told:
    state = line.text("state")
    if state not in OVER:
        raise line.wrong("state", "is no state in which a trial is over")
    reused = line.optional_text("reused", is_id)
    return Told(
        number=_number(line),
        run=_id(line, "run"),
        state=TrialState(state),
        value=line.optional_finite("v"),
        steps=_steps(line),
        duration_s=line.optional_finite("d"),
        reused=reused,
        why=_why(line),
        time=time,
    )


def _why(line: Fields) -> str:
    text = line.text("why") if "why" in line.values else ""  # older entries lack it
    if len(text) > _LONGEST_WHY:
        raise line.wrong("why", "is too long")
    return text


def _number(line: Fields) -> int:
    number = line.natural("n")
    if number >= MOST_TRIALS:
        raise line.wrong("n", "is more than a sweep has trials")
    return number


def _id(line: Fields, key: str) -> str:
    text = line.text(key)
    if not is_id(text):
        raise line.wrong(key, "is no id")
    return text


def _params(line: Fields) -> dict[str, Json]:
    params = line.inner("p").values
    for key in params:
        parts = key.split(".")
        if "" in parts or len(parts) > MOST_PARTS:
            raise line.wrong("p", "has a key that is no config key")
    return dict(params)


def _agent(by: Fields) -> Agent:
    process = by.inner("process").values
    plain = {key: one for key, one in process.items() if isinstance(one, int | str)}
    return Agent(_id(by, "id"), by.text("host"), plain)


def _steps(line: Fields) -> tuple[tuple[int, float], ...]:
    listed = line.values.get("s")
    if not isinstance(listed, list) or len(listed) > MOST_STEPS:
        raise line.wrong("s", "is no list of values on the way")
    steps = []
    for pair in listed:
        match pair:
            case [int(step), int(value) | float(value)] if abs(step) < 1 << 63:
                steps.append((step, float(value)))
            case _:
                raise line.wrong("s", "has something else than a step with its value")
    return tuple(steps)
