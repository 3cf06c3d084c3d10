"""`repro verify`: whether one recorded run gave the results of another."""

import click

from repro.cli import render
from repro.cli.completing import complete_metrics
from repro.cli.context import RUN, open_here
from repro.cli.verdict import describe_verdict, metric_hint, read_tolerance
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.verify import verdict_json, verify_runs
from repro.errors import UnknownRunError, UsageError
from repro.model.run import Record


@click.command()
@click.argument("a", type=RUN, metavar="A")
@click.argument("b", type=RUN, metavar="[B]", required=False)
@click.option("--rtol", type=float, default=0.0, help="Relative tolerance, of the value in A.")
@click.option("--atol", type=float, default=0.0, help="Absolute tolerance, on top of it.")
@click.option(
    "--metric", "metrics", metavar="M", multiple=True, shell_complete=complete_metrics,
    help="Only this metric; may be repeated.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def verify(
    a: str, b: str | None, *, rtol: float, atol: float, metrics: tuple[str, ...], as_json: bool
) -> int:
    """Say whether run B gave the results of run A; or run A, a rerun, those of its original.

    Metrics are compared step by step, bit for bit unless a tolerance is given; artifacts by
    their digests; the output line by line, but for times, process ids and the like. The verdict
    is identical, within tolerance, diverged (where, and what differs) or incomparable; the exit
    code is 0 for the first two, else 1. Nothing is stored.
    """
    tolerance = read_tolerance(rtol, atol)
    project = open_here()
    original, again = _resolve(project, a, b)
    verdict = verify_runs(project, original, again, tolerance=tolerance, metrics=metrics)
    if as_json:
        render.data_json(verdict_json(verdict))
    else:
        render.page("\n".join(describe_verdict(verdict)))
        hint = metric_hint(verdict)
        if hint is not None:
            render.note(hint)
    return 0 if verdict.outcome.is_success else 1


def _resolve(project: Project, a: str, b: str | None) -> tuple[Record, Record]:
    first = resolve_run(project, a)
    if b is not None:
        return first, resolve_run(project, b)
    original = first.run.rerun_of
    if original is None:
        raise UsageError(
            f"run `{first.run.id}` is no rerun", hint="`repro verify A B` compares any two runs"
        )
    try:
        return resolve_run(project, original), first
    except UnknownRunError as error:
        raise UnknownRunError(
            f"run `{original}`, the original of `{first.run.id}`, is not in this repository",
            hint="`repro ls` lists the runs that are",
        ) from error
