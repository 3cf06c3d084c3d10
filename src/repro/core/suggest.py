"""What a shell offers to complete a word with: runs, tags, params, metrics, names, filters.

Each function gives texts with what they stand for, at most `MOST` of a kind. All of them raise a
`ReproError` where very many records are to be read first: nobody waits for that between two keys.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice

from repro.core.known import KnownRuns, open_runs
from repro.core.project import Project
from repro.errors import ReproError
from repro.model.condition import Space
from repro.model.nextword import complete_filter, complete_name, find_next

MOST = 100  # nobody reads more, and a shell asks before it shows that many
MOST_NEW = 1000  # records that are read first; that takes a third of a second

Suggestion = tuple[str, str]


def suggest_runs(project: Project, prefix: str) -> list[Suggestion]:
    """Names of runs that start with `prefix`, then ids, those of the newest runs first."""
    with _open(project) as runs:
        names = runs.index.starting(prefix, "name", MOST)
        ids = runs.index.starting(prefix, "id", MOST)
        short = runs.shorten(ids)
        return [*((name, "name") for name in names), *((short[one], "run") for one in ids)]


def suggest_tags(project: Project, prefix: str) -> list[Suggestion]:
    """Tags that start with `prefix`."""
    with _open(project) as runs:
        return [(tag, "tag") for tag in runs.index.starting(prefix, "tag", MOST)]


def suggest_metrics(project: Project, prefix: str) -> list[Suggestion]:
    """Names of metrics that start with `prefix`."""
    return _suggest(project, Space.METRIC, prefix, "metric")


def suggest_params(project: Project, prefix: str) -> list[Suggestion]:
    """Dotted keys of params that start with `prefix`."""
    return _suggest(project, Space.CONFIG, prefix, "param")


def suggest_names(project: Project, prefix: str) -> list[Suggestion]:
    """Names of the query language that start with `prefix`."""
    with _open(project) as runs:
        return _limited(complete_name(prefix, runs.index))


def suggest_filters(project: Project, text: str) -> list[Suggestion]:
    """Filters that `text` becomes when its last word is made whole."""
    with _open(project) as runs:
        index = runs.index
        found = complete_filter(text, index, lambda key, word: index.texts(key, word, MOST))
        return _limited(found)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a part of a text can become.

    Attributes:
        text: To be put in its place.
        what: What that is: a field, a param, a value, a word of the language.
        start: Where the part begins; it ends at the cursor.
    """

    text: str
    what: str
    start: int


def complete_at(project: Project, text: str, cursor: int) -> list[Completion]:
    """Give what the word of a filter before the cursor can become, in quotes where it needs some.

    Args:
        cursor: Before how many characters of `text` it is.
    """
    with _open(project) as runs:
        index = runs.index
        begun = text[: max(cursor, 0)]
        start, found = find_next(
            begun, index, lambda key, word: index.texts(key, word, MOST), quoted=True
        )
        return [Completion(word, what, start) for word, what in _limited(found)]


def _open(project: Project) -> AbstractContextManager[KnownRuns]:
    return open_runs(project, on_progress=_give_up, is_patient=False)


def _give_up(n_read: int, n_new: int) -> None:
    """Leave the index to the next command where bringing it up to date takes long.

    Raises:
        ReproError: More than `MOST_NEW` records are to be read.
    """
    if n_new - n_read > MOST_NEW:
        raise ReproError(f"{n_new - n_read} records are to be read first")


def _suggest(project: Project, space: Space, prefix: str, what: str) -> list[Suggestion]:
    with _open(project) as runs:
        names = runs.index.names(space)
        return _limited((name, what) for name in names if name.startswith(prefix))


def _limited(found: Iterable[Suggestion]) -> list[Suggestion]:
    return list(dict(islice(found, MOST)).items())
