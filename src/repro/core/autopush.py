"""Runs that ended handed to a process that pushes them, if the user wants that."""

from collections.abc import Sequence

from repro.core.project import Project
from repro.errors import ReproError


def push_soon(project: Project, ids: Sequence[str]) -> str | None:
    """Have runs that were just sealed pushed if `repro.autopush` is set; why they cannot be.

    Nothing of it fails a run or is waited for; how it went, the next command says (`pusher.py`).

    Cost: one git process where it is not set, unless the settings were asked before.
    """
    try:
        if project.personal.autopush is None:
            return None
        # Few users want that, and it takes milliseconds to import at the end of every run.
        from repro.store.background import start_background  # noqa: PLC0415
        from repro.store.outbox import LOG, put_out  # noqa: PLC0415

        private = project.repository.private
        put_out(private, ids)
        root = project.repository.root
        if start_background("push", cwd=root, environ=project.environ, log=private / LOG):
            return None
        reason = "this Python cannot start another one"
    except (ReproError, OSError) as error:
        reason = str(error)
    return f"run `{ids[0]}` is not pushed: {reason}; `repro push` does it"
