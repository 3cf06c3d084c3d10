"""How a sweep stands: how many trials it wants, and whether anybody works on it."""

from enum import StrEnum

from repro.core.sweep.claiming import count_trials, is_target_reached
from repro.model.sweep import OVER, Agent, SweepAt, Trial, TrialState
from repro.store.process import host_name, is_alive, parse_process

_SILENT_S = 300.0  # an agent elsewhere that was not heard of for so long may be gone


class Standing(StrEnum):
    """Whether a sweep goes on."""

    NEW = "new"  # no trial was started yet
    RUNNING = "running"
    STOPPED = "stopped"  # somebody ended it
    INTERRUPTED = "interrupted"  # nobody works on it, and there is more to do
    FINISHED = "finished"  # all trials are over, or one is as good as its target
    FAILED = "failed"  # nobody works on it, and all trials that are over failed


def count_wanted(at: SweepAt) -> int | None:
    """How many trials a sweep comes to; None where it has no end of itself."""
    return count_trials(at.sweep.spec, at.progress.run_cap)


def find_standing(at: SweepAt, *, now: float) -> Standing:
    """Say how a sweep stands, as far as can be told from here.

    Args:
        now: Seconds since 1970; agents of other machines count as gone five minutes after they
            were last heard of.
    """
    progress = at.progress
    running = [trial for trial in progress.trials if trial.state is TrialState.RUNNING]
    if any(_is_working(trial.agent, progress.beats.get(trial.agent.id), now) for trial in running):
        return Standing.RUNNING
    n_failed = progress.count(TrialState.FAILED)
    has_failed = n_failed > 0 and n_failed == progress.count(*OVER)
    if is_done(at):
        return Standing.FAILED if has_failed else Standing.FINISHED
    if progress.stopped is not None:
        return Standing.STOPPED
    if has_failed and not progress.count(TrialState.RUNNING, TrialState.WAITING):
        return Standing.FAILED
    return Standing.INTERRUPTED if progress.trials else Standing.NEW


def is_done(at: SweepAt) -> bool:
    """Whether all trials that a sweep wants are over, or one is as good as its target."""
    wanted = count_wanted(at)
    is_full = wanted is not None and at.progress.count(*OVER) >= wanted
    return is_full or is_target_reached(at.sweep.spec, at.progress)


def find_elsewhere(at: SweepAt, *, now: float) -> list[Trial]:
    """The trials that run on other machines, as far as the ledger that is here says.

    Args:
        now: As `find_standing` takes it.
    """
    progress = at.progress
    return [
        trial
        for trial in progress.trials
        if trial.state is TrialState.RUNNING
        and trial.agent.host != host_name()
        and _is_working(trial.agent, progress.beats.get(trial.agent.id), now)
    ]


def _is_working(agent: Agent, heard_at: float | None, now: float) -> bool:
    process = parse_process(agent.process)
    if process is not None and agent.host == host_name():
        return is_alive(process)
    return heard_at is not None and now - heard_at < _SILENT_S
