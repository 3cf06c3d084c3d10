"""The run of a trial whose process died on this machine, sealed by who started that process."""

from repro.core.autopush import push_soon
from repro.core.project import Project
from repro.core.record import recover_runs
from repro.model.run import Status


def salvage_run(project: Project, run_id: str) -> Status | None:
    """Seal what is dead here; how that run ended, or None where it left nothing, or still lives.

    One that died on another machine is sealed once that is sure, by whichever command comes then.
    Runs of others that are sealed on the way go out as they would have.
    """
    recovered = recover_runs(project)
    ids = [run.id for run in recovered.runs]
    if ids:
        push_soon(project, ids)
    return next((run.status for run in recovered.runs if run.id == run_id), None)
