"""How the words of a command line are completed from the runs that there are.

A shell that completes is no place for a message: where nothing can be read, nothing is offered.
What reads the index is loaded by the functions themselves: no other command needs it for this.
"""

import os
import re
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from repro.cli.opening import open_around
from repro.core.project import Project
from repro.errors import ReproError

_Suggest = Callable[[Project, str], list[tuple[str, str]]]

# bash puts the text into the line as it is: a name with `$(…)` would be executed.
_PLAIN = re.compile(r"[\w.:,+=%/][\w.:,+=%/@-]*\Z")


def complete_runs(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Names and ids of runs."""
    from repro.core.suggest import suggest_runs  # noqa: PLC0415

    return _plain(_ask(ctx, suggest_runs, word))


def complete_tags(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Tags."""
    from repro.core.suggest import suggest_tags  # noqa: PLC0415

    return _plain(_ask(ctx, suggest_tags, word))


def complete_metrics(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Names of metrics."""
    from repro.core.suggest import suggest_metrics  # noqa: PLC0415

    return _plain(_ask(ctx, suggest_metrics, word))


def complete_plotted(
    ctx: click.Context, parameter: click.Parameter, word: str
) -> list[CompletionItem]:
    """Names of metrics, then names and ids of runs."""
    return [*complete_metrics(ctx, parameter, word), *complete_runs(ctx, parameter, word)]


def complete_settings(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Of `K=V` the keys of params; values are not known."""
    from repro.core.suggest import suggest_params  # noqa: PLC0415

    return _plain((f"{key}=", what) for key, what in _ask(ctx, suggest_params, word))


def complete_names(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Names of the query language, of a list the last one, also behind `+` and `-`."""
    from repro.core.suggest import suggest_names  # noqa: PLC0415

    begun = len(word) - len(word.rpartition(",")[2].lstrip("+-"))
    found = _ask(ctx, suggest_names, word[begun:])
    return _plain((word[:begun] + text, what) for text, what in found)


def complete_filter(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Filters whose last word is whole; of several words only within quotes."""
    from repro.core.suggest import suggest_filters  # noqa: PLC0415

    found = _ask(ctx, suggest_filters, word)
    if _is_quoted(word):
        return [CompletionItem(text, help=what) for text, what in found]
    return _plain(found)


def complete_sweeps(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Names and ids of sweeps."""
    from repro.core.sweep.known import suggest_sweeps  # noqa: PLC0415

    return _plain(_ask(ctx, suggest_sweeps, word))


def complete_remotes(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Names of git remotes."""
    return _plain(_ask(ctx, _suggest_remotes, word))


def complete_shared(
    ctx: click.Context, parameter: click.Parameter, word: str
) -> list[CompletionItem]:
    """Names of git remotes for the first word, names and ids of runs for any."""
    is_first = not ctx.params.get(parameter.name or "")
    remotes = complete_remotes(ctx, parameter, word) if is_first else []
    return [*remotes, *complete_runs(ctx, parameter, word)]


def _suggest_remotes(project: Project, prefix: str) -> list[tuple[str, str]]:
    from repro.store.remoterefs import list_names  # noqa: PLC0415

    names = list_names(project.repository.git)
    return [(name, "remote") for name in names if name.startswith(prefix)]


def _ask(ctx: click.Context, suggest: _Suggest, word: str) -> list[tuple[str, str]]:
    folder = ctx.find_root().params.get("folder") or ""  # `-C DIR`, which nobody went to
    try:
        return suggest(open_around(folder), word)
    except (ReproError, OSError):
        return []


def _plain(found: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    return [CompletionItem(text, help=what) for text, what in found if _PLAIN.match(text)]


def _is_quoted(word: str) -> bool:
    """Whether the shell is within quotes that begin with `word`, where blanks harm nothing."""
    line = os.environ.get("COMP_WORDS", "").rstrip("\n")
    return line.endswith(("'" + word, '"' + word))


_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


class _Named(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """Something as the user names it, completed with what there is."""

    def __init__(self, name: str, complete: _Complete) -> None:
        self.name = name
        self._complete = complete

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Ids and names that start with `incomplete`."""
        return self._complete(ctx, param, incomplete)


RUN = _Named("run", complete_runs)
SWEEP = _Named("sweep", complete_sweeps)
