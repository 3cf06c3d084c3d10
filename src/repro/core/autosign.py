"""A run signed at its end, if the user wants that."""

from repro.core.project import Project
from repro.errors import ReproError


def sign_sealed(project: Project, run_id: str) -> str | None:
    """Sign a run that was just sealed if `repro.sign` is set; give why it could not be, or None.

    Nothing of it fails the run, and nobody is asked: a key that is not at hand within five
    seconds is a reason.

    Cost: one git process where it is not set.
    """
    try:
        if project.personal.sign:
            # Few users sign, and it takes milliseconds to import at the end of every run.
            from repro.core.signatures import sign_run  # noqa: PLC0415

            sign_run(project, run_id, patiently=False)
    except (ReproError, OSError) as error:
        return f"run `{run_id}` is not signed: {error}; `repro sign {run_id}` signs it"
    return None
