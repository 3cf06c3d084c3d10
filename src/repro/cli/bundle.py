"""`repro bundle`: runs as one file, to send or to archive."""

from pathlib import Path

import click

from repro.cli import render
from repro.cli.context import RUN, open_here
from repro.cli.progress import showing_count, showing_progress, showing_words
from repro.cli.selection import WHERE
from repro.core.bundle import Telling, bundle_runs
from repro.core.query import list_runs, read_whole, resolve_run
from repro.errors import UsageError
from repro.model.readable import count_of, count_runs, format_size
from repro.model.text import escape


@click.command()
@click.argument("names", metavar="[RUN...]", nargs=-1, type=RUN)
@click.option(
    "-o", "--output", "target", required=True, metavar="FILE",
    type=click.Path(path_type=Path), help="The file to write.",
)  # fmt: skip
@WHERE
@click.option("--data", "with_data", is_flag=True, help="With the bytes of datasets and the like.")
@click.option("--env", "with_env", is_flag=True, help="With the packages, as an index has them.")
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def bundle(
    names: tuple[str, ...],
    target: Path,
    where: str,
    *,
    with_data: bool,
    with_env: bool,
    force: bool,
    as_json: bool,
) -> None:
    r"""Write runs into one file: code with its history, record, and on request the data.

    \b
    repro bundle baseline -o baseline.bundle
    repro bundle --where "tag = 'paper'" --data -o paper.bundle

    FILE is a git bundle. `repro unbundle FILE` takes the runs into another clone; `git clone FILE`
    alone, without repro, makes a folder with code, record and data of each run, described by an
    `ro-crate-metadata.json` (RO-Crate, profile Process Run Crate) that other tools read.

    With --env the wheels of the recorded packages are fetched from the package index that pip is
    set to; those that it lacks are named. `PIP_FIND_LINKS=DIR/packages repro env create RUN` takes
    them from such a clone.
    """
    if bool(names) == bool(where):
        raise UsageError("name runs, or give --where", hint="`repro bundle RUN -o FILE`")
    project = open_here()
    if where:
        records = [read_whole(project, one) for one in list_runs(project, where=where).records]
    else:
        found = (resolve_run(project, name) for name in names)
        records = list({record.run.id: record for record in found}.values())
    with (
        showing_progress("hashing data") as hashed,
        showing_count("searching for secrets") as scanned,
        showing_words("packages") as packed,
    ):
        done = bundle_runs(
            project,
            records,
            target,
            with_data=with_data,
            with_env=with_env,
            replace=force,
            tell=Telling(hashed=hashed, scanned=scanned, packed=packed),
        )
    for name, reason in done.lacking:
        render.note(f"repro: {escape(name)} is not in it: {escape(reason)}")
    if as_json:
        render.data_json(
            {
                "path": str(done.path),
                "bytes": done.size,
                "runs": list(done.runs),
                "sweeps": list(done.sweeps),
                "data": list(done.datasets),
                "packages": done.packages,
                "lacking": [{"package": name, "reason": why} for name, why in done.lacking],
            }
        )
        return
    counted = (len(done.datasets), "dataset"), (done.packages, "package")
    parts = [count_of(number, noun) for number, noun in counted if number]
    of = f" with {' and '.join(parts)}" if parts else ""
    shown = escape(str(done.path))
    render.out(f"{shown}: {count_runs(len(done.runs))}{of}, {format_size(done.size)}")
