"""`repro fetch`, `repro pull`: the runs of others, over the user's own git remotes."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from repro.cli import render
from repro.cli.completing import complete_remotes, complete_runs
from repro.cli.context import open_here
from repro.cli.data_store import moved_json, say_moved
from repro.cli.progress import showing_bytes, showing_words
from repro.cli.remotes import overruled_json, say_overruled, split_asked
from repro.core.delivery import Delivery
from repro.core.fetch import Fetched, Pulled, fetch_runs, find_remotes, pull_runs
from repro.core.project import Project
from repro.core.transfer import open_store
from repro.core.transfer import pull as fetch_bytes
from repro.errors import RemoteError, UsageError
from repro.model.canonical import Json
from repro.model.sharing import Refusal
from repro.model.text import escape
from repro.store.remoterefs import GitRemote

_SHOWN = 20  # lines of any list; `--json` has all

_remote = click.argument(
    "remote", required=False, metavar="[REMOTE]", shell_complete=complete_remotes
)
_runs = click.argument("runs", nargs=-1, metavar="[RUN]...", shell_complete=complete_runs)
_all = click.option("--all", "every", is_flag=True, help="All remotes.")
_verbose = click.option(
    "-v", "--verbose", is_flag=True, help="Also list each run, and those the remote has no more."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")


@click.command()
@_remote
@_runs
@_all
@_verbose
@_json
def fetch(
    remote: str | None, runs: tuple[str, ...], *, every: bool, verbose: bool, as_json: bool
) -> int:
    r"""Bring the runs of a git remote; runs of your own stay as they are.

    \b
    repro fetch
    repro fetch origin
    repro fetch k3f9zq7d2m4x
    repro fetch origin k3f9zq7d2m4x

    Without REMOTE that of the current branch is asked, else origin, else the only one. RUN is the
    id of a run there, or its first characters. Each run is checked before it is shown; one that
    is not sound is named, and the others come nevertheless. Exits with 1 if any was refused.
    """
    project = open_here()
    values: list[Json] = []
    is_sound = True
    failed: list[RemoteError] = []
    if _every(remote, every=every):
        remotes = find_remotes(project, None, cwd=Path.cwd(), every=True)
    else:
        found, runs = split_asked(project, remote, runs)
        remotes = [found]
    for one in remotes:
        try:
            with _asking(one) as report:
                fetched = fetch_runs(project, one, names=runs, report=report)
        except RemoteError as error:
            failed.append(error)  # told below; the other remotes may well answer
            continue
        is_sound = is_sound and not fetched.refused
        values.append(_fetched_json(fetched))
        if not as_json:
            render.out(_summary(fetched))
            _say_more(fetched, fetched.refused, verbose=verbose)
    if as_json and (values or not failed):
        render.data_json(values)
    for one_failed in failed[:-1]:
        render.note(f"repro: {escape(one_failed.message)}")
    if failed:
        raise failed[-1]
    return 0 if is_sound else 1


@click.command()
@_remote
@_runs
@click.option(
    "--data", "with_data", is_flag=True, help="Also the bytes that they keep in the store."
)
@_verbose
@_json
def pull(
    remote: str | None, runs: tuple[str, ...], *, with_data: bool, verbose: bool, as_json: bool
) -> int:
    r"""Bring the runs of a git remote, and what was said there of runs of your own.

    \b
    repro pull
    repro pull --data
    repro pull k3f9zq7d2m4x --data

    As `repro fetch`; then tags, names and notes that others gave runs of yours are joined with
    those that you gave them. With --data what the runs of the remote, or each RUN, keep in the
    store is brought as well as far as it is not here: datasets, and artifacts, series and outputs
    that are too large for git. Exits with 1 if anything was refused or could not be brought.
    """
    project = open_here()
    one, runs = split_asked(project, remote, runs)
    with _asking(one) as report:
        pulled = pull_runs(project, one, names=runs, report=report)
    fetched = pulled.fetched
    refused = (*fetched.refused, *pulled.refused)
    value = {
        **_fetched_json(fetched),
        "forwarded": list(pulled.forwarded),
        "merged": list(pulled.merged),
        "overruled": overruled_json(pulled.overruled),
        "refused": [_refusal_json(refusal) for refusal in refused],
    }
    if not as_json:
        render.out(_summary(fetched, pulled))
        _say_more(fetched, refused, verbose=verbose)
        say_overruled(pulled.overruled)
    is_whole = True
    if with_data:
        value["data"], is_whole = _pull_data(project, one, pulled)
    if as_json:
        render.data_json(value)
    return 1 if refused or not is_whole else 0


def _every(remote: str | None, *, every: bool) -> bool:
    if every and remote is not None:
        raise UsageError("`--all` and a REMOTE exclude each other", hint="give one")
    return every


@contextmanager
def _asking(remote: GitRemote) -> Iterator[Callable[[str], None]]:
    """Give what shows how far a fetch is.

    Nothing is drawn before git tells of objects: until then it may ask for a password.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        host = f" ({remote.host})" if remote.host and remote.host not in remote.label else ""
        render.note(f"repro: asking {remote.label}{host}")
    with showing_words(f"fetching from {remote.label}") as report:
        yield report


def _summary(fetched: Fetched, pulled: Pulled | None = None) -> str:
    refused = len(fetched.refused) + (len(pulled.refused) if pulled else 0)
    sweeps = fetched.sweeps
    is_moved = (*sweeps.moved, *sweeps.merged)
    # Each run counts once.
    forwarded = {*pulled.forwarded} - {*fetched.new} if pulled else set()
    merged = {*pulled.merged} - {*fetched.new} if pulled else set()
    changed = {*fetched.moved} - forwarded - merged
    parts = [
        (len(fetched.new), "new run" if len(fetched.new) == 1 else "new runs"),
        (len(changed), "changed"),
        (len(forwarded), "of your own brought up to date"),
        (len(merged), "of your own merged"),
        (len(sweeps.new), "new sweep" if len(sweeps.new) == 1 else "new sweeps"),
        (
            len(is_moved),
            "sweep brought up to date" if len(is_moved) == 1 else "sweeps brought up to date",
        ),
        (refused, "refused"),
    ]
    told = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f"{fetched.remote}: {told or 'nothing new'}"


def _say_more(fetched: Fetched, refused: Sequence[Refusal], *, verbose: bool) -> None:
    if verbose:
        for what, ids in (("new", fetched.new), ("changed", fetched.moved)):
            for run_id in ids:
                render.out(f"    {what:<8} {run_id}")
        for sweep_id in (*fetched.sweeps.new, *fetched.sweeps.moved, *fetched.sweeps.merged):
            render.out(f"    {'sweep':<8} {sweep_id}")
        for run_id in fetched.gone:
            render.out(f"    {'gone':<8} {run_id}: the remote has it no more; it is kept here")
    for sweep_id in fetched.sweeps.apart:
        render.note(
            f"repro: sweep `{sweep_id}` went on here and there apart: it stays as it is here"
        )
        render.note(f"hint: `repro pull {fetched.remote} {sweep_id}` joins the results of both")
    for refusal in refused[:_SHOWN]:
        name = f"{refusal.kind} `{escape(refusal.run[:80])}`" if refusal.run else fetched.remote
        render.note(f"repro: {name} was refused: {escape(refusal.reason)}")
        if refusal.hint:
            render.note(f"hint: {escape(refusal.hint)}")
    if len(refused) > _SHOWN:
        render.note(f"    … and {len(refused) - _SHOWN:,} more")


def _pull_data(project: Project, remote: GitRemote, pulled: Pulled) -> tuple[Json, bool]:
    """Bring what runs keep in the store; what became of it, and whether all of it came."""
    delivery = Delivery(project, remote.place, pulled)
    if not delivery.datasets and not delivery.parts:
        render.note("repro: these runs keep nothing in the store")
        return None, True
    store = open_store(project)
    load = delivery.plan(project, store)
    with showing_bytes("fetching data", load.size) as report:
        moved = fetch_bytes(project, store, load, report)
    say_moved(load, moved, "fetched", "fetched")
    return moved_json(store.label, load, moved), not moved.failed


def _fetched_json(fetched: Fetched) -> dict[str, Json]:
    return {
        "remote": fetched.remote,
        "new": list(fetched.new),
        "changed": list(fetched.moved),
        "refused": [_refusal_json(refusal) for refusal in fetched.refused],
        "gone": list(fetched.gone),
        "sweeps": {
            "new": list(fetched.sweeps.new),
            "changed": list(fetched.sweeps.moved),
            "merged": list(fetched.sweeps.merged),
            "apart": list(fetched.sweeps.apart),
        },
    }


def _refusal_json(refusal: Refusal) -> dict[str, Json]:
    name = {refusal.kind: refusal.run or None}
    return {"run": None, **name, "reason": refusal.reason, "hint": refusal.hint or None}
