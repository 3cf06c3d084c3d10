"""The only place that prints: data to standard output, everything else to standard error."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import zip_longest
from operator import add
from types import MappingProxyType
from typing import Any

from repro.atomic import storage_errors
from repro.cli import pager
from repro.model.canonical import name_number
from repro.model.text import UNSAFE, escape
from repro.model.width import places as places

_COLOURS = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
GAP = "  "  # between columns
_NO_COLOURS: Mapping[tuple[int, int], str] = MappingProxyType({})
_NOT_RAW = re.compile(f"(?!\n){UNSAFE}")


_gathered: list[str] | None = None
_say: Callable[[str], None] | None = None


@contextmanager
def gathered() -> Iterator[list[str]]:
    """Give the lines that `out` and `note` are told meanwhile; nothing of them is printed."""
    global _gathered  # as standard output itself, which it stands for
    before, _gathered = _gathered, []
    try:
        yield _gathered
    finally:
        _gathered = before


def out(text: str) -> None:
    """Print data and a newline."""
    if _gathered is not None:
        _gathered.extend(text.split("\n"))
        return
    with storage_errors("to standard output"):
        print(text)


def raw(data: bytes) -> None:
    """Write bytes to standard output as they are."""
    with storage_errors("to standard output"):
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


@contextmanager
def notes_by(say: Callable[[str], None]) -> Iterator[None]:
    """Have `say` print what `note` is told meanwhile, as it draws on the terminal itself."""
    global _say  # as standard error itself
    before, _say = _say, say
    try:
        yield
    finally:
        _say = before


def note(text: str) -> None:
    """Print progress, a hint or a warning to standard error, behind what was printed before."""
    if _gathered is not None:
        _gathered.extend(text.split("\n"))
        return
    if _say is not None:
        _say(text)
        return
    if sys.stdout is not None:
        with suppress(OSError, ValueError):  # whoever prints next meets it, too, and tells
            sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def data_json(value: Any) -> None:
    """Print a value as JSON, keys in their own order.

    Numbers that JSON lacks become the texts "NaN", "Infinity" and "-Infinity", as in a record;
    what a terminal would obey, and bytes of a file name that are not UTF-8, stand as escapes.
    """
    out(_json_text(value, 2))


def json_text(value: Any) -> str:
    """A value as `data_json` prints it, for a file."""
    return _json_text(value, 2)


def json_array(values: Iterable[Any]) -> None:
    """Print values as a JSON array, as `data_json` does, each as soon as it is there."""
    before = "[\n"
    for value in values:
        _write(before + "  " + _json_text(value, 2).replace("\n", "\n  "))
        before = ",\n"
    out("[]" if before == "[\n" else "\n]")


def json_lines(values: Iterable[Any]) -> None:
    """Print values as JSON, as `data_json` does, one a line."""
    for value in values:
        out(_json_text(value, None))


def flush() -> None:
    """Have what was printed out before what `note` says, where both end in one place."""
    with storage_errors("to standard output"):
        if sys.stdout is not None:
            sys.stdout.flush()


def _write(text: str) -> None:
    with storage_errors("to standard output"):
        print(text, end="")


def _json_text(value: Any, spaces: int | None) -> str:
    try:
        text = json.dumps(value, indent=spaces, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError):  # rare, and copying every value takes as long as this
        text = json.dumps(_carriable(value), indent=spaces, ensure_ascii=False, allow_nan=False)
    if text.replace("\n", "").isprintable():
        return text
    return _NOT_RAW.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


def _carriable(value: Any) -> Any:
    if isinstance(value, float):
        is_finite = value - value == 0
        return value if is_finite else name_number(value)
    if isinstance(value, Mapping):
        return {str(key): _carriable(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_carriable(entry) for entry in value]
    return value


def table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """Lay rows out in columns below their headers; control characters are shown escaped."""
    return columns([headers, *rows])


def columns(
    rows: Sequence[Sequence[str]],
    *,
    right: Container[int] = (),
    colours: Mapping[tuple[int, int], str] = _NO_COLOURS,
) -> str:
    """Lay rows out in columns; control characters are shown escaped.

    Args:
        right: The columns that are aligned to the right, from 0.
        colours: Of cells, by row and column.
    """
    laid = []
    for number, texts in enumerate(zip_longest(*rows, fillvalue="")):
        cells, taken = _measure(texts)
        room = max(taken)
        gaps = [" " * (room - one) for one in taken]
        for row in range(len(cells)) if colours else ():
            if (row, number) in colours:
                cells[row] = colour(cells[row], colours[row, number])
        pairs = (gaps, cells) if number in right else (cells, gaps)
        laid.append(map(add, *pairs))
    return "\n".join([GAP.join(row).rstrip() for row in zip(*laid, strict=True)])


def widest(texts: Sequence[str]) -> int:
    """How many places of a line the widest of some texts takes, as `columns` shows it."""
    return max(_measure(texts)[1])


def _measure(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """Texts as they are shown, and how many places each takes."""
    whole = "".join(texts)
    if whole.isascii() and whole.isprintable():  # as nearly all columns are, of any length
        return list(texts), list(map(len, texts))
    cells = list(map(escape, texts))
    return cells, list(map(places, cells))


def page(text: str) -> None:
    """Print a long text, through the user's pager when standard output is a terminal."""
    if not (_is_terminal() and pager.page(text, os.environ)):
        out(text)


def width() -> int:
    """Columns of the terminal, 0 where standard output is none: nothing is cut then."""
    return shutil.get_terminal_size().columns if _is_terminal() else 0


def has_colour() -> bool:
    """Whether standard output is a terminal that may show colours: NO_COLOR is not set."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return _is_terminal() and not is_plain


def colour(text: str, name: str) -> str:
    """`text` in a colour, where there may be any."""
    if not has_colour():
        return text
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m"


def shade(text: str, number: int) -> str:
    """`text` in one of the 256 colours of terminals, where there may be any."""
    return f"\x1b[38;5;{number}m{text}\x1b[0m" if has_colour() else text


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
