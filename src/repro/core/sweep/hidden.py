"""Secrets that the command of a sweep takes from the environment: given to it, never recorded."""

from collections.abc import Mapping, Sequence

from repro.core.project import Project
from repro.errors import InvalidInputError
from repro.model.macros import named_variables
from repro.model.secrets import is_secret_name, redact_value
from repro.model.space import Categorical, Constant, Space
from repro.model.text import escape
from repro.store.clonekey import read_marker


def hide_variables(
    project: Project, words: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """The marks that stand for the values of macros such as `${envvar:API_KEY}`, by variable."""
    names = [name for name in named_variables(words) if is_secret_name(name) and environ.get(name)]
    if not names:
        return {}
    marker = read_marker(project.repository.private)
    return {name: marker.mark(environ[name]) for name in names}


def reveal(
    argv: Sequence[str], hidden: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[str, ...]:
    """A command with the values in it that the marks `hidden` stand for."""
    words = list(argv)
    for name, mark in hidden.items():
        # Without a key all marks are alike, and nobody knows which is whose.
        if {environ[other] for other, one in hidden.items() if one == mark} == {environ[name]}:
            words = [word.replace(mark, environ[name]) for word in words]
    return tuple(words)


def refuse_secrets(space: Space) -> None:
    """Refuse params that are secrets: ledger, runs and commands have them in clear.

    Raises:
        InvalidInputError: One looks like a secret, by its name or by a value.
    """
    for key, distribution in space.items():
        values: Sequence[object] = ()
        match distribution:
            case Constant(value):
                values = (value,)
            case Categorical(listed):
                values = listed
        texts = [value for value in values if isinstance(value, str)]
        is_named = is_secret_name(key.rpartition(".")[2])
        if any(is_named or redact_value(text) != text for text in texts):
            name = key.rpartition(".")[2].upper().replace("-", "_")
            raise InvalidInputError(
                f"the param `{escape(key)}` has a value that looks like a secret, and a sweep"
                " shows and shares its params",
                hint=f"give it in the environment, or as a word `--{escape(key)}=${{envvar:"
                f"{escape(name)}}}` of the command",
            )
