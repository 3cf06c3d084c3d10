"""The large files of git-lfs that the code of runs names, sent to the LFS server of a remote."""

from collections.abc import Callable, Mapping, Sequence

from repro.core.project import Project
from repro.errors import RemoteError
from repro.store.arrival import Wanted
from repro.store.content import ContentStore
from repro.store.lfs import find_pointers, is_used, storage_folder
from repro.store.remote_lfs import open_lfs_of
from repro.store.remoterefs import GitRemote


def find_large(
    project: Project, commits: Sequence[str], there: Sequence[str]
) -> tuple[Wanted, ...]:
    """Give the large files that are here and that the code of new runs names.

    What is not here came as a pointer from where the file itself is, and is not ours to send.

    Args:
        commits: Of runs.
        there: Commits that the remote has; the files that they name went there with them.

    Cost: nothing without git-lfs; with it reads every new file of the code under 1 KiB.
    """
    repository = project.repository
    if not commits or not is_used(repository):
        return ()
    first, *others = (f"{commit}^1" for commit in commits)
    pointers = find_pointers(repository, f"{first}^{{tree}}", there, others=others)
    folder, content = storage_folder(repository), ContentStore(project.store)
    wanted = dict.fromkeys(Wanted(pointer.oid, pointer.size) for pointer in pointers)
    return tuple(one for one in wanted if (folder / one.key).is_file() or content.has(one.digest))


def send_large(
    project: Project,
    remote: GitRemote,
    commits: Mapping[str, str],
    there: Sequence[str],
    wanted: Sequence[Wanted],
    report: Callable[[int], None],
) -> dict[str, str]:
    """Send large files, and say by run why some of what its code names is not there now.

    Args:
        commits: Of the runs that are to be sent, by id.
        wanted: What `find_large` gave.
        report: Told of bytes as they are there.
    """
    if not wanted:
        return {}
    try:
        server = open_lfs_of(project.repository, remote.source(push=True))
        failed = dict(server.send(ContentStore(project.store), wanted, report).failed)
    except RemoteError as error:
        failed = dict.fromkeys(wanted, error.message)
    if not failed:
        return {}
    reasons: dict[str, str] = {}
    for run, commit in commits.items():
        for one in find_large(project, [commit], there):
            if one in failed:
                reasons.setdefault(run, failed[one])
    return reasons
