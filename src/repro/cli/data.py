"""`repro data`: the map of its verbs, and those that track a dataset or stop that."""

from pathlib import Path

import click

from repro.cli import render
from repro.cli.context import open_here
from repro.cli.progress import showing_progress
from repro.cli.verbs import Verbs
from repro.core.datasets import list_datasets
from repro.core.tracking import Added, Wish, add_dataset, choose_dataset, drop_dataset
from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.readable import count_of, format_size
from repro.model.text import escape
from repro.store.datafacts import encode_facts
from repro.store.ignorefile import is_ignored
from repro.store.lockfile import FILE as LOCK
from repro.store.settings import FILE as SETTINGS

VERBS = {
    "add": ("repro.cli.data:add", "Track a file or folder, or bring what is pinned up to date"),
    "rm": ("repro.cli.data:rm", "Stop tracking a dataset; its files stay"),
    "ls": ("repro.cli.data_status:ls", "List the datasets"),
    "status": ("repro.cli.data_status:status", "Show which datasets differ from what is pinned"),
    "diff": ("repro.cli.data_status:diff", "Show which files of datasets differ"),
    "verify": ("repro.cli.data_store:verify", "Read every byte again, and name what is wrong"),
    "push": ("repro.cli.data_store:push", "Send kept bytes to the store"),
    "pull": ("repro.cli.data_store:pull", "Fetch kept bytes from the store"),
    "gc": ("repro.cli.data_store:gc", "Delete kept bytes that nothing names any more"),
}
_SHOWN = 5  # names of what was left out or followed


@click.group(cls=Verbs, table=VERBS)
def data() -> None:
    """Track, compare, share and check the datasets that runs read.

    From then on every run pins them: a manifest of all their files is part of its record.
    """


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH|NAME]...", type=click.Path())
@click.option("--name", metavar="NAME", help="Name of the dataset; else the last part of PATH.")
@click.option("--keep/--no-keep", default=None, help="Keep its bytes in the content store.")
@click.option("--follow/--no-follow", default=None, help="Follow links that lead out of it.")
@click.option("--outside", is_flag=True, help="Allow a PATH outside of the repository.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def add(
    paths: tuple[str, ...],
    name: str | None,
    *,
    keep: bool | None,
    follow: bool | None,
    outside: bool,
    as_json: bool,
) -> None:
    r"""Track a file or folder as a dataset, or bring what is pinned of one up to date.

    \b
    repro data add data/train
    repro data add --keep data/labels.csv
    repro data add                          # all datasets as they are now

    Files are hashed once, and again when they change. What is there now is pinned in repro.lock,
    which git tracks; settings go into repro.yaml. With --keep the bytes are kept as well, so that
    they can be brought back and shared.
    """
    project = open_here()
    wish = Wish(name=name, keep=keep, follow=follow, outside=outside)
    if name is not None and len(paths) != 1:
        raise UsageError("`--name` takes one PATH", hint="add them one by one")
    texts = paths or tuple(dataset.name for dataset in list_datasets(project))
    if not texts:
        raise UsageError("there is no dataset yet", hint="`repro data add PATH` adds one")
    done = []
    for text in texts:
        project = open_here()  # what the one before added counts for overlaps
        dataset = choose_dataset(project, text, Path.cwd(), wish)
        with showing_progress(f"hashing {dataset.name}") as report:
            added = add_dataset(project, dataset, on_progress=report)
        _say_added(added)
        done.append(added)
    if as_json:
        render.data_json([_added_json(added) for added in done])


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def rm(names: tuple[str, ...]) -> None:
    """Stop tracking datasets. Their files stay, and so does what runs recorded of them."""
    for name in names:
        project = open_here()
        dataset = drop_dataset(project, name)
        path = escape(dataset.path)
        render.note(f"repro: dataset {escape(dataset.name)} is dropped; `{path}` stays as it is")
        if is_ignored(project.repository, dataset.path):
            render.note(
                f"repro: git ignores `{path}`, so no run has its files now;"
                " take its line out of .gitignore to change that"
            )
    render.note(f"hint: `repro data gc` deletes kept bytes that nothing names; commit {SETTINGS}")


def _say_added(added: Added) -> None:
    facts = added.facts
    what = "file" if facts.is_file else count_of(facts.files, "file")
    how = "added" if added.is_new else "changed" if added.is_changed else "unchanged"
    kept = ", kept" if facts.kept else ""
    name = escape(added.dataset.name)
    render.note(f"repro: dataset {name}: {how} ({what}, {format_size(facts.size)}{kept})")
    _say_list("left out, for no record may hold such names", added.left_out)
    _say_list("followed out of the dataset", added.followed)
    if added.is_ignored:
        render.note(f"repro: `{escape(facts.path)}` is in .gitignore now")
    if added.is_new or added.is_changed:
        render.note(f"hint: commit {SETTINGS} and {LOCK}, so that the commit pins the data")


def _say_list(what: str, paths: tuple[str, ...]) -> None:
    if paths:
        shown = ", ".join(f"`{escape(path)}`" for path in paths[:_SHOWN])
        more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
        render.note(f"repro: {what}: {shown}{more}")


def _added_json(added: Added) -> dict[str, Json]:
    return {
        "name": added.dataset.name,
        **encode_facts(added.facts),
        "new": added.is_new,
        "changed": added.is_changed,
        "read": added.n_read,
        "left_out": list(added.left_out),
        "followed": list(added.followed),
    }
