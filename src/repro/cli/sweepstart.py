"""`repro sweep SPEC|-p … -- CMD`: a sweep made and run."""

from collections.abc import Mapping
from pathlib import Path

import click

from repro.cli import render
from repro.cli.completing import complete_metrics
from repro.cli.context import given_one, open_here
from repro.cli.dashes import Trailing
from repro.cli.dataoption import takes_data
from repro.cli.numbers import WholeNumber
from repro.cli.progress import showing_progress
from repro.cli.sweepoptions import Running, takes_running
from repro.cli.sweepwish import Line, read_wish
from repro.core.project import Project
from repro.core.sweep.describe import sweep_json
from repro.core.sweep.freeze import freeze
from repro.core.sweep.known import short_sweep
from repro.core.sweep.program import check_program
from repro.core.sweep.removing import forget_unbegun
from repro.core.sweep.suggest import make_suggester
from repro.errors import ReproError
from repro.model.objective import Goal
from repro.model.sweep import SweepAt

_EARLY = ("hyperband", "median", "none")
_METHODS = ("grid", "random", "bayes", "tpe", "gp", "cmaes")
_GOALS: Mapping[str | None, Goal | None] = {
    "--goal minimize": "minimize", "--goal maximize": "maximize", "--min": "minimize",
    "--max": "maximize", None: None,
}  # fmt: skip


@click.command(cls=Trailing)
@click.argument(
    "file",
    metavar="[SPEC] [-- CMD...]",
    required=False,
    type=click.Path(path_type=Path, dir_okay=False),
)
@click.option(
    "-p",
    "--param",
    "params",
    multiple=True,
    metavar="K=SPACE",
    help="Search a param, such as opt=sgd,adam or lr=loguniform(1e-5,1e-1); may be repeated.",
)
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    help="How the next params are chosen. Default: grid where all params are lists, else random.",
)
@click.option(
    "--metric",
    metavar="M",
    shell_complete=complete_metrics,
    help="The metric that counts, by its last value; M.min and M.max by the best on the way.",
)
@click.option("--goal", type=click.Choice(["minimize", "maximize"]), help="What of it is better.")
@click.option("--min", "smallest", is_flag=True, help="As --goal minimize.")
@click.option("--max", "largest", is_flag=True, help="As --goal maximize.")
@click.option("--target", type=float, metavar="X", help="End when a trial is as good as that.")
@click.option(
    "-n",
    "--trials",
    "run_cap",
    type=WholeNumber(min=0),
    metavar="N",
    help="At most N trials; 0 is without end, or all of a grid.",
)
@click.option(
    "--early",
    metavar="KIND",
    shell_complete=lambda _ctx, _param, text: [one for one in _EARLY if one.startswith(text)],
    help="Stop trials that go badly, by the metric that they log: hyperband, median, or none. "
    "hyperband:3 lets each log it 3 times before.",
)
@click.option("--seed", type=WholeNumber(min=0), metavar="N", help="Of the search. Default: 0.")
@click.option("--name", metavar="NAME", help="Name of the sweep; need not be unique.")
@click.option("--note", metavar="TEXT", help="Free text kept with the sweep.")
@takes_data
@click.option(
    "--no-args", is_flag=True, help="Leave the command as it is: it reads REPRO_CONFIG itself."
)
@click.option("--dry-run", is_flag=True, help="Print the first trials, and run nothing.")
@click.option("--create", is_flag=True, help="Only make the sweep, and print its id.")
@takes_running
def start(  # noqa: PLR0913  # click hands over each option by its name
    file: Path | None,
    appended: tuple[str, ...],
    params: tuple[str, ...],
    method: str | None,
    metric: str | None,
    goal: str | None,
    target: float | None,
    run_cap: int | None,
    early: str | None,
    seed: int | None,
    name: str | None,
    note: str | None,
    data: tuple[str, ...],
    running: Running,
    *,
    smallest: bool,
    largest: bool,
    no_args: bool,
    dry_run: bool,
    create: bool,
) -> int:
    r"""Start a sweep: freeze code, data and environment as they are now, and run its trials.

    \b
    repro sweep sweep.yaml
    repro sweep sweep.yaml -n 20 -j 4 -- python train.py
    repro sweep -p 'lr=loguniform(1e-5,1e-1)' -p opt=sgd,adam \
        --metric val_loss --goal minimize -n 50 -- python train.py

    SPEC is a sweep file in the format of W&B (docs/reference/sweep.md); options win over it. Each
    trial is a run of its own, in a worktree of what was frozen: files edited meanwhile change
    nothing. A trial's params reach the command where it has `${args}`, else where it names them,
    else behind it as --KEY=VALUE; `repro.config` and the variable REPRO_CONFIG have them, too.

    ^C ends it in order, `repro sweep resume` goes on. Exits with 0 once all trials are over and
    one has finished, or the target is reached; with 1 else.
    """
    given_one({"--dry-run": dry_run, "--create": create})
    goals = {f"--goal {goal}": goal is not None, "--min": smallest, "--max": largest}
    line = Line(
        file=file,
        params=params,
        command=appended,
        method=method,
        metric=metric,
        goal=_GOALS[given_one(goals)],
        early=early,
        target=target,
        run_cap=run_cap,
        has_end=create or target is not None or running.options.max_time_s is not None,
        seed=seed,
        name=name,
        note=note,
        no_args=no_args,
    )
    spec = read_wish(line)
    project = open_here()
    is_here = running.launcher == "local" and not create
    check_program(project, spec, cwd=Path.cwd(), is_here=is_here)
    if dry_run:
        # Here, for it needs what suggests, and a sweep is not made.
        from repro.cli.sweepdry import show_plan  # noqa: PLC0415

        show_plan(project, spec, as_json=running.as_json)
        return 0
    from repro.cli.sweeprun import check_engine, run_here  # noqa: PLC0415  # as above: the loop

    if not create:  # what it lacks is said before anything is made
        make_suggester(spec)
        check_engine(project, running)
    with showing_progress("hashing the datasets") as report:
        at = freeze(project, spec, cwd=Path.cwd(), data=data, on_progress=report)
    if create:
        _say_made(project, at, as_json=running.as_json)
        return 0
    try:
        return run_here(project, at, running, running.options)
    except ReproError:
        forget_unbegun(project, at)
        raise


def _say_made(project: Project, at: SweepAt, *, as_json: bool) -> None:
    if as_json:
        render.data_json(sweep_json(at, now=project.clock()))
        return
    render.out(at.sweep.id)
    short = short_sweep(project, at.sweep.id)
    render.note(f"hint: `repro sweep resume {short}` runs its trials in this clone alone")
    render.note(
        f"hint: `repro push` gives it to a remote, over which any clone takes part: "
        f"`repro sweep agent {short}`"
    )
