"""What the pages of sweeps show: how far one is, how good, and what goes with that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from starlette.requests import Request

from repro.core.importance import Importance
from repro.core.known import open_runs
from repro.core.project import Project
from repro.core.sweep.figures import ordered_trials, ranked_trials, varied_keys
from repro.core.sweep.known import find_sweep, short_sweep
from repro.core.sweep.looking import TrialLook, TrialLooks
from repro.core.sweep.standing import Standing, count_wanted, find_standing
from repro.core.sweep.weighing import weigh_trials
from repro.core.sweep.words import describe_counts, describe_done
from repro.model.cells import Cells, format_cells, format_metric
from repro.model.condition import Key, Space
from repro.model.readable import format_duration
from repro.model.spacetext import describe_distribution
from repro.model.sweep import OVER, SweepAt, Trial, TrialState
from repro.model.values import ABSENT, Value
from repro.web.address import changed_address
from repro.web.naming import project_of

_MOST_TRIALS = 100
_MOST_COMPARED = 10
_FEWEST_WEIGHED = 5  # trials
_LONGEST_S = 1e9  # another clock may say anything


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """One sweep of the list.

    Attributes:
        n_wanted: None where it has no end of itself.
    """

    at: SweepAt
    short: str
    standing: str
    n_over: int
    n_wanted: int | None
    done: str
    counts: list[str]
    best: str
    best_run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial of the table.

    Attributes:
        is_here: Whether this clone has its run.
        rank: From 1 on; None of one that is not over, or has no value.
    """

    trial: Trial
    state: str
    short: str
    is_here: bool
    rank: int | None
    value: str
    step: str
    duration: str
    params: tuple[str, ...]


def sweep_row(at: SweepAt, short: str, now: float) -> SweepRow:
    """What the list of sweeps says of one.

    Args:
        short: The shortest unique prefix of its id.
        now: Seconds since 1970.
    """
    ranked = ranked_trials(at)
    best = ranked[0] if ranked else None
    return SweepRow(
        at=at,
        short=short,
        standing=find_standing(at, now=now).value,
        n_over=at.progress.count(*OVER),
        n_wanted=count_wanted(at),
        done=describe_done(at),
        counts=describe_counts(at),
        best=format_metric(at.sweep.spec.metric or "", best.value) if best else "",
        best_run=best.run if best else "",
    )


class SweepView:
    """What the page of a sweep shows; each part is made when the template comes to it."""

    def __init__(self, request: Request) -> None:
        """Find the sweep.

        Raises:
            UnknownRunError: There is none of that name.
        """
        self._request = request
        self._project: Project = project_of(request)
        self.at = find_sweep(self._project, request.path_params["sweep"])
        self.now = self._project.clock()

    @cached_property
    def short(self) -> str:
        """The shortest unique prefix of its id."""
        return short_sweep(self._project, self.at.sweep.id)

    @cached_property
    def row(self) -> SweepRow:
        """What the list says of it."""
        return sweep_row(self.at, self.short, self.now)

    @property
    def is_live(self) -> bool:
        """Whether anybody works on it."""
        return self.row.standing == Standing.RUNNING.value

    @property
    def may_resume(self) -> bool:
        """Whether it can go on."""
        standings = (Standing.STOPPED, Standing.INTERRUPTED, Standing.NEW, Standing.FAILED)
        return self.row.standing in standings

    @property
    def stopped(self) -> str:
        """Why it was stopped; empty where it was not."""
        said = self.at.progress.stopped
        return said.why if said is not None and self.row.standing == Standing.STOPPED else ""

    @property
    def space(self) -> list[tuple[str, str]]:
        """The search space in words."""
        space = self.at.sweep.spec.space
        return [(key, describe_distribution(one)) for key, one in space.items()]

    @cached_property
    def param_titles(self) -> list[tuple[str, bool]]:
        """The params that vary, and whether their values are numbers."""
        return [(key, cells.is_right) for key, cells in self._cells.items()]

    @cached_property
    def _shown(self) -> list[Trial]:
        trials = ordered_trials(self.at)
        return trials if self._request.query_params.get("all") == "1" else trials[:_MOST_TRIALS]

    @property
    def n_left(self) -> int:
        """How many trials the table leaves out."""
        return len(self.at.progress.trials) - len(self._shown)

    @property
    def all_address(self) -> str:
        """The page with all trials."""
        return changed_address(self._request, all="1")

    @cached_property
    def _cells(self) -> dict[str, Cells]:
        return {
            key: format_cells(
                [trial.params.get(key, ABSENT) for trial in self._shown],
                Key(Space.CONFIG, key),
                0.0,
            )
            for key in varied_keys(self.at)
        }

    @cached_property
    def trials(self) -> list[TrialRow]:
        """Those in progress, then the best ones, then the others."""
        running = [trial.run for trial in self._shown if trial.state is TrialState.RUNNING]
        looks = TrialLooks(self._project, self.at.sweep.spec.metric).look(running)
        with open_runs(self._project) as runs:
            here = {trial.run for trial in self._shown if trial.run in runs}
            short = runs.shorten(here)
        ranks = {trial.number: rank for rank, trial in enumerate(ranked_trials(self.at), 1)}
        values = self._values(looks)
        keys = varied_keys(self.at)
        return [
            TrialRow(
                trial=trial,
                state="reused" if trial.is_reused else trial.state.value,
                short=short.get(trial.run, trial.run[:6]),
                is_here=trial.run in here,
                rank=ranks.get(trial.number),
                value=values[place],
                step=looks[trial.run].step if trial.run in looks else "",
                duration=self._duration(trial),
                params=tuple(self._cells[key].texts[place] for key in keys),
            )
            for place, trial in enumerate(self._shown)
        ]

    def _values(self, looks: Mapping[str, TrialLook]) -> list[str]:
        metric = self.at.sweep.spec.metric
        if metric is None:
            return [""] * len(self._shown)
        values: list[Value] = []
        for trial in self._shown:
            look = looks.get(trial.run)
            value = trial.value if trial.is_over else look.value if look else None
            values.append(ABSENT if value is None else float(value))
        return format_cells(values, Key(Space.METRIC, metric), 0.0).texts

    def _duration(self, trial: Trial) -> str:
        if trial.state is TrialState.RUNNING:
            return format_duration(min(max(self.now - trial.asked_at, 0.0), _LONGEST_S))
        return format_duration(trial.duration_s)

    @property
    def failed(self) -> Sequence[Trial]:
        """Trials that failed and of which it is known why."""
        state = TrialState.FAILED
        return [one for one in self.at.progress.trials if one.state is state and one.why][:10]

    @property
    def compare_address(self) -> str:
        """The best trials side by side; empty where there are not two."""
        here = [row.trial.run for row in self.trials if row.rank and row.is_here]
        query = [("run", run) for run in here[:_MOST_COMPARED]]
        return f"/compare?{urlencode(query)}" if len(query) > 1 else ""

    @property
    def runs_address(self) -> str:
        """All of its runs as a table."""
        query = {"q": f"sweep = '{self.at.sweep.id}'"}
        return f"/?{urlencode(query)}"

    @property
    def source(self) -> str:
        """Where the script has the coordinates of its trials from."""
        return f"/api/coordinates?{urlencode({'sweep': self.at.sweep.id})}"

    @property
    def may_weigh(self) -> bool:
        """Whether there are enough trials to say which params matter."""
        return len(ranked_trials(self.at)) >= _FEWEST_WEIGHED

    @cached_property
    def weights(self) -> Importance | None:
        """Which params matter; None where nobody asks, as it takes a while."""
        if self._request.query_params.get("importance") != "1" or not self.may_weigh:
            return None
        return weigh_trials(self.at)
