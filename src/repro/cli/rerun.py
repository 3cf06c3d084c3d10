"""`repro rerun`: do a run again in isolation, and say whether the result is the same."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click

from repro.cli import render
from repro.cli.completing import complete_metrics, complete_settings, complete_tags
from repro.cli.consent import ask_consent, ask_foreign
from repro.cli.context import RUN, open_here
from repro.cli.dashes import Appending
from repro.cli.isolation import ENV, NEAREST, YES
from repro.cli.numbers import NUMBER_ABOVE_0, WholeNumber
from repro.cli.outcome import say_end, warn
from repro.cli.progress import showing_steps
from repro.cli.verdict import describe_verdict, metric_hint, read_tolerance
from repro.core.conditions import Conditions, Which
from repro.core.curate import check_label
from repro.core.launch import Streams
from repro.core.project import Project
from repro.core.query import resolve_run, run_json, short_id
from repro.core.relay import Relay
from repro.core.rerun import Repeated, Telling, Wish, check_repeatable
from repro.core.rerun import rerun as rerun_once
from repro.core.vary import Variation
from repro.core.verify import check_metrics, store_verdict, verdict_json, verify_runs
from repro.errors import InvalidInputError, UsageError
from repro.model.canonical import Json
from repro.model.config import flatten_config, nest_config, parse_assignment
from repro.model.readable import format_number
from repro.model.run import Record
from repro.model.spread import Spread, measure_spread
from repro.model.text import escape
from repro.model.verdict import Tolerance, Verdict


@click.command(cls=Appending)
@click.option(
    "-c",
    "--config",
    "assignments",
    multiple=True,
    metavar="K=V",
    shell_complete=complete_settings,
    help="Vary one entry of its config, where the run has it from; may be repeated.",
)
@ENV
@NEAREST
@click.option("--no-replay", is_flag=True, help="Draw its randomness anew.")
@click.option("--verify", is_flag=True, help="Compare the results with those of the run.")
@click.option("--rtol", type=float, metavar="R", help="Relative tolerance, of the original value.")
@click.option("--atol", type=float, metavar="A", help="Absolute tolerance, on top of it.")
@click.option(
    "--metric", "metrics", multiple=True, metavar="M", shell_complete=complete_metrics,
    help="Compare only this; may be repeated.",
)  # fmt: skip
@click.option("--times", type=WholeNumber(min=1), default=1, metavar="N", help="Do it N times.")
@click.option(
    "--timeout",
    type=NUMBER_ABOVE_0,
    metavar="SECONDS",
    help="End the command after so long.",
)
@click.option("--keep", is_flag=True, help="Leave the worktree where it is.")
@click.option("-n", "--name", "label", metavar="NAME", help="Name of the new run.")
@click.option(
    "-t", "--tag", "tags", multiple=True, metavar="TAG", shell_complete=complete_tags,
    help="Tag of the new run.",
)  # fmt: skip
@YES
@click.option("--json", "as_json", is_flag=True, help="Print the new run, or the verdict, as JSON.")
@click.argument("name", metavar="RUN", type=RUN)
@click.argument("appended", nargs=-1, type=click.UNPROCESSED, metavar="[-- WORD...]")
def rerun(  # noqa: PLR0913  # click hands over each option by its name
    name: str,
    appended: tuple[str, ...],
    assignments: tuple[str, ...],
    which: str | None,
    rtol: float | None,
    atol: float | None,
    metrics: tuple[str, ...],
    times: int,
    timeout: float | None,
    label: str | None,
    tags: tuple[str, ...],
    *,
    nearest: bool,
    no_replay: bool,
    verify: bool,
    keep: bool,
    yes: bool,
    as_json: bool,
) -> int:
    r"""Do a run again: same code, data, config, environment and randomness.

    \b
    repro rerun baseline --verify
    repro rerun baseline -c lr=0.01
    repro rerun baseline -- --lr 0.01
    repro rerun baseline --verify --no-replay --times 5

    It runs in a fresh worktree, and is recorded as a run of its own. With --verify its metrics are
    compared step by step with those of the run, its artifacts by digest, its output line by
    line; the verdict is kept in the new run, and the exit code is 0 only for `identical` or
    `within tolerance`. Else it is the command's own; 125 when repro itself failed.

    Words behind `--` are appended to its command, and recorded as part of it.
    """
    tolerance = _tolerance(rtol, atol, metrics, verify=verify)
    varied = dict(map(parse_assignment, assignments))
    if label is not None:
        check_label("name", label)
    for tag in tags:
        check_label("tag", tag)
    project = open_here()
    record = resolve_run(project, name)
    check_repeatable(record)
    check_metrics(record, metrics)
    ask_consent(project, record, yes=yes, what="run its command")
    wanted = Which(which) if which else None
    wish = Wish(
        which=wanted,
        assignments=varied,
        appended=appended,
        replay=not no_replay,
        timeout_s=timeout,
        keep=keep,
        allow_foreign=ask_foreign(project, record, wanted, nearest=nearest, yes=yes),
        nearest=nearest,
        name=label,
        tags=tags,
    )
    again: list[Record] = []
    verdicts: list[Verdict] = []
    code = 0
    for _ in range(times):
        done = _once(project, record, wish, streams=Streams(stdout=2) if as_json else Streams())
        code = code or done.outcome.exit_code
        new = resolve_run(project, done.record.run.id)
        again.append(new)
        if verify:
            verdict = verify_runs(
                project,
                record,
                new,
                tolerance=tolerance,
                metrics=metrics,
                same_paths=done.same_paths,
            )
            store_verdict(project, new.run.id, verdict)
            verdicts.append(verdict)
            if not as_json:
                _say_verdict(verdict)
    lasts = [_last(one, metrics) for one in (record, *again)]
    spread = measure_spread(lasts[0], lasts[1:]) if times > 1 else None
    if as_json:
        values: list[Json] = [verdict_json(verdict) for verdict in verdicts]
        values = values or [run_json(new) for new in again]
        render.data_json(values[0] if spread is None else _times_json(values, spread))
    elif spread:
        _say_spread(spread)
    elif spread is not None:
        render.note("repro: there is no metric whose spread could be told")
    if verify:
        return 0 if all(verdict.outcome.is_success for verdict in verdicts) else 1
    return code


def _tolerance(
    rtol: float | None, atol: float | None, metrics: Sequence[str], *, verify: bool
) -> Tolerance:
    if not verify and (rtol is not None or atol is not None or metrics):
        raise UsageError(
            "`--rtol`, `--atol` and `--metric` say how to compare", hint="add `--verify`"
        )
    return read_tolerance(rtol or 0.0, atol or 0.0)


def _last(record: Record, chosen: Sequence[str]) -> dict[str, float]:
    """The last value of each metric, of the chosen ones where any are."""
    return {
        name: summary.last
        for name, summary in record.metrics.items()
        if name in chosen or not chosen
    }


def _say_verdict(verdict: Verdict) -> None:
    for line in describe_verdict(verdict):
        render.out(line)
    hint = metric_hint(verdict)
    if hint is not None:
        render.note(hint)


def _say_spread(spread: Mapping[str, Spread]) -> None:
    rows = []
    for name, one in spread.items():
        numbers = (one.mean, one.std, one.min, one.max, one.original)
        inside = "inside" if one.is_inside else "outside"
        rows.append([escape(name), *(_number(value) for value in numbers), inside])
    header = ["metric", "mean", "std", "min", "max", "original", ""]
    render.out(render.table(rows, header))


def _number(value: float | None) -> str:
    return "" if value is None else format_number(value)


def _times_json(values: list[Json], spread: Mapping[str, Spread]) -> dict[str, Json]:
    return {"reruns": values, "spread": {name: asdict(one) for name, one in spread.items()}}


def _unread_hint(short: str, key: str, assignments: Mapping[str, Json]) -> str:
    """How else the program may take a param: as a rule the config it gives to `init` is parsed."""
    value = flatten_config(nest_config(assignments)).get(key)
    word = shlex.quote(value if isinstance(value, str) else json.dumps(value))
    again = f"repro rerun {short} -c {key}={word} -- --{key} {word}"
    return (
        f"if the command takes it as an option: `{again}`; "
        f"else let the program read it from `run.config`, as `repro.init()` gives it"
    )


def _once(project: Project, record: Record, wish: Wish, *, streams: Streams) -> Repeated:
    """One rerun, told about on standard error."""
    short = short_id(project, record.run.id)

    def starting(conditions: Conditions, variation: Variation, argv: Sequence[str]) -> None:
        words = shlex.join(argv)
        render.note(
            f"repro: running {short} again ({conditions.which} environment): {escape(words)}"
        )
        for line in variation.said:
            render.note(f"repro: {escape(line)}")

    with (
        Relay() as relay,
        showing_steps("getting ready") as (step, report),
    ):
        telling = Telling(data=report, packages=step, starting=starting)
        done = rerun_once(project, record, wish, relay=relay, streams=streams, telling=telling)
    say_end(project, done.record, done.outcome, with_outlook=False)
    for line in done.notes:
        warn(line)
    if done.record.run.foreign:
        warn(f"code of the original tree was loaded: `{done.record.run.foreign[0]}`")
    for program in done.record.run.unwatched[:1]:
        warn(f"nobody saw which code `{program}` took")
    if done.unread:
        raise InvalidInputError(
            f"{', '.join(f'`{key}`' for key in done.unread)} was varied, but nothing read it",
            hint=_unread_hint(short, done.unread[0], wish.assignments),
        )
    if done.folder is not None:
        render.note(f"repro: the worktree is kept: {escape(str(done.folder))}")
    return done
