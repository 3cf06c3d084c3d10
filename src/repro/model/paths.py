"""Whether a path that a record names may touch a file system (FORMAT.md section "Names")."""

import re

from repro.errors import DamagedRecordError
from repro.model.text import escape

LONGEST_NAME = 255  # bytes; what every file system at hand allows in one component
LONGEST_PATH = 4096  # bytes; PATH_MAX of Linux

# HFS+ ignores these code points in a name, so `.g<U+200C>it` is `.git` there.
# Source: git's own utf8.c, next_hfs_char().
_HFS_IGNORES = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
# NTFS drops spaces and dots at the end, has `git~1` for `.git`, and reads `:…` as a stream.
# Source: git's own path.c, is_ntfs_dotgit().
_DOT_GIT = re.compile(r"(?:\.git|git~1)[ .]*(?::.*)?\Z", re.IGNORECASE | re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:")


def validate_path(path: str) -> None:
    """Refuse a path that could lead out of the folder it is meant for.

    Allowed is a relative path with `/` between its components, each of 1 to 255 bytes, none
    of them `.`, `..` or `.git` in any case or in an NTFS or HFS+ spelling (also behind a
    backslash); no drive, NUL or newline; at most 4,096 bytes in all. Whether a component is a
    symlink can only be seen where the path is used.

    Raises:
        DamagedRecordError: The path breaks one of these rules; the message says which.
    """
    reason = _find_fault(path)
    if reason is not None:
        raise DamagedRecordError(
            f"the record names the path `{show_path(path)}`, which {reason}",
            hint="the record was damaged or made to do harm; nothing of it was written",
        )


def show_path(path: str) -> str:
    """Give a path from elsewhere as an error shows it: short, with all that is odd visible."""
    shown = escape(path if len(path) <= 80 else f"{path[:77]}...")
    return _HFS_IGNORES.sub(lambda match: f"\\u{ord(match.group()):04x}", shown)


def _find_fault(path: str) -> str | None:
    try:
        size = len(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return "no file system can hold"
    whole = {
        "is empty": not path,
        f"is longer than {LONGEST_PATH} bytes": size > LONGEST_PATH,
        "holds a NUL or a newline": "\0" in path or "\n" in path,
        "is not relative": path.startswith("/") or _DRIVE.match(path) is not None,
    }
    faults = [fault for fault, has in whole.items() if has]
    faults += filter(None, map(find_name_fault, path.split("/")))
    return faults[0] if faults else None


def find_name_fault(component: str) -> str | None:
    """What forbids a name between two slashes, in words that follow "which"; None if nothing."""
    if component in {"", "."}:
        return "has an empty component"
    if len(component.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        return f"has a component of more than {LONGEST_NAME} bytes"
    # A backslash is a character here and a separator on Windows: neither may lead out.
    for part in component.split("\\"):
        plain = _HFS_IGNORES.sub("", part)
        if plain.rstrip(" ") == "..":
            return "leads out of its folder"
        if _DOT_GIT.match(plain):
            return "leads into `.git`"
    return None
