"""The words of a filter, one after the other, each with its place in the text."""

import re
from functools import cache
from typing import Literal, NamedTuple

from repro.errors import FilterError

LONGEST = 2**20  # characters of a filter
_LONGEST_SHOWN = 60

# What a word is made of: numbers, dates and names such as `val/loss` or `top-5` are all words, as
# there is no arithmetic. What the shell or SQL would take for more than a letter is not in one.
_WORD = r"[^\s()<>=!~,;&|'\"`\x00-\x1f\x7f]+"
_TOKEN = rf"\s*(?:({_WORD})|([<>=!~&|]+)|([(),])|(['\"`])|(\Z)|(.))"
_QUOTED = {
    # Possessive, so that the time is linear whatever the text.
    "'": r"'[^'\\]*+(?:(?:''|\\.)[^'\\]*+)*+'",
    '"': r'"[^"\\]*+(?:(?:""|\\.)[^"\\]*+)*+"',
    "`": r"`[^`]*+(?:``[^`]*+)*+`",
}

# `word`, or a keyword itself; `text` in single quotes; `either` a text or a name, in double quotes;
# `name` in backticks, or joined of parts as in `metrics."val loss".min`.
TokenKind = Literal[
    "word", "and", "or", "not", "in", "is", "like", "ilike", "null", "text", "either", "name",
    "operator", "(", ")", ",", "end",
]  # fmt: skip
_KEYWORDS: dict[str, TokenKind] = {
    "and": "and", "or": "or", "not": "not", "in": "in", "is": "is", "like": "like",
    "ilike": "ilike", "null": "null",
}  # fmt: skip
_LONGEST_KEYWORD = max(map(len, _KEYWORDS))


class Token(NamedTuple):
    """One word, from `start` to before `end`.

    Attributes:
        text: Without quotes.
        quoted: Of a name with quotes: from where to where in `text` they were.
    """

    kind: TokenKind
    text: str
    start: int
    end: int
    quoted: tuple[int, int] | None = None


def check_text(text: str) -> None:
    """Refuse what no filter may hold.

    Raises:
        FilterError: It is longer than 1 MiB, or has a NUL or half a surrogate pair.
    """
    if len(text) > LONGEST:
        message = f"a filter of {len(text):,} characters is longer than the limit of {LONGEST:,}"
        raise FilterError(message, text=text, start=LONGEST, end=len(text), hint=_SHORTER)
    place = text.find("\0")
    if place < 0 and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            place = error.start
    if place >= 0:
        raise FilterError("this character is in no record", text=text, start=place, end=place + 1)


_SHORTER = "many values of one name are shorter as `name in (…)`"


def read_token(text: str, place: int) -> Token:
    """Give the first word at or after `place`; the last one is of the kind `end`.

    Raises:
        FilterError: There is a quote without its other, or a character that begins no word.
    """
    match = _pattern(_TOKEN).match(text, place)
    assert match is not None  # some alternative always fits
    kind = match.lastindex
    assert kind is not None
    start, end = match.span(kind)
    found = match[kind]
    if kind == 1:
        if found[-1] == "." and text[end : end + 1] in _NAME_QUOTES:
            return _joined(text, start, end)
        keyword = _KEYWORDS.get(found.lower()) if end - start <= _LONGEST_KEYWORD else None
        return Token(keyword or "word", found, start, end)
    if kind == 2:
        return Token("operator", found, start, end)
    if kind == 3:
        return Token(found, found, start, end)  # type: ignore[arg-type]  # one of the three
    if kind == 4:
        return _quoted(text, start, found)
    if kind == 5:
        return Token("end", "", start, end)
    raise FilterError(
        f"`{found}` has no meaning in a filter", text=text, start=start, end=end,
        hint="a text with such characters stands in quotes: 'a;b'",
    )  # fmt: skip


_NAME_QUOTES = ('"', "`")


def _quoted(text: str, start: int, quote: str) -> Token:
    inner, end = _unquote(text, start, quote)
    if quote == "'":
        return Token("text", inner, start, end)
    if text[end : end + 1] == ".":
        return _joined(text, start, start)
    if quote == "`":
        return Token("name", inner, start, end, (0, len(inner)))
    return Token("either", inner, start, end, (0, len(inner)))


def _joined(text: str, start: int, quote: int) -> Token:
    """A name from `start` on with quotes around a part of it, which begins at `quote`."""
    before = text[start:quote]
    inner, end = _unquote(text, quote, text[quote])
    after = ""
    if text[end : end + 1] == ".":
        match = _pattern(_WORD).match(text, end)
        assert match is not None  # a dot is part of a word
        after, end = match[0], match.end()
    name = before + inner + after
    return Token("name", name, start, end, (len(before), len(before) + len(inner)))


def _unquote(text: str, start: int, quote: str) -> tuple[str, int]:
    """What is in the quotes that begin at `start`, and where they end."""
    match = _pattern(_QUOTED[quote]).match(text, start)
    if match is None:
        raise FilterError(
            "this quote has no other that ends it", text=text, start=start, end=start + 1,
            hint=f"a quote inside of quotes is written twice: {quote}a{quote}{quote}b{quote}",
        )  # fmt: skip
    inner = text[start + 1 : match.end() - 1]
    if quote == "`":
        return inner.replace("``", "`"), match.end()
    if quote in inner or "\\" in inner:
        # A backslash before any other character is one: most patterns have some.
        escapes = _pattern(rf"\\([\\'\"])|{quote}{quote}")
        inner = escapes.sub(lambda found: found[1] or quote, inner)
    return inner, match.end()


@cache
def _pattern(source: str) -> re.Pattern[str]:
    """Compiled when a filter is first read: no other command pays for it."""
    return re.compile(source, re.DOTALL)


def shorten(text: str) -> str:
    """Give a text of a filter for a message, cut where it is long."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
