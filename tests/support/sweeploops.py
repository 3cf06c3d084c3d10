"""Sweeps run by the loop itself, with runs that are recorded and execute nothing."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repro.core.project import Project
from repro.core.record import seal_run
from repro.core.request import Request
from repro.core.start import LiveRun, start_run
from repro.core.sweep.book import LocalBook
from repro.core.sweep.events import Event, Looked
from repro.core.sweep.loop import run_sweep
from repro.core.sweep.options import Options, Outcome, Stop
from repro.core.sweep.protocols import Others, Task, TrialEnd
from repro.model.run import Status
from repro.model.sweep import SweepAt


@dataclass(frozen=True)
class Play:
    """What a trial does.

    Attributes:
        values: Of `loss`, one a step; numbers that JSON lacks as texts.
        lasts: Whether it goes on after these until it is told to end.
        error: Why no run of it comes about at all.
    """

    values: Sequence[float | str] = ()
    metric: str = "loss"
    status: str = "finished"
    exit_code: int = 0
    signal: str | None = None
    lasts: bool = False
    error: str = ""
    slug: str = ""
    warning: str = ""
    reused: str | None = None


@dataclass
class Launcher:
    """Records a real run for each task, in this process, as its play says (a `Launcher`)."""

    project: Project
    play: Callable[[Task], Play]
    jobs: int = 1
    tasks: list[Task] = field(default_factory=list)
    stopped: list[tuple[str, bool]] = field(default_factory=list)
    live: dict[str, LiveRun | None] = field(default_factory=dict)

    def n_free(self) -> int:
        return self.jobs - len(self.live)

    def submit(self, task: Task) -> None:
        assert self.n_free() > 0
        self.tasks.append(task)
        play = self.play(task)
        if play.error or play.reused:
            self.live[task.run] = None
            return
        live = start_run(
            self.project,
            Request(
                command=("python", "train.py"), cwd=self.project.repository.root,
                config=dict(task.params), run_id=task.run, sweep=task.sweep, trial=task.number,
            ),
        )  # fmt: skip
        for step, value in enumerate(play.values):
            live.journal.log(step, self.project.clock(), {play.metric: value})
        self.live[task.run] = live

    def wait(self, timeout_s: float) -> list[TrialEnd]:
        ends = []
        plays = {task.run: self.play(task) for task in self.tasks}
        for run, live in list(self.live.items()):
            play = plays[run]
            told = [is_hard for one, is_hard in self.stopped if one == run]
            if play.lasts and not told:
                continue
            del self.live[run]
            if live is None:
                ends.append(TrialEnd(run=run, error=play.error, slug=play.slug, reused=play.reused))
                continue
            end = {"status": play.status, "exit_code": play.exit_code, "signal": play.signal}
            if told:
                name = "SIGKILL" if any(told) else "SIGTERM"
                end = {"status": "killed", "exit_code": 143, "signal": name}
            seal(self.project, live, warning=play.warning, **end)
            ends.append(TrialEnd(run=run, status=Status(end["status"])))
        return ends

    def stop(self, run: str, *, is_hard: bool = False) -> None:
        self.stopped.append((run, is_hard))

    def close(self) -> None:
        for run, live in self.live.items():
            if live is not None:
                live.journal.close()
            del run


def seal(project: Project, live: LiveRun, *, warning: str = "", **end: Any) -> None:
    """End a run in progress as `end` says, and seal it."""
    now = project.clock()
    if warning:
        live.journal.append({"k": "warning", "v": warning, "t": now})
    live.journal.append({"k": "end", "t": now, **end})
    live.journal.close()
    seal_run(project, live.dir)


def losses(*values: float) -> Callable[[Task], Play]:
    """Trials that log one `loss` each, by their number."""
    return lambda task: Play((values[task.number],))


@dataclass
class Ran:
    """What came of running a sweep.

    Attributes:
        events: What it told, less that it looked.
    """

    outcome: Outcome
    launcher: Launcher
    events: list[Event]

    @property
    def states(self) -> list[str]:
        return [str(trial.state) for trial in self.outcome.at.progress.trials]

    @property
    def values(self) -> list[float | None]:
        return [trial.value for trial in self.outcome.at.progress.trials]


def run_here(
    project: Project,
    at: SweepAt,
    play: Callable[[Task], Play],
    *,
    jobs: int = 1,
    should_stop: Callable[[], Stop | None] = lambda: None,
    on_look: Callable[[Looked], None] = lambda _: None,
    others: Others | None = None,
    book: LocalBook | None = None,
    **options: Any,
) -> Ran:
    """Run a sweep of this clone to its end, in this process."""
    launcher = Launcher(project, play, jobs)
    events: list[Event] = []

    def tell(event: Event) -> None:
        if isinstance(event, Looked):
            on_look(event)
        else:
            events.append(event)

    book = book or LocalBook(project, at.sweep.id)
    try:
        outcome = run_sweep(
            project, book, launcher, Options(**{"look_s": 0.0, **options}),
            tell=tell, should_stop=should_stop, others=others,
        )  # fmt: skip
    finally:
        launcher.close()
    return Ran(outcome, launcher, events)


def stopping(*answers: Stop | None) -> Callable[[], Stop | None]:
    """Asks for nothing, then for what is said, one answer each time; the last one from then on."""
    rest = itertools.chain(answers, itertools.repeat(answers[-1]))
    return lambda: next(rest)


def by_number(plays: Mapping[int, Play], default: Play) -> Callable[[Task], Play]:
    """What each trial does, by its number."""
    return lambda task: plays.get(task.number, default)
