"""`repro clone`: a repository with its runs, at the code of one of them."""

import os
import shlex
from pathlib import Path

import click

from repro.cli import render
from repro.cli.opening import open_around
from repro.cli.progress import showing_words
from repro.core.clone import clone_repository, folder_of
from repro.core.fetch import Fetched, fetch_runs, find_remotes
from repro.core.project import Project
from repro.core.query import resolve_run, short_id
from repro.core.restore import check_out
from repro.errors import ReproError, UsageError
from repro.model.ids import is_id_prefix
from repro.model.readable import count_of
from repro.model.text import escape


@click.command()
@click.argument("url")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--run", "run", metavar="RUN", help="Check the code of this run out.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def clone(url: str, folder: Path | None, run: str | None, *, as_json: bool) -> int:
    r"""Clone a git repository with its runs.

    \b
    repro clone https://example.org/team/project.git
    repro clone URL DIR --run k3f9zq7d2m4x

    As `git clone URL DIR`, then `repro fetch` in it, and with --run `repro checkout RUN`. RUN is an
    id or its first characters, and then only that run is brought, or a name, which takes all of
    them to be found. Nothing that came along is executed. Should the fetch or
    the checkout fail, the clone stays, and says which command goes on.
    """
    target = Path(name) if folder is None and (name := folder_of(url)) else folder
    if target is None:
        raise UsageError(f"`{escape(url)}` gives no name for a folder", hint="name one: URL DIR")
    with showing_words(f"cloning {target.name}"):
        cloned = clone_repository(url, target, cwd=Path.cwd(), environ=os.environ)
    for line in cloned.warnings:
        render.note(f"repro: warning: {escape(line)}")
    os.chdir(target)
    try:
        project, fetched, restored = _bring(run)
    except ReproError as error:
        error.hint = f"the clone is there: `cd {target}` and go on with `repro fetch`"
        raise
    if cloned.branches and restored is None:
        branch = "main" if "main" in cloned.branches else cloned.branches[0]
        there = escape(shlex.quote(str(target)))
        render.note(f"hint: `cd {there}` and `git switch {escape(branch)}` checks a branch out")
    for refusal in fetched.refused:
        render.note(f"repro: run `{escape(refusal.run)}` is refused: {escape(refusal.reason)}")
    if as_json:
        render.data_json(
            {
                "folder": str(Path.cwd()),
                "runs": list(fetched.new),
                "refused": [one.run for one in fetched.refused],
                "run": restored,
            }
        )
    else:
        at = f", at the code of run {short_id(project, restored)}" if restored else ""
        render.out(f"{escape(str(target))}: {count_of(len(fetched.new), 'run')}{at}")
    return 1 if fetched.refused else 0


def _bring(run: str | None) -> tuple[Project, Fetched, str | None]:
    project = open_around()
    # Not `origin` for everybody: `clone.defaultRemoteName`.
    [remote] = find_remotes(project, None, cwd=Path.cwd())
    # A remote knows runs by their ids only: to find a name, all of them are needed.
    names = (run,) if run is not None and is_id_prefix(run) else ()
    with showing_words("fetching runs") as report:
        fetched = fetch_runs(project, remote, names=names, report=report)
    if run is None:
        return project, fetched, None
    record = resolve_run(project, run)
    check_out(project, record)
    return project, fetched, record.run.id
