"""The params of one trial on their way into its command and its params files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from repro.core.sweep.program import fill_words
from repro.core.vary import ParamsFiles, Variation, check_old, secret_error
from repro.model.canonical import Json
from repro.model.config import find_given, flatten_config, parse_value
from repro.model.dotted import find_path, value_at
from repro.model.macros import needs_json_file, say_json
from repro.model.marking import is_marked
from repro.model.run import Record
from repro.model.space import Params
from repro.model.sweepspec import SweepSpec
from repro.model.values import ABSENT
from repro.model.varied import format_varied
from repro.model.varyargv import vary_argv
from repro.store.settings import Settings

_MACRO = "${"
_STAND_IN = "reprostandsin"  # a text that no reader takes for a number or the like


def place_params(
    root: Path,
    settings: Settings,
    record: Record,
    spec: SweepSpec,
    params: Params,
    environ: Mapping[str, str],
) -> Variation:
    """Say what gives a trial its params; nothing is written.

    Macros in the command take them first. Else a param goes where the command gives it
    already, else into the last params file that gives it; else it is added to the command as
    `--key=value`, but for a spec that says itself where params go. What reads the config of its
    run, or `REPRO_CONFIG`, gets all of them in any case.

    Args:
        root: A fresh working tree of the sweep.
        settings: What its `repro.yaml` says.
        record: The frozen one.
        environ: Where `${envvar:NAME}` looks.

    Raises:
        InvalidInputError: A param is a section of the config or a secret, or stands where it
            cannot be edited; a macro is unknown; a params file is not there.
    """
    flat: dict[str, Json] = {}
    for key, value in params.items():
        flat.update(flatten_config({key: value}))
    format_varied(flat)  # refuses what is too large for a variable
    edits: dict[str, bytes] = {}
    json_file = None
    if needs_json_file(spec.command):
        json_file = _free_name(root / record.run.cwd)
        edits[_inside(record.run.cwd, json_file)] = say_json(flat).encode()
    argv = fill_words(spec.command, params, json_file=json_file, environ=environ)
    literal = _literal_keys(spec.command)
    files = ParamsFiles(root, settings)
    loose: dict[str, Json] = {}
    for key, value in flat.items():
        path = find_path(record.config, key)
        check_old(key, ABSENT if path is None else value_at(record.config, path))
        varied = _vary(argv, key, value) if _is_given(key, literal) else None
        if varied is not None:
            if any(map(is_marked, set(argv) - set(varied))):
                raise secret_error(key)
            argv = varied
        elif files.edit(key, value) is None:
            loose[key] = value
    if loose and not spec.is_macro:
        argv = (*argv, *fill_words(("${args}",), loose, environ=environ))
    return Variation(tuple(argv), {**edits, **files.edits}, flat)


def _literal_keys(words: Sequence[str]) -> set[str]:
    """The params that a command gives without a macro."""
    return {
        one.key
        for one in find_given(words)
        if not any(_MACRO in word for word in words[one.start : one.stop])
    }


def _is_given(key: str, literal: set[str]) -> bool:
    folder, dot, name = key.rpartition(".")
    negated = {f"{folder}{dot}no_{name}", f"no_{key}"}
    # An entry of a JSON object counts, too.
    outer = {key[:at] for at, char in enumerate(key) if char == "."}
    return not literal.isdisjoint({key, *negated, *outer})


def _vary(argv: Sequence[str], key: str, value: Json) -> tuple[str, ...] | None:
    if not isinstance(value, str) or parse_value(value) == value:
        return vary_argv(argv, key, value)
    # A text such as `1` goes to the program as it is: quotes would be part of it there.
    varied = vary_argv(argv, key, _STAND_IN)
    return varied and tuple(word.replace(_STAND_IN, value) for word in varied)


def _free_name(folder: Path) -> str:
    """A name for the file of `${args_json_file}` that the code does not have.

    In the tree, so that the record has it, and a rerun finds it.
    """
    number = 1
    while True:
        name = f"sweep-params{'' if number == 1 else f'-{number}'}.json"
        if not (folder / name).exists():
            return name
        number += 1


def _inside(cwd: str, name: str) -> str:
    return name if cwd == "." else f"{cwd}/{name}"
