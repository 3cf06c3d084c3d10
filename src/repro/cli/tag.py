"""`repro tag`, `repro note`, `repro rename`: what people say of a run afterwards."""

import click

from repro.cli import render
from repro.cli.completing import complete_tags
from repro.cli.context import RUN, open_here
from repro.core.curate import rename_run, set_note, tag_run, untag_run
from repro.core.query import resolve_run, short_id
from repro.errors import UsageError
from repro.model.text import escape


@click.command()
@click.argument("name", type=RUN, metavar="RUN")
@click.argument("tags", nargs=-1, metavar="[TAG]...", shell_complete=complete_tags)
@click.option("-d", "--delete", is_flag=True, help="Take the tags off instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the tags it then has as JSON.")
def tag(name: str, tags: tuple[str, ...], *, delete: bool, as_json: bool) -> None:
    """Add tags to a run, or take them off; without a TAG, list those it has."""
    if delete and not tags:
        raise UsageError("no tag to take off", hint="`repro tag -d RUN TAG`")
    project = open_here()
    record = resolve_run(project, name)
    run = record.run
    if tags:
        run = untag_run(project, record, tags) if delete else tag_run(project, record, tags)
    if as_json:
        render.data_json(list(run.tags))
    elif not tags and run.tags:
        render.out("\n".join(map(escape, run.tags)))
    elif tags:
        if not delete and not {*tags} <= {*run.tags}:
            _say_redacted("a tag")
        listed = ", ".join(f"`{escape(one)}`" for one in run.tags)
        short = short_id(project, run.id)
        render.note(f"run {short} has {f'the tags {listed}' if listed else 'no tags'} now")


@click.command()
@click.argument("name", type=RUN, metavar="RUN")
@click.argument("text", required=False, metavar="[TEXT]")
def note(name: str, text: str | None) -> None:
    """Write the note of a run, an empty TEXT to remove it; without TEXT, print it."""
    project = open_here()
    record = resolve_run(project, name)
    if text is not None:
        run = set_note(project, record, text)
        if (run.note or "") != text:
            _say_redacted("the note")
        short = short_id(project, run.id)
        render.note(f"run {short} has {'another' if run.note else 'no'} note now")
    elif record.run.note:
        render.out("\n".join(map(escape, record.run.note.splitlines())))


@click.command()
@click.argument("run", type=RUN, metavar="RUN")
@click.argument("name", metavar="NAME")
def rename(run: str, name: str) -> None:
    """Give a run another name; it need not be unique, the newest run of a name wins."""
    project = open_here()
    renamed = rename_run(project, resolve_run(project, run), name)
    if renamed.name != name:
        _say_redacted("the name")
    short = short_id(project, renamed.id)
    render.note(f"run {short} is called `{escape(renamed.name or '')}` now")


def _say_redacted(where: str) -> None:
    render.note(f"repro: warning: what looks like a secret was taken out of {where}")
