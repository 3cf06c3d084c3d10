"""What the run index remembers of the refs that it was made from."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from repro.model.sharing import Refusal
from repro.store.index_schema import COUNT_RUNS
from repro.store.refnames import TRASH, Kind, parse_ref
from repro.store.refstamp import RefStamp


@dataclass(frozen=True, slots=True)
class Noted:
    """The refs at an earlier look.

    Attributes:
        text: As it stands in the table.
        refused: What lay among the refs and could not be used.
        unreadable: Ids of runs whose records could not be read.
    """

    text: str
    stamp: RefStamp
    refused: list[Refusal]
    unreadable: set[str]

    def tells(self, refs: Iterable[str]) -> bool:
        """Whether each ref is that of one run, and nothing about that run was refused."""
        refused = {one.run for one in self.refused}
        for ref in refs:
            parsed = parse_ref(ref)
            if parsed.kind in (Kind.ODD, Kind.ARCHIVE) or not refused.isdisjoint(
                (ref, parsed.name)
            ):
                return False
        return True


def read_noted(db: sqlite3.Connection, n_live: int) -> Noted | None:
    """Which refs the tables were made from, if they still have the runs that they had then."""
    row = db.execute("SELECT refs, n_sealed FROM noted").fetchone()
    if row is None:
        return None
    [number] = db.execute(COUNT_RUNS).fetchone()
    if number - n_live != row[1]:
        return None
    try:
        value = json.loads(row[0])
        stamp = RefStamp(value["packed"], dict(value["loose"]))
        refused = [Refusal(*one) for one in value["refused"]]
        return Noted(row[0], stamp, refused, set(value["unreadable"]))
    except (KeyError, TypeError, ValueError):
        return None


def describe_noted(stamp: RefStamp, refused: Sequence[Refusal], unreadable: Iterable[str]) -> str:
    """Give the text that `read_noted` reads."""
    noted = {
        **stamp.to_json(),
        "refused": [[one.run, one.reason, one.hint] for one in refused],
        "unreadable": sorted(unreadable),
    }
    return json.dumps(noted, sort_keys=True)


def has_unused(stamp: RefStamp, refs: Iterable[str], found: Collection[str]) -> bool:
    """Whether one of the refs is there and no run comes of it, though nobody removed it.

    Args:
        found: The ids of runs that came of them.
    """
    return any(
        ref in stamp.loose
        and (parsed := parse_ref(ref)).kind != Kind.TRASH
        and parsed.name not in found
        and TRASH + parsed.name not in stamp.loose
        for ref in refs
    )
