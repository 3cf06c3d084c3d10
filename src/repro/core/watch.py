"""One run watched: what there is to see of it, whenever that has changed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.known import open_runs, read_run
from repro.core.launch import OUTPUT
from repro.core.live import InProgress
from repro.core.naming import find_id
from repro.core.project import Project
from repro.core.query import read_part, read_points
from repro.core.record import recover_runs
from repro.core.started import read_start
from repro.errors import DamagedRecordError, UnknownRunError
from repro.model.curve import Curve, extend_curve
from repro.model.output import last_lines
from repro.model.run import Record
from repro.model.times import parse_time
from repro.store.journal_reader import stamp_journals
from repro.store.livestate import LiveState
from repro.store.refs import LIVE
from repro.store.refstamp import list_places

MOST_LINES = 40  # of output
_TAIL = 1 << 16  # bytes of output to find them in


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What there is to see of a run.

    Attributes:
        record: Without environment where the run is over.
        curves: The shape of each metric.
        output: The last lines of it, at most 40, escaped.
        passed_s: Seconds since it was started, or that it took.
        is_over: Whether this is the last one.
    """

    record: Record
    curves: Mapping[str, Curve]
    output: tuple[str, ...]
    passed_s: float
    is_over: bool


def choose_watched(project: Project, text: str | None) -> str:
    """Give the id of the run that `text` names, else of the newest one in progress, else of any.

    Raises:
        UnknownRunError: Nothing is called that, or there is no run.
        AmbiguousRunError: Several ids start like that.
    """
    with open_runs(project) as runs:
        if text is None and runs.live:
            return max(runs.live, key=lambda run_id: (runs.live[run_id].run.created, run_id))
        return find_id(runs, "@" if text is None else text)


class Watch:
    """Looks at a run again and again; a run whose processes die meanwhile is sealed."""

    def __init__(self, project: Project, run_id: str) -> None:
        self._project = project
        self._id = run_id
        self._folder = project.live / run_id
        self._start: tuple[tuple[int, int], InProgress] | None = None
        self._state: LiveState | None = None
        self._curves: dict[str, Curve] = {}
        self._stamp = ""

    def look(self) -> View | None:
        """What there is to see now, None while nothing has changed.

        Raises:
            UnknownRunError: The run is gone.
            NewerFormatError: A newer repro writes it.
            DamagedRecordError: It cannot be read.

        Cost: while nothing has changed, a look at a few files; else proportional to what is new.
        """
        recover_runs(self._project)
        try:
            live = self._find_live()
            if live is not None:
                return self._look_at(live)
        except DamagedRecordError:
            if self._folder.exists():
                raise  # else it was sealed just now
        return self._look_at_sealed()

    def passed_s(self, record: Record) -> float:
        """Seconds since a run in progress was started."""
        return max(0.0, self._project.clock() - parse_time(record.run.started))

    def _find_live(self) -> InProgress | None:
        """The run in progress, read again where it was started again."""
        try:
            stat = (self._folder / "start.json").stat()
        except OSError:
            return None
        version = (stat.st_ino, stat.st_mtime_ns)
        if self._start is None or self._start[0] != version:
            started = read_start(self._folder)
            if started is None:
                return None
            self._start = version, InProgress(self._folder, started)
        return self._start[1]

    def _look_at(self, live: InProgress) -> View | None:
        stamp = f"{live.stamp()} {_stamp(self._folder / OUTPUT)}"
        if stamp == self._stamp:
            return None
        look = live.look(self._state)
        self._state = look.state
        if look.is_whole:
            self._curves = {}
        for name, points in look.points.items():
            self._curves[name] = extend_curve(self._curves.get(name), points)
        record = live.brief_of(look)
        output = last_lines(_read_tail(self._folder / OUTPUT), MOST_LINES)
        self._stamp = stamp  # last: what failed is tried again
        return View(
            record=record,
            curves=dict(self._curves),
            output=tuple(output),
            passed_s=self.passed_s(record),
            is_over=False,
        )

    def _look_at_sealed(self) -> View | None:
        with open_runs(self._project) as runs:
            if self._id in runs.live:  # continued meanwhile
                return None
            if self._id not in runs:
                raise UnknownRunError(f"run `{self._id}` is gone", hint="`repro ls` lists all runs")
            record = read_run(runs, self._id)
        series = read_points(self._project, record)
        output = read_part(self._project, record, OUTPUT) or b""
        return View(
            record=record,
            curves={name: extend_curve(None, points) for name, points in series.items() if points},
            output=tuple(last_lines(output[-_TAIL:], MOST_LINES)),
            passed_s=record.run.duration_s or 0.0,
            is_over=True,
        )


def _stamp(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _read_tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            return file.read(_TAIL)
    except OSError:  # a run of the SDK alone has none
        return b""


def look_after_runs(project: Project) -> str:
    """Seal the runs whose processes died; a text that changes whenever any run does.

    That is when a run begins, logs, ends, is changed, fetched or removed.

    Cost: a look at a few folders, and at the journals of the runs in progress.
    """
    recover_runs(project)
    common = project.repository.common_dir
    places = [*list_places(common), common / LIVE]
    parts = [f"{place} {_stamp(place)}" for place in places]
    try:
        live = sorted(os.listdir(project.live))
    except OSError:
        live = []
    for name in live:
        folder = project.live / name
        parts += [name, _stamp(folder / "start.json"), stamp_journals(folder)]
    return "\n".join(parts)
