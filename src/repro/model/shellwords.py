"""Quoting inside a line of shell: where a place of it stands, and how text is put there."""

import shlex
from enum import Enum


class Quote(Enum):
    """What encloses a place of a line of shell."""

    NONE = ""
    SINGLE = "'"
    DOUBLE = '"'


def quote_at(line: str, position: int) -> Quote:
    """Tell what encloses `position`; of quotes inside of quotes the outer ones.

    Source: POSIX.1-2017, Shell Command Language, section 2.2 "Quoting".
    """
    quote = Quote.NONE
    at = 0
    while at < min(position, len(line)):
        char = line[at]
        if char == "\\" and quote is not Quote.SINGLE:
            at += 1
        elif quote is Quote.NONE and char in "'\"":
            quote = Quote(char)
        elif char == quote.value:
            quote = Quote.NONE
        at += 1
    return quote


def quote_for(text: str, quote: Quote) -> str:
    """Write `text` so that the shell takes it literally where `quote` encloses it."""
    if quote is Quote.SINGLE:
        return text.replace("'", "'\\''")
    if quote is Quote.DOUBLE:
        return "".join(f"\\{char}" if char in '\\"$`' else char for char in text)
    return shlex.quote(text) if text else ""
