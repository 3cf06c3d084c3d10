"""Which params go with a metric, over many runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from repro.core.known import describe_problem, open_runs
from repro.core.metricname import find_metric
from repro.core.naming import find_id
from repro.core.project import Project
from repro.model.binding import parse_filter
from repro.model.canonical import Json
from repro.model.condition import Key, Space
from repro.model.importance import Influence, as_numbers, by_strength, rate_param
from repro.model.values import ABSENT, Value, is_nan
from repro.store import forest

_NO_LIBRARY = "scikit-learn is not installed: `pip install scikit-learn`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """What goes with a metric.

    Attributes:
        n_runs: How many runs have a value of the metric.
        n_nan: How many more have NaN, and are left out.
        n_without: How many more have none.
        influences: Of the params that vary, the least likely to be luck first.
        constant: Params that do not vary.
        score: How well a forest guesses the metric of runs that it has not seen: R²; None where
            there is no forest.
        no_forest: Why there is none, in words; None where there is one.
        n_forest: How many runs it was grown from.
        problems: Runs that cannot be read, in words.
    """

    n_runs: int
    n_nan: int
    n_without: int
    influences: tuple[Influence, ...]
    constant: tuple[str, ...]
    score: float | None = None
    no_forest: str | None = None
    n_forest: int = 0
    problems: tuple[str, ...] = ()

    def n_lucky(self, chance: float) -> float:
        """How many of the params come below that chance if none goes with the metric."""
        return chance * sum(one.chance is not None for one in self.influences)


def weigh_params(
    project: Project, metric: str, *, names: Sequence[str] = (), where: str = ""
) -> Importance:
    """Say which params go with a metric.

    Args:
        metric: Its name, for its last value; or with `.min`, … behind.
        names: Of the runs to look at; none is all.
        where: Only runs that fit this filter; empty is all.

    Raises:
        FilterError: The filter is wrong, or no run has the metric.
        UnknownRunError: No run has one of the names.

    Cost: reads each param of all these runs from the index; a second or two where a forest grows.
    """
    with open_runs(project) as runs:
        index = runs.index
        key = find_metric(metric, index)
        condition = parse_filter(where, index, now=project.clock())
        runs.sealed.look_up(names)  # one question to git for those that are whole ids
        wanted = {find_id(runs, name) for name in names}
        ids = [one for one in index.select_ids(condition) if not wanted or one in wanted]
        [values] = index.columns([key], ids)
        numbers = zip(ids, map(_number, values), strict=True)
        ys = {run_id: y for run_id, y in numbers if y is not None}
        n_nan = sum(map(is_nan, values))
        params = index.names(Space.CONFIG)
        found = index.columns([Key(Space.CONFIG, name) for name in params], list(ys))
        columns: dict[str, list[Value]] = {
            name: [ABSENT if value is None else value for value in column]
            for name, column in zip(params, found, strict=True)
        }
        problems = tuple(map(describe_problem, runs.problems))
    rated = rate_columns(columns, list(ys.values()))
    return replace(rated, n_nan=n_nan, n_without=len(ids) - len(ys) - n_nan, problems=problems)


def _number(value: Value) -> float | None:
    """A value as a number; None for what is none, NaN included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or is_nan(value):
        return None
    return float(value)


def rate_columns(columns: Mapping[str, list[Value]], ys: list[float]) -> Importance:
    """Say which params go with a metric, from the values themselves.

    Args:
        columns: The values of each param, shape (n,); `ABSENT` is missing.
        ys: Of the metric, shape (n,), none of them NaN.

    Cost: a second or two where a forest grows.
    """
    rated = {name: rate_param(name, values, ys) for name, values in columns.items()}
    influences = by_strength([one for one in rated.values() if one is not None])
    constant = tuple(
        name
        for name, one in rated.items()
        if one is None and any(value is not ABSENT for value in columns[name])
    )
    found = Importance(
        n_runs=len(ys), n_nan=0, n_without=0, influences=tuple(influences), constant=constant
    )
    return _add_forest(found, columns, ys)


def _add_forest(
    found: Importance, columns: Mapping[str, list[Value]], ys: list[float]
) -> Importance:
    finite = [n for n, y in enumerate(ys) if abs(y) < 1e300][: forest.MOST]
    if not found.influences or len({ys[n] for n in finite}) < 2:
        return replace(found, no_forest="nothing varies")
    if len(finite) < forest.FEWEST:
        return replace(found, no_forest=f"it takes {forest.FEWEST} runs")
    if not forest.is_installed():
        return replace(found, no_forest=_NO_LIBRARY)
    names = [one.key for one in found.influences]
    table = [as_numbers([columns[name][n] for n in finite]) for name in names]
    grown = forest.grow_forest(table, [ys[n] for n in finite])
    influences = tuple(
        replace(one, forest=share)
        for one, share in zip(found.influences, grown.importances, strict=True)
    )
    return replace(found, influences=influences, score=grown.score, n_forest=len(finite))


def influence_json(one: Influence) -> dict[str, Json]:
    """How a param goes with a metric, as each JSON has it."""
    return {
        "param": one.key,
        "measure": one.measure,
        "strength": one.strength,
        "chance": one.chance,
        "runs": one.n_runs,
        "values": one.n_values,
    }


def importance_json(found: Importance, metric: str) -> dict[str, Json]:
    """What `repro compare --importance --json` prints."""
    return {
        "metric": metric,
        "runs": found.n_runs,
        "nan": found.n_nan,
        "without": found.n_without,
        "params": [{**influence_json(one), "forest": one.forest} for one in found.influences],
        "constant": list(found.constant),
        "forest": {"score": found.score, "runs": found.n_forest, "why_not": found.no_forest},
    }
