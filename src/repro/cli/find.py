"""`repro find`: whether something was tried already, and what comes nearest to it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from repro.cli import render
from repro.cli.completing import complete_settings
from repro.cli.context import RUN, given_one, open_here
from repro.cli.dashes import Trailing
from repro.cli.numbers import WholeNumber
from repro.cli.progress import showing_progress
from repro.cli.selection import say_problems
from repro.cli.tried import describe_run
from repro.core.find import Found, Near, find_params, found_json
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.config import nest_config, parse_assignment
from repro.model.run import Record
from repro.model.text import escape

_SHOWN = 8  # differences of one run


@click.command(cls=Trailing)
@click.option("--like", "like", type=RUN, metavar="RUN", help="Other runs by what differs.")
@click.option("--this", "this", is_flag=True, help="Runs of what CMD would start from now.")
@click.option(
    "-c", "--config", "assignments", multiple=True, metavar="K=V",
    shell_complete=complete_settings,
    help="With --this: an entry of the config, as for `repro run`; may be repeated.",
)  # fmt: skip
@click.option(
    "--data", "data", multiple=True, type=click.Path(), metavar="PATH",
    help="With --this: a dataset that CMD reads, as for `repro run`; may be repeated.",
)  # fmt: skip
@click.option(
    "--near", is_flag=True, help="The nearest runs, too, where some run has all the values."
)
@click.option(
    "-n", "--limit", type=WholeNumber(min=0), default=10, show_default=True, metavar="N",
    help="At most N runs that are the same, and N that are near; 0 is all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option(
    "--porcelain", is_flag=True,
    help="One line a run for programs: id, exact or near, then each difference, by tabs.",
)  # fmt: skip
@click.argument("asked", nargs=-1, metavar="[K=V]... [-- CMD...]", shell_complete=complete_settings)
def find(  # noqa: PLR0913  # click hands over each option by its name
    asked: tuple[str, ...],
    appended: tuple[str, ...],
    like: str | None,
    assignments: tuple[str, ...],
    data: tuple[str, ...],
    limit: int,
    *,
    this: bool,
    near: bool,
    as_json: bool,
    porcelain: bool,
) -> int:
    r"""Say whether this was tried already: exact runs first, then the nearest, and why not.

    \b
    repro find lr=0.1 model.width=64
    repro find --like baseline
    repro find --this -c lr=0.1 -- python train.py

    K=V finds the runs whose config has these values, and where there is none, those that differ
    in the fewest of them. --like compares all conditions: params one by one, code, each dataset,
    command, packages, environment. --this compares what `repro run -- CMD` would start from now,
    and records nothing.

    The exit code is 0 when a run is the same, and 1 when none is.
    """
    given_one({"--json": as_json, "--porcelain": porcelain})
    project = open_here()
    most = limit or None
    if like is not None:
        _refuse("--like", {"K=V": asked, "--this": this, "-c": assignments, "--data": data})
        _refuse("--like", {"CMD": appended})
        from repro.core.find_alike import find_like  # noqa: PLC0415  # loads what compares code

        found = find_like(project, resolve_run(project, like), limit=most)
    elif this or appended:
        _refuse("--this", {"K=V": asked})
        found = _find_this(project, appended, assignments, data, most)
    else:
        _refuse("K=V", {"-c": assignments, "--data": data})
        if not asked:
            raise UsageError("nothing to look for", hint="`repro find lr=0.1`")
        config = nest_config(_parse_all(asked))
        found = find_params(project, config, near=near, limit=most)
    say_problems(found.problems)
    if as_json:
        render.data_json(found_json(found))
    elif porcelain:
        for line in _porcelain(found):
            render.out(line)
    else:
        _print(found, project.clock())
    return 0 if found.exact else 1


def _parse_all(asked: Sequence[str]) -> dict[str, Json]:
    wanted: dict[str, Json] = {}
    for key, value in map(_parse, asked):
        if key in wanted:
            raise UsageError(
                f"`{escape(key)}` is given twice, and no run has two values of it",
                hint=f"`repro ls --where '{escape(key)} in (…, …)'` lists runs with any of them",
            )
        wanted[key] = value
    return wanted


def _parse(text: str) -> tuple[str, Json]:
    # Blanks around the sign are how a filter is written; a value that has some stands in quotes.
    key, equals, value = text.partition("=")
    if key.rstrip().endswith(("<", ">", "!", "~")) or (not equals and ("<" in key or ">" in key)):
        raise UsageError(
            f"`{escape(text)}` is a filter, and no K=V",
            hint="`repro ls --where` takes it, and lists the runs that fit",
        )
    try:
        return parse_assignment(f"{key}{equals}{value.strip()}")
    except UsageError as error:
        raise UsageError(error.message, hint="`repro find lr=0.1`; behind `--` it is CMD") from None


def _refuse(way: str, others: Mapping[str, object]) -> None:
    for other, given in others.items():
        if given:
            raise UsageError(
                f"`{other}` does not go with `{way}`", hint="`repro find --help` explains"
            )


def _find_this(
    project: Project,
    command: tuple[str, ...],
    assignments: tuple[str, ...],
    data: tuple[str, ...],
    limit: int | None,
) -> Found:
    if not command:
        raise UsageError("no command to look for", hint="`repro find --this -- python train.py`")
    # Here, for questions of params need nothing of what captures a run.
    from repro.core.environment import capture_environment  # noqa: PLC0415
    from repro.core.find_alike import find_this  # noqa: PLC0415
    from repro.core.request import Request  # noqa: PLC0415

    cwd = Path.cwd()
    request = Request(
        command=command,
        cwd=cwd,
        config=nest_config(dict(map(parse_assignment, assignments))),
        environment=capture_environment(project, command, cwd=cwd),
        data=data,
    )
    with showing_progress("hashing the datasets") as report:
        return find_this(project, request, limit=limit, on_progress=report)


def _porcelain(found: Found) -> Iterator[str]:
    for record in found.exact:
        yield f"{record.run.id}\texact"
    for one in found.near:
        yield "\t".join([one.record.run.id, "near", *(each.what for each in one.differences)])


def _print(found: Found, now: float) -> None:
    for record in found.exact:
        render.out(_line(found, record, now))
    more = (found.matching or 0) - len(found.exact)
    if found.exact and more > 0:
        render.note(f"… and {more:,} more: `--limit 0` lists all")
    if not found.exact:
        none = "no run is the same" if found.matching is None else "no run has these values"
        why = f": {'; '.join(found.why)}" if found.why else ""
        render.note(none + why + ("; the nearest are" if found.near else ""))
    elif found.near:
        render.note("the nearest others are")
    for one in found.near:
        render.out(_line(found, one.record, now))
        for line in _differences(one):
            render.out(f"    {line}")


def _line(found: Found, record: Record, now: float) -> str:
    short = found.short.get(record.run.id, record.run.id)
    known = describe_run(record, found.short, now)
    return render.colour(short, "yellow") + known[len(short) :]


def _differences(one: Near) -> Iterator[str]:
    yield from (difference.what for difference in one.differences[:_SHOWN])
    if len(one.differences) > _SHOWN:
        yield f"… and {len(one.differences) - _SHOWN:,} more differences: `--json` has all"
