"""Kept bytes sent to the store that the project shares, and fetched from it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from repro.core.datachoice import Chosen, iter_files, split_kept
from repro.core.project import Project
from repro.errors import DamagedRecordError, InvalidInputError
from repro.store.arrival import Outcome, Wanted, is_here
from repro.store.content import ContentStore
from repro.store.lockfile import Locked
from repro.store.remote import Remote, open_remote

Report = Callable[[int], None]

_LARGEST_MANIFEST = 8 << 30  # bytes; 64 MiB hold some 500,000 files
MANIFEST = ""  # the path that stands for a dataset's manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A kept file that could not be moved.

    Attributes:
        path: In its dataset, `MANIFEST` for all of it.
        digest: As the content store names it.
        reason: In words.
    """

    dataset: str
    path: str
    digest: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be moved.

    Attributes:
        datasets: Whose bytes; those that are not kept are in `left_out`.
        files: What is to be moved, each with its dataset and a path in it.
        manifests: Likewise; they are sent when the files are there.
        here: What the content store has already; none of it is fetched.
        failed: What cannot even be tried.
    """

    datasets: tuple[Chosen, ...]
    left_out: tuple[Chosen, ...]
    files: Mapping[Wanted, tuple[str, str]]
    manifests: Mapping[Wanted, tuple[str, str]] = field(default_factory=dict)
    here: tuple[Wanted, ...] = ()
    failed: tuple[Failure, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return sum(one.size for one in (*self.files, *self.manifests))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of a load.

    Attributes:
        done: What is now where it should be.
        failed: The rest.
    """

    done: tuple[Wanted, ...]
    failed: tuple[Failure, ...]

    @property
    def size(self) -> int:
        """Bytes of what is now where it should be."""
        return sum(one.size for one in self.done)


def open_store(project: Project) -> Remote:
    """Give the store that `repro.yaml` names; nothing is asked of it yet.

    Raises:
        InvalidInputError: It names none, or what it names is none.
        RemoteError: `store: lfs` without git-lfs, or without a git remote.
    """
    if project.settings.store is None:
        raise InvalidInputError(
            "`repro.yaml` names no store for kept bytes",
            hint="add a line such as `store: s3://bucket/prefix` or `store: /mnt/team/data` to it",
        )
    return open_remote(project.settings.store, project.repository, project.environ)


def plan_push(project: Project, chosen: Iterable[Chosen]) -> Load:
    """Say what must be in the store for others to have the bytes of datasets.

    Raises:
        InvalidInputError: None of them is kept.
    """
    kept, left_out = _keepers(chosen)
    content = ContentStore(project.store)
    files: dict[Wanted, tuple[str, str]] = {}
    manifests: dict[Wanted, tuple[str, str]] = {}
    failed: list[Failure] = []
    for one in kept:
        failed += collect_files(project, one, files)
        if one.locked is not None and content.has(one.locked.manifest):
            manifests[manifest_of(one.locked)] = (one.name, MANIFEST)
    return Load(
        datasets=kept, left_out=left_out, files=files, manifests=manifests, failed=tuple(failed)
    )


def push(project: Project, remote: Remote, load: Load, report: Report) -> Moved:
    """Send what a store lacks; what fails does not stop the rest, and a second call goes on.

    Args:
        report: Told of bytes as they are there, those that were there before included.

    Raises:
        RemoteError: The store is not there, refuses, is read-only, or gives no answer.
    """
    content = ContentStore(project.store)
    # In this order: who finds a manifest there can count on its files.
    files = remote.send(content, list(load.files), report)
    manifests = remote.send(content, list(load.manifests), report)
    return _moved(load, files, manifests)


def plan_pull(project: Project, remote: Remote, chosen: Iterable[Chosen]) -> Load:
    """Say what must be fetched for the bytes of datasets to be here; manifests are fetched now.

    Entries of the content store that are no whole copy, by their size, are set aside.

    Raises:
        InvalidInputError: None of the datasets is kept.
        RemoteError: The store is not there, refuses, or gives no answer.
        StorageError: The disk here is full, read-only or forbidden.
    """
    kept, left_out = _keepers(chosen)
    content = ContentStore(project.store)
    files: dict[Wanted, tuple[str, str]] = {}
    failed: list[Failure] = []
    for one in kept:
        failure = _bring_manifest(project, remote, one)
        failed += [failure] if failure is not None else collect_files(project, one, files)
    here = [wanted for wanted in files if is_here(content, wanted)]
    for wanted in here:
        del files[wanted]
    for wanted in files:
        if content.has(wanted.digest):
            with suppress(DamagedRecordError):  # another process was a step ahead
                content.set_aside(wanted.digest)
    return Load(
        datasets=kept, left_out=left_out, files=files, here=tuple(here), failed=tuple(failed)
    )


def pull(project: Project, remote: Remote, load: Load, report: Report) -> Moved:
    """Fetch what is not here; what fails does not stop the rest, and a second call goes on.

    Args:
        report: Told of bytes as they come.

    Raises:
        RemoteError: The store is not there, refuses, or gives no answer.
        StorageError: The disk here is full, read-only or forbidden.
    """
    return _moved(load, remote.fetch(ContentStore(project.store), list(load.files), report))


def _keepers(chosen: Iterable[Chosen]) -> tuple[tuple[Chosen, ...], tuple[Chosen, ...]]:
    kept, left_out = split_kept(chosen)
    if not kept and left_out:
        raise InvalidInputError(
            "none of these datasets is kept: only their digests are recorded",
            hint=f"`repro data add --keep {left_out[0].name}` keeps its bytes, where its files are",
        )
    if not kept:
        raise InvalidInputError(
            "there is no dataset whose bytes are kept",
            hint="`repro data add --keep PATH` adds one",
        )
    return kept, left_out


def collect_files(
    project: Project, one: Chosen, files: dict[Wanted, tuple[str, str]]
) -> list[Failure]:
    """Add the kept files of a dataset to `files`, and give what cannot be."""
    failed = []
    try:
        for path, entry in iter_files(project, one):
            if entry.sha256 is not None:
                files.setdefault(Wanted(entry.sha256, entry.size), (one.name, path))
            else:
                reason = "its bytes were not kept"
                failed.append(
                    Failure(
                        dataset=one.name, path=path, digest=f"xxh3:{entry.digest}", reason=reason
                    )
                )
    except DamagedRecordError as error:
        failed.append(_without_manifest(one, error.message))
    return failed


def _without_manifest(one: Chosen, reason: str) -> Failure:
    digest = one.locked.manifest if one.locked is not None else ""
    return Failure(dataset=one.name, path=MANIFEST, digest=digest, reason=reason)


def manifest_of(locked: Locked) -> Wanted:
    """The entry of the content store that is the manifest of a dataset."""
    return Wanted(locked.manifest.removeprefix("sha256:"), locked.manifest_size)


def _bring_manifest(project: Project, remote: Remote, one: Chosen) -> Failure | None:
    """Have the manifest that `repro.lock` names; why that cannot be."""
    if one.locked is None:
        return None
    content = ContentStore(project.store)
    try:
        if content.has(one.locked.manifest):
            content.verify(one.locked.manifest)
            return None
    except DamagedRecordError:
        content.set_aside(one.locked.manifest)
    if one.locked.manifest_size > _LARGEST_MANIFEST:
        return _without_manifest(one, "repro.lock says a size that no manifest has")
    outcome = remote.fetch(content, [manifest_of(one.locked)], _count_nothing)
    return next((_without_manifest(one, reason) for _, reason in outcome.failed), None)


def _count_nothing(n_bytes: int) -> None:
    pass


def _moved(load: Load, *outcomes: Outcome) -> Moved:
    failed = list(load.failed)
    for outcome in outcomes:
        for one, reason in outcome.failed:
            dataset, path = load.files.get(one) or load.manifests[one]
            failed.append(Failure(dataset=dataset, path=path, digest=one.digest, reason=reason))
    return Moved(
        done=tuple(one for outcome in outcomes for one in outcome.done), failed=tuple(failed)
    )
