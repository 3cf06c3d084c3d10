"""How a filter over runs may go on: what its last word can become."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from repro.errors import FilterError
from repro.model.binding import resolve_name
from repro.model.condition import STATISTICS, Key, Kind, Space, Vocabulary
from repro.model.fields import FIELDS
from repro.model.lexing import Token, read_token
from repro.model.resolving import quote_name
from repro.model.run import Status

Word = tuple[str, str]  # the word, and what it stands for
Values = Callable[[Key, str], Iterable[str]]  # texts under a key that start with some characters

_BARE = re.compile(r"[^\W\d][\w./:-]*\Z")  # a name that needs no quotes
_SPACES = (Space.CONFIG, Space.METRIC, Space.SUMMARY, Space.DATA, Space.ENV)
_RESERVED = (*FIELDS, "tag", "age")

# What is expected, and which words can stand there apart from names and values.
_WORDS = {
    "name": ("not",),
    "operator": ("=", "!=", "<", "<=", ">", ">=", "~", "in", "is", "like", "not"),
    "not": ("in", "like"),
    "is": ("null", "not", "nan"),
    "is not": ("null", "nan"),
    "list": ("(",),
    "value": (),
    "item": (),
    "after": ("and", "or"),
}
# What is expected behind a word, or a kind of token, where something else was.
_THEN = {
    "name": {"not": "name", "(": "name", "": "operator"},
    "operator": {
        "operator": "value", "in": "list", "like": "value", "ilike": "value", "not": "not",
        "is": "is", "and": "name", "or": "name", "": "after",
    },
    "not": {"in": "list", "": "value"},
    "is": {"not": "is not", "": "after"},
    "is not": {"": "after"},
    "list": {"": "item"},
    "value": {"": "after"},
    "item": {")": "after", "": "item"},
    "after": {"and": "name", "or": "name", "operator": "value", "": "after"},
}  # fmt: skip


def _no_values(_: Key, __: str) -> Iterable[str]:
    return ()


def complete_filter(
    text: str, vocabulary: Vocabulary, values: Values = _no_values
) -> Iterator[Word]:
    """Give each filter that `text` becomes when its last word is made whole, without quotes.

    Args:
        values: Gives texts that runs have, tags among them; a vocabulary has none.
    """
    start, words = find_next(text, vocabulary, values, quoted=False)
    for word, what in words:
        if word.startswith(text[start:]):
            yield text[:start] + word, what


def find_next(
    text: str, vocabulary: Vocabulary, values: Values, *, quoted: bool
) -> tuple[int, Iterator[Word]]:
    """Give what the last word of a filter can become.

    Args:
        quoted: Whether names and values that need quotes are given, in these; then a quote that
            is still open begins one.

    Returns:
        Where that word begins, and the words in place of it.
    """
    try:
        tokens, start = list(_read(text)), len(text)
    except FilterError as error:
        start = error.start
        if not quoted or text[start : start + 1] not in ("'", '"', "`"):
            return len(text), iter(())
        tokens, begun = list(_read(text[:start])), text[start + 1 :]
        return start, _next_words(tokens, begun, vocabulary, values, _WITHIN[text[start]])
    if tokens and tokens[-1].end == len(text) and tokens[-1].kind in ("word", "operator"):
        start = tokens.pop().start
    style = _QUOTED if quoted else _BARE_ONLY
    return start, _next_words(tokens, text[start:], vocabulary, values, style)


def quote_text(text: str) -> str:
    """Give a text as a filter has to write it where it is no word of its own."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def complete_name(prefix: str, vocabulary: Vocabulary) -> Iterator[Word]:
    """Give each name of the query language that starts with `prefix` and needs no quotes.

    A param or metric whose name means nothing else is given bare; names of a space such as
    `env.` once that is typed.
    """
    found = _names(prefix, vocabulary, _bare)
    yield from ((name, what) for name, what in found if name.startswith(prefix))


_Write = Callable[[str], str | None]  # a name, or a value, as a filter has it; None for none


@dataclass(frozen=True, slots=True)
class _Style:
    """How names and values are written; None where none is offered.

    Attributes:
        has_words: Whether operators and the like can stand there, too.
    """

    name: _Write | None
    value: _Write | None
    has_words: bool = True


def _bare(text: str) -> str | None:
    return text if _BARE.match(text) else None


def _maybe_quoted(text: str) -> str:
    return text if _BARE.match(text) and text.lower() not in _KEYWORDS else quote_text(text)


def _in_backticks(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


_KEYWORDS = {"and", "or", "not", "in", "is", "like", "ilike", "null"}
_BARE_ONLY = _Style(_bare, _bare)
_QUOTED = _Style(quote_name, _maybe_quoted)
_WITHIN = {
    "'": _Style(None, quote_text, has_words=False),
    '"': _Style(_in_backticks, quote_text, has_words=False),
    "`": _Style(_in_backticks, None, has_words=False),
}


def _read(text: str) -> Iterator[Token]:
    token = read_token(text, 0)
    while token.kind != "end":
        yield token
        token = read_token(text, token.end)


def _names(prefix: str, vocabulary: Vocabulary, write: _Write) -> Iterator[Word]:
    """The names that start with `prefix`, by themselves or in their space, as `write` has them."""
    space = next((one for one in _SPACES if prefix.startswith(f"{one}.")), None)
    if space is not None:
        inner = prefix.removeprefix(f"{space}.")
        for _, written in _inside(space, inner, vocabulary, write):
            yield f"{space}.{written}", space.value
        return
    yield from ((name, "field") for name in _RESERVED if name.startswith(prefix))
    for space in (Space.CONFIG, Space.METRIC):
        for name, written in _inside(space, prefix, vocabulary, write):
            others = (vocabulary.has(one, name) for one in _SPACES if one is not space)
            is_clear = name not in _RESERVED and not any(others)
            yield (written if is_clear else f"{space}.{written}"), space.value
    yield from ((f"{space}.", "names") for space in _SPACES if f"{space}.".startswith(prefix))


def _inside(
    space: Space, prefix: str, vocabulary: Vocabulary, write: _Write
) -> Iterator[tuple[str, str]]:
    """The names of a space that start with `prefix`: as they are, and as `write` has them."""
    names = vocabulary.names(space)
    for name in names:
        written = write(name) if name.startswith(prefix) else None
        if written is not None:
            yield name, written
    metric, dot, begun = prefix.rpartition(".")
    if space is Space.METRIC and dot and metric in names and _BARE.match(metric):
        found = (f"{metric}.{word}" for word in STATISTICS if word.startswith(begun))
        yield from ((name, name) for name in found)


def _next_words(
    tokens: Iterable[Token], begun: str, vocabulary: Vocabulary, values: Values, style: _Style
) -> Iterator[Word]:
    expected, name = "name", ""
    for token in tokens:
        said = token.text.lower() if token.kind == "word" else token.kind
        if expected == "name":
            name = token.text
        expected = _THEN[expected].get(said, _THEN[expected][""])
    if expected == "name" and style.name is not None:
        yield from _names(begun, vocabulary, style.name)
    elif expected in ("value", "item") and style.value is not None:
        for value in _values(name, begun, vocabulary, values):
            written = style.value(value) if value.startswith(begun) else None
            if written is not None:
                yield written, "value"
    if style.has_words:
        yield from ((one, "word") for one in _WORDS[expected] if one.startswith(begun))


def _values(name: str, begun: str, vocabulary: Vocabulary, values: Values) -> Iterable[str]:
    try:
        key = resolve_name(name, vocabulary)
    except FilterError:  # not yet a name
        return ()
    if key == Key(Space.FIELD, "status"):
        return [status.value for status in Status]
    if key == Key(Space.FIELD, "dirty") or vocabulary.kinds(key) == {Kind.BOOL}:
        return ("true", "false")
    is_moment = key.space is Space.FIELD and FIELDS[key.name].is_moment
    return () if is_moment else values(key, begun)
