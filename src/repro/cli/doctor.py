"""`repro doctor`: whether runs can still be reproduced today, item by item."""

from collections.abc import Iterable, Iterator

import click

from repro.cli import render
from repro.cli.context import RUN, open_here
from repro.cli.progress import showing_steps
from repro.cli.selection import say_problems
from repro.core.doctor import examine
from repro.core.doctor_around import Around
from repro.core.project import Project
from repro.core.query import list_runs, resolve_run, short_id
from repro.errors import ReproError, UsageError
from repro.model.diagnosis import Diagnosis, Item, State, diagnosis_json
from repro.model.run import Record
from repro.model.text import escape

_COLOURS = {State.OK: "green", State.DEGRADED: "yellow", State.MISSING: "red"}


@click.command()
@click.argument("names", nargs=-1, type=RUN, metavar="RUN...")
@click.option("--all", "every", is_flag=True, help="Examine every run.")
@click.option("--offline", is_flag=True, help="Ask no package index, and no store of datasets.")
@click.option("-v", "--verbose", is_flag=True, help="Show what is as it was, too.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(
    names: tuple[str, ...], *, every: bool, offline: bool, verbose: bool, as_json: bool
) -> int:
    r"""Say whether runs can still be reproduced today, item by item.

    \b
    repro doctor baseline
    repro doctor --all --offline

    Looked at are code, base, submodules, large files, datasets, interpreter, packages, graphics
    cards, the command and what it needs. Each is ok; or degraded, with why; or missing, with
    what to do. Nothing is changed, and nothing of the run is executed. Exits with 1 if anything
    is missing.
    """
    if every == bool(names):
        raise UsageError(
            "`--all` takes no RUN" if every else "no run to examine",
            hint="`repro doctor RUN`, or `repro doctor --all`",
        )
    project = open_here()
    records = _all(project) if every else [resolve_run(project, name) for name in names]
    found = _examine(project, records, ask_index=not offline, show=not as_json, verbose=verbose)
    if as_json:
        shapes = [diagnosis_json(one) for one in found]
        render.data_json(shapes[0] if len(names) == 1 else shapes)
    return 0 if all(one.is_ok for one in found) else 1


def _all(project: Project) -> Iterator[Record]:
    """Every run whole, the newest first; one that cannot be read is named, and hides no other."""
    listing = list_runs(project)
    say_problems(listing.problems)
    for brief in listing.records:
        try:
            yield resolve_run(project, brief.run.id)
        except ReproError as error:
            render.note(f"repro: warning: {escape(error.message)}")


def _examine(
    project: Project, records: Iterable[Record], *, ask_index: bool, show: bool, verbose: bool
) -> list[Diagnosis]:
    found: list[Diagnosis] = []
    around = Around(project, ask_index=ask_index)
    for record in records:
        with showing_steps(f"examining run {record.run.id}") as (step, report):
            one = examine(project, record, around=around, on_step=step, on_progress=report)
        if show:
            blank = [""] if found else []
            lines = _describe(one, short_id(project, one.run), verbose=verbose)
            render.out("\n".join([*blank, *lines]))
        found.append(one)
    return found


def _describe(diagnosis: Diagnosis, short: str, *, verbose: bool) -> Iterator[str]:
    counts = {state: sum(one.state is state for one in diagnosis.items) for state in State}
    told = [f"{counts[state]} {state}" for state in reversed(State) if counts[state]]
    yield render.colour(f"run {short}", "bold") + f": {', '.join(told)}"
    # What is as it was and needs no word is one line; an item with a hint has something to say.
    shown = [one for one in diagnosis.items if verbose or one.hint or one.state is not State.OK]
    width = max((render.places(escape(one.item)) for one in shown), default=0)
    for one in shown:
        yield from _lines(one, width)
    folded = [one.item for one in diagnosis.items if one not in shown]
    if folded:
        yield "  " + render.colour(f"ok        {', '.join(map(escape, folded))}", "dim")


def _lines(item: Item, width: int) -> Iterator[str]:
    state = render.colour(f"{item.state.value:<8}", _COLOURS[item.state])
    name = escape(item.item)
    gap = " " * (width - render.places(name))
    yield f"  {state}  {name}{gap}  {escape(item.detail)}"
    if item.hint:
        yield f"  {'':<8}  {'':<{width}}  {render.colour('→ ' + escape(item.hint), 'dim')}"
