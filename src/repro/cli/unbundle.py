"""`repro unbundle`: take in the runs of a bundle file."""

from pathlib import Path

import click

from repro.cli import render
from repro.cli.context import open_here
from repro.cli.progress import showing_words
from repro.core.unbundle import Unbundled, look_into, unbundle_runs
from repro.model.readable import count_of, count_runs, count_sweeps, format_size
from repro.model.text import escape


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only list the runs that FILE claims to have.")
@click.option("--no-data", is_flag=True, help="Leave the bytes of datasets and the like out.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def unbundle(path: Path, *, dry_run: bool, no_data: bool, as_json: bool) -> int:
    """Take in the runs of a bundle, as `repro fetch` takes those of a remote.

    Each run is checked before it is shown; one that is refused is named, and exits with 1. What
    FILE has of the bytes of datasets goes to the content store, if a run wants them.
    """
    project = open_here()
    if dry_run:
        runs = sorted(look_into(project, path))
        if as_json:
            render.data_json({"runs": runs})
        else:
            for run_id in runs:
                render.out(run_id)
        return 0
    with showing_words("unbundling") as report:
        done = unbundle_runs(project, path, with_data=not no_data, report=report)
    for refusal in done.refused:
        name = f"{refusal.kind} `{escape(refusal.run)}`"
        render.note(f"repro: {name} is refused: {escape(refusal.reason)}")
        if refusal.hint:
            render.note(f"hint: {escape(refusal.hint)}")
    if as_json:
        render.data_json(_as_json(done))
    else:
        render.out(f"{escape(path.name)}: {_describe(done)}")
    return 1 if done.refused else 0


def _describe(done: Unbundled) -> str:
    parts = []
    if done.new:
        parts.append(f"{count_of(len(done.new), 'new run')}")
    if done.moved:
        parts.append(f"{len(done.moved):,} changed")
    sweeps = (*done.sweeps.new, *done.sweeps.moved, *done.sweeps.merged)
    if sweeps:
        parts.append(count_sweeps(len(sweeps)))
    if done.refused:
        parts.append(f"{len(done.refused):,} refused")
    if not parts:
        parts.append(f"{count_runs(len(done.runs))}, all known here")
    if done.kept:
        parts.append(f"{count_of(done.kept, 'file')} kept ({format_size(done.size)})")
    return ", ".join(parts)


def _as_json(done: Unbundled) -> dict[str, object]:
    return {
        "runs": list(done.runs),
        "new": list(done.new),
        "changed": list(done.moved),
        "refused": [
            {"run": None, one.kind: one.run, "reason": one.reason, "hint": one.hint}
            for one in done.refused
        ],
        "sweeps": [*done.sweeps.new, *done.sweeps.moved, *done.sweeps.merged],
        "kept": done.kept,
        "bytes": done.size,
    }
