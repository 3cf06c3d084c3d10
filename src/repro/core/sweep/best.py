"""The best trials of a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass

from repro.core.known import open_runs
from repro.core.project import Project
from repro.core.sweep.figures import ranked_trials
from repro.errors import UsageError
from repro.model.binding import parse_filter
from repro.model.run import Record
from repro.model.sweep import SweepAt, Trial
from repro.model.text import escape
from repro.store.index import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class BestTrials:
    """The best trials of a sweep, by the value that its ledger has of each.

    Attributes:
        trials: The best one first; of equal ones the earlier.
        records: The runs of these, by id, without environment and artifacts; a run that this clone
            does not have is missing.
        n_fitting: How many finished trials with a value fit.
        n_valued: How many there are.
        n_absent: How many of those are left out as this clone has no run of them.
        short: The shortest unique prefix of the id of each run that is here.
        problems: Runs that cannot be read.
    """

    trials: tuple[Trial, ...]
    records: Mapping[str, Record]
    n_fitting: int
    n_valued: int
    n_absent: int
    short: Mapping[str, str]
    problems: tuple[Problem, ...]


def find_best_trials(
    project: Project, at: SweepAt, *, where: str = "", limit: int | None = 1
) -> BestTrials:
    """Give the finished trials with the best values.

    Args:
        where: Only those whose run fits this filter; empty is all.
        limit: At most so many; None is all.

    Raises:
        UsageError: The sweep has no metric.
        FilterError: The filter is wrong.
    """
    if at.sweep.spec.metric is None:
        raise UsageError(
            f"sweep `{at.sweep.id}` has no metric, so no trial of it is best",
            hint=f"`repro best METRIC --where \"sweep = '{escape(at.sweep.id)}'\"` takes any",
        )
    ranked = ranked_trials(at)
    with open_runs(project) as runs:
        index = runs.index
        fitting, n_absent = ranked, 0
        if where:
            here = set(index.ids())
            chosen = set(index.select_ids(parse_filter(where, index, now=project.clock())))
            fitting = [trial for trial in ranked if trial.run in chosen]
            n_absent = sum(trial.run not in here for trial in ranked)
        shown = tuple(fitting[:limit])
        ids = [trial.run for trial in shown]
        records = {str(record.run.id): record for record in index.records(ids)}
        return BestTrials(
            trials=shown,
            records=records,
            n_fitting=len(fitting),
            n_valued=len(ranked),
            n_absent=n_absent,
            short=runs.shorten(records),
            problems=runs.problems,
        )
