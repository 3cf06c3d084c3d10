"""`repro sign`: vouch for runs with the signing set-up of git."""

import click

from repro.cli import render
from repro.cli.context import RUN, open_here
from repro.core.query import resolve_run
from repro.core.signatures import check_signatures, sign_run, signature_json
from repro.errors import UsageError


@click.command()
@click.argument("runs", nargs=-1, required=True, type=RUN, metavar="RUN...")
@click.option("--json", "as_json", is_flag=True, help="Print what they are signed with as JSON.")
def sign(runs: tuple[str, ...], *, as_json: bool) -> None:
    """Sign runs with the key that git signs commits with.

    `git config repro.sign true` has every run signed at its end.
    """
    project = open_here()
    records = [resolve_run(project, name) for name in runs]
    for record in records:
        if not record.commit:
            raise UsageError(
                f"run `{record.run.id}` is still in progress",
                hint="wait for it to end, then run this again",
            )
    ids = list(dict.fromkeys(record.run.id for record in records))
    for run_id in ids:
        is_new = sign_run(project, run_id)
        render.note(f"run {run_id} is signed{'' if is_new else ' already'}")
    if as_json:
        found = check_signatures(project, ids)
        render.data_json(
            [{"run": one.run, "commit": one.commit, **signature_json(one)} for one in found]
        )
