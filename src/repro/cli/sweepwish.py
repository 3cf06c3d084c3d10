"""The sweep that a line asks for: its file, changed by its options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from repro.core.curate import check_label
from repro.errors import InvalidInputError, UsageError
from repro.model.macros import names_params
from repro.model.objective import Goal
from repro.model.space import Distribution
from repro.model.spacecheck import find_space_fault
from repro.model.sweepcheck import check_spec, method_for
from repro.model.sweepparam import parse_param
from repro.model.sweepspec import EarlyStop, Method, SweepSpec
from repro.model.text import escape

_KINDS: Mapping[str, Literal["hyperband", "median"]] = {
    "hyperband": "hyperband",
    "median": "median",
}
_DIGITS = 16  # no program logs a metric so often


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a line says of a sweep; None is nothing.

    Attributes:
        params: As `-p` takes them.
        early: `hyperband`, `median`, either with `:N` behind it, or `none`.
        command: The words behind `--`.
        run_cap: 0 is without end.
        has_end: Whether something else ends the sweep.
        no_args: Whether params are not added to the command.
    """

    file: Path | None
    params: Sequence[str]
    command: tuple[str, ...]
    method: str | None
    metric: str | None
    goal: Goal | None
    early: str | None
    target: float | None
    run_cap: int | None
    has_end: bool
    seed: int | None
    name: str | None
    note: str | None
    no_args: bool


def read_wish(line: Line) -> SweepSpec:
    """Give the sweep that a line asks for; what the line says wins over the file.

    Raises:
        UsageError: No space, command or end is given, or nobody said what is better of a metric.
        InvalidInputError: The file or a param is wrong, or the sweep contradicts itself.
    """
    spec = _start(line)
    if line.command:
        spec = replace(spec, command=line.command, is_macro=names_params(line.command))
    if line.no_args:
        spec = replace(spec, is_macro=True)
    if line.early is not None:
        spec = replace(spec, early=_early(line.early, spec.early))
    if line.run_cap is not None:
        spec = replace(spec, run_cap=line.run_cap or None)
    if line.metric not in (None, spec.metric):
        _check_goal(line)
        spec = replace(spec, target=None)  # that is a value of another metric
    changes = {
        "metric": line.metric, "goal": line.goal, "target": line.target, "seed": line.seed,
        "name": line.name, "note": line.note,
    }  # fmt: skip
    given = {key: value for key, value in changes.items() if value is not None}
    spec = replace(spec, **given)  # type: ignore[arg-type]  # each has the type of its field
    if spec.metric is None and line.goal is not None:
        raise UsageError("there is a goal, and no metric", hint="`--metric NAME` says which one")
    if spec.name is not None:
        check_label("name", spec.name)
    if not spec.command:
        raise UsageError(
            "no command to run", hint="`repro sweep … -- python train.py`, or `program` in the file"
        )
    _check(spec, line.file)
    _check_end(spec, line)
    return spec


def _start(line: Line) -> SweepSpec:
    space = _read_space(line.params)
    if line.file is None:
        if not space:
            raise UsageError(
                "no params to search",
                hint="`-p lr=0.1,0.01`, or a file: `repro sweep SPEC.yaml -- CMD`",
            )
        method = method_for(space) if line.method is None else _read_method(line.method)
        return SweepSpec(method=method, space=space)
    from repro.store.sweepspecfile import read_sweep_file  # noqa: PLC0415  # YAML, for a file only

    spec = read_sweep_file(line.file)
    method = spec.method if line.method is None else _read_method(line.method)
    return replace(spec, method=method, space={**spec.space, **space})


def _read_space(params: Sequence[str]) -> dict[str, Distribution]:
    space: dict[str, Distribution] = {}
    for text in params:
        key, distribution = parse_param(text)
        if key in space:
            raise UsageError(
                f"`-p {key}=…` is given twice", hint="give all values at once: `-p lr=0.1,0.01`"
            )
        space[key] = distribution
    fault = find_space_fault(space) if space else None
    if fault is not None:
        raise UsageError(fault, hint="leave out or rename some of the params")
    return space


def _read_method(text: str) -> Method:
    return Method.TPE if text == "bayes" else Method(text)


def _check(spec: SweepSpec, file: Path | None) -> None:
    try:
        check_spec(spec)
    except InvalidInputError as error:
        if file is None:
            raise
        message = f"the sweep of `{escape(str(file))}`: {error.message}"
        raise InvalidInputError(message, hint=error.hint) from None


def _check_goal(line: Line) -> None:
    """Refuse a metric of which nobody said what is better: that is never guessed."""
    if line.goal is None:
        raise UsageError(
            f"nobody said whether `{escape(line.metric or '')}` is to be small or large",
            hint="`--goal minimize` or `--goal maximize` says it",
        )


def _early(text: str, before: EarlyStop | None) -> EarlyStop | None:
    if text == "none":
        return None
    word, colon, count = text.partition(":")
    kind = _KINDS.get(word)
    is_count = count.isascii() and count.isdigit() and 0 < len(count) < _DIGITS
    if kind is None or is_count != bool(colon):
        raise UsageError(
            f"`--early {escape(text[:80])}` is no way to stop trials",
            hint="`--early hyperband`, `median` or `none`; `hyperband:3` lets each trial log "
            "its metric 3 times before",
        )
    early = before if before is not None and before.kind == kind else EarlyStop(kind=kind)
    return replace(early, min_iter=int(count)) if colon else early


def _check_end(spec: SweepSpec, line: Line) -> None:
    if spec.method is Method.GRID or spec.run_cap is not None:
        return
    if line.run_cap is None and not line.has_end:
        raise UsageError(
            f"the method `{spec.method.value}` has no end of its own",
            hint="say how many trials: `-n 50`; `-n 0` goes on until ^C",
        )
