"""The last value of a metric, out of the journals of a run in progress."""

from pathlib import Path

from repro.model.series import Row, merge_rows
from repro.store.journal_reader import read_journals


def last_value(folder: Path, name: str) -> float | None:
    """The last value of a metric that rank 0 logged; reads the journals whole."""
    rows = [
        Row(record["s"], record["t"], {name: float(record["m"][name])}, (0, writer, number))
        for writer, journal in enumerate(read_journals(folder))
        if journal.header.get("rank", 0) == 0
        for number, record in enumerate(journal.records)
        if record.get("k") == "log" and name in record["m"]
    ]
    return merge_rows(rows)[name][-1].value if rows else None
