"""The macros of a sweep's command: what `${args}` and its kin become for one trial.

Source: W&B's sweep agent, wandb 0.30.0, `wandb/wandb_agent.py` and
`wandb/sdk/launch/sweeps/utils.py`; `${NAME}` for the value of one param is ours.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.config import nest_config
from repro.model.nearest import say_meant
from repro.model.space import Params
from repro.model.text import escape

# `$${` stands for `${` itself.
_MACRO = re.compile(r"\$?\$\{([^{}]*)\}")
_ENVVAR = "envvar:"
_PLACEHOLDER = "params.json"
_ENV, _INTERPRETER = "env", "interpreter"
_ONE_WORD = (_ENV, _INTERPRETER)
_PROGRAM = "program"
_JSON_FILE = "args_json_file"
_OF_ALL_PARAMS = (
    "args",
    "args_no_hyphens",
    "args_no_boolean_flags",
    "args_no_equals",
    "args_append_hydra",
    "args_override_hydra",
    "args_json",
    _JSON_FILE,
)
_KNOWN = (*_ONE_WORD, _PROGRAM, *_OF_ALL_PARAMS)

DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")


def fill_command(
    words: Sequence[str],
    params: Params,
    *,
    environ: Mapping[str, str],
    json_file: str | None = None,
    interpreter: str = "python",
) -> tuple[str, ...]:
    """Give the command of a trial: each macro replaced, all other words as they are.

    A macro that stands for several words becomes these where it is a word of its own; in the
    middle of a word it becomes them as one text, quoted for a shell.

    Args:
        params: By dotted keys.
        environ: Where `${envvar:NAME}` is looked up.
        json_file: Path that `${args_json_file}` becomes; None where nothing is run, as when only
            the program of the command is looked for.
        interpreter: What `${interpreter}` becomes.

    Raises:
        InvalidInputError: There is no such macro, or no such variable.
    """
    filler = _Filler(params, environ, json_file or _PLACEHOLDER, interpreter)
    return tuple(word for whole in words for word in filler.fill(whole))


def names_params(words: Iterable[str]) -> bool:
    """Whether a command says itself where params go, by any macro that stands for some."""
    return any(
        name not in _ONE_WORD and name != _PROGRAM and not name.startswith(_ENVVAR)
        for name in _macros(words)
    )


def needs_json_file(words: Iterable[str]) -> bool:
    """Whether a command names the file with the params as JSON."""
    return _JSON_FILE in _macros(words)


def named_variables(words: Iterable[str]) -> list[str]:
    """The variables of the environment that macros of a command read."""
    names = (name for name in _macros(words) if name.startswith(_ENVVAR))
    return sorted(name.removeprefix(_ENVVAR) for name in names)


def check_command(words: Sequence[str], keys: Iterable[str]) -> None:
    """Refuse a command with macros that nothing can be filled in for.

    Args:
        keys: Dotted keys of the params.

    Raises:
        InvalidInputError: There is no such macro.
    """
    known = set(keys)
    for name in _macros(words):
        if name not in known and name not in _KNOWN and not name.startswith(_ENVVAR):
            raise _unknown(name, known)
        if name == _PROGRAM:
            raise _no_program()


def with_program(words: Iterable[str], *program: str) -> tuple[str, ...]:
    """Give the command with `${program}` replaced by a program, and words that go with it."""
    told = tuple(word.replace("${", "$${") for word in program)
    text = told[0] if len(told) == 1 else shlex.join(told)

    def replace(match: re.Match[str]) -> str:
        is_program = match[1] == _PROGRAM and not match[0].startswith("$$")
        return text if is_program else match[0]

    whole = f"${{{_PROGRAM}}}"
    return tuple(
        word
        for given in words
        for word in (told if given == whole else (_MACRO.sub(replace, given),))
    )


def say_json(params: Params) -> str:
    """The params as one nested JSON object, as `${args_json}` gives them."""
    return json.dumps(nest_config(params))


def _macros(words: Iterable[str]) -> set[str]:
    return {
        match[1]
        for word in words
        for match in _MACRO.finditer(word)
        if not match[0].startswith("$$")
    }


class _Filler:
    """One trial's values for macros."""

    def __init__(
        self, params: Params, environ: Mapping[str, str], json_file: str, interpreter: str
    ) -> None:
        self.params = params
        self.environ = environ
        self.json_file = json_file
        self.one_word = {_ENV: "/usr/bin/env", _INTERPRETER: interpreter}

    def fill(self, word: str) -> Sequence[str]:
        whole = _MACRO.fullmatch(word)
        if whole is not None and not word.startswith("$$"):
            return self.words_of(whole[1])
        return [_MACRO.sub(self.text_of, word)]

    def text_of(self, match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        words = self.words_of(match[1])
        return words[0] if len(words) == 1 else shlex.join(words)

    def words_of(self, name: str) -> Sequence[str]:
        if name in self.one_word:
            return [self.one_word[name]]
        if name in _OF_ALL_PARAMS:
            return self.all_params(name)
        if name.startswith(_ENVVAR):
            return [self.variable(name.removeprefix(_ENVVAR))]
        if name in self.params:
            return [_say_value(self.params[name])]
        if name == _PROGRAM:
            raise _no_program()
        raise _unknown(name, self.params)

    def all_params(self, name: str) -> Sequence[str]:
        if name == _JSON_FILE:
            return [self.json_file]
        if name == "args_json":
            return [say_json(self.params)]
        said = [(key, _say_value(value), value) for key, value in self.params.items()]
        match name:
            case "args_no_equals":
                return [word for key, text, _ in said for word in (f"--{key}", text)]
            case "args_no_boolean_flags":
                return [
                    f"--{key}" if value is True else f"--{key}={text}"
                    for key, text, value in said
                    if value is not False
                ]
            case _:
                before = {"args": "--", "args_append_hydra": "+", "args_override_hydra": "++"}
                return [f"{before.get(name, '')}{key}={text}" for key, text, _ in said]

    def variable(self, name: str) -> str:
        value = self.environ.get(name)
        if value is None:
            raise InvalidInputError(
                f"the command has `${{{_ENVVAR}{escape(name)}}}`, and there is no such variable",
                hint=f"set it: `export {escape(name)}=VALUE`",
            )
        return value


def _say_value(value: Json) -> str:
    """What a program is given for a value: as W&B, `True`, `None`, `1e-05`; lists as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _unknown(name: str, keys: Iterable[str]) -> InvalidInputError:
    text = escape(name[:80])
    return InvalidInputError(
        f"`${{{text}}}` in the command is neither a macro nor a param"
        f"{say_meant(f'${{{name}}}', [f'${{{one}}}' for one in (*keys, *_KNOWN)])}",
        hint=f"`${{args}}` gives all params; write `$${{{text}}}` for that text itself",
    )


def _no_program() -> InvalidInputError:
    return InvalidInputError(
        "`${program}` is in the command, but no `program` is given",
        hint="add `program: train.py` to the sweep file, or name the program in the command",
    )
