"""The files that the next commit adds or changes, as whoever searches them wants them."""

from pathlib import Path

from repro.core.project import Project
from repro.store.unsent import Unsent, list_staged


def list_staged_files(project: Project) -> list[Unsent]:
    """Give the files that the index has and HEAD has not.

    In a hook the index is the one that git names in `GIT_INDEX_FILE`.
    """
    index = project.environ.get("GIT_INDEX_FILE")
    place = str(Path(project.repository.root, index)) if index else None
    return list_staged(project.repository.git, place)
