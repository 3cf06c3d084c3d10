"""A rerun compared with its original: whether it gave the same result, and if not, why."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from repro.core.amend import amend_run
from repro.core.diff import compare_runs
from repro.core.places import pair_places
from repro.core.project import Project
from repro.core.query import read_part, read_points
from repro.errors import DamagedRecordError, ReproError, UsageError
from repro.model.canonical import Json, format_json
from repro.model.causes import UNKNOWN, rank_causes
from repro.model.config import flatten_config
from repro.model.judge import FROM_OUTSIDE, Side, find_unfit, judge, name_near
from repro.model.medium import is_logged_file
from repro.model.output import find_cut
from repro.model.run import Record, Run, Status
from repro.model.text import escape
from repro.model.verdict import Cause, Outcome, Tolerance, Verdict
from repro.store.content import ContentStore
from repro.store.verdicts import encode_verdict

_WHOLE_LIMIT = 256 << 20  # bytes of an output that is compared whole
_ENDED = "the command was ended: "  # of a warning; what follows is the reason


def check_metrics(original: Record, metrics: Sequence[str]) -> None:
    """Refuse metrics that no rerun can be compared by, before it is made.

    Raises:
        UsageError: The original has none of that name, nor an entry of its summary.
    """
    known = original.metrics.keys() | flatten_config(original.summary).keys()
    for name in metrics:
        if name not in known:
            raise UsageError(
                f"run `{original.run.id}` has no metric {name_near(name, known)}",
                hint=f"`repro show {original.run.id} --metrics` lists those that it has",
            )


def verify_runs(
    project: Project,
    original: Record,
    again: Record,
    *,
    tolerance: Tolerance = Tolerance(),  # noqa: B008  # frozen
    metrics: Sequence[str] = (),
    same_paths: Sequence[tuple[str, str]] = (),
) -> Verdict:
    """Say whether `again` gave the results of `original`, and why it may not have.

    Args:
        metrics: The only ones that count, artifacts and output left out; none is all.
        same_paths: Paths of the original that stand for others in the rerun, such as the root
            of the one and the worktree of the other.

    Raises:
        InvalidInputError: Neither run has one of `metrics`.
        DamagedRecordError: The points of one cannot be read.

    Cost: reads all points and both outputs; compares the conditions unless all is identical, or
    the reason is known.
    """
    sides = [_read_side(project, record, with_output=not metrics) for record in (original, again)]
    before, after = _align_cut(*sides)
    verdict = judge(
        before,
        after,
        tolerance=tolerance,
        metrics=metrics,
        same_paths=[*same_paths, *pair_places(project, original, again)],
    )
    if verdict.outcome is Outcome.IDENTICAL or find_unfit(before, after):
        return verdict
    causes = _find_causes(project, original, again)
    ended = _find_ended(original, again)
    if ended or verdict.outcome is Outcome.INCOMPARABLE:  # what is known needs no guess
        causes = tuple(cause for cause in causes if cause != UNKNOWN)
    return replace(verdict, causes=(*ended, *causes))


def store_verdict(project: Project, run_id: str, verdict: Verdict) -> None:
    """Put a verdict into the record of the rerun that it is about.

    Raises:
        DamagedRecordError: There is no such run any more.
    """
    amend_run(project, run_id, files={"verdict.json": format_json(encode_verdict(verdict))})


def verdict_json(verdict: Verdict) -> dict[str, Json]:
    """The verdict as `--json` prints it, a stable shape to which keys may be added."""
    return encode_verdict(verdict)


def _find_ended(original: Record, again: Record) -> tuple[Cause, ...]:
    """Which of both was ended before its time, where only one was."""
    told = [_ended(record.run) for record in (original, again)]
    if None not in told or told == [None, None]:
        return ()
    who, what = ("the rerun", told[1]) if told[0] is None else ("the original", told[0])
    return (Cause("command", f"{who} was ended: {what}"),)


def _ended(run: Run) -> str | None:
    for warning in run.warnings:
        if warning.startswith(_ENDED):
            return escape(warning.removeprefix(_ENDED))
    if run.status is Status.KILLED and run.signal in FROM_OUTSIDE:
        return f"{run.signal} came from outside"
    return None


def _find_causes(project: Project, original: Record, again: Record) -> tuple[Cause, ...]:
    try:
        comparison = compare_runs(project, original, again)
    except ReproError as error:  # the verdict stands without the conditions
        return (Cause("unknown", f"the conditions cannot be compared: {error.message}"),)
    data = chain(original.data.values(), again.data.values())
    paths = {facts["path"] for facts in data if isinstance(facts, dict) and "path" in facts}
    return rank_causes(
        comparison,
        is_rerun=again.run.rerun_of == original.run.id,
        data_paths=[path for path in paths if isinstance(path, str)],
    )


def _read_side(project: Project, record: Record, *, with_output: bool) -> Side:
    output, is_cut = _read_output(project, record) if with_output else (b"", False)
    return Side(
        run=record.run.id,
        status=record.run.status,
        exit_code=record.run.exit_code,
        signal=record.run.signal,
        foreign=record.run.foreign,
        unwatched=record.run.unwatched,
        series=read_points(project, record),
        lost_points=record.run.lost_points,
        summary=flatten_config(record.summary),
        artifacts={
            artifact.path: artifact.digest
            for artifact in record.artifacts
            if not is_logged_file(artifact.path)
        },
        output=output,
        is_cut=is_cut,
        has_output=bool(output) or not _led_itself(record),
    )


def _led_itself(record: Record) -> bool:
    """Whether the program made its run itself, without a `repro run` that keeps its output."""
    randomness = record.randomness
    return randomness.get("bootstrap") is False and randomness.get("seed") is not None


def _read_output(project: Project, record: Record) -> tuple[bytes, bool]:
    """The output, and whether that is only its head because the rest is not here."""
    output = read_part(project, record, "output.log") or b""
    cut = find_cut(output)
    if cut is None:
        return output, False
    whole = _read_whole(project, cut.digest, cut.size)
    # A command can print such a line too: only what has this head and tail is its output.
    for start in (cut.head, cut.head.removesuffix(b"\n")):
        if whole is not None and whole.startswith(start) and whole.endswith(cut.tail):
            return whole, False
    return cut.head, True


def _read_whole(project: Project, digest: str, most: int) -> bytes | None:
    content = ContentStore(project.store)
    try:
        size = content.path_of(digest).stat().st_size
        return content.read(digest) if size <= min(most, _WHOLE_LIMIT) else None
    except (DamagedRecordError, OSError):
        return None


def _align_cut(original: Side, again: Side) -> tuple[Side, Side]:
    """Both outputs up to where the first one was cut."""
    if not (original.is_cut or again.is_cut):
        return original, again
    ends = (side.output.count(b"\n") for side in (original, again) if side.is_cut)
    count = min(ends)
    short = [b"\n".join(side.output.split(b"\n")[:count]) for side in (original, again)]
    return replace(original, output=short[0]), replace(again, output=short[1])
