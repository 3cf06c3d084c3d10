"""Whether a checkout or a merge changed what is pinned."""

from repro.core.project import Project
from repro.store.lockfile import FILE as LOCK


def did_pins_move(project: Project, before: str, after: str) -> bool:
    """Whether `repro.lock` is another one in the commit `after`; also where one is not there."""
    args = ("diff-tree", "--quiet", "-r", before, after, "--", LOCK)
    return project.repository.git.run(*args, ok=(0, 1, 128)).code != 0
