"""`repro fsck`: whether everything is as FORMAT.md promises."""

from collections.abc import Iterator

import click

from repro.cli import render
from repro.cli.completing import RUN
from repro.cli.context import open_here
from repro.cli.progress import showing_steps
from repro.core.fsck import Fault, Health, check_everything
from repro.core.naming import find_ids
from repro.core.signatures import describe_signature
from repro.model.canonical import Json
from repro.model.readable import count_of, format_size
from repro.model.text import escape

_SHOWN = 50  # faults; `--json` has all
_RUNS = 3  # that are named of one fault


@click.command()
@click.argument("names", nargs=-1, metavar="[RUN]...", type=RUN)
@click.option("--signatures", is_flag=True, help="Check who signed each run, too.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def fsck(names: tuple[str, ...], *, signatures: bool, as_json: bool) -> int:
    """Say whether everything is as the format promises, and which runs it touches where not.

    Every object of git, every record with its series, datasets and artifacts, every entry of the
    content store is read; the run index is compared with the records. Nothing is changed.
    Exits with 1 if anything is wrong. A run that nobody signed is not; one whose signature is not
    of its content is.
    """
    project = open_here()
    only = find_ids(project, names)
    with showing_steps("looking at") as (on_step, _):
        health = check_everything(
            project,
            only,
            signatures=signatures,
            on_count=lambda what, done, total: on_step(f"{what}, {done:,} of {total:,}"),
        )
    if as_json:
        render.data_json(_health_json(health))
    else:
        for one in health.signatures:
            render.out(f"{one.run} {describe_signature(one)}")
        for fault in health.faults[:_SHOWN]:
            for line in _describe(fault):
                render.out(line)
        if len(health.faults) > _SHOWN:
            render.note(f"… and {len(health.faults) - _SHOWN:,} more faults: `--json` has all")
    for note in (*health.notes, *_say_absent(health)):
        render.note(f"repro: note: {escape(note)}")
    render.note(f"repro: {_summary(health)}")
    return 1 if health.faults else 0


def _describe(fault: Fault) -> Iterator[str]:
    who = ", ".join(fault.runs[:_RUNS])
    if len(fault.runs) > _RUNS:
        who += f" and {len(fault.runs) - _RUNS:,} more"
    promise = f"{fault.promise} " if fault.promise else ""
    subject = f"run {who}: " if fault.runs else ""
    what = "" if fault.what in fault.reason else f"{fault.what}: "
    yield f"{promise}{fault.where}: {subject}{escape(what)}{escape(fault.reason)}"
    if fault.hint:
        yield f"    {escape(fault.hint)}"


def _say_absent(health: Health) -> Iterator[str]:
    told = {fault.what for fault in health.faults}
    left = [digest for digest in health.absent if digest not in told]
    if left:
        runs = {run_id for digest in left for run_id in health.absent[digest]}
        which = next(iter(sorted(runs)))
        yield (
            f"{len(left):,} kept files of {len(runs):,} runs are not here:"
            f" `repro data pull --run {which}` fetches those of one"
        )


def _summary(health: Health) -> str:
    runs = count_of(health.n_runs, "run")
    files = count_of(health.n_entries, "kept file")
    found = count_of(len(health.faults), "fault") if health.faults else "all is well"
    return f"looked at {runs} and {files} ({format_size(health.size)}): {found}"


def _health_json(health: Health) -> dict[str, Json]:
    return {
        "ok": not health.faults,
        "runs": health.n_runs,
        "entries": health.n_entries,
        "bytes": health.size,
        "faults": [
            {
                "promise": fault.promise or None,
                "where": fault.where,
                "what": fault.what,
                "reason": fault.reason,
                "runs": list(fault.runs),
                "hint": fault.hint or None,
            }
            for fault in health.faults
        ],
        "signatures": {
            one.run: {"state": one.state, "signers": list(one.signers)} for one in health.signatures
        },
        "absent": {digest: list(runs) for digest, runs in health.absent.items()},
    }
