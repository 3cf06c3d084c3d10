"""Runs that would carry a secret out of this clone, each with where its first one is."""

from collections.abc import Mapping, Sequence

from repro.core.leaks import OnScan, find_leaks
from repro.core.project import Project
from repro.model.sharing import Refusal
from repro.store.allowed import ALLOW


def refuse_leaking(
    project: Project,
    commits: Mapping[str, str],
    known: Sequence[str] = (),
    *,
    on_scan: OnScan | None = None,
) -> list[Refusal]:
    """Give the runs that hold what looks like a secret.

    Args:
        commits: The run commit by the id of each run.
        known: Commits that the other side has already: what they reach is not searched.
        on_scan: Told how many objects of how many are searched.

    Cost: as `find_leaks`.
    """
    if not commits:
        return []
    refused: dict[str, Refusal] = {}
    for leak in find_leaks(project, list(commits.values()), known, on_progress=on_scan):
        line = f":{leak.line}" if leak.line else ""
        reason = f"it holds what looks like a secret: `{leak.path}{line}` ({leak.rule})"
        hint = f"`git config --add {ALLOW} {leak.fingerprint}` lets it pass if it is none"
        # One that cannot be told to be of a run may be in any of them.
        for run in [leak.run] if leak.run in commits else commits:
            refused.setdefault(run, Refusal(run, reason, hint))
    return list(refused.values())
