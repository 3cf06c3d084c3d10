"""Which curves somebody wants to see: words of a face as metrics, and the runs that have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.core.choosing import Choice, choose_runs
from repro.core.curves import NOT_METRICS, STEP
from repro.core.known import KnownRuns, open_runs
from repro.core.naming import find_id
from repro.core.project import Project
from repro.errors import UnknownRunError, UsageError
from repro.model.columns import choose_keys, title_keys
from repro.model.condition import All, Condition, IsNull, Key, Negation, Some, Space
from repro.model.readable import format_value, shorten
from repro.model.run import Record, Status
from repro.model.text import escape
from repro.store.index import OnProgress, Problem

USUAL = 10  # runs, where nobody says how many
USUAL_OF_MEANS = 200  # where they are only seen as means
_PREFIX = "metrics."
_TOLD = 2  # params in the label of a run without a name
_LONGEST = 24  # characters of one of them
_LISTED = 12  # metrics that an error names


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotWish:
    """What somebody asks for.

    Attributes:
        words: Those that name a metric are metrics, all others runs.
        metrics: More of them; where there are any, all words are runs.
        x: What lies along the x axis, as in a `CurveWish`.
        where: Only runs that fit this filter, where none is named.
        last: At most so many of them, the newest ones; 0 is all, None as is usual.
        usual: How many that is.
        may_come: Whether one of `metrics` may be logged later, while a run is in progress.
    """

    words: Sequence[str] = ()
    metrics: Sequence[str] = ()
    x: str = STEP
    where: str = ""
    limit: int | None = None
    usual: int = USUAL
    may_come: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plotted:
    """What is drawn.

    Attributes:
        metrics: Their names; at least one.
        records: The runs, the oldest first where none was named; environment left out.
        labels: What each is called in a legend, by id.
        n_fitting: How many runs fit, drawn or not.
        problems: Runs that cannot be read.
        is_over: Whether nothing more will come: none of the runs is in progress, or none at all
            where there is none to draw yet.
    """

    metrics: tuple[str, ...]
    records: list[Record]
    labels: Mapping[str, str]
    n_fitting: int
    problems: tuple[Problem, ...]
    is_over: bool


def choose_plotted(
    project: Project, wish: PlotWish, *, on_progress: OnProgress | None = None
) -> Plotted:
    """Give what is drawn for a wish.

    Without a name of a run: of the runs that have any of the metrics the newest.

    Raises:
        UsageError: No metric is named, or one that no run has, as `x` may; or runs are both named
            and filtered.
        UnknownRunError: A word names neither; near names are given.
        AmbiguousRunError: Several ids start like a word.
        FilterError: The filter is wrong.
    """
    with open_runs(project, on_progress=on_progress) as runs:
        metrics, names = _sort_out(runs, wish)
        if wish.x not in NOT_METRICS:
            _known_metric(runs, wish.x, hint="`step`, `time` and `wall` are no metrics")
        ids = list(dict.fromkeys(_find(runs, name, wish) for name in names))
        if not metrics:
            raise _no_metric(runs)
        if names and (wish.where or wish.limit is not None):
            option = "--where" if wish.where else "--limit"
            raise UsageError(f"runs are named, and chosen by `{option}`", hint="give one of both")
        n_fitting = len(ids)
        if not names:
            ids, n_fitting = _newest(runs, metrics, wish)
        records = runs.index.records(ids)
        return Plotted(
            metrics=metrics,
            records=records,
            labels=label_runs(records, runs.shorten(ids)),
            n_fitting=n_fitting,
            problems=runs.problems,
            is_over=_is_over(runs, records),
        )


def _is_over(runs: KnownRuns, records: Sequence[Record]) -> bool:
    if not records:
        return not runs.live
    return all(record.run.status is not Status.RUNNING for record in records)


def _sort_out(runs: KnownRuns, wish: PlotWish) -> tuple[tuple[str, ...], list[str]]:
    """The metrics and the names of runs among the words."""
    metrics: dict[str, None] = {}
    names = []
    for word in wish.metrics:
        if wish.may_come and runs.live and _metric(runs, word) is None:
            metrics[word] = None
            continue
        metrics[_known_metric(runs, word, hint="`repro show RUN` lists the metrics of one")] = None
    for word in wish.words:
        metric = None if wish.metrics else _metric(runs, word)
        if metric is None:
            names.append(word)
        else:
            metrics[metric] = None
    return tuple(metrics), names


def _known_metric(runs: KnownRuns, word: str, *, hint: str) -> str:
    metric = _metric(runs, word)
    if metric is None:
        shown = escape(shorten(word))
        raise UsageError(f"no run has a metric `{shown}`{_meant(runs, word)}", hint=hint)
    return metric


def _metric(runs: KnownRuns, word: str) -> str | None:
    for name in (word, word.removeprefix(_PREFIX)):
        if runs.index.has(Space.METRIC, name):
            return name
    return None


def _meant(runs: KnownRuns, word: str) -> str:
    from repro.model.nearest import say_meant  # noqa: PLC0415  # difflib, for errors only

    return say_meant(word, runs.index.names(Space.METRIC))


def _no_metric(runs: KnownRuns) -> UsageError | UnknownRunError:
    known = runs.index.names(Space.METRIC)
    if not known:
        return UnknownRunError(
            "no run has a metric yet", hint="`repro.log({...})` in a script that is run logs them"
        )
    more = f", and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    listed = ", ".join(f"`{escape(shorten(name))}`" for name in known[:_LISTED])
    return UsageError("which metric?", hint=f"there are {listed}{more}")


def _find(runs: KnownRuns, name: str, wish: PlotWish) -> str:
    try:
        return find_id(runs, name)
    except UnknownRunError as error:
        meant = _meant(runs, name)
        is_unknown = error.message.startswith("there is no run `")  # not one that was removed
        if wish.metrics or not is_unknown or (error.message.endswith("?") and not meant):
            raise
        raise UnknownRunError(
            f"neither a metric nor a run is called `{escape(shorten(name))}`{meant}",
            hint="`repro ls` lists runs, `repro show RUN` the metrics of one",
        ) from None


def _newest(runs: KnownRuns, metrics: Sequence[str], wish: PlotWish) -> tuple[list[str], int]:
    """The newest runs that fit and have any of the metrics, the oldest first; how many fit."""
    having: list[Condition] = [
        Negation(IsNull(Key(Space.METRIC, name, "count"))) for name in metrics
    ]
    chosen, _ = choose_runs(runs.index, Choice(where=wish.where), now=runs.project.clock())
    condition = All((Some(tuple(having)), *([chosen] if chosen else [])))
    limit = wish.usual if wish.limit is None else wish.limit or None
    ids = runs.index.select_ids(condition, limit=limit)
    n_fitting = len(ids) if len(ids) != limit else runs.index.matching(condition)
    return ids[::-1], n_fitting


def label_runs(records: Sequence[Record], short: Mapping[str, str]) -> dict[str, str]:
    """What tells runs apart in a legend: id with name, else with params that differ.

    Args:
        short: The prefix that each id is shown as.
    """
    params = choose_keys(records).params if len(records) > 1 else ()
    columns = title_keys(params[:_TOLD])
    labels: dict[str, str] = {}
    for record in records:
        told = [
            f"{one.title}={shorten(format_value(one.value(record)), _LONGEST)}" for one in columns
        ]
        words = [record.run.name] if record.run.name else told
        labels[record.run.id] = " ".join([short[record.run.id], *words])
    return labels
