"""The record of a run as files of a git tree (FORMAT.md section "The record")."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.canonical import Json, format_json, parse_json
from repro.model.configfile import format_config, parse_config
from repro.model.ids import RunId, is_id
from repro.model.paths import validate_path
from repro.model.run import (
    FORMAT_VERSION,
    Artifact,
    Attempt,
    MetricSummary,
    Omitted,
    Record,
    Run,
    Status,
)
from repro.model.series import Point, parse_series, parse_table
from repro.store.curations import decode_curation, encode_curation
from repro.store.datafacts import check_data_path
from repro.store.fields import Fields
from repro.store.objects import (
    Objects,
    is_oid,
    parse_tree,
    read_commit,
)
from repro.store.seriestables import SYSTEM, find_files, list_tables

if TYPE_CHECKING:
    from repro.model.verdict import Verdict

RUN_FILE = "run.json"
ENVIRONMENT_FILE = "environment.json"

_VERDICT = "verdict.json"
_BRIEF_FILES = ("config.yaml", "metrics.json", "data.json", _VERDICT)
_LONG_FILES = (ENVIRONMENT_FILE, "artifacts.json", "randomness.json", "generators.json")
_RUN_KEYS = tuple(one.name for one in fields(Run) if one.name not in ("curation", "extra"))
_SUMMARY_KEYS = tuple(field.name for field in fields(MetricSummary))
_FLOATS = (float, int, float, float, int, float, int, float, int)
_PLAIN_SUMMARIES = {(*_FLOATS, type(None)), (*_FLOATS, str)}
_KNOWN = {*_RUN_KEYS, "curation", "format"}


def encode_record(record: Record) -> dict[str, bytes]:
    """The files of the record that are JSON or YAML, by path; series and output are not."""
    files = {
        RUN_FILE: format_json(encode_run(record.run)),
        "config.yaml": format_config(record.config),
        "metrics.json": format_json(
            {"metrics": encode_metrics(record.metrics), "summary": dict(record.summary)}
        ),
        "data.json": format_json(dict(record.data)),
        ENVIRONMENT_FILE: format_json(dict(record.environment)),
        "artifacts.json": format_json([asdict(artifact) for artifact in record.artifacts]),
    }
    if record.verdict is not None:
        from repro.store.verdicts import encode_verdict  # noqa: PLC0415  # few runs have one

        files[_VERDICT] = format_json(encode_verdict(record.verdict))
    for name in ("randomness", "generators"):
        if values := getattr(record, name):
            files[f"{name}.json"] = format_json(dict(values))
    return files


def encode_run(run: Run) -> dict[str, Json]:
    """What `run.json` says, keys of newer versions that `run` was read with included."""
    known: dict[str, Json] = {key: getattr(run, key) for key in _RUN_KEYS}
    known["format"] = FORMAT_VERSION
    known["status"] = run.status.value
    known["assigned"] = None if run.assigned is None else dict(run.assigned)
    known["command"] = list(run.command)
    known["tags"] = list(run.tags)
    for key in ("warnings", "foreign", "unwatched"):
        known[key] = list(getattr(run, key))
    known["omitted"] = [asdict(omitted) for omitted in run.omitted]
    known["attempts"] = [_encode_attempt(attempt) for attempt in run.attempts]
    if run.curation is not None:
        known["curation"] = encode_curation(run.curation)
    return {**run.extra, **known}


def encode_metrics(metrics: Mapping[str, MetricSummary]) -> dict[str, Json]:
    """The `metrics` of a `metrics.json`."""
    return {
        name: {key: getattr(summary, key) for key in _SUMMARY_KEYS}
        for name, summary in metrics.items()
    }


def _encode_attempt(attempt: Attempt) -> dict[str, Json]:
    return {**asdict(attempt), "status": attempt.status.value}


def decode_run(value: Json, name: str) -> Run:
    """Read what `encode_run` gave; keys that this version does not know go to `extra`.

    Args:
        name: The file, for messages.

    Raises:
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: A key is missing or has another type.
    """
    run = Fields(value, name)
    _refuse_newer(run)
    run_id = run.text("id")
    if not is_id(run_id):
        raise run.wrong("id", "is no run id")
    return Run(
        id=RunId(run_id),
        name=run.optional_text("name"),
        status=_status(run),
        created=run.time("created"),
        started=run.time("started"),
        ended=run.optional_time("ended"),
        duration_s=run.optional_finite("duration_s"),
        command=run.texts("command"),
        cwd=_folder(run),
        assigned=None if run.values.get("assigned") is None else run.inner("assigned").values,
        exit_code=run.optional_integer("exit_code"),
        signal=run.optional_text("signal"),
        pruned=run.values.get("pruned") is True,  # absent in older ones
        base=run.optional_text("base", is_oid),
        snapshot=run.optional_text("snapshot", is_oid),
        branch=run.optional_text("branch"),
        dirty=run.boolean("dirty"),
        user=run.text("user"),
        host=run.text("host"),
        parent=run.optional_text("parent", is_id),
        rerun_of=run.optional_text("rerun_of", is_id),
        sweep=run.optional_text("sweep"),
        trial=run.optional_integer("trial"),
        tags=run.texts("tags"),
        note=run.optional_text("note"),
        identity=run.optional_text("identity"),
        omitted=tuple(_omitted(entry) for entry in run.objects("omitted")),
        attempts=tuple(_attempt(entry) for entry in run.objects("attempts")),
        lost_points=run.integer("lost_points"),
        skipped_lines=run.integer("skipped_lines"),
        warnings=run.texts("warnings"),
        foreign=run.texts("foreign"),
        unwatched=run.texts("unwatched"),
        curation=decode_curation(run),
        extra={key: entry for key, entry in run.values.items() if key not in _KNOWN},
    )


def _refuse_newer(run: Fields) -> None:
    version = run.integer("format")
    if version < 1:
        raise run.wrong("format", "is no version")
    if version > FORMAT_VERSION:
        given = run.values.get("id")
        who = f"run `{given}`" if isinstance(given, str) and is_id(given) else run.name
        raise NewerFormatError(
            f"{who} was written by a newer repro (format {version};"
            f" this one reads up to {FORMAT_VERSION})",
            hint="upgrade repro: `pip install --upgrade git-repro`",
        )


def _status(entry: Fields) -> Status:
    try:
        return Status(entry.text("status"))
    except ValueError as error:
        raise entry.wrong("status", "is no status") from error


def _folder(run: Fields) -> str:
    """Where the command ran: touched again by `exec`, so never outside the root."""
    cwd = run.text("cwd")
    if cwd != ".":
        # A newline in the name of the user's own folder is odd, not an escape.
        validate_path(cwd.replace("\n", "_"))
    return cwd


def _omitted(entry: Fields) -> Omitted:
    return Omitted(entry.text("path"), entry.optional_integer("size"), entry.text("reason"))


def _attempt(entry: Fields) -> Attempt:
    return Attempt(
        started=entry.time("started"),
        ended=entry.optional_time("ended"),
        status=_status(entry),
        exit_code=entry.optional_integer("exit_code"),
        host=entry.text("host"),
        snapshot=entry.optional_text("snapshot", is_oid),
    )


def decode_metrics(value: Json, name: str) -> dict[str, MetricSummary]:
    """Read the summary of each metric from the `metrics` of a `metrics.json`.

    Raises:
        DamagedRecordError: A key is missing or has another type.
    """
    outer = Fields(value, name)
    metrics = {}
    for metric, entry in outer.values.items():
        # Nearly all summaries are of finite numbers.
        values = tuple(map(entry.get, _SUMMARY_KEYS)) if isinstance(entry, dict) else ()
        if tuple(map(type, values)) in _PLAIN_SUMMARIES:
            metrics[metric] = MetricSummary(*values)  # type: ignore[arg-type]
        else:
            metrics[metric] = _summary(outer.inner(metric))
    return metrics


def _summary(entry: Fields) -> MetricSummary:
    return MetricSummary(
        last=entry.number("last"),
        last_step=entry.integer("last_step"),
        first=entry.number("first"),
        min=entry.optional_number("min"),
        min_step=entry.optional_integer("min_step"),
        max=entry.optional_number("max"),
        max_step=entry.optional_integer("max_step"),
        mean=entry.optional_number("mean"),
        count=entry.integer("count"),
        goal=entry.optional_text("goal"),
    )


def _artifact(entry: Fields) -> Artifact:
    path, where = entry.text("path"), entry.text("where")
    validate_path(path)
    if where == "git":
        return Artifact(path, entry.integer("size"), entry.sha256("digest"), "git")
    if where == "store":
        return Artifact(path, entry.integer("size"), entry.sha256("digest"), "store")
    raise entry.wrong("where", "is neither `git` nor `store`")


def _data(value: Json, name: str) -> dict[str, Json]:
    outer = Fields(value, name)
    for dataset in outer.values:
        path = outer.inner(dataset).values.get("path")
        if isinstance(path, str):
            check_data_path(path)
    return dict(outer.values)


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """The JSON and YAML files of a run commit, as they are.

    Attributes:
        commit: Object id of the run commit.
        snapshot: Its first parent, None where it has none.
        contents: By name.
        environment: Object id of its environment.json, read or not; None where it has none.
    """

    commit: str
    snapshot: str | None
    contents: Mapping[str, bytes]
    environment: str | None = None


def read_record(objects: Objects, commit_oid: str) -> Record:
    """Read the record of the run commit `commit_oid`.

    Raises:
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: It breaks FORMAT.md; the message says where.
    """
    return decode_record(read_record_files(objects, commit_oid))


def read_record_files(objects: Objects, commit_oid: str, *, brief: bool = False) -> RecordFiles:
    """Read the files of a record.

    Args:
        brief: Leave environment and artifacts out: what a list of runs does not show.

    Raises:
        DamagedRecordError: One is missing or corrupt, or it is no run commit.
    """
    commit = read_commit(objects, commit_oid)
    kind, payload = objects.read(commit.tree)
    if kind != "tree":
        raise DamagedRecordError(f"object {commit.tree} is a {kind}, not a tree")
    entries = {entry.name: entry for entry in parse_tree(payload, len(commit.tree) // 2)}
    if RUN_FILE not in entries:
        raise DamagedRecordError(f"commit {commit_oid} holds no {RUN_FILE}: it is no run")
    names = (RUN_FILE, *_BRIEF_FILES) if brief else (RUN_FILE, *_BRIEF_FILES, *_LONG_FILES)
    environment = entries.get(ENVIRONMENT_FILE)
    wanted = [entries[name] for name in names if name in entries]
    contents = {}
    answers = objects.read_many([entry.oid for entry in wanted])
    for entry, answer in zip(wanted, answers, strict=True):
        if answer is None or answer[0] != "blob":
            raise DamagedRecordError(
                f"`{entry.name}` (object {entry.oid}) is missing or corrupt",
                hint="`git fsck` says which objects are",
            )
        contents[entry.name] = answer[1]
    snapshot = next(iter(commit.parents), None)
    return RecordFiles(commit_oid, snapshot, contents, environment.oid if environment else None)


def decode_record(files: RecordFiles) -> Record:
    """Read the files of a record; what a record lacks is empty.

    Raises:
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: It breaks FORMAT.md; the message says where.
    """
    read = files.contents
    run = decode_run(parse_json(read[RUN_FILE], name=RUN_FILE), RUN_FILE)
    if run.snapshot not in (None, files.snapshot):
        raise DamagedRecordError(f"the snapshot of run `{run.id}` is not its commit's first parent")
    metrics, summary = _metrics(read)
    artifacts = Fields({"artifacts": _json(read, "artifacts.json", [])}, "artifacts.json")
    return Record(
        run=run,
        commit=files.commit,
        config=parse_config(read.get("config.yaml", b"{}\n"), name="config.yaml"),
        metrics=metrics,
        summary=summary,
        data=_data(_json(read, "data.json", {}), "data.json"),
        environment=Fields(_json(read, ENVIRONMENT_FILE, {}), ENVIRONMENT_FILE).values,
        artifacts=tuple(_artifact(entry) for entry in artifacts.objects("artifacts")),
        verdict=_verdict(read[_VERDICT], run) if _VERDICT in read else None,
        randomness=Fields(_json(read, "randomness.json", {}), "randomness.json").values,
        generators=Fields(_json(read, "generators.json", {}), "generators.json").values,
    )


def _metrics(read: Mapping[str, bytes]) -> tuple[dict[str, MetricSummary], dict[str, Json]]:
    """The summaries of the metrics, and what else was said of the run."""
    if "metrics.json" in read and "msgspec" in sys.modules:  # importing it takes as long as 50 runs
        from repro.store.plainmetrics import read_plain_metrics  # noqa: PLC0415

        if (plain := read_plain_metrics(read["metrics.json"])) is not None:
            return plain
    values = Fields(_json(read, "metrics.json", {}), "metrics.json").values
    return (
        decode_metrics(values.get("metrics", {}), "metrics.json"),
        Fields(values.get("summary", {}), "metrics.json").values,
    )


def _verdict(data: bytes, run: Run) -> "Verdict":
    from repro.store.verdicts import decode_verdict  # noqa: PLC0415  # few runs have one

    verdict = decode_verdict(parse_json(data, name=_VERDICT), _VERDICT)
    if verdict.run != run.id:
        raise DamagedRecordError(f"`{_VERDICT}` of run `{run.id}` is about another run")
    return verdict


def _json(read: Mapping[str, bytes], name: str, default: Json) -> Json:
    return parse_json(read[name], name=name) if name in read else default


def read_series(
    objects: Objects, commit_oid: str, *, stored: Callable[[str], bytes] | None = None
) -> dict[str, list[Point]]:
    """Read all points of a run, by metric, each in the order of its steps.

    Args:
        stored: Gives the bytes of a digest from the content store: series past 16 MiB are there.

    Raises:
        DamagedRecordError: A table is missing or malformed.
    """
    tables = list_tables(objects, commit_oid, stored=stored)
    return parse_series({path: read() for path, read in tables.items()})


def read_system(objects: Objects, commit_oid: str) -> dict[str, list[Point]]:
    """Read what the sampler saw of the machine during a run (CPU, memory, GPU), by name.

    Raises:
        DamagedRecordError: The table is missing or malformed.
    """
    oid = find_files(objects, commit_oid).get(SYSTEM)
    return parse_table(objects.read(oid)[1], path=SYSTEM) if oid else {}
