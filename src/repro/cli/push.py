"""`repro push`: runs given to a git remote."""

import sys
from collections.abc import Iterator, Sequence

import click

from repro.cli import render
from repro.cli.completing import complete_filter, complete_shared
from repro.cli.context import open_here
from repro.cli.progress import showing_bytes, showing_count, showing_steps
from repro.cli.remotes import overruled_json, say_overruled, split_words
from repro.core.choosing import Choice
from repro.core.project import Project
from repro.core.push import Pushed, push_runs
from repro.core.push_plan import Plan, choose_to_push, list_new_paths, measure_push, plan_push
from repro.errors import ConsentError, UsageError
from repro.model.canonical import Json
from repro.model.readable import count_of, count_runs, count_sweeps, format_size
from repro.model.sharing import Refusal
from repro.model.text import escape

_SHOWN = 20  # lines of any list; `--json` has all


@click.command()
@click.argument("words", nargs=-1, metavar="[REMOTE] [RUN]...", shell_complete=complete_shared)
@click.option(
    "--where", metavar="EXPR", default="", shell_complete=complete_filter,
    help="Only runs of this clone that fit, such as \"metrics.loss.min < 0.2\".",
)  # fmt: skip
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--data", is_flag=True, help="Send the bytes that runs keep in the store, too.")
@click.option("-y", "--yes", is_flag=True, help="Agree to what would be asked.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def push(
    words: tuple[str, ...], *, where: str, dry_run: bool, data: bool, yes: bool, as_json: bool
) -> int:
    r"""Give runs to a git remote, so that others can fetch them.

    \b
    repro push
    repro push origin
    repro push origin baseline @
    repro push --where "metrics.loss.min < 0.2" --data

    Without RUN, all runs and sweeps of this clone; RUN may be the id of a sweep. REMOTE is a name
    or an address; without it, where git pushes the current branch. Nothing there is ever
    overwritten: what others said of the same run is merged. The first push to a remote asks. With
    --data bytes go first, also those of runs that the remote has already. Exits with 1 if any run
    or sweep was not sent, or with --data any of its bytes.
    """
    project = open_here()
    remote, names = split_words(project, words, push=True)
    if names and where:
        raise UsageError("name runs, or choose them by --where", hint="leave one of the two out")
    chosen = choose_to_push(project, names, Choice(where=where) if where else None)
    with showing_steps(f"asking {remote.label}") as (step, _):

        def on_scan(done: int, total: int) -> None:
            step(f"looking for secrets in what it lacks, {done:,} of {total:,}")

        step("which runs it has")
        plan = plan_push(project, remote, chosen, with_data=data, on_scan=on_scan)
        is_any = plan.sending or plan.sweeps.sending
        size = measure_push(project, plan) if dry_run or (plan.is_first and is_any) else None
    if dry_run:
        paths = list_new_paths(project, plan)
        if as_json:
            render.data_json(_plan_json(plan, size, paths))
        else:
            _show_plan(plan, size or 0, paths)
        return 1 if plan.refused or plan.sweeps.refused else 0
    _ask(plan, size, with_data=data, yes=yes)
    pushed = _push(project, plan, with_data=data)
    if as_json:
        render.data_json(_pushed_json(plan, pushed))
    else:
        _say(plan, pushed)
    return 1 if pushed.refused or pushed.lacking else 0


def _push(project: Project, plan: Plan, *, with_data: bool) -> Pushed:
    size = (plan.baggage.size if with_data else 0) + sum(one.size for one in plan.large)
    n_runs = len(plan.sending)
    sent = 0
    with (
        showing_bytes("sending large files", size) as on_bytes,
        showing_count(f"pushing runs to {plan.remote.label}") as on_count,
    ):

        def on_sent(number: int) -> None:
            nonlocal sent
            sent += number
            on_count(sent, n_runs)

        return push_runs(project, plan, with_data=with_data, on_bytes=on_bytes, on_sent=on_sent)


def _ask(plan: Plan, size: int | None, *, with_data: bool, yes: bool) -> None:
    """Come back when there is nothing to agree to, or the user agrees.

    Raises:
        ConsentError: The answer is no, or there is nobody to ask.
    """
    if not plan.sending and not plan.sweeps.sending:
        return
    stays = [] if with_data else list(_say_baggage(plan))
    if plan.is_first:
        render.note(f"repro: {_first(plan, size or 0)}")
    for line in stays:
        render.note(f"repro: {line}")
    if yes or not (plan.is_first or stays):
        return
    if sys.stdin is None or not sys.stdin.isatty():
        what = (
            f"nothing was pushed to `{plan.remote.label}` from here before"
            if plan.is_first
            else "kept bytes of these runs are not in the store"
        )
        raise ConsentError(f"{what}, and there is nobody to ask", hint="`--yes` agrees to the push")
    if not click.confirm("Push?", err=True):
        raise ConsentError("nothing was pushed", hint="`repro push --dry-run` lists what would be")


def _first(plan: Plan, size: int) -> str:
    where = f" on {plan.remote.push_host}" if plan.remote.push_host else ""
    what, much = _count(plan), format_size(size)
    return f"this is the first push to `{plan.remote.label}`{where}: {what}, {much}"


def _count(plan: Plan) -> str:
    sweeps = count_sweeps(len(plan.sweeps.sending))
    if not plan.sweeps.sending:
        return count_runs(len(plan.sending))
    return f"{count_runs(len(plan.sending))}, {sweeps}" if plan.sending else sweeps


def _say_baggage(plan: Plan) -> Iterator[str]:
    """What of the runs stays behind when only they are sent."""
    baggage = plan.baggage
    if baggage.runs:
        number = len(baggage.runs)
        files = f"{count_of(number, 'kept file')} ({format_size(baggage.size)})"
        what = f"{files} of {count_runs(len(baggage.owners))}"
        verb = "is" if number == 1 else "are"
        if plan.store is None:
            yield f"{what} not sent: `repro.yaml` names no store"
        elif plan.store_fault is not None:
            yield f"{what} may not be in the store: {plan.store_fault}"
        elif baggage.unsure:
            yield f"{what} may not be in {plan.store}: `--data` sends what is not"
        else:
            yield f"{what} {verb} not in {plan.store}: `--data` sends what is not"
    for run, fault in list(baggage.faults.items())[:_SHOWN]:
        yield f"run {run}: {escape(fault)}"


def _show_plan(plan: Plan, size: int, paths: Sequence[str]) -> None:
    where = f" ({plan.remote.push_host})" if plan.remote.push_host else ""
    what = f"would push {_count(plan)}, {format_size(size)}"
    refused = (*plan.refused, *plan.sweeps.refused)
    if not plan.sending and not plan.sweeps.sending and not refused:
        what = _nothing(plan.same)
    render.out(f"{plan.remote.label}{where}: {what}")
    rows = [
        (run, what)
        for what, runs in (("new", plan.new), ("changed", plan.moved), ("to merge", plan.astray))
        for run in runs
    ]
    rows += [(sweep, "sweep") for sweep in plan.sweeps.sending]
    for run, what in rows[:_SHOWN]:
        render.out(f"    {run}  {what}")
    _say_more(len(rows))
    if paths:
        render.out(f"files of the code that are new there: {len(paths):,}")
        for path in paths[:_SHOWN]:
            render.out(f"    {escape(path)}")
        _say_more(len(paths))
    for line in _say_baggage(plan):
        render.out(line)
    _say_refused(refused)


def _say_more(number: int) -> None:
    if number > _SHOWN:
        render.out(f"    … and {number - _SHOWN:,} more: `--json` lists all")


def _say(plan: Plan, pushed: Pushed) -> None:
    label = plan.remote.label
    parts = list(_say_parts(pushed))
    render.out(f"{label}: {', '.join(parts) or _nothing(pushed.same)}")
    if pushed.n_objects:
        much = format_size(pushed.n_bytes)
        number = count_of(pushed.n_objects, "kept file")
        render.note(f"repro: {number} ({much}) sent to {plan.store}")
    for one in pushed.lacking[:_SHOWN]:
        render.note(f"repro: bytes of run {escape(one.run)} were not sent: {escape(one.reason)}")
    if len(pushed.lacking) > _SHOWN:
        render.note(f"repro: … and {len(pushed.lacking) - _SHOWN:,} more: `--json` lists all")
    if plan.n_live:
        render.note(f"repro: {count_runs(plan.n_live)} in progress: not pushed")
    say_overruled(pushed.overruled)
    _say_refused(pushed.refused)


def _say_parts(pushed: Pushed) -> Iterator[str]:
    sweeps = pushed.sweeps
    n_kept_back = sum(one.kind == "run" for one in pushed.refused)
    told = (
        (count_runs, len(pushed.new), "pushed"),
        (count_runs, len(pushed.moved), "updated"),
        (count_runs, len(pushed.merged), "merged"),
        (count_sweeps, len((*sweeps.new, *sweeps.moved, *sweeps.merged)), "pushed"),
        (count_runs, n_kept_back, "not pushed"),
        (count_sweeps, len(pushed.refused) - n_kept_back, "not pushed"),
    )
    for count, number, what in told:
        if number:
            yield f"{count(number)} {what}"


def _nothing(same: Sequence[str]) -> str:
    if not same:
        return "no runs to push"
    return f"nothing to push, it has {count_runs(len(same))} already"


def _say_refused(refused: Sequence[Refusal]) -> None:
    for refusal in refused[:_SHOWN]:
        name = f"{refusal.kind} {escape(refusal.run)}"
        render.note(f"repro: {name} is not pushed: {escape(refusal.reason)}")
    if len(refused) > _SHOWN:
        render.note(f"repro: … and {len(refused) - _SHOWN:,} more: `--json` lists all")
    for hint in dict.fromkeys(refusal.hint for refusal in refused if refusal.hint):
        render.note(f"hint: {escape(hint)}")


def _plan_json(plan: Plan, size: int | None, paths: Sequence[str]) -> dict[str, Json]:
    return {
        "remote": plan.remote.label,
        "host": plan.remote.push_host or None,
        "first": plan.is_first,
        "new": list(plan.new),
        "updated": list(plan.moved),
        "merged": list(plan.astray),
        "sweeps": list(plan.sweeps.sending),
        "refused": [_refusal_json(one) for one in (*plan.refused, *plan.sweeps.refused)],
        "bytes": size,
        "paths": list(paths),
        "data": _baggage_json(plan),
    }


def _pushed_json(plan: Plan, pushed: Pushed) -> dict[str, Json]:
    return {
        "remote": plan.remote.label,
        "host": plan.remote.push_host or None,
        "new": list(pushed.new),
        "updated": list(pushed.moved),
        "merged": list(pushed.merged),
        "sweeps": {
            "new": list(pushed.sweeps.new),
            "updated": list(pushed.sweeps.moved),
            "merged": list(pushed.sweeps.merged),
        },
        "refused": [_refusal_json(one) for one in pushed.refused],
        "overruled": overruled_json(pushed.overruled),
        "lacking": [_refusal_json(one) for one in pushed.lacking],
        "objects": pushed.n_objects,
        "object_bytes": pushed.n_bytes,
    }


def _baggage_json(plan: Plan) -> dict[str, Json]:
    return {
        "store": plan.store,
        "objects": len(plan.baggage.runs),
        "bytes": plan.baggage.size,
        "runs": [*sorted(plan.baggage.owners)],
    }


def _refusal_json(refusal: Refusal) -> dict[str, Json]:
    name = {refusal.kind: refusal.run}
    return {"run": None, **name, "reason": refusal.reason, "hint": refusal.hint or None}
