"""`repro show`: one run, whole or one part of it."""

import click

from repro.cli import render
from repro.cli.completing import complete_metrics
from repro.cli.context import RUN, open_here
from repro.cli.parts import PARTS, describe_run, print_part
from repro.core.hooks.rewrites import current_base
from repro.core.media import describe_media, list_media
from repro.core.project import Project
from repro.core.query import full_json, resolve_run, short_id
from repro.core.signatures import check_signatures, signature_json
from repro.errors import DamagedRecordError, UsageError
from repro.model.medium import Medium
from repro.model.run import Record
from repro.model.text import escape


@click.command()
@click.argument("name", type=RUN, metavar="[RUN]", required=False, default="@")
@click.option("--config", "parts", flag_value="config", multiple=True, help="Only the config.")
@click.option("--metrics", "parts", flag_value="metrics", multiple=True, help="Only the metrics.")
@click.option(
    "--series", metavar="METRIC", shell_complete=complete_metrics,
    help="Only the points of one metric.",
)  # fmt: skip
@click.option("--env", "parts", flag_value="env", multiple=True, help="Only the environment.")
@click.option("--data", "parts", flag_value="data", multiple=True, help="Only the datasets.")
@click.option("--output", "parts", flag_value="output", multiple=True, help="Only its output.")
@click.option(
    "--patch", "parts", flag_value="patch", multiple=True,
    help="Only how its code differs from the commit it was based on.",
)  # fmt: skip
@click.option(
    "--history", "parts", flag_value="history", multiple=True,
    help="Only who gave it which name, note and tags, and when.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(name: str, parts: tuple[str, ...], series: str | None, *, as_json: bool) -> None:
    """Show one run, all of it or one part.

    RUN is an id or the first characters of one, a name, @ for the newest run, @{1} for the one
    before it, @{-1} for the one last checked out, or RUN~1 for the parent of another run. Without
    RUN it is the newest.
    """
    chosen = [part for part in PARTS if part in parts] + (["series"] if series is not None else [])
    if len(chosen) > 1:
        raise UsageError(
            f"`--{chosen[0]}` and `--{chosen[1]}` are two parts", hint="ask for one at a time"
        )
    project = open_here()
    record = resolve_run(project, name)
    if chosen:
        print_part(project, record, chosen[0], metric=series, as_json=as_json)
        return
    # To look at a run of somebody else must not reach out to a server that it names.
    found = check_signatures(project, [record.run.id], by_network=False)
    signature = next(iter(found), None)
    media, problem = _read_media(project, record)
    if as_json:
        more = {
            "base_now": current_base(project, record.run.base),
            "signature": signature_json(signature) if signature else None,
            "media": None if problem else describe_media(media),
        }
        render.data_json({**full_json(record), **more})
    else:
        short = short_id(project, record.run.id)
        base_now = current_base(project, record.run.base)
        shown = describe_run(
            record, short, project.clock(), base_now=base_now, signature=signature, media=media
        )
        render.page("\n".join(shown))
    if problem:
        render.note(f"repro: warning: its media cannot be read: {escape(problem)}")


def _read_media(project: Project, record: Record) -> tuple[list[Medium], str | None]:
    """The media of a run, or why they cannot be read: all else of it is shown all the same."""
    try:
        return list_media(project, record), None
    except DamagedRecordError as error:
        return [], error.message
