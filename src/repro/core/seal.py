"""The record of a run, made from its live folder and nothing else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from repro.errors import DamagedRecordError
from repro.model.canonical import Json, format_json
from repro.model.config import merge_config
from repro.model.output import collapse_output, cut_output
from repro.model.run import Artifact, Attempt, Record, Run, Status
from repro.model.secrets import redact_config
from repro.model.series import Point, Row, format_series, format_system, merge_rows, summarise
from repro.model.times import format_time, parse_time
from repro.store.content import ContentStore
from repro.store.journal import Journal, read_journals
from repro.store.quarantine import Existing, Identity
from repro.store.runs import encode_record

OUTPUT_LIMIT = 10 << 20  # bytes of output.log in git; all of it goes to the store past that
SERIES_LIMIT = 16 << 20  # bytes of metrics/ in git

_Order = tuple[int, int, int]  # rank, writer, place in its journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What was known of a run when it started; `start.json` holds it.

    Attributes:
        run: With status `running`.
        anchor: What `refs/repro/live/<id>` names.
        submodules: Tree of each recorded submodule, by path.
        resumed: The run commit that this attempt continues.
        journal: File name of the journal whose `end` record counts.
    """

    run: Run
    config: Mapping[str, Json]
    environment: Mapping[str, Json]
    data: Mapping[str, Json]
    author: Identity
    anchor: str
    submodules: Mapping[str, str]
    resumed: str | None
    journal: str

    @property
    def snapshot(self) -> str:
        """The commit whose tree is the code."""
        return self.run.snapshot or self.anchor

    def to_json(self, encode_run: Callable[[Run], dict[str, Json]]) -> dict[str, Json]:
        """As `start.json` says it."""
        return {
            "run": encode_run(self.run),
            "config": dict(self.config),
            "environment": dict(self.environment),
            "data": dict(self.data),
            "author": {"name": self.author.name, "email": self.author.email},
            "anchor": self.anchor,
            "submodules": dict(self.submodules),
            "resumed": self.resumed,
            "journal": self.journal,
        }

    @classmethod
    def from_json(
        cls, value: Any, decode_run: Callable[[dict[str, Any], str], Run], name: str
    ) -> "Started":
        """Read what `to_json` wrote.

        Raises:
            DamagedRecordError: `value` has another shape; the message names the file `name`.
        """
        try:
            return cls(
                run=decode_run(value["run"], name),
                config=dict(value["config"]),
                environment=dict(value["environment"]),
                data=dict(value["data"]),
                author=Identity(str(value["author"]["name"]), str(value["author"]["email"])),
                anchor=str(value["anchor"]),
                submodules={str(path): str(oid) for path, oid in value["submodules"].items()},
                resumed=value["resumed"],
                journal=str(value["journal"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DamagedRecordError(f"`{name}` is not what repro wrote: {error!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A record ready to be written: its values, its files by path, and when the run ended."""

    record: Record
    files: Mapping[str, bytes | Path | Existing]
    ended_at: float


@dataclass
class _Events:
    """What the journals of a run say, sorted by kind."""

    rows: list[Row] = field(default_factory=list)
    system: list[Row] = field(default_factory=list)
    config: dict[str, Json] = field(default_factory=dict)
    summary: dict[str, Json] = field(default_factory=dict)
    goals: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    environment: dict[str, Json] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    name: str | None = None
    note: str | None = None
    end: Mapping[str, Any] | None = None
    lost: int = 0
    skipped: int = 0
    last_time: float = 0.0


def assemble(
    started: Started,
    folder: Path,
    content: ContentStore,
    earlier: Mapping[str, Sequence[Point]],
) -> Sealed:
    """Make the record of the run in the live folder.

    Args:
        content: Where output and series go that are too long for git.
        earlier: Points of the attempts before this one.
    """
    events = _read_events(started, read_journals(folder))
    series = merge_rows([*_earlier_rows(earlier), *events.rows])
    metrics = {
        name: replace(summary, goal=events.goals.get(name))
        for name, summary in summarise(series).items()
    }
    ended_at = max(events.last_time, parse_time(started.run.started))
    warnings = list(events.warnings)
    files: dict[str, bytes | Path | Existing] = {}
    files.update(_output_files(folder, content))
    files.update(_series_files(series, content, warnings))
    if events.system:
        files["metrics/system.csv"] = format_system(merge_rows(events.system))
    for artifact in events.artifacts.values():
        if artifact.where == "git":
            files[f"artifacts/{artifact.path}"] = folder / "artifacts" / artifact.digest[7:]
    files.update(_notebook_files(folder))
    for path, tree in started.submodules.items():
        files[f"submodules/{path}"] = Existing("040000", tree)
    record = Record(
        run=_ended_run(started, events, ended_at, warnings),
        config=redact_config(merge_config(started.config, events.config)),
        metrics=metrics,
        summary=events.summary,
        data=started.data,
        environment={**started.environment, **events.environment},
        artifacts=tuple(events.artifacts[path] for path in sorted(events.artifacts)),
    )
    files.update(encode_record(record))
    return Sealed(record=record, files=files, ended_at=ended_at)


def _read_events(started: Started, journals: Sequence[Journal]) -> _Events:
    events = _Events(tags=list(started.run.tags), name=started.run.name, note=started.run.note)
    ordered: list[tuple[float, _Order, bool, Mapping[str, Any]]] = []
    for writer, journal in enumerate(journals):
        events.skipped += journal.skipped_lines
        rank = int(journal.header.get("rank", 0))
        moment = float(journal.header.get("t", 0.0))
        for number, record in enumerate(journal.records):
            # A record without a time of its own stays right behind the one before it.
            moment = float(record.get("t", moment))
            is_owner = journal.name == started.journal
            ordered.append((moment, (rank, writer, number), is_owner, record))
        events.last_time = max(events.last_time, moment)
    for _, order, is_owner, record in sorted(ordered, key=lambda item: item[:2]):
        _take(events, record, order, is_owner=is_owner)
    return events


def _take(events: _Events, record: Mapping[str, Any], order: _Order, *, is_owner: bool) -> None:
    match record.get("k"):
        case "log":
            values = {name: float(value) for name, value in record["m"].items()}
            events.rows.append(Row(record["s"], record["t"], values, order))
        case "system":
            values = {name: float(value) for name, value in record["m"].items()}
            events.system.append(Row(len(events.system), record["t"], values, (0, 0, order[2])))
        case "config" if order[0] == 0:
            events.config = merge_config(events.config, record["c"])
        case "summary" if order[0] == 0:
            events.summary.update(record["s"])
        case "define":
            events.goals[record["n"]] = record.get("goal") or ""
        case "artifact":
            artifact = Artifact(record["path"], record["size"], record["digest"], record["where"])
            events.artifacts[artifact.path] = artifact
        case "environment" if order[0] == 0:
            events.environment = record["v"]
        case "tags":
            events.tags.extend(record["v"])
        case "name":
            events.name = record["v"]
        case "note":
            events.note = record["v"]
        case "warning":
            events.warnings.append(record["v"])
        case "lost":
            events.lost += record["n"]
        case "end" if is_owner:
            events.end = record


def _ended_run(
    started: Started, events: _Events, ended_at: float, warnings: Sequence[str]
) -> Run:
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
    return replace(
        run,
        name=events.name,
        note=events.note,
        tags=tuple(dict.fromkeys(events.tags)),
        status=status,
        ended=ended,
        duration_s=round(spent, 6),
        exit_code=end.get("exit_code"),
        signal=end.get("signal"),
        attempts=attempts,
        lost_points=run.lost_points + events.lost,
        skipped_lines=run.skipped_lines + events.skipped,
        warnings=(*run.warnings, *warnings),
    )


def _earlier_rows(earlier: Mapping[str, Sequence[Point]]) -> Iterator[Row]:
    for name, points in earlier.items():
        for number, point in enumerate(points):
            yield Row(point.step, point.time, {name: point.value}, (0, -1, number))


def _output_files(folder: Path, content: ContentStore) -> dict[str, bytes | Path | Existing]:
    path = folder / "output.log"
    if not path.exists():
        return {}
    output = collapse_output(path.read_bytes())
    if len(output) <= OUTPUT_LIMIT:
        return {"output.log": output}
    digest = content.put_bytes(output)
    return {"output.log": cut_output(output, OUTPUT_LIMIT, digest)}


def _series_files(
    series: Mapping[str, list[Point]], content: ContentStore, warnings: list[str]
) -> dict[str, bytes | Path | Existing]:
    files = format_series(series)
    total = sum(map(len, files.values()))
    if total <= SERIES_LIMIT:
        return dict(files)
    # A pointer in place of each table; `read_series` follows it.
    pointers: dict[str, Json] = {}
    for path, data in files.items():
        pointers[path] = {"digest": content.put_bytes(data), "size": len(data)}
    return {"metrics/store.json": format_json(pointers)}


def _notebook_files(folder: Path) -> dict[str, bytes | Path | Existing]:
    notebook = folder / "notebook"
    if not notebook.is_dir():
        return {}
    return {f"notebook/{path.name}": path for path in sorted(notebook.iterdir()) if path.is_file()}

