"""A sweep as `--json` prints it: a stable shape, to which keys may be added."""

from collections.abc import Mapping
from dataclasses import asdict

from repro.core.sweep.figures import (
    best_so_far,
    parallel_coordinates,
    ranked_trials,
)
from repro.core.sweep.looking import TrialLook
from repro.core.sweep.standing import count_wanted, find_standing
from repro.model.canonical import Json
from repro.model.sweep import SweepAt, Trial, TrialState
from repro.store.sweepspecs import encode_spec


def sweep_json(at: SweepAt, *, now: float) -> dict[str, Json]:
    """One sweep of a list.

    Args:
        now: Seconds since 1970.
    """
    sweep, progress = at.sweep, at.progress
    ranked = ranked_trials(at)
    best = ranked[0] if ranked else None
    counts: dict[str, Json] = {
        state.value: progress.count(state)
        for state in (
            TrialState.FINISHED,
            TrialState.FAILED,
            TrialState.PRUNED,
            TrialState.RUNNING,
            TrialState.WAITING,
        )
    }
    return {
        "id": sweep.id,
        "name": sweep.spec.name,
        "status": find_standing(at, now=now).value,
        "method": sweep.spec.method.value,
        "metric": sweep.spec.metric,
        "goal": sweep.spec.goal,
        "trials": counts,
        "run_cap": count_wanted(at),
        "best": None
        if best is None
        else {"trial": best.number, "run": best.run, "value": best.value},
        "created": sweep.created,
        "user": sweep.user,
        "host": sweep.host,
    }


def full_sweep_json(
    at: SweepAt, *, now: float, looks: Mapping[str, TrialLook] | None = None
) -> dict[str, Json]:
    """One sweep with its spec, all of its trials, and the figures that they make.

    Args:
        now: Seconds since 1970.
        looks: What is seen of runs in progress, by their id.
    """
    # Here, for a list of sweeps starts without the run index.
    from repro.core.importance import importance_json  # noqa: PLC0415
    from repro.core.sweep.weighing import weigh_trials  # noqa: PLC0415

    shown = sweep_json(at, now=now)
    counts = shown.pop("trials")
    stopped = at.progress.stopped
    spec = at.sweep.spec
    return {
        **shown,
        "counts": counts,
        "stopped": None if stopped is None else stopped.why,
        "base": at.sweep.base,
        "spec": encode_spec(spec),
        "trials": [
            {**trial_json(trial), "so_far": _so_far(trial, now, looks or {})}
            for trial in at.progress.trials
        ],
        "importance": None
        if spec.metric is None
        else importance_json(weigh_trials(at), spec.metric),
        "parallel_coordinates": _coordinates_json(at),
        "history": [
            {"trial": one.trial, "value": one.value, "best": one.best} for one in best_so_far(at)
        ],
    }


def trial_json(trial: Trial) -> dict[str, Json]:
    """One trial of a sweep."""
    return {
        "trial": trial.number,
        "state": trial.state.value,
        "run": trial.run,
        "value": trial.value,
        "duration_s": trial.duration_s,
        "params": dict(trial.params),
        "reused": trial.is_reused,
        "lost": trial.n_lost,
        "why": trial.why,
        "host": trial.agent.host,
    }


def _so_far(trial: Trial, now: float, looks: Mapping[str, TrialLook]) -> Json:
    """What a trial in progress has come to; None for any other one."""
    if trial.state is not TrialState.RUNNING:
        return None
    look = looks.get(trial.run)
    return {
        "value": None if look is None else look.value,
        "step": None if look is None or not look.step else look.step,
        "duration_s": max(now - trial.asked_at, 0.0),
    }


def _coordinates_json(at: SweepAt) -> dict[str, Json]:
    found = parallel_coordinates(at)
    return {
        "axes": [{**asdict(axis), "values": list(axis.values)} for axis in found.axes],
        "lines": [
            {
                "trial": line.trial,
                "run": line.run,
                "state": line.state.value,
                "values": list(line.values),
            }
            for line in found.lines
        ],
    }
