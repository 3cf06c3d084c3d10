"""Secrets that a commit is about to hold."""

from collections.abc import Sequence

from repro.core.leaks import scan_staged
from repro.core.project import Project
from repro.model.finding import Finding
from repro.store.allowed import ALLOW
from repro.store.unsent import Unsent


def find_staged_secrets(
    project: Project, staged: Sequence[Unsent] | None = None
) -> tuple[Finding, ...]:
    """Name the places in the commit that hold what looks like a secret, by path and line.

    Args:
        staged: As `scan_staged` takes it.

    Cost: as `scan_staged`.
    """
    return tuple(
        Finding(
            f"`{leak.path}`{f' line {leak.line}' if leak.line else ''}: {leak.rule}",
            f"take it out, or let it pass in this clone:"
            f" `git config --add {ALLOW} {leak.fingerprint}`",
        )
        for leak in scan_staged(project, staged)
    )
