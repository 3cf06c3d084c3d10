"""`repro data ls`, `status` and `diff`: the datasets as they are pinned, recorded and on disk."""

import click

from repro.cli import render
from repro.cli.changes import describe_state, state_json
from repro.cli.context import RUN, open_here
from repro.cli.progress import showing_progress
from repro.core.datadiff import compare_data
from repro.core.datasets import Dataset
from repro.core.datastatus import list_pinned, look_at_data
from repro.core.diff import change_json
from repro.core.project import Project
from repro.core.query import resolve_code, resolve_run
from repro.errors import AmbiguousRunError, UnknownRunError
from repro.model.canonical import Json
from repro.model.datastate import DataState, State
from repro.model.datatext import list_changes, list_files
from repro.model.readable import format_size
from repro.model.run import Record
from repro.model.text import escape
from repro.store.lockfile import Locked

_SHORT = 13  # characters of a digest in a table: `xxh3:` and eight of its digits
_HASHING = "hashing the datasets"

_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.command()
@_json
@click.option(
    "--porcelain", is_flag=True,
    help="One line a dataset for programs: name, path, files, bytes, kept, followed, digest, by"
    " tabs.",
)  # fmt: skip
@click.option("-z", "nul", is_flag=True, help="As --porcelain, lines end in NUL.")
def ls(*, as_json: bool, porcelain: bool, nul: bool) -> None:
    """List the datasets that repro.yaml names, with what repro.lock pins of them.

    Nothing is hashed: `repro data status` compares them with what is on disk.
    """
    pinned = list_pinned(open_here())
    if as_json:
        render.data_json([_pinned_json(dataset, locked) for dataset, locked in pinned])
    elif porcelain or nul:
        for dataset, locked in pinned:
            render.raw(_porcelain(dataset, locked) + (b"\0" if nul else b"\n"))
    elif not pinned:
        render.note("no datasets yet: `repro data add PATH` adds one")
    else:
        titles = ["name", "path", "files", "size", "kept", "links", "pinned"]
        render.out(render.table([_row(dataset, locked) for dataset, locked in pinned], titles))


def _row(dataset: Dataset, locked: Locked | None) -> list[str]:
    is_kept = locked is not None and locked.kept
    kept = ("yes" if is_kept else "not yet") if dataset.keep else "no"
    links = "followed" if dataset.follow else "as they are"
    if locked is None:
        return [dataset.name, dataset.path, "-", "-", kept, links, "not yet"]
    size = format_size(locked.size)
    pinned = locked.digest[:_SHORT]
    return [dataset.name, dataset.path, f"{locked.files:,}", size, kept, links, pinned]


def _porcelain(dataset: Dataset, locked: Locked | None) -> bytes:
    files, size, digest = ("", "", "")
    if locked is not None:
        files, size, digest = str(locked.files), str(locked.size), locked.digest
    flags = ["yes" if flag else "no" for flag in (dataset.keep, dataset.follow)]
    fields = [dataset.name, dataset.path, files, size, *flags, digest]
    return "\t".join(map(escape, fields)).encode()


def _pinned_json(dataset: Dataset, locked: Locked | None) -> dict[str, Json]:
    return {
        "name": dataset.name,
        "path": dataset.path,
        "keep": dataset.keep,
        "follow": dataset.follow,
        "digest": locked.digest if locked else None,
        "files": locked.files if locked else None,
        "bytes": locked.size if locked else None,
        "kept": locked.kept if locked else None,
    }


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_json
@click.option(
    "--exit-code", "exit_code", is_flag=True, help="Exit with 1 unless all are as they are pinned."
)
def status(names: tuple[str, ...], *, as_json: bool, exit_code: bool) -> int:
    """Show which datasets differ from what repro.lock pins, file by file.

    NAME is the name or the path of a dataset; without it, all are shown.
    """
    project = open_here()
    with showing_progress(_HASHING) as report:
        states = look_at_data(project, names=names, on_progress=report)
    if as_json:
        render.data_json({state.name: state_json(state) for state in states})
    elif not states:
        render.note("no datasets yet: `repro data add PATH` adds one")
    else:
        _say_states(states)
    return 1 if exit_code and any(state.state != State.UNCHANGED for state in states) else 0


def _say_states(states: tuple[DataState, ...]) -> None:
    for state in states:
        render.out(f"{escape(state.name)}  {describe_state(state)}")
        if state.change is not None:
            for line in list_files(state.change):
                render.out(f"  {line}")
    if any(state.state in (State.CHANGED, State.NOT_PINNED) for state in states):
        render.note("hint: `repro data add` pins what is there now")


@click.command()
@click.argument("a", type=RUN, metavar="[A]", required=False)
@click.argument("b", type=RUN, metavar="[B]", required=False)
@click.option(
    "--dataset", "names", metavar="NAME", multiple=True, help="Only this one; may be repeated."
)
@click.option("--stat", is_flag=True, help="Only how much differs, without the files.")
@click.option("--exit-code", "exit_code", is_flag=True, help="Exit with 1 if anything differs.")
@_json
def diff(
    a: str | None,
    b: str | None,
    names: tuple[str, ...],
    *,
    stat: bool,
    exit_code: bool,
    as_json: bool,
) -> int:
    r"""Show which files of datasets differ.

    \b
    repro data diff                  # what repro.lock pins, and what is on disk now
    repro data diff baseline         # what a run read, and what is on disk now
    repro data diff v1.0 main        # what repro.lock pins in two commits

    A and B are runs, or git revisions, of which repro.lock counts.
    """
    project = open_here()
    before = _resolve(project, a) if a is not None else None
    after = _resolve(project, b) if b is not None else None
    with showing_progress(_HASHING) as report:
        changes = compare_data(project, before, after, names=names, on_progress=report)
    if as_json:
        render.data_json({name: change_json(change) for name, change in changes.items()})
    elif changes:
        render.page("\n".join(list_changes(changes, stat=stat)))
    return 1 if exit_code and changes else 0


def _resolve(project: Project, text: str) -> Record | str:
    """A run, or the commit whose `repro.lock` counts."""
    try:
        return resolve_run(project, text)
    except (UnknownRunError, AmbiguousRunError):
        return resolve_code(project, text)
