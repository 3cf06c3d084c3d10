"""Files of a commit that are larger than git should hold."""

from collections.abc import Sequence
from shlex import quote

from repro.core.project import Project
from repro.model.finding import Finding
from repro.model.readable import format_size
from repro.store.staged import list_changed, list_index, read_sizes


def find_large_files(project: Project, paths: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Name the files of the commit that are larger than `snapshot.max_file`, by path.

    Args:
        paths: Only these, as they are in the index, whether they change or not; none is all that
            the commit adds or changes.

    Cost: two or three git processes; no file is read.
    """
    git, limit = project.repository.git, project.settings.max_file
    files = list(list_index(git, paths).values()) if paths else list_changed(git)
    sizes = read_sizes(git, files)
    return tuple(
        Finding(
            f"`{file.path}` is {format_size(sizes[file.oid])}, more than `snapshot.max_file`"
            f" ({format_size(limit)})",
            f"`git rm --cached {quote(file.path)}`, then `repro data add {quote(file.path)}`;"
            " or `git lfs track`",
        )
        for file in files
        if sizes.get(file.oid, 0) > limit
    )
