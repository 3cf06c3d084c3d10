"""What a sweep would do: its first trials, of which none is run."""

import shlex

from repro.cli import render
from repro.cli.runtable import LaidColumn, lay_out, say_hidden
from repro.core.project import Project
from repro.core.sweep.claiming import count_trials
from repro.core.sweep.hidden import hide_variables
from repro.core.sweep.program import fill_words
from repro.core.sweep.suggest import make_suggester
from repro.model.canonical import Json
from repro.model.readable import count_of, format_value
from repro.model.space import Params
from repro.model.sweep import Agent, Asked, Ledger
from repro.model.sweepspec import Method, SweepSpec

_SHOWN = 10

_NOBODY = Agent("", "")


def show_plan(project: Project, spec: SweepSpec, *, as_json: bool) -> None:
    """Print the params and the command of the first trials, and how many there would be.

    Raises:
        InvalidInputError: What the method needs is not installed, or a macro names nothing.
    """
    trials = _suggest(spec)
    wanted = count_trials(spec)
    environ = {**project.environ, **hide_variables(project, spec.command, project.environ)}
    commands = [fill_words(spec.command, one, environ=environ) for one in trials]
    if as_json:
        listed: list[Json] = [
            {"trial": number, "params": dict(one), "command": list(words)}
            for number, (one, words) in enumerate(zip(trials, commands, strict=True))
        ]
        render.data_json({"run_cap": wanted, "method": spec.method.value, "trials": listed})
        return
    keys = list(spec.space)
    columns = [LaidColumn("trial", [str(number) for number in range(len(trials))])]
    for key in keys:
        columns.append(LaidColumn(key, [format_value(one[key]) for one in trials]))
    table, n_columns = lay_out(columns, width=render.width())
    render.out(table)
    render.flush()
    if wanted is None or wanted > len(trials):
        render.note("…" if wanted is None else f"… and {wanted - len(trials):,} more")
    say_hidden([column.title for column in columns[n_columns:]], "--dry-run --json")
    render.out("")
    for words in commands[:1]:
        render.out(render.columns([["command", shlex.join(words)]]))
    render.flush()
    if not spec.is_macro:
        render.note("params that the command does not name itself are added as --KEY=VALUE")
    size = "trials without end" if wanted is None else count_of(wanted, "trial")
    guess = (
        "" if spec.method in (Method.GRID, Method.RANDOM) else "; later ones follow from results"
    )
    render.note(f"repro: nothing was run; {size}, by {spec.method.value}{guess}")


def _suggest(spec: SweepSpec) -> list[Params]:
    suggester = make_suggester(spec)
    ledger = Ledger()
    found: list[Params] = []
    wanted = count_trials(spec)
    while len(found) < (_SHOWN if wanted is None else min(_SHOWN, wanted)):
        params = suggester.suggest(ledger)
        if params is None:
            break
        asked = Asked(number=len(found), params=params, run="", agent=_NOBODY, time=0.0)
        ledger = ledger.extended([asked])
        found.append(params)
    return found
