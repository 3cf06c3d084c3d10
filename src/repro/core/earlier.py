"""What the attempts of a run before this one left in its record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from repro.core.project import Project
from repro.model.canonical import Json
from repro.model.medium import Medium
from repro.model.run import Artifact
from repro.model.series import Point
from repro.store.content import ContentStore
from repro.store.media import FILE, list_media_files, parse_media
from repro.store.objects import read_file, reading
from repro.store.runs import read_record, read_series, read_system


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The parts of a record that the next attempt goes on from; all empty for a first one.

    Attributes:
        series: Points by metric.
        system: Samples of the machine by name.
        goals: `minimize` or `maximize` by metric.
        summary: What the user set.
        artifacts: By their name in the record.
        files: Content of the artifacts that are in git, by the same names.
        media: Pictures, tables and histograms.
        media_files: Object ids of their files that are in git, by path in the record.
        output: What the commands printed.
    """

    series: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    system: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    goals: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Json] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    media: Sequence[Medium] = ()
    media_files: Mapping[str, str] = field(default_factory=dict)
    output: bytes = b""


def read_earlier(project: Project, commit: str | None) -> Earlier:
    """Read the record that is continued; nothing for a first attempt.

    Raises:
        DamagedRecordError: A part of it is missing or malformed.
    """
    if commit is None:
        return Earlier()
    with reading(project.repository) as objects:
        record = read_record(objects, commit)
        files = {}
        for artifact in record.artifacts:
            data = read_file(objects, commit, f"artifacts/{artifact.path}")
            if artifact.where == "git" and data is not None:
                files[artifact.path] = data
        media = read_file(objects, commit, FILE)
        return Earlier(
            series=read_series(objects, commit, stored=ContentStore(project.store).read),
            system=read_system(objects, commit),
            goals={name: one.goal for name, one in record.metrics.items() if one.goal},
            summary=record.summary,
            artifacts={artifact.path: artifact for artifact in record.artifacts},
            files=files,
            media=[] if media is None else parse_media(media),
            media_files={} if media is None else list_media_files(objects, commit),
            output=read_file(objects, commit, "output.log") or b"",
        )
