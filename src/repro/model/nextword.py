"""How a filter over runs may go on: what its last word can become."""

import re
from collections.abc import Callable, Iterable, Iterator

from repro.errors import FilterError
from repro.model.condition import STATISTICS, Key, Kind, Space, Vocabulary
from repro.model.fields import FIELDS
from repro.model.lexing import Token, read_token
from repro.model.run import Status

Word = tuple[str, str]  # the word, and what it stands for
Tags = Callable[[str], Iterable[str]]

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


def _no_tags(_: str) -> Iterable[str]:
    return ()


def complete_filter(text: str, vocabulary: Vocabulary, tags: Tags = _no_tags) -> Iterator[Word]:
    """Give each filter that `text` becomes when its last word is made whole.

    Args:
        tags: Gives those that start with some characters; a vocabulary has no tags.
    """
    try:
        tokens = list(_read(text))
    except FilterError:  # such as a quote that is still open
        return
    start = len(text)
    if tokens and tokens[-1].end == len(text) and tokens[-1].kind in ("word", "operator"):
        start = tokens.pop().start
    for word, what in _next_words(tokens, text[start:], vocabulary, tags):
        if word.startswith(text[start:]):
            yield text[:start] + word, what


def complete_name(prefix: str, vocabulary: Vocabulary) -> Iterator[Word]:
    """Give each name of the query language that starts with `prefix` and needs no quotes.

    A param or metric whose name means nothing else is given bare; names of a space such as
    `env.` once that is typed.
    """
    space = next((one for one in _SPACES if prefix.startswith(f"{one}.")), None)
    if space is not None:
        inner = prefix.removeprefix(f"{space}.")
        yield from ((f"{space}.{name}", space.value) for name in _inside(space, inner, vocabulary))
        return
    for name, what in _offered(prefix, vocabulary):
        if name.startswith(prefix):
            yield name, what


def _read(text: str) -> Iterator[Token]:
    token = read_token(text, 0)
    while token.kind != "end":
        yield token
        token = read_token(text, token.end)


def _offered(prefix: str, vocabulary: Vocabulary) -> Iterator[Word]:
    yield from ((name, "field") for name in _RESERVED)
    for space in (Space.CONFIG, Space.METRIC):
        for name in _inside(space, prefix, vocabulary):
            others = (vocabulary.has(one, name) for one in _SPACES if one is not space)
            is_clear = name not in _RESERVED and not any(others)
            yield (name if is_clear else f"{space}.{name}"), space.value
    for space in _SPACES:
        yield f"{space}.", "names"


def _inside(space: Space, prefix: str, vocabulary: Vocabulary) -> Iterator[str]:
    names = [name for name in vocabulary.names(space) if _BARE.match(name)]
    yield from (name for name in names if name.startswith(prefix))
    metric, dot, begun = prefix.rpartition(".")
    if space is Space.METRIC and dot and metric in names:
        yield from (f"{metric}.{word}" for word in STATISTICS if word.startswith(begun))


def _next_words(
    tokens: Iterable[Token], word: str, vocabulary: Vocabulary, tags: Tags
) -> Iterator[Word]:
    expected, name = "name", ""
    for token in tokens:
        said = token.text.lower() if token.kind == "word" else token.kind
        if expected == "name":
            name = token.text
        expected = _THEN[expected].get(said, _THEN[expected][""])
    if expected == "name":
        yield from complete_name(word, vocabulary)
    elif expected in ("value", "item"):
        found = tags(word) if name in ("tag", "tags") else _values(name, vocabulary)
        yield from ((value, "value") for value in found if _BARE.match(value))
    yield from ((one, "word") for one in _WORDS[expected])


def _values(name: str, vocabulary: Vocabulary) -> Iterable[str]:
    if name == "status":
        return [status.value for status in Status]
    bare = name.removeprefix("config.")
    is_bool = name == "dirty" or vocabulary.kinds(Key(Space.CONFIG, bare)) == {Kind.BOOL}
    return ("true", "false") if is_bool else ()
