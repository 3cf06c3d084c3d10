"""The face for studies of Optuna: trials as runs, and the journal of a study in git."""

import functools
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from repro.core.study import StudyJournal
from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.config import plain_value
from repro.model.objective import Goal
from repro.sdk.ends import End, end_by_code, end_by_error
from repro.sdk.guest import Guests
from repro.sdk.here import find_project
from repro.sdk.run import Run
from repro.sdk.session import current_run, init, inside

try:
    import optuna
    from optuna.distributions import distribution_to_json
    from optuna.storages.journal import BaseJournalBackend
    from optuna.study import StudyDirection
    from optuna.trial import TrialState
except ImportError as error:
    raise ImportError(
        "Optuna 4 or newer is not installed here: `pip install 'git-repro[sweep]'`", name="optuna"
    ) from error

__all__ = ["Callback", "GitJournalBackend"]

_GOALS: dict[StudyDirection, Goal] = {
    StudyDirection.MINIMIZE: "minimize",
    StudyDirection.MAXIMIZE: "maximize",
}
_NO_NAME = "no-name-"  # what Optuna has the names of nameless studies begin with
# What concerns one trial that runs: in which order it comes with what concerns others is all one.
_OF_ONE_TRIAL = frozenset({5, 7, 8, 9})  # param, value on the way, both kinds of attributes

Objective = Callable[[optuna.Trial], float | Sequence[float]]


class Callback:
    """Records each trial of a study as a run: `study.optimize(f, callbacks=[Callback()])`.

    The config of the run is the params; its metrics are the values and, by their steps, the values
    on the way; `summary.optuna` says which trial of which study it is, how it ended, and which
    distributions and attributes it had. Threads and processes may share it.

    Args:
        metric: Name of the value, or of each where there are several; by default those that
            `set_metric_names()` gave, else `value` or `values_0` and so on.
        tags: Of each run, beside `study:<name>`.
        name: Each run is named this and its number; by default the name of the study.
        as_runs: False records the whole study as one run instead, the current one if there is
            one, with a step a trial.
    """

    def __init__(
        self,
        metric: str | Sequence[str] | None = None,
        *,
        tags: Iterable[str] = (),
        name: str | None = None,
        as_runs: bool = True,
    ) -> None:
        if isinstance(tags, str):
            raise TypeError("tags are several texts, such as ['v2']")
        self._metric = (metric,) if isinstance(metric, str) else metric and tuple(metric)
        self._tags = tuple(tags)
        self._name = name
        self._as_runs = as_runs
        self._forget()

    def _forget(self) -> None:
        self._guests: Guests | None = None
        self._runs: dict[tuple[str, int], Run] = {}
        self._done: set[tuple[str, int]] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Another process records its own trials."""
        own = ("_guests", "_runs", "_done")
        return {key: value for key, value in self.__dict__.items() if key not in own}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def __call__(self, study: "optuna.Study", trial: "optuna.trial.FrozenTrial") -> None:
        """Record a trial that is over; called by Optuna, or for the trials of an older study.

        Raises:
            NotARepositoryError: Neither the current folder nor the script's is in a repository.
            ValueError: There are more or fewer names of metrics than values.
        """
        if not trial.state.is_finished():
            return
        if not self._as_runs:
            self._log_step(study, trial)
            return
        key = (study.study_name, trial.number)
        if key in self._done:
            return
        run = self._runs.pop(key, None)
        if run is None:
            began = trial.datetime_start
            run = self._start(
                study, trial.number, trial.params, began.timestamp() if began else None
            )
        self._finish(run, study, trial, _end_of(trial.state))

    def track_in_repro(self) -> Callable[[Objective], Objective]:
        """Decorate an objective: its run is open while it runs, and `repro.log()` logs to it.

        The callback is still to be given to `study.optimize()`, for it alone is told how the trial
        ended. Without `as_runs` nothing changes.
        """

        def decorate(objective: Objective) -> Objective:
            @functools.wraps(objective)
            def tracked(trial: optuna.Trial) -> float | Sequence[float]:
                return self._track(objective, trial) if self._as_runs else objective(trial)

            return tracked

        return decorate

    def _track(self, objective: Objective, trial: optuna.Trial) -> float | Sequence[float]:
        study = trial.study
        key = (study.study_name, trial.number)
        run = self._start(study, trial.number, {}, None)
        self._runs[key] = run
        try:
            with inside(run):
                return objective(trial)
        except optuna.TrialPruned:
            raise
        except BaseException as error:
            # Nobody is told of a trial whose error ends the study.
            self._runs.pop(key, None)
            [frozen] = [
                one for one in study.get_trials(deepcopy=False) if one.number == trial.number
            ]
            self._finish(run, study, frozen, end_by_error(error))
            raise

    def _start(
        self, study: "optuna.Study", number: int, params: Mapping[str, Any], began: float | None
    ) -> Run:
        self._names(study)  # where they do not fit, nothing is begun
        if self._guests is None:
            self._guests = Guests()
        study_name = study.study_name
        shown = self._name or ("trial" if study_name.startswith(_NO_NAME) else study_name)
        tags = (*self._tags, f"study:{study_name}")
        return self._guests.start(_plain(params), name=f"{shown}-{number}", tags=tags, began=began)

    def _finish(
        self, run: Run, study: "optuna.Study", trial: "optuna.trial.FrozenTrial", end: End
    ) -> None:
        self._done.add((study.study_name, trial.number))
        names = self._names(study)
        is_single = len(names) == 1
        for name, direction in zip(names, study.directions, strict=True):
            run.define_metric(name, _GOALS.get(direction))
        params = _plain(trial.params)
        # Words of the command line may look like params of the same name.
        if news := {key: one for key, one in params.items() if run.config.get(key) != one}:
            run.config.update(news)
        steps = sorted(trial.intermediate_values.items()) if is_single else []
        for step, value in steps:
            run.log({names[0]: value}, step=step)
        values = trial.values or []
        if not (steps and [steps[-1][1]] == values):  # else it is there already
            run.log(dict(zip(names, values, strict=False)))
        state = trial.state if trial.state.is_finished() else TrialState.FAIL
        told: dict[str, Json] = {
            "study": study.study_name,
            "trial": trial.number,
            "state": state.name.lower(),
            "distributions": {
                name: json.loads(distribution_to_json(one))
                for name, one in trial.distributions.items()
            },
        }
        if trial.user_attrs:
            told["user_attrs"] = plain_value(trial.user_attrs)
        run.summary["optuna"] = told
        run.end(end)

    def _names(self, study: "optuna.Study") -> Sequence[str]:
        n_values = len(study.directions)
        named = self._metric or study.metric_names
        if named is None:
            return ["value"] if n_values == 1 else [f"values_{k}" for k in range(n_values)]
        if len(named) != n_values:
            raise ValueError(f"{len(named)} names of metrics for {n_values} values of a trial")
        return named

    def _log_step(self, study: "optuna.Study", trial: "optuna.trial.FrozenTrial") -> None:
        run = current_run()
        if run is None:
            tags = [*self._tags, f"study:{study.study_name}"]
            run = init(name=self._name or study.study_name, tags=tags)
        names = self._names(study)
        for name, direction in zip(names, study.directions, strict=True):
            run.define_metric(name, _GOALS.get(direction))
        point: dict[str, Any] = dict(zip(names, trial.values or (), strict=False))
        for key, value in trial.params.items():
            if isinstance(value, int | float):
                point[f"params/{key}"] = value
        run.log(point, step=trial.number)
        if len(names) == 1 and trial.state is TrialState.COMPLETE:
            best = study.best_trial
            run.summary["best"] = {"trial": best.number, "params": _plain(best.params)}


def _plain(params: Mapping[str, Any]) -> dict[str, Json]:
    return {str(key): plain_value(value) for key, value in params.items()}


def _end_of(state: TrialState) -> End:
    """A trial that was pruned did what it was to do."""
    end = end_by_code(1 if state is TrialState.FAIL else 0)
    return replace(end, is_pruned=state is TrialState.PRUNED)


class GitJournalBackend(BaseJournalBackend):
    """Keeps a study in git: `JournalStorage(GitJournalBackend("mnist"))`.

    Its journal is the ref `refs/repro/studies/<name>`, which plain git pushes and fetches; it is
    written each time a trial begins or ends, and what a trial says in between at most once a
    second. Processes of one clone may share it, and by a remote those of several hosts.

    Args:
        name: Letters, digits, `.`, `_` and `-`.
        remote: A git remote that is asked before each write, and then written to.

    Raises:
        UsageError: The name cannot be that of a ref.
        NotARepositoryError: Neither the current folder nor the script's is in a repository.
        RemoteError: There is no such remote.
        DamagedRecordError: The journal that is there is damaged.
    """

    def __init__(self, name: str, *, remote: str | None = None) -> None:
        if not isinstance(name, str):
            raise UsageError("a study has a name that is text")
        self._name = name
        self._remote = remote
        self._journal = self._open()

    def _open(self) -> StudyJournal:
        project, _ = find_project()
        return StudyJournal(project, self._name, remote=self._remote, monotonic=time.monotonic)

    def __getstate__(self) -> dict[str, Any]:
        """Another process reads the journal anew."""
        return {"_name": self._name, "_remote": self._remote}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._journal = self._open()

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """The entries from a number on, in an order in which each of this process is."""
        return self._journal.read(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries.

        Raises:
            ConflictError: Others wrote all the time.
            RemoteError: The remote cannot be reached, or refuses.
            StorageError: The disk is full or read-only.
        """
        waits = all(log.get("op_code") in _OF_ONE_TRIAL for log in logs)
        self._journal.append(logs, may_wait=waits)
