"""The face for Ray Tune: each trial is recorded as a run, by the process that leads the search."""

import signal
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from repro.errors import ReproError
from repro.model.canonical import Json
from repro.model.config import plain_value
from repro.sdk.ends import end_by_code, end_by_signal
from repro.sdk.guest import Guests
from repro.sdk.notices import warn
from repro.sdk.run import Run
from repro.sdk.values import plain_points

try:
    from ray.tune.logger import LoggerCallback
except ImportError as error:
    raise ImportError(
        "Ray Tune is not installed here: `pip install 'git-repro[ray]'`", name="ray"
    ) from error

__all__ = ["ReproLoggerCallback"]

# What Ray adds to every result and what says nothing of the trial.
_BOOKKEEPING = frozenset(
    {
        "checkpoint_dir_name",
        "config",
        "date",
        "done",
        "experiment_id",
        "experiment_tag",
        "hostname",
        "iterations_since_restore",
        "node_ip",
        "pid",
        "should_checkpoint",
        "time_since_restore",
        "timestamp",
        "training_iteration",
        "trial_id",
    }
)
_STEP = "training_iteration"


class ReproLoggerCallback(LoggerCallback):  # type: ignore[misc]  # Ray has no types
    """Records each trial of Ray Tune as a run: `RunConfig(callbacks=[ReproLoggerCallback()])`.

    The config of the run is that of the trial; numbers that it reports are metrics, with the
    training iteration as step; `summary.ray` says which trial of which experiment it is. A trial
    that is restored, also in a later process, continues its run.

    Args:
        tags: Of each run, beside `tune:<experiment>`.
        name: Each run is named this and the id of its trial; by default the experiment.
        excludes: Names in results that are no metrics.
    """

    def __init__(
        self,
        *,
        tags: Iterable[str] = (),
        name: str | None = None,
        excludes: Iterable[str] = (),
    ) -> None:
        if isinstance(tags, str):
            raise TypeError("tags are several texts, such as ['v2']")
        self._tags = tuple(tags)
        self._name = name
        self._excludes = _BOOKKEEPING | set(excludes)
        self._ids: dict[str, str] = {}
        self._forget()

    def _forget(self) -> None:
        self._guests: Guests | None = None
        self._runs: dict[str, Run] = {}

    def __getstate__(self) -> dict[str, Any]:
        """What Ray keeps with the experiment, to restore it by."""
        own = ("_guests", "_runs")
        return {key: value for key, value in self.__dict__.items() if key not in own}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def get_state(self) -> dict[str, Any]:
        """Which run each trial has."""
        return {"runs": dict(self._ids)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take that up again, in the process that restores an experiment."""
        self._ids.update(state.get("runs", {}))

    def setup(self, *args: Any, **info: Any) -> None:  # noqa: ARG002  as Ray calls it
        """Find the repository, before the first trial starts.

        Raises:
            NotARepositoryError: Neither the current folder nor the script's is in a repository.
        """
        if self._guests is None:
            self._guests = Guests()

    def log_trial_start(self, trial: Any) -> None:
        """Start the run of a trial, or go on with it."""
        self._run_of(trial)

    def log_trial_restore(self, trial: Any) -> None:
        """Go on with the run of a trial."""
        self._run_of(trial)

    def log_trial_save(self, trial: Any) -> None:
        """Note the newest checkpoint of a trial."""
        run = self._run_of(trial)
        checkpoint = getattr(trial, "checkpoint", None)
        path = getattr(checkpoint, "path", None)
        run.summary["ray"] = {**_describe(trial), **({"checkpoint": str(path)} if path else {})}
        run.sync()

    def log_trial_result(self, iteration: int, trial: Any, result: Mapping[str, Any]) -> None:  # noqa: ARG002  as Ray calls it
        """Log the numbers of a result."""
        points = dict(_numbers(result, self._excludes))
        if not points:
            return
        step = result.get(_STEP)
        self._run_of(trial).log(points, step=step if isinstance(step, int) else None)

    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        """End the run of a trial."""
        run = self._runs.pop(trial.trial_id, None)
        if run is not None:
            run.end(end_by_code(1 if failed else 0))

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:  # noqa: ARG002  likewise
        """End what is still open: of trials that were interrupted."""
        for trial_id in [*self._runs]:
            self._runs.pop(trial_id).end(end_by_signal(signal.SIGINT))

    def _run_of(self, trial: Any) -> Run:
        run = self._runs.get(trial.trial_id)
        if run is None:
            run = self._runs[trial.trial_id] = self._start(trial)
            self._ids[trial.trial_id] = run.id
            run.summary["ray"] = _describe(trial)
        return run

    def _start(self, trial: Any) -> Run:
        self.setup()
        assert self._guests is not None  # by `setup`
        experiment = _experiment(trial)
        config = plain_value(trial.config)
        words: dict[str, Any] = {
            "name": f"{self._name or experiment}-{trial.trial_id}",
            "tags": (*self._tags, f"tune:{experiment}"),
        }
        given = config if isinstance(config, dict) else {}
        earlier = self._ids.get(trial.trial_id)
        if earlier is not None:
            try:
                return self._guests.start(given, resume=earlier, **words)
            except ReproError as error:
                warn(f"trial {trial.trial_id} cannot continue run `{earlier}`: {error}")
        return self._guests.start(given, **words)


def _experiment(trial: Any) -> str:
    found = getattr(getattr(trial, "storage", None), "experiment_dir_name", None)
    return str(found or getattr(trial, "trainable_name", None) or "tune")


def _describe(trial: Any) -> dict[str, Json]:
    return {
        "experiment": _experiment(trial),
        "trial": str(trial.trial_id),
        "tag": str(getattr(trial, "experiment_tag", "") or ""),
    }


def _numbers(
    result: Mapping[str, Any], excluded: frozenset[str] | set[str], prefix: str = ""
) -> Iterator[tuple[str, float | str]]:
    """The numbers in a result, by names joined with `/`."""
    for key, value in result.items():
        if key in excluded:
            continue
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _numbers(value, excluded, f"{name}/")
            continue
        try:
            yield from plain_points({name: value}).items()
        except (TypeError, ValueError):  # text, a list: no metric
            continue
