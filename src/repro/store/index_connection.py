"""A connection to the run index, set so that a power loss leaves it old or new."""

import sqlite3

_CACHE_KIB = 1 << 16  # while much is written
_STEPS = 100_000  # of SQLite between two looks for ^C


def connect(uri: str, patience_s: float = 0.0) -> sqlite3.Connection:
    """Open a database.

    Args:
        patience_s: How long to wait for another process that holds it.
    """
    # No isolation level: transactions begin and end where the code says so.
    db = sqlite3.connect(uri, uri=True, timeout=patience_s, isolation_level=None)
    db.execute("PRAGMA trusted_schema = OFF")
    # A rollback journal that is synced: after a power loss the file is old or new. Faster
    # settings could leave one that opens well and lacks runs.
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    db.execute("PRAGMA temp_store = MEMORY")
    # Python sees ^C only between two of its own steps: the handler is one.
    db.set_progress_handler(lambda: 0, _STEPS)
    return db
