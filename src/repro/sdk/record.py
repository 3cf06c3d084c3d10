"""One recorded run as Python reads it: what a list knows at once, the rest when it is asked for."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.core.media import list_media, read_medium
from repro.core.query import read_points, read_whole
from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.medium import Bins, Medium, Picture, Rows
from repro.model.run import Artifact, MetricSummary, Run, Status
from repro.model.run import Record as Parts
from repro.model.text import escape
from repro.sdk.here import project_at
from repro.sdk.points import Series

if TYPE_CHECKING:
    from repro.model.verdict import Verdict


class Record:
    """A run with all that is recorded of it.

    It does not change: of a run in progress it is as far as the run was when it was asked for,
    and its points are as far as the run is when they are first read.

    Attributes:
        run: All facts about the run itself, as `run.json` has them.
        commit: Object id of the run commit; empty while the run is in progress.
        config: The whole config, nested.
        metrics: Summary of each metric by name: `last`, `min`, `max`, `mean`, ….
        summary: What the program set beside the metrics.
        data: Datasets by name: path, digest, files, bytes, kept.
        series: All points of each metric.
    """

    def __init__(self, parts: Parts, root: Path, *, is_whole: bool = False) -> None:
        """Show `parts` of a run of the repository whose working tree is `root`.

        Args:
            is_whole: Whether they are all there, environment and artifacts too.
        """
        self._parts = parts
        # The folder and not an open project: a record may be sent to another process.
        self._root = root
        if is_whole:
            self.__dict__["_whole"] = parts

    @cached_property
    def _whole(self) -> Parts:
        return read_whole(project_at(self._root), self._parts)

    @cached_property
    def series(self) -> Series:
        """All points of each metric, read when one of them is first asked for.

        Raises, when they are read:
            DamagedRecordError: They cannot be read.
        """
        return Series(lambda: read_points(project_at(self._root), self._parts))

    @property
    def run(self) -> Run:
        """All facts about the run itself, as `run.json` has them."""
        return self._parts.run

    @property
    def commit(self) -> str:
        """Object id of the run commit; empty while the run is in progress."""
        return self._parts.commit

    @property
    def config(self) -> Mapping[str, Json]:
        """The whole config, nested, in the order it was given."""
        return self._parts.config

    @property
    def metrics(self) -> Mapping[str, MetricSummary]:
        """The points of each metric in a few numbers: `last`, `min`, `max`, `mean`, …."""
        return self._parts.metrics

    @property
    def summary(self) -> Mapping[str, Json]:
        """What the program set beside the metrics."""
        return self._parts.summary

    @property
    def data(self) -> Mapping[str, Json]:
        """Datasets by name: path, digest, files, bytes, kept."""
        return self._parts.data

    @property
    def environment(self) -> Mapping[str, Json]:
        """Interpreter, packages, hardware, variables."""
        return self._whole.environment

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The files that the run produced, with path, size, digest."""
        return self._whole.artifacts

    @cached_property
    def media(self) -> tuple[Medium, ...]:
        """Pictures, tables and histograms, by name, step and place; read when first asked for.

        Raises:
            DamagedRecordError: They cannot be read.
        """
        return tuple(list_media(project_at(self._root), self._parts))

    def read_medium(self, medium: Medium) -> Picture | Rows | Bins:
        """What one of `media` shows: `data` in bytes, or `columns` and `rows`, or its bins.

        Raises:
            DamagedRecordError: It is not there, or not what the record says.
        """
        return read_medium(project_at(self._root), self._parts, medium)

    def read_artifact(self, path: str) -> bytes:
        """The bytes of one of `artifacts`, by its path.

        Raises:
            InvalidInputError: The run kept nothing of that path.
            MissingDataError: Its bytes are not here.
            DamagedRecordError: They are not those of its digest.
        """
        from repro.core.artifactfiles import open_artifact  # noqa: PLC0415  # few ask for it

        for artifact in self.artifacts:
            if artifact.path == path:
                return b"".join(open_artifact(project_at(self._root), self._parts, artifact))
        raise InvalidInputError(
            f"run `{self.id}` kept no `{escape(path)}`", hint="`artifacts` has what it kept"
        )

    @property
    def randomness(self) -> Mapping[str, Json]:
        """Seeds that were drawn, flags that bear on determinism."""
        return self._whole.randomness

    @property
    def verdict(self) -> "Verdict | None":
        """Whether a rerun gave the results of its original; None where nobody asked."""
        return self._whole.verdict

    @property
    def id(self) -> str:
        """The whole id."""
        return self.run.id

    @property
    def name(self) -> str | None:
        """The name, None without one."""
        return self.run.name

    @property
    def status(self) -> Status:
        """How far it came; a text such as `finished`."""
        return self.run.status

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags, in the order they were given."""
        return self.run.tags

    @property
    def note(self) -> str | None:
        """The note, None without one."""
        return self.run.note

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the command."""
        return self.run.command

    @property
    def created(self) -> datetime:
        """When it was first started, in UTC."""
        return datetime.fromisoformat(self.run.created)

    @property
    def started(self) -> datetime:
        """When its newest attempt started, in UTC."""
        return datetime.fromisoformat(self.run.started)

    @property
    def ended(self) -> datetime | None:
        """When it ended, in UTC; None while it is in progress."""
        return datetime.fromisoformat(self.run.ended) if self.run.ended else None

    @property
    def duration(self) -> float | None:
        """Seconds in execution; None while it is in progress."""
        return self.run.duration_s

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        if self.commit and other.commit:
            return self.commit == other.commit
        return self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self.id)

    def __reduce__(self) -> tuple[Any, ...]:
        """What is read later is read by the process that it was sent to."""
        return Record, (self._parts, self._root)

    def __repr__(self) -> str:
        name = "" if self.name is None else f" {self.name!r}"
        return f"<Record {self.id}{name} {self.status.value}>"

    def _repr_html_(self) -> str:
        from repro.sdk.html import record_html  # noqa: PLC0415  # notebooks alone ask for it

        return record_html(self._parts)
