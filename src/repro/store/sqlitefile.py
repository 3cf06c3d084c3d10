"""A disposable SQLite file: when it is broken, and how it goes."""

import sqlite3
import stat
from pathlib import Path

_BROKEN = {
    sqlite3.SQLITE_ERROR,  # another table of that name
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_MISMATCH,
}

# What a broken file makes of the words of an error need not be UTF-8.
FAULTS = (sqlite3.Error, UnicodeDecodeError)


def is_odd(path: Path) -> bool:
    """Whether something lies there that is no regular file: opening a FIFO would wait for ever."""
    try:
        return not stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def is_broken(error: Exception) -> bool:
    """Whether the file itself is at fault, not a lock, the disk or a permission."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in _BROKEN


def is_locked(error: Exception) -> bool:
    """Whether another process has the file for itself."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code == sqlite3.SQLITE_BUSY


def remove_database(path: Path) -> bool:
    """Take a file, a link or a FIFO away; whether nothing is there now."""
    try:
        for name in (f"{path.name}-journal", path.name):
            path.with_name(name).unlink(missing_ok=True)
    except OSError:
        return False
    return True
