"""What the page that compares runs shows, as its template asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from starlette.requests import Request

from repro.core.chosen import read_records
from repro.core.comparing import Compared, choose_compared
from repro.core.groupcurves import RunGroup, make_groups
from repro.core.importance import Importance, weigh_params
from repro.core.known import open_runs
from repro.core.report import choose_metrics
from repro.core.sidebyside import SideBySide, lay_side_by_side
from repro.core.sweep.known import find_metrics
from repro.errors import InvalidInputError, ReproError
from repro.model.cells import format_metric
from repro.model.columns import Column
from repro.model.condition import Key, Space
from repro.model.goals import agreed_goal, best_places
from repro.model.meancurve import Band
from repro.model.run import Record
from repro.web.address import changed_address, kept_query
from repro.web.colours import count_turns, give_colours, parse_pins
from repro.web.curvegroups import (
    GROUP_KEYS,
    GroupChoice,
    address_of,
    band_of,
    colour_groups,
    group_choices,
    group_keys,
)
from repro.web.naming import finite_of, project_of, window_of
from repro.web.sidebyside import Part, lay_parts, say_equal

_MOST_BESIDE = 50  # runs of the table
_FEWEST_WEIGHED = 9  # runs; with fewer, chance tells as much
MOST_CURVES = 200  # of one chart
_MOST_UPRIGHT = 6  # runs that stand as columns where nobody says how
_MOST_FITTING = 20  # runs whose curves are drawn, of those that fit a filter
_MOST_CHARTS = 12
_CURVE_KEYS = ("x", "smooth")
_WINDOW_KEYS = ("low", "high")
_CHART_KEYS = ("metric", "x", "smooth", "logx", "logy", "large", "clip", "low", "high", *GROUP_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """A run of the legend.

    Attributes:
        turn: How often its colour was given before.
        without: The address of the same comparison without it; None where it fits a filter.
    """

    id: str
    short: str
    name: str
    status: str
    colour: int
    turn: int
    without: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """What the table beside a chart says of one run."""

    run: ShownRun
    last: str
    step: str
    low: str
    high: str
    count: str
    is_best: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart; its curves come later.

    Attributes:
        source: Where the script has them from.
        picture: Where they are drawn without a script.
    """

    metric: str
    goal: str | None
    rows: tuple[ValueRow, ...]
    source: str
    picture: str


class Comparison:
    """The page; each part of it is read when the template comes to it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._project = project_of(request)
        self.params = request.query_params
        self.smoothing = finite_of(self.params, "smooth") or 0.0

    @cached_property
    def compared(self) -> Compared:
        """The runs that it is about."""
        return choose_compared(self._project, self.params.getlist("run"), self.params.get("q"))

    @cached_property
    def drawn(self) -> tuple[str, ...]:
        """The runs whose curves are drawn, and that are in the legend."""
        named = len(self.params.getlist("run"))
        is_all = "q" not in self.params or self.params.get("group")
        most = MOST_CURVES if is_all else max(named, _MOST_FITTING)
        return self.compared.ids[: min(most, MOST_CURVES)]

    @cached_property
    def records(self) -> list[Record]:
        """Of the runs that are drawn."""
        by_id: dict[str, Record] = {
            one.run.id: one for one in read_records(self._project, self.drawn)
        }
        return [by_id[run_id] for run_id in self.drawn]

    @cached_property
    def base(self) -> str:
        """The run that the others are compared with."""
        asked = self.params.get("base")
        return asked if asked in self.compared.ids else self.compared.ids[0]

    @cached_property
    def runs(self) -> list[ShownRun]:
        """The legend."""
        with open_runs(self._project) as known:
            short = known.shorten(self.compared.ids)
            live = set(known.live)
        if self.groups is None:
            colours = give_colours(self.drawn, parse_pins(self.params.get("pin", "")))
            turns = count_turns(self.drawn, colours)
        else:
            colours, turns = colour_groups(self.groups)
        named = self.params.getlist("run")
        return [
            ShownRun(
                id=one.run.id,
                short=short[one.run.id],
                name=one.run.name or "",
                status="running" if one.run.id in live else one.run.status.value,
                colour=colours[one.run.id],
                turn=turns[one.run.id],
                without=None
                if "q" in self.params
                else changed_address(
                    self._request,
                    run=[name for name in named if name not in (one.run.id, short[one.run.id])],
                ),
            )
            for one in self.records
        ]

    @property
    def is_live(self) -> bool:
        """Whether any run is in progress."""
        return any(run.status == "running" for run in self.runs)

    # The table

    @cached_property
    def beside(self) -> SideBySide | None:
        """The first runs side by side; None where there are not two."""
        ids = self.compared.ids[:_MOST_BESIDE]
        if len(self.compared.ids) < 2:  # there is nothing to compare it with
            return None
        return lay_side_by_side(self._project, (), chosen=ids, baseline=self.base)

    @cached_property
    def beside_runs(self) -> list[ShownRun]:
        """The runs of the table, in its order."""
        assert self.beside is not None
        by_id = {run.id: run for run in self.runs}
        return [
            by_id.get(one.run.id)
            or ShownRun(
                id=one.run.id,
                short=self.beside.short[one.run.id],
                name=one.run.name or "",
                status=one.run.status.value,
                colour=8,
                turn=0,
                without=None,
            )
            for one in self.beside.records
        ]

    @cached_property
    def parts(self) -> list[Part]:
        """What the table says."""
        assert self.beside is not None
        return lay_parts(self.beside, everything=self.params.get("all") == "1")

    @property
    def has_letters(self) -> bool:
        """Whether the table has letters, which stand for codes."""
        return any(part.title == "code" for part in self.parts)

    @property
    def equal(self) -> str:
        """What the runs share, in words."""
        return say_equal(self.beside) if self.beside is not None else ""

    @property
    def is_upright(self) -> bool:
        """Whether runs are columns."""
        asked = self.params.get("lay")
        assert self.beside is not None
        return asked != "rows" and (asked == "columns" or len(self.beside.records) <= _MOST_UPRIGHT)

    # The curves

    @cached_property
    def chosen(self) -> list[str]:
        """The metrics that are drawn."""
        sweeps = (record.run.sweep for record in self.records if record.run.sweep)
        searched = find_metrics(self._project, sweeps)
        choice = choose_metrics(self.records, self.params.getlist("metric"), searched)
        return list(choice.drawn[:_MOST_CHARTS])

    @cached_property
    def metrics(self) -> list[str]:
        """All metrics of the runs, those that most of them have first."""
        counts: dict[str, int] = {}
        for record in self.records:
            for name in record.metrics:
                counts[name] = counts.get(name, 0) + 1
        return sorted(counts, key=lambda name: (name not in self.chosen, -counts[name]))

    @cached_property
    def window_problem(self) -> str:
        """What is wrong with the window of x in the address, which then is none."""
        try:
            window_of(self.params)
        except InvalidInputError as error:
            return error.message
        return ""

    @cached_property
    def _keys_or_problem(self) -> tuple[list[Column] | None, str]:
        try:
            return group_keys(self._project, self.params), ""
        except ReproError as error:
            return None, error.message

    @cached_property
    def groups(self) -> list[RunGroup] | None:
        """The groups of runs of which means are drawn; None where each run is drawn."""
        keys, _ = self._keys_or_problem
        return None if keys is None else make_groups(self.records, keys)

    @property
    def group_problem(self) -> str:
        """What is wrong with what the address groups by, which then is nothing."""
        return self._keys_or_problem[1]

    @cached_property
    def grouping(self) -> str:
        """The one of the choices that holds."""
        return address_of(self._keys_or_problem[0])

    @property
    def group_choices(self) -> list[GroupChoice]:
        """What runs can be put together by."""
        return group_choices(self.records, self.grouping)

    @property
    def has_deviation(self) -> bool:
        """Whether the standard deviation is tinted around means."""
        return band_of(self.params) is Band.DEVIATION

    @cached_property
    def charts(self) -> list[Chart]:
        """The charts, with the values that stand beside each."""
        return [self._chart(metric) for metric in self.chosen]

    def _chart(self, metric: str) -> Chart:
        key = Key(Space.METRIC, metric)
        goal = agreed_goal(self.records, key)
        pairs = [
            (run, record.metrics[metric])
            for run, record in zip(self.runs, self.records, strict=True)
            if metric in record.metrics
        ]
        best = best_places([summary.last for _, summary in pairs], goal)
        rows = tuple(
            ValueRow(
                run=run,
                last=format_metric(metric, one.last),
                step=f"{one.last_step:,}",
                low=format_metric(metric, one.min),
                high=format_metric(metric, one.max),
                count=f"{one.count:,}",
                is_best=place in best,
            )
            for place, (run, one) in enumerate(pairs)
        )
        keys = _CURVE_KEYS if self.window_problem else (*_CURVE_KEYS, *_WINDOW_KEYS)
        keys = keys if self.groups is None else (*keys, *GROUP_KEYS)
        wish = [(key, self.params.get(key, "")) for key in keys]
        # All runs of a group, so that it has the same place in each chart.
        runs = [run for run, _ in pairs] if self.groups is None else self.runs
        query = [("metric", metric), *(("run", run.id) for run in runs)]
        query += [(key, value) for key, value in wish if value]
        looks = [(key, "1") for key in ("logx", "logy") if self.params.get(key) == "1"]
        return Chart(
            metric=metric,
            goal=goal,
            rows=rows,
            source=f"/api/curves?{urlencode(query)}",
            picture=f"/api/curves.svg?{urlencode([*query, *looks])}",
        )

    @property
    def chart_fields(self) -> list[tuple[str, str]]:
        """What a form for charts must say, too."""
        return kept_query(self._request, *_CHART_KEYS)

    # Among params

    @property
    def source(self) -> str:
        """Where the script has the coordinates of the runs from."""
        wanted = ("run", "q", "metric")
        query = [one for one in self.params.multi_items() if one[0] in wanted]
        return f"/api/coordinates?{urlencode(query)}"

    @property
    def weighed_metric(self) -> str | None:
        """The metric of which it is asked what goes with it; None where no run has any."""
        asked = self.params.get("importance")
        return asked or (self.chosen[0] if self.chosen else None)

    @property
    def may_weigh(self) -> bool:
        """Whether there are enough runs to say which params matter."""
        return len(self.compared.ids) >= _FEWEST_WEIGHED and bool(self.chosen)

    @cached_property
    def weights(self) -> Importance | None:
        """Which params matter; None where the address does not ask, as it takes a while."""
        metric = self.params.get("importance")
        if not metric or not self.may_weigh:
            return None
        return weigh_params(self._project, metric, names=self.compared.ids)

    # Addresses

    def at(self, **changes: str | Sequence[str] | None) -> str:
        """The address of the page, changed."""
        return changed_address(self._request, **changes)

    @property
    def weighing_fields(self) -> list[tuple[str, str]]:
        """What a form that asks for the importance must say, too."""
        return kept_query(self._request, "importance")
