"""A sweep file: W&B's sweep configuration as a sweep spec."""

import shlex
from collections.abc import Callable, Mapping
from typing import Literal

from repro.model.canonical import Json
from repro.model.macros import DEFAULT_COMMAND, with_program
from repro.model.objective import GOALS, Goal
from repro.model.sweepcheck import method_for
from repro.model.sweepfields import Keys, Section
from repro.model.sweepfileparams import parse_parameters
from repro.model.sweepspec import EarlyStop, Method, SweepSpec
from repro.model.text import is_argument

_KEYS = (
    "program",
    "command",
    "method",
    "metric",
    "parameters",
    "run_cap",
    "early_terminate",
    "seed",
    "name",
    "description",
    # Where W&B shows a sweep: nothing that is run depends on them, and most files have them.
    "project",
    "entity",
    "kind",
    "apiVersion",
)
_ELSEWHERE = {
    "metrics": "name the one metric that counts: `metric: {name: val_loss, goal: minimize}`",
    "scheduler": "take it out, and say by `method` how to search: grid, random, tpe, gp, cmaes",
    "controller": "take it out: repro always drives the search itself",
    "job": "name the script in `program`, or the words to run in `command`",
    "image_uri": "name the script in `program`, or the words to run in `command`",
    "launch": "take it out, and choose where trials run by `--launcher`",
}
_METHODS = {**{method.value: method for method in Method}, "bayes": Method.TPE}
_IMPUTE = "take it out: a trial without a value counts as failed"
_HYPERBAND = ("type", "min_iter", "max_iter", "s", "eta", "strict")
_MEDIAN = ("type", "min_iter", "n_startup")


def parse_sweep_file(
    value: Json,
    *,
    name: str,
    lines: Mapping[Keys, int] | None = None,
    is_file: Callable[[str], bool] = lambda _: False,
) -> SweepSpec:
    """Read what a sweep file holds; whether that can be done is for `check_spec` to say.

    For a command line may go on to change it, and add what it lacks.

    Args:
        value: Of the whole file.
        name: What to call the file in an error.
        lines: The line of each value by the keys that lead to it.
        is_file: Whether there is a file of that name: `program` may be one with blanks in it.

    Raises:
        InvalidInputError: A key is unknown or not supported, a value is wrong or contradicts
            another one. The message names the file and the place.
    """
    top = Section(value, name=name, lines=lines, example="it has `method` and `parameters`")
    top.check_keys(_KEYS, _ELSEWHERE)
    if not top.has("parameters"):
        raise top.wrong(
            "there are no `parameters` to search",
            "add them, such as `parameters: {lr: {values: [0.1, 0.01]}}`",
        )
    space = parse_parameters(top.inner("parameters", "write `lr: {values: [0.1, 0.01]}` below it"))
    metric, goal, target = _metric(top)
    command = _command(top, is_file)
    top.one_of("kind", ["sweep"])
    seed = top.integer("seed")
    method = top.one_of("method", _METHODS)
    return SweepSpec(
        method=method_for(space) if method is None else _METHODS[method],
        space=space,
        command=command,
        is_macro=bool(command),
        metric=metric,
        goal=goal,
        target=target,
        run_cap=top.integer("run_cap"),
        early=_early(top) if top.has("early_terminate") else None,
        seed=0 if seed is None else seed,
        name=top.text("name"),
        note=top.text("description"),
    )


def _command(top: Section, is_file: Callable[[str], bool]) -> tuple[str, ...]:
    """The words of the command; none where the file leaves that to the command line."""
    program = _program(top, is_file)
    if not top.has("command"):
        return () if program is None else with_program(DEFAULT_COMMAND, *program)
    words = []
    for word in top.items("command"):
        if not isinstance(word, str | int | float):
            raise top.wrong(
                "`command` must be a list of words", "put quotes around each word", "command"
            )
        words.append(str(word))  # true is `True`, as for W&B
    if not words or not all(map(is_argument, words)):
        raise top.wrong(
            "`command` is empty, or has a word that no program can be given",
            'write it as `command: ["${interpreter}", "${program}", "${args}"]`',
            "command",
        )
    return tuple(words) if program is None else with_program(words, *program)


def _program(top: Section, is_file: Callable[[str], bool]) -> list[str] | None:
    """The words of `program`, as a shell would split them: a name alone is one."""
    program = top.text("program")
    if program is None:
        return None
    if is_file(program):
        return [program]
    try:
        words = shlex.split(program)
    except ValueError:
        words = []
    if not words:
        raise top.wrong(
            "`program` is no program: it is empty, or a quote in it does not end",
            "write it as `program: train.py`",
            "program",
        )
    return words


def _metric(top: Section) -> tuple[str | None, Goal, float | None]:
    if not top.has("metric"):
        return None, "minimize", None
    metric = top.inner("metric", "write it as `metric: {name: val_loss, goal: minimize}`")
    metric.check_keys(
        ["name", "goal", "target"], {"impute": _IMPUTE, "impute_while_running": _IMPUTE}
    )
    name = metric.text("name")
    if name is None:
        raise metric.wrong("`metric` has no `name`", "name it as the program logs it")
    goal = metric.one_of("goal", GOALS)
    target = metric.number("target")
    return name, GOALS[goal or "minimize"], None if target is None else float(target)


def _early(top: Section) -> EarlyStop:
    early = top.inner("early_terminate", "write it as `{type: hyperband, min_iter: 3}`")
    kind = early.one_of("type", ["hyperband", "median"])
    if kind is None:
        raise early.wrong("`early_terminate` has no `type`", "it is `hyperband` or `median`")
    if kind == "median":
        early.check_keys(_MEDIAN)
        return EarlyStop(
            kind="median",
            min_iter=_count(early, "min_iter", 1),
            n_startup=_count(early, "n_startup", 5),
        )
    early.check_keys(_HYPERBAND)
    return _hyperband(early)


def _hyperband(early: Section) -> EarlyStop:
    if early.values.get("strict") not in (None, True):
        raise early.wrong(
            "`early_terminate.strict` can only be true: a trial is judged by its value at a rung",
            "take it out",
            "strict",
        )
    kind: Literal["hyperband"] = "hyperband"
    eta = _count(early, "eta", 3)
    min_iter, max_iter = early.integer("min_iter"), early.integer("max_iter")
    n_rungs = _count(early, "s", 0)
    if n_rungs and (max_iter is not None or min_iter is None):
        first = _first_rung(early, n_rungs, max_iter, eta)
        if min_iter not in (None, first):
            raise early.wrong(
                f"`s` and `max_iter` stop trials from {first} on, `min_iter` from {min_iter} on",
                "take `s` or `min_iter` out",
                "s",
            )
        min_iter = first
    elif min_iter is None and max_iter is None:
        raise early.wrong(
            "`hyperband` needs `min_iter`, or `max_iter` with `s`",
            "`min_iter: 3` lets each trial log its metric 3 times before any is stopped",
        )
    return EarlyStop(
        kind=kind, min_iter=1 if min_iter is None else min_iter, max_iter=max_iter, eta=eta
    )


def _first_rung(early: Section, n_rungs: int, max_iter: int | None, eta: int) -> int:
    """Where trials are first stopped if that is done `s` times before `max_iter`."""
    if max_iter is None:
        raise early.wrong(
            "`s` counts back from `max_iter`, which is not given",
            "add `max_iter`, or take `s` out and write `min_iter`",
            "s",
        )
    first = max_iter
    for _ in range(n_rungs):
        if first // max(eta, 2) < 1:
            break
        first //= max(eta, 2)
    return first


def _count(section: Section, key: str, default: int) -> int:
    """A whole number of 1 or more; a float with nothing behind its dot is one here."""
    value = section.values.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif section.has(key):
        value = section.integer(key)
    if value is None:
        return default
    if not isinstance(value, int) or not 1 <= value < 2**53:
        raise section.wrong(f"`{section.place(key)}` must be 1 or more", "mend it", key)
    return value
