"""That a command was run before, told on standard error before it starts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from repro.cli import render
from repro.model.cells import format_metric
from repro.model.columns import choose_keys
from repro.model.readable import count_of, format_age
from repro.model.run import Record
from repro.model.text import escape

if TYPE_CHECKING:
    from repro.core.tried import Leftover, Tried

_METRICS_SHOWN = 2
_FILES_SHOWN = 3
_OWN = {"repro.yaml", "repro.lock"}  # people write the one, and `repro data` the other


def say_tried(tried: "Tried", *, now: float, skipping: bool) -> None:
    """Say that the same was run before, is being run, or would be the same but for leftovers.

    Args:
        now: Seconds since 1970.
        skipping: Whether a run that finished is taken in place of a new one.
    """
    if tried.finished is not None:
        known = describe_run(tried.finished, tried.short, now)
        if skipping:
            render.note(f"repro: not run again: {known}")
        else:
            render.note(f"repro: this was run before: {known}; `--skip-existing` gives it instead")
        return
    if tried.running is not None:
        run = tried.running
        short = tried.short.get(run.id, run.id)
        name = f" ({escape(run.name)})" if run.name else ""
        since = format_age(run.started, now)
        render.note(f"repro: the same is in progress: {short}{name}, started {since}")
    if tried.leftover is not None:
        render.note(f"repro: {_describe_leftover(tried.leftover, tried.short)}")
    if tried.repackaged is not None:
        known = _name(tried.repackaged.record, tried.short)
        render.note(f"repro: as {known} but for {tried.repackaged.what}")


def describe_run(record: Record, short: Mapping[str, str], now: float) -> str:
    """A run on one line: id, name, when it ended, and what it came to."""
    run = record.run
    name = f" ({escape(run.name)})" if run.name else ""
    when = f", {run.status} {format_age(run.ended or run.created, now)}"
    return f"{short.get(run.id, run.id)}{name}{when}{_results(record)}"


def _results(record: Record) -> str:
    """The last values of the metrics that say most, those with a goal first."""
    names = [key.name for key in choose_keys([record]).metrics[:_METRICS_SHOWN]]
    return "".join(
        f", {escape(name)} {format_metric(name, record.metrics[name].last)}" for name in names
    )


def _describe_leftover(leftover: "Leftover", short: Mapping[str, str]) -> str:
    paths = leftover.paths
    one = len(paths) == 1
    many = count_of(len(paths), "file")
    how = "new" if leftover.is_new else "new or changed"
    return (
        f"as {_name(leftover.record, short)} but for {many} that {'is' if one else 'are'}"
        f" {how} since: {_named(paths)}{_advise(paths)}"
    )


def _name(record: Record, short: Mapping[str, str]) -> str:
    run = record.run
    name = f" ({escape(run.name)})" if run.name else ""
    return f"{short.get(run.id, run.id)}{name}"


def _advise(paths: Sequence[str]) -> str:
    """What to do about files that runs made, which our own are not."""
    made = [path for path in paths if path not in _OWN]
    if not made:
        return ""
    them = "it" if len(made) == 1 else "them"
    named = escape(made[0]) if len(made) == 1 < len(paths) else them
    return f" (name {named} under `artifacts:` in repro.yaml, or have git ignore {them})"


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _FILES_SHOWN:,} more" if len(paths) > _FILES_SHOWN else ""
    return ", ".join(escape(path) for path in paths[:_FILES_SHOWN]) + more
