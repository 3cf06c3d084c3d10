"""What `repro show` prints: a run as text, and each of its parts."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence

from repro.cli import render
from repro.core.diff import format_patch
from repro.core.harm import refuse_harmful
from repro.core.history import WORDS, Change, history_json, read_history
from repro.core.project import Project
from repro.core.query import code_of, read_part, read_points, run_json
from repro.core.signatures import Signature, describe_signature
from repro.errors import InvalidInputError, UsageError
from repro.model.canonical import Json
from repro.model.cells import format_metric
from repro.model.config import flatten_config
from repro.model.configfile import format_config
from repro.model.environment import environment_facts
from repro.model.medium import Medium
from repro.model.nearest import say_meant
from repro.model.progress import last_heard
from repro.model.readable import count_of, format_age, format_duration, format_size, format_value
from repro.model.run import Record, Run, describe_status
from repro.model.text import escape
from repro.model.verdicttext import headline

PARTS = ("config", "metrics", "env", "data", "output", "patch", "history")

_COLOUR = re.compile(r"(\x1b\[[0-9;]{0,32}m)")
_VALUES: dict[str, Callable[[Record], object]] = {
    "config": lambda record: record.config,
    "metrics": lambda record: run_json(record)["metrics"],
    "env": lambda record: record.environment,
    "data": lambda record: record.data,
}
_TITLES = ["metric", "last", "step", "min", "max", "mean", "points"]


def describe_run(
    record: Record,
    short: str,
    now: float,
    *,
    base_now: str | None = None,
    signature: Signature | None = None,
    media: Sequence[Medium] = (),
) -> Iterator[str]:
    """The lines that show a run whole.

    Args:
        base_now: The commit that took the place of its base.
        signature: Who vouches for it.
        media: Pictures, tables and histograms that it logged.
    """
    run = record.run
    name = f" ({escape(run.name)})" if run.name else ""
    yield render.colour(f"run {run.id}", "yellow") + name
    facts = dict(_facts(run, now))
    if run.base is not None and base_now is not None:
        facts["base"] = f"{run.base[:12]}, which was rewritten as {base_now[:12]}"
    if record.verdict is not None:
        facts["verdict"] = headline(record.verdict)
    if signature is not None and signature.state != "none":
        facts["signature"] = describe_signature(signature)
    width = max(map(len, facts))
    yield from (f"{key.ljust(width)}  {value}" for key, value in facts.items())
    if run.note:
        yield ""
        yield from (f"    {escape(line)}" for line in run.note.splitlines())
    yield from _section("config", _pairs(flatten_config(record.config)))
    if record.metrics:
        yield from _section("metrics", _metrics_table(record).splitlines())
    yield from _section("summary", _pairs(flatten_config(record.summary)))
    if record.data:
        yield from _section("data", _data_table(record).splitlines())
    yield from _section("environment", list(environment_facts(record.environment)))
    artifacts = [f"{escape(a.path)}  {a.size:,} bytes, {a.where}" for a in record.artifacts]
    yield from _section("artifacts", artifacts)
    yield from _section("media", list(_media_lines(media)))
    omitted = [f"{escape(one.path)}  {escape(one.reason)}" for one in run.omitted]
    yield from _section("not in the snapshot", omitted)
    yield from _section("warnings", [escape(warning) for warning in run.warnings])
    if record.commit:
        yield ""
        name = record.commit  # the run may have no ref of its own
        yield f"`git ls-tree -r {name}` lists the record; `repro checkout {short}` restores it"


def _media_lines(media: Sequence[Medium]) -> Iterator[str]:
    """A line for each name: how many media of which kind, and at which steps."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for one in media:
        kinds.setdefault((one.name, one.kind), []).append(one.step)
    width = max((len(escape(name)) for name, _ in kinds), default=0)
    for (name, kind), steps in kinds.items():
        first, last = min(steps), max(steps)
        where = f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
        yield f"{escape(name).ljust(width)}  {count_of(len(steps), kind)}, {where}"


def _origins(run: Run) -> Iterator[tuple[str, str]]:
    """Where a run comes from."""
    if run.parent:
        yield "parent", run.parent
    if run.rerun_of:
        yield "rerun of", run.rerun_of
    if run.sweep:
        which = "" if run.trial is None else f", trial {run.trial}"
        yield "sweep", escape(run.sweep) + which


def _facts(run: Run, now: float) -> Iterator[tuple[str, str]]:
    ending = f", exit code {run.exit_code}" if run.exit_code else ""
    ending += f", by {escape(run.signal)}" if run.signal else ""
    yield "status", describe_status(run) + ending
    yield "created", f"{run.created[:19].replace('T', ' ')} UTC ({format_age(run.created, now)})"
    if run.duration_s is not None:
        yield "duration", format_duration(run.duration_s)
    if heard := last_heard(run):
        yield "last heard", format_age(heard, now)
    yield "command", escape(shlex.join(run.command))
    if run.cwd != ".":
        yield "folder", escape(run.cwd)
    if run.snapshot:
        where = f" on {escape(run.branch)}" if run.branch else ""
        yield "code", run.snapshot[:12] + where + (", uncommitted changes" if run.dirty else "")
    yield "by", escape(f"{run.user} on {run.host}")
    if run.tags:
        yield "tags", escape(", ".join(run.tags))
    yield from _origins(run)
    if len(run.attempts) > 1:
        yield "attempts", str(len(run.attempts))
    if run.lost_points or run.skipped_lines:
        yield "lost", f"{run.lost_points:,} points, {run.skipped_lines:,} damaged lines"


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield render.colour(title, "bold")
        yield from (f"  {line}" for line in lines)


def _pairs(values: Mapping[str, Json]) -> list[str]:
    width = max((len(escape(key)) for key in values), default=0)
    return [f"{escape(key).ljust(width)}  {format_value(value)}" for key, value in values.items()]


def _metrics_table(record: Record) -> str:
    rows = []
    for name, one in record.metrics.items():
        last, *others = (format_metric(name, n) for n in (one.last, one.min, one.max, one.mean))
        rows.append([name, last, str(one.last_step), *others, str(one.count)])
    return render.table(rows, _TITLES)


def _data_table(record: Record) -> str:
    """The datasets of a run, one below the other; what a damaged record does not say is a dash."""
    rows = []
    for name, entry in record.data.items():
        facts = entry if isinstance(entry, dict) else {}
        files, size = facts.get("files"), facts.get("bytes")
        rows.append(
            [
                name,
                f"{files:,}" if isinstance(files, int) else "-",
                format_size(size) if isinstance(size, int) else "-",
                "yes" if facts.get("kept") is True else "no",
                str(facts.get("path", "-")),
                str(facts.get("digest", "-")),
            ]
        )
    return render.table(rows, ["dataset", "files", "size", "kept", "path", "digest"])


def print_part(
    project: Project, record: Record, part: str, *, metric: str | None, as_json: bool
) -> None:
    """Print one part of a run, as text or as JSON."""
    if as_json and part in _VALUES:
        render.data_json(_VALUES[part](record))
    elif part == "config":
        _print(format_config(record.config).decode().rstrip("\n"))
    elif part == "metrics":
        _print(_metrics_table(record) if record.metrics else "")
    elif part == "env":
        shown = {**record.environment, "randomness": dict(record.randomness)}
        _print("\n".join(_pairs(flatten_config(shown))))
    elif part == "data":
        _print(_data_table(record) if record.data else "")
    elif part == "history":
        _print_history(project, record, as_json=as_json)
    elif part == "series":
        _print_series(project, record, metric or "", as_json=as_json)
    elif as_json:
        raise UsageError(f"`--{part}` is no JSON", hint=f"leave `--json` or `--{part}` away")
    elif part == "output":
        print_bytes(_output(project, record))
    else:
        print_bytes(_patch(project, record))


def _print(text: str) -> None:
    if text:
        render.page("\n".join(map(escape, text.splitlines())))


def _print_series(project: Project, record: Record, metric: str, *, as_json: bool) -> None:
    series = read_points(project, record)
    if metric not in series:
        raise InvalidInputError(
            f"run `{record.run.id}` has no metric `{escape(metric)}`{say_meant(metric, series)}",
            hint=f"`repro show {record.run.id} --metrics` lists them",
        )
    points = series[metric]
    if as_json:
        render.data_json([[point.step, point.value, point.time] for point in points])
    elif points:
        lines = ["step\tvalue\ttime", *(f"{p.step}\t{p.value!r}\t{p.time!r}" for p in points)]
        render.page("\n".join(lines))


def _print_history(project: Project, record: Record, *, as_json: bool) -> None:
    steps = read_history(project, record)
    if as_json:
        render.data_json(history_json(steps))
        return
    rows = [
        [step.when[:19].replace("T", " "), step.by, one.what, *_ends(one)]
        for step in steps
        for one in step.changes
    ]
    if rows:
        render.page(render.table(rows, ["when (UTC)", "by", "what", "before", "after"]))


def _ends(change: Change) -> list[str]:
    is_text = change.what in WORDS
    shown = [one if is_text or one is None else one[:12] for one in (change.before, change.after)]
    return ["-" if one is None else one for one in shown]


def _output(project: Project, record: Record) -> bytes:
    if record.commit:
        return read_part(project, record, "output.log") or b""
    try:
        return (project.live / record.run.id / "output.log").read_bytes()
    except FileNotFoundError:
        return b""


def _patch(project: Project, record: Record) -> bytes:
    code = code_of(record.run)
    refuse_harmful(project, record)
    if record.run.base is None:
        raise InvalidInputError(
            f"run `{record.run.id}` was made before the first commit: there is no base",
            hint=f"`git show {code}` shows its code",
        )
    return format_patch(project, record.run.base, code, coloured=render.has_colour())


def print_bytes(data: bytes) -> None:
    """Print bytes as they are; on a terminal only colours get through, no other control."""
    if not render.width():
        render.raw(data)
    elif data:
        lines = data.decode(errors="surrogateescape").rstrip("\n").split("\n")
        render.page("\n".join(map(_tame, lines)))


def _tame(line: str) -> str:
    # Odd pieces are the colours that the pattern's group keeps.
    pieces = _COLOUR.split(line.rstrip("\r").replace("\t", "        "))
    return "".join(piece if n % 2 else escape(piece) for n, piece in enumerate(pieces))
