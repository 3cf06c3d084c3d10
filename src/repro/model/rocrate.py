"""Runs described for other tools: the JSON-LD of an RO-Crate.

Source: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and the profile Process Run Crate 0.5
(https://w3id.org/ro/wfrun/process/0.5). Only what a record says is in it, so the same runs have
the same text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from repro.model.canonical import Json
from repro.model.run import MetricSummary, Record, Run, Status
from repro.model.text import escape

METADATA = "ro-crate-metadata.json"

_CRATE = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_REPRO = "urn:repro:program"
_ENDS = {
    Status.FINISHED: "http://schema.org/CompletedActionStatus",
    Status.RUNNING: "http://schema.org/ActiveActionStatus",
}
_FAILED = "http://schema.org/FailedActionStatus"

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CratePart:
    """A file or folder of the crate that a run read or made.

    Attributes:
        path: Where it is in the crate, relative, with `/`; a folder ends with `/`.
        name: What it is, for people.
        size: Bytes; None for a folder.
        media: Its media type, None where that is not known.
        sha256: 64 hex digits, None where they are not known.
    """

    path: str
    name: str
    size: int | None = None
    media: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrateRun:
    """A run in a crate.

    Attributes:
        inputs: What it read: code, config, datasets.
        results: What it made: metrics, series, output, artifacts.
    """

    record: Record
    inputs: Sequence[CratePart]
    results: Sequence[CratePart]


def describe_crate(
    runs: Sequence[CrateRun], *, name: str, others: Sequence[CratePart] = (), licence: str | None
) -> dict[str, Json]:
    """Give what `ro-crate-metadata.json` says of runs.

    Args:
        name: Of the crate.
        others: Parts of the crate that belong to no run, such as its README.
        licence: Path of the licence in the crate, None where the code has none.
    """
    ends = [run.record.run.ended or run.record.run.started for run in runs]
    parts = {part.path: part for run in runs for part in (*run.inputs, *run.results)} | {
        part.path: part for part in others
    }
    licence_id = _id(licence) if licence else "#no-licence"
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": _ref(_PROFILE),
        "name": name,
        "description": f"{_count(len(runs))} recorded by repro, each with its exact code",
        "datePublished": max(ends, default="1970-01-01")[:10],
        "license": _ref(licence_id),
        "hasPart": _refs(_id(path) for path in sorted({*parts, *([licence] if licence else [])})),
        "mentions": _refs(_action_id(run.record.run) for run in runs),
        "author": _refs(dict.fromkeys(_person_id(run.record.run) for run in runs)),
    }
    entities = [_descriptor(), root, _profile(), _licence(licence_id), _repro(runs)]
    entities += [_part(parts[path]) for path in sorted(parts) if path != licence]
    for run in runs:
        entities += _run_entities(run)
    return {
        "@context": [
            f"{_CRATE}/context",
            {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
        ],
        "@graph": list(_unique(entities)),
    }


def _descriptor() -> Entity:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": _ref(_CRATE),
        "about": _ref("./"),
    }


def _profile() -> Entity:
    return {
        "@id": _PROFILE,
        "@type": ["CreativeWork", "Profile"],
        "name": "Process Run Crate",
        "version": "0.5",
    }


def _licence(identifier: str) -> Entity:
    if identifier.startswith("#"):
        return {
            "@id": identifier,
            "@type": "CreativeWork",
            "name": "No licence",
            "description": "The code has no licence file: ask its authors",
        }
    return {
        "@id": identifier,
        "@type": ["File", "CreativeWork"],
        "name": "Licence of the code",
        "description": "The licence file that is in the code",
        "encodingFormat": "text/plain",
    }


def _repro(runs: Sequence[CrateRun]) -> Entity:
    versions = {str(run.record.environment.get("repro") or "") for run in runs} - {""}
    return {
        "@id": _REPRO,
        "@type": "SoftwareApplication",
        "name": "repro",
        "description": "Recorded the runs as git commits",
        "softwareVersion": ", ".join(sorted(map(escape, versions))) or "unknown",
    }


def _part(part: CratePart) -> Entity:
    entity: Entity = {"@id": _id(part.path), "name": part.name}
    if part.path.endswith("/"):
        return {**entity, "@type": "Dataset"}
    entity["@type"] = "File"
    if part.size is not None:
        entity["contentSize"] = str(part.size)
    if part.media:
        entity["encodingFormat"] = part.media
    if part.sha256:
        entity["sha256"] = part.sha256
    return entity


def _run_entities(one: CrateRun) -> list[Entity]:
    record = one.record
    run = record.run
    metrics = [_metric(run, name, summary) for name, summary in sorted(record.metrics.items())]
    packages = _packages(record.environment)
    tool = f"urn:repro:command:{run.id}"
    person = _person_id(run)
    action: Entity = {
        "@id": _action_id(run),
        "@type": "CreateAction",
        "name": escape(run.name or " ".join(run.command) or run.id),
        "description": escape(run.note or f"Run {run.id}: {_ended(run)}"),
        "identifier": run.id,
        "instrument": _ref(tool),
        "agent": _ref(person),
        "startTime": _time(run.started),
        "actionStatus": _ENDS.get(run.status, _FAILED),
        "object": _refs(_id(part.path) for part in one.inputs),
        "result": _refs(
            [*(_id(part.path) for part in one.results), *(metric["@id"] for metric in metrics)]
        ),
    }
    if run.ended:
        action["endTime"] = _time(run.ended)
    if run.status not in _ENDS:
        action["error"] = _ended(run)
    if run.tags:
        action["keywords"] = ", ".join(map(escape, run.tags))
    if run.rerun_of:
        action["isBasedOn"] = _ref(f"#run-{run.rerun_of}")
    application: Entity = {
        "@id": tool,
        "@type": "SoftwareApplication",
        "name": escape(" ".join(run.command) or "a program that recorded itself"),
        "softwareVersion": run.snapshot or run.base or "unknown",
        "softwareRequirements": _refs(package["@id"] for package in packages),
    }
    human: Entity = {"@id": person, "@type": "Person", "name": escape(run.user)}
    return [action, application, human, *metrics, *packages]


def _ended(run: Run) -> str:
    if run.signal:
        return f"{run.status} by {escape(run.signal)}"
    return f"{run.status}, exit code {run.exit_code}" if run.exit_code is not None else run.status


def _metric(run: Run, name: str, summary: MetricSummary) -> Entity:
    return {
        "@id": f"#metric-{run.id}-{quote(name, safe='')}",
        "@type": "PropertyValue",
        "name": escape(name),
        "value": repr(summary.last),
    }


def _packages(environment: Mapping[str, Json]) -> list[Entity]:
    """The interpreter, then the packages of an environment, each by its package URL (purl)."""
    interpreter = environment.get("interpreter")
    found = []
    if isinstance(interpreter, Mapping) and interpreter.get("version"):
        name = str(interpreter.get("implementation") or "Python")
        found.append(("generic", name, str(interpreter["version"])))
    packages = environment.get("packages")
    listed = packages.get("list") if isinstance(packages, Mapping) else None
    for package in listed if isinstance(listed, list) else []:
        if isinstance(package, Mapping):
            found.append(("pypi", str(package.get("name")), str(package.get("version"))))
    return [
        {
            "@id": f"pkg:{kind}/{quote(name, safe='')}@{quote(version, safe='')}",
            "@type": "SoftwareApplication",
            "name": escape(name),
            "softwareVersion": escape(version),
        }
        for kind, name, version in found
    ]


def _unique(entities: Iterable[Entity]) -> Iterable[Entity]:
    seen: set[str] = set()
    for entity in entities:
        if entity["@id"] not in seen:
            seen.add(entity["@id"])
            yield entity


def _action_id(run: Run) -> str:
    return f"#run-{run.id}"


def _time(moment: str) -> str:
    """A time as the profile wants it: in whole seconds, the zone as an offset."""
    return f"{moment[:19]}+00:00"


def _person_id(run: Run) -> str:
    return f"#user-{quote(run.user, safe='')}"


def _id(path: str) -> str:
    """A path as the relative URI that JSON-LD wants; bytes beyond UTF-8 by their values."""
    return quote(path.encode(errors="surrogateescape"), safe="/")


def _ref(identifier: str) -> Entity:
    return {"@id": identifier}


def _refs(identifiers: Iterable[str]) -> Entity | list[Entity]:
    """Links to several; RO-Crate wants a single one bare."""
    refs = [_ref(identifier) for identifier in identifiers]
    return refs[0] if len(refs) == 1 else refs


def _count(n: int) -> str:
    return "one run" if n == 1 else f"{n} runs"
