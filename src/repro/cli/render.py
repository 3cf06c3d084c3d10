"""The only place that prints: data to standard output, everything else to standard error."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from repro.model.text import escape


def out(text: str) -> None:
    """Print data, with a newline."""
    print(text)


def raw(data: bytes) -> None:
    """Write bytes to standard output as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def note(text: str) -> None:
    """Print progress, a hint or a warning to standard error."""
    print(text, file=sys.stderr, flush=True)


def data_json(value: Any) -> None:
    """Print a value as JSON; numbers that JSON lacks are the texts NaN, Infinity, -Infinity."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return value


def table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """Lay rows out in aligned columns; control characters are shown escaped."""
    # 45 ms to import; only what prints a table pays for it.
    from tabulate import tabulate  # noqa: PLC0415

    cells = [[escape(cell) for cell in row] for row in rows]
    return tabulate(cells, headers=list(headers), tablefmt="plain", disable_numparse=True)


def page(text: str) -> None:
    """Print a long text, through the user's pager when standard output is a terminal."""
    command = _pager()
    if command is None:
        out(text)
        return
    environ = {"LESS": "FRX", "LV": "-c", **os.environ}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environ)
    try:
        process.communicate(text.encode(errors="surrogateescape") + b"\n")
    except KeyboardInterrupt:
        process.wait()


def _pager() -> list[str] | None:
    if not sys.stdout.isatty() or os.environ.get("REPRO_NO_PAGER"):
        return None
    chosen = os.environ.get("GIT_PAGER") or _configured_pager() or os.environ.get("PAGER", "less")
    words = shlex.split(chosen)
    if not words or words == ["cat"] or shutil.which(words[0]) is None:
        return None
    return words


def _configured_pager() -> str:
    done = subprocess.run(["git", "config", "core.pager"], capture_output=True, check=False)
    return done.stdout.decode(errors="replace").strip()


def width() -> int:
    """Columns of the terminal, 0 where standard output is none: nothing is cut then."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


_COLOURS = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}


def colour(text: str, name: str) -> str:
    """`text` in a colour, where standard output is a terminal and NO_COLOR is not set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m"
