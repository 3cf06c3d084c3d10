"""What a sweep that goes on in one clone thinks of the claims of others."""

from collections.abc import Sequence

from repro.core.sweep.protocols import Gone
from repro.model.sweep import Agent, SweepAt, TrialState
from repro.model.text import escape
from repro.store.process import host_name, is_alive, parse_process, this_process


class NobodyElse:
    """Takes over every claim but those of processes that are alive here (`Others`).

    Who resumes a sweep goes on with it here: on another machine nobody is waited for.
    """

    def find_gone(self, at: SweepAt, me: str) -> Sequence[Gone]:
        """The claims of processes that ended, and those of other machines."""
        return [
            Gone(trial.run, _why(trial.agent), is_lost=False)
            for trial in at.progress.trials
            if trial.state is TrialState.RUNNING
            and trial.agent.id != me
            and not _is_another(trial.agent)
        ]

    def publish(self, runs: Sequence[str]) -> None:
        """Nothing: all that there is, is here."""


def _is_another(agent: Agent) -> bool:
    """Whether it is alive, and not what this very process was before."""
    is_us = parse_process(agent.process) == this_process()
    return not is_us and _is_working_here(agent)


def _is_working_here(agent: Agent) -> bool:
    """Whether an agent is a process of this machine that is alive."""
    process = parse_process(agent.process)
    return process is not None and agent.host == host_name() and is_alive(process)


def _why(agent: Agent) -> str:
    if agent.host == host_name():
        return "the process that ran the sweep ended"
    return f"it ran on `{escape(agent.host)}`, and the sweep goes on here"
