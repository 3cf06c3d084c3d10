"""Columns that somebody asked for, by names of the query language and patterns of these."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate

from repro.errors import UsageError
from repro.model.binding import resolve_name
from repro.model.columns import STEP, TAGS, Column
from repro.model.condition import STATISTICS, Key, Space, Vocabulary
from repro.model.fields import FIELDS
from repro.model.text import escape

_BARE = (Space.FIELD, Space.CONFIG, Space.METRIC)  # where a pattern without a space looks
_PIECE = re.compile(r'(?:[^,`"]|`[^`]*`|"(?:[^"\\]|\\.)*"|[`"])+', re.DOTALL)
_OWN = {"step": STEP, "tags": Column("tags", TAGS)}
_QUOTING = re.compile(r'[`"]')


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns that somebody asked for.

    Attributes:
        is_change: Whether these are added to, or taken from, what would be shown anyway.
    """

    is_change: bool
    added: tuple[Column, ...]
    removed: frozenset[Key | None]

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        """The columns to show in place of `columns`; added ones stand behind the fields."""
        added = [column for column in self.added if column.key not in self.removed]
        if not self.is_change:
            return added
        keys = {column.key for column in added}
        kept = [column for column in columns if column.key not in self.removed | keys]
        n_fields = sum(column.key is None or column.key.space is Space.FIELD for column in kept)
        return [*kept[:n_fields], *added, *kept[n_fields:]]


def parse_columns(text: str, vocabulary: Vocabulary) -> Wanted:
    """Read `lr,metrics.loss.min`, or `+branch,-duration` as a change of the usual columns.

    Names are those of the query language, `tags`, `step`, and patterns with `*` and `?`, as
    `metrics.*` or `optimizer.*`.

    Raises:
        FilterError: A name is unknown or ambiguous.
        UsageError: A pattern fits nothing.
    """
    words = split_names(text)
    added = [word for word in words if not word.startswith("-")]
    removed = [word[1:] for word in words if word.startswith("-")]
    columns = [
        column for word in added for column in find_columns(word.removeprefix("+"), vocabulary)
    ]
    return Wanted(
        is_change=all(word.startswith("+") for word in added),
        added=tuple({column.key: column for column in columns}.values()),
        removed=frozenset(
            column.key for word in removed for column in find_columns(word, vocabulary)
        ),
    )


def split_names(text: str) -> list[str]:
    """The names of a list that commas separate; a comma within quotes belongs to its name."""
    return [piece.strip() for piece in _PIECE.findall(text) if piece.strip()]


def find_columns(word: str, vocabulary: Vocabulary) -> list[Column]:
    """The columns that a name, or a pattern, stands for.

    Raises:
        FilterError: The name is unknown or ambiguous.
        UsageError: The pattern fits nothing.
    """
    if _QUOTING.search(word) or not ("*" in word or "?" in word):
        return [find_column(word, vocabulary)]
    found = list(_matching(word, vocabulary))
    if not found:
        raise UsageError(
            f"no run has a param, metric or field like `{escape(word)}`",
            hint="`repro show RUN` lists the params and metrics of one",
        )
    return found


def find_column(name: str, vocabulary: Vocabulary) -> Column:
    """The column of a name of the query language, or of `step` or `tags`.

    Raises:
        FilterError: The name is unknown or ambiguous.
    """
    is_taken = any(vocabulary.has(space, name) for space in (Space.CONFIG, Space.METRIC))
    if name in _OWN and not is_taken:
        return _OWN[name]
    return Column(name, resolve_name(name, vocabulary))


def _matching(pattern: str, vocabulary: Vocabulary) -> Iterator[Column]:
    space = next((space for space in Space if pattern.startswith(f"{space}.")), None)
    if space is None:
        for bare in _BARE:
            yield from _in_space(pattern, bare, vocabulary, "")
    else:
        yield from _in_space(pattern.removeprefix(f"{space}."), space, vocabulary, f"{space}.")


def _in_space(pattern: str, space: Space, vocabulary: Vocabulary, prefix: str) -> Iterator[Column]:
    names = list(FIELDS) if space is Space.FIELD else vocabulary.names(space)
    fits = _fitting(pattern)
    found = [name for name in names if fits(name)]
    yield from (Column(prefix + name, Key(space, name)) for name in found)
    inner, _, statistic = pattern.rpartition(".")
    if space is Space.METRIC and statistic in STATISTICS and not found:
        for name in filter(_fitting(inner), names):
            key = Key(space, name, STATISTICS[statistic])
            yield Column(f"{prefix}{name}.{statistic}", key)


def _fitting(pattern: str) -> Callable[[str], object]:
    return re.compile(translate(pattern.replace("[", "[[]"))).match
