"""The record of a run, made from its live folder and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repro.core.earlier import Earlier
from repro.core.events import Events, drop_shadowed, read_events
from repro.core.mediaseal import by_step, seal_media
from repro.core.outputs import FILES, Signature, collect_files
from repro.core.ownfiles import UNKEPT, find_unkept
from repro.core.pins import manifest_files
from repro.core.python_ran import doubt_environment
from repro.core.started import Started, surrounding_files
from repro.model.canonical import MAX_BYTES, Json, format_json
from repro.model.config import merge_config
from repro.model.curation import stamp_changes
from repro.model.dotted import find_path, with_value
from repro.model.environment import split_launch
from repro.model.launchers import starts_python
from repro.model.marking import Marker
from repro.model.objective import find_goal_of
from repro.model.output import collapse_output, cut_output
from repro.model.randomness import Reports, describe_randomness
from repro.model.run import Artifact, Attempt, Record, Run, Status
from repro.model.secrets import redact_config, redact_text
from repro.model.series import Point, Row, format_series, format_system, merge_rows, summarise
from repro.model.times import format_time, parse_time
from repro.store.collector import no_collection
from repro.store.content import ContentStore
from repro.store.journal import read_journals
from repro.store.quarantine import Existing
from repro.store.random_reports import read_generators, read_reports
from repro.store.runs import encode_record

_LONGEST_COMMAND = 200  # characters of one that is named
OUTPUT_LIMIT = 10 << 20  # bytes of output.log in git; all of it goes to the store past that
SERIES_LIMIT = 16 << 20  # bytes of metrics/ in git
_MOST_TOLD = 10  # files of the run's own that are not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A record ready to be written: its values, its files by path, and when the run ended.

    Attributes:
        seen: What those in the run's own folder that are artifacts were, by name.
    """

    record: Record
    files: Mapping[str, bytes | Path | Existing]
    ended_at: float
    seen: Mapping[str, Signature]


@no_collection()
def assemble(
    started: Started,
    folder: Path,
    content: ContentStore,
    earlier: Earlier,
    marker: Marker,
) -> Sealed:
    """Make the record of the run in the live folder.

    Args:
        content: Where output and series go that are too long for git.
        earlier: What the attempts before this one left.
        marker: Stands in for secrets.
    """
    events = read_events(started, read_journals(folder))
    seen = _take_files(folder, content, events)
    series = merge_rows([*_earlier_rows(earlier.series), *events.rows])
    goals = {**earlier.goals, **events.goals}
    metrics = {
        name: replace(summary, goal=find_goal_of(name, goals))
        for name, summary in summarise(series).items()
    }
    ended_at = max(events.last_time, parse_time(started.run.started))
    files: dict[str, bytes | Path | Existing] = {}
    files.update(_output_files(folder, content, earlier.output, marker))
    files.update(_series_files(series, content))
    if earlier.system or events.system:
        files["metrics/system.csv"] = format_system(_all_samples(earlier.system, events.system))
    files.update({f"artifacts/{name}": data for name, data in earlier.files.items()})
    files.update(_artifact_files(folder, events))
    media = {**by_step(earlier.media), **events.media}
    shown = seal_media(folder, content, media, earlier.media_files, marker)
    files.update(shown.files)
    events.warnings.extend(shown.warnings)
    files.update(_notebook_files(folder, marker))
    for path, tree in started.submodules.items():
        files[f"submodules/{path}"] = Existing("040000", tree)
    files.update(surrounding_files(started.editables, started.lockfiles))
    files.update(manifest_files({**started.manifests, **events.manifests}))
    artifacts = {**earlier.artifacts, **events.artifacts}
    environment, launch = split_launch({**started.environment, **events.environment})
    if launch:
        files["launch.json"] = format_json(launch)
    reports = read_reports(folder)
    run = _watched(_ended_run(started, events, ended_at), started, reports)
    environment, run = doubt_environment(environment, run, reports.processes)
    run = without_secrets(run, marker)
    record = Record(
        run=run,
        config=redact_config(_config(started, events), marker),
        metrics=metrics,
        summary=redact_config({**earlier.summary, **events.summary}, marker),
        data={**started.data, **events.data},
        environment=environment,
        artifacts=tuple(artifacts[path] for path in sorted(artifacts)),
        randomness=describe_randomness(started.randomness, reports.processes, events.randomness),
        generators=read_generators(folder),
    )
    record, encoded = _encode(record)
    files.update(encoded)
    return Sealed(record=record, files=files, ended_at=ended_at, seen=seen)


def _config(started: Started, events: Events) -> dict[str, Json]:
    """The config; a varied param that nothing read is as in the original, whatever was said."""
    config = merge_config(started.config, events.config)
    for key, value in events.unread.items():
        config = with_value(config, find_path(config, key) or (key,), value)
    return config


def _encode(record: Record) -> tuple[Record, dict[str, bytes]]:
    """The record and its files; without summaries that are more than a reader takes."""
    files = encode_record(record)
    if len(files["metrics.json"]) > MAX_BYTES:
        count = len(record.metrics)
        warning = f"{count:,} metrics are too many to be summarised; `metrics/` has all points"
        run = replace(record.run, warnings=(*record.run.warnings, warning))
        record = replace(record, run=run, metrics={})
        files = encode_record(record)
    return record, files


def _ended_run(started: Started, events: Events, ended_at: float) -> Run:
    end = events.end or {}
    run = started.run
    status = Status(end.get("status", Status.LOST))
    ended = format_time(ended_at)
    attempt = Attempt(
        started=run.started,
        ended=ended,
        status=status,
        exit_code=end.get("exit_code"),
        host=run.host,
        snapshot=run.snapshot,
    )
    attempts = (*run.attempts, attempt)
    spent = sum(parse_time(one.ended or one.started) - parse_time(one.started) for one in attempts)
    sealed = replace(
        run,
        name=events.name,
        note=events.note,
        tags=tuple(dict.fromkeys(events.tags)),
        status=status,
        ended=ended,
        duration_s=round(spent, 6),
        identity=(events.identity or run.identity)
        if _knew_all_conditions(started, events)
        else None,
        exit_code=end.get("exit_code"),
        signal=end.get("signal"),
        # A command that finished before it heard of that has its result.
        pruned=end.get("pruned") is True or (events.is_pruned and status is not Status.FINISHED),
        attempts=attempts,
        lost_points=run.lost_points + events.lost,
        skipped_lines=run.skipped_lines + events.skipped,
        warnings=(
            *run.warnings,
            *events.warnings,
            *(f"nothing read `{key}`: it was not varied" for key in events.unread),
        ),
    )
    # Before the first end nobody else can have said anything of it.
    return stamp_changes(run, sealed, ended_at) if run.attempts else sealed


def without_secrets(run: Run, marker: Marker) -> Run:
    """The run with marks for keys and passwords in what people and programs said of it."""
    return replace(
        run,
        name=run.name and redact_text(run.name, marker),
        note=run.note and redact_text(run.note, marker),
        tags=tuple(redact_text(tag, marker) for tag in run.tags),
        warnings=tuple(redact_text(warning, marker) for warning in run.warnings),
    )


def _watched(run: Run, started: Started, reports: Reports) -> Run:
    """The run with what is known of where its code came from."""
    unwatched = reports.unwatched
    # In a rerun each Python says that it is there, unless its options or variables keep us out.
    is_silent = run.rerun_of is not None and not reports.processes
    if is_silent and started.randomness.get("seed") is not None and starts_python(run.command):
        unwatched = (" ".join(run.command)[:_LONGEST_COMMAND], *unwatched)
    return replace(run, foreign=reports.foreign, unwatched=unwatched)


def _knew_all_conditions(started: Started, events: Events) -> bool:
    """Whether no other data or params came into use than the identity of the run was made of."""
    return not events.unread and all(
        started.data.get(name) == facts for name, facts in events.data.items()
    )


def _earlier_rows(earlier: Mapping[str, Sequence[Point]]) -> Iterator[Row]:
    for name, points in earlier.items():
        for number, point in enumerate(points):
            yield Row(point.step, point.time, {name: point.value}, (0, -1, number))


def _all_samples(
    earlier: Mapping[str, Sequence[Point]], rows: Sequence[Row]
) -> dict[str, list[Point]]:
    """Samples have no step of their own: those of a later attempt are numbered on."""
    first = max((points[-1].step + 1 for points in earlier.values() if points), default=0)
    moved = [row._replace(step=row.step + first) for row in rows]
    return merge_rows([*_earlier_rows(earlier), *moved])


def _take_files(folder: Path, content: ContentStore, events: Events) -> dict[str, Signature]:
    """Add the files in the run's own folder to its artifacts; what was said of a name wins.

    Returns:
        Of each that was added what it was before, by name.
    """
    found: dict[str, Artifact] = {}
    warnings: list[str] = []
    seen: dict[str, Signature] = {}
    for one in collect_files(folder, content.dir, seen):
        if isinstance(one, str):
            warnings.append(one)
        else:
            found[one.path] = one
    events.warnings.extend(warnings[:_MOST_TOLD])
    events.artifacts = {**found, **events.artifacts}
    drop_shadowed(events)
    seen = {path: seen[path] for path in found if events.artifacts.get(path) == found[path]}
    if unkept := find_unkept(folder / FILES, events.artifacts, seen):
        events.warnings.append(
            f"files in the folder of this run that its record does not have: {len(unkept):,}; "
            f"`.git/repro/{UNKEPT}/{folder.name}` has them"
        )
    return seen


def _artifact_files(folder: Path, events: Events) -> dict[str, bytes | Path | Existing]:
    """Those that go into git; one whose bytes are gone is taken out of `events` with a warning."""
    files: dict[str, bytes | Path | Existing] = {}
    for artifact in list(events.artifacts.values()):
        kept = folder / "artifacts" / artifact.digest.removeprefix("sha256:")
        if artifact.where == "git" and kept.is_file():
            files[f"artifacts/{artifact.path}"] = kept
        elif artifact.where == "git":
            del events.artifacts[artifact.path]
            events.warnings.append(f"artifact `{artifact.path}` is not kept: its bytes are gone")
    return files


def _output_files(
    folder: Path, content: ContentStore, earlier: bytes, marker: Marker
) -> dict[str, bytes | Path | Existing]:
    path = folder / "output.log"
    output = earlier
    if path.exists():
        # Here, for the rules take 5 ms, which a run without output need not spend.
        from repro.model.scrub import scrub  # noqa: PLC0415

        output += scrub(collapse_output(path.read_bytes()), marker)
    if not output:
        return {}
    if len(output) <= OUTPUT_LIMIT:
        return {"output.log": output}
    digest = content.put_bytes(output)
    return {"output.log": cut_output(output, OUTPUT_LIMIT, digest)}


def _series_files(
    series: Mapping[str, list[Point]], content: ContentStore
) -> dict[str, bytes | Path | Existing]:
    files = format_series(series)
    total = sum(map(len, files.values()))
    if total <= SERIES_LIMIT:
        return dict(files)
    pointers: dict[str, Json] = {
        path: {"digest": content.put_bytes(data), "size": len(data)} for path, data in files.items()
    }
    return {"metrics/store.json": format_json(pointers)}


def _notebook_files(folder: Path, marker: Marker) -> dict[str, bytes | Path | Existing]:
    notebook = folder / "notebook"
    if not notebook.is_dir():
        return {}
    from repro.model.scrub import scrub  # noqa: PLC0415  # as above

    return {
        f"notebook/{path.name}": scrub(path.read_bytes(), marker)
        for path in sorted(notebook.iterdir())
        if path.is_file()
    }
