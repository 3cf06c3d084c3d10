"""What `repro.lock` pins: written from a dataset as it was measured, read back as its pages."""

import hashlib
from pathlib import Path

from repro.core.datasets import Dataset, facts_of
from repro.core.measured import Measured
from repro.core.project import Project
from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.manifest import format_section, parse_manifest
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.entries import read_epoch
from repro.store.lockfile import Locked, read_lock, update_lock
from repro.store.pages import CheckedPages, iter_texts

_GUARD = "data.lock"


def guard_of(project: Project) -> Path:
    """The file whose lock is held while `repro.yaml` and `repro.lock` are edited."""
    return project.repository.private / _GUARD


def lock_dataset(project: Project, dataset: Dataset, measured: Measured) -> bool:
    """Pin a dataset as it was measured; whether `repro.lock` says another thing now.

    All its pages go into the content store as one file, so that a later change can be told
    file by file, and a clone without any run can fetch it.

    Raises:
        DamagedRecordError: The dataset changed since it was measured.
        InvalidInputError: `repro.lock` is wrong, and not by a merge.
        StorageError: The disk is full, read-only or forbidden.
    """
    facts = facts_of(dataset, measured)
    root = project.repository.root
    content = ContentStore(project.store)
    try:
        before = read_lock(root).get(dataset.name)
    except InvalidInputError:
        before = None  # a merge left conflicts, which `update_lock` ends; all else it refuses
    if (
        before is not None
        and (before.path, before.digest, before.files, before.size, before.kept)
        == (facts.path, facts.digest, facts.files, facts.size, facts.kept)
        and content.has(before.manifest)
    ):
        return False
    manifest, manifest_size = _keep_manifest(content, dataset, measured)
    locked = Locked(
        path=facts.path,
        digest=facts.digest,
        files=facts.files,
        size=facts.size,
        kept=facts.kept,
        manifest=manifest,
        manifest_size=manifest_size,
    )

    def check() -> None:
        # A `data gc` holds the same guard while it deletes.
        if dataset.keep and read_epoch(project.store) != measured.epoch:
            raise DamagedRecordError("bytes were deleted from the content store meanwhile")

    return update_lock(root, dataset.name, locked, guard=guard_of(project), check=check)


def _keep_manifest(content: ContentStore, dataset: Dataset, measured: Measured) -> tuple[str, int]:
    """The digest of the manifest, and its bytes."""
    hasher = hashlib.sha256()
    with content.incoming("the manifest of a dataset") as file:
        for part in iter_texts(measured.page_of, measured.digest, is_kept=dataset.keep):
            piece = format_section(*part)
            hasher.update(piece)
            file.write(piece)
        size = file.tell()
        digest = f"sha256:{hasher.hexdigest()}"
        content.commit(file, digest)
    return digest, size


def read_locked_pages(project: Project, name: str, locked: Locked) -> CheckedPages:
    """The pages of a dataset as `repro.lock` pins it.

    Raises:
        DamagedRecordError: The content store does not have them, or not as they were.
    """
    where = f"repro.lock: {name}"
    content = ContentStore(project.store)
    if not content.has(locked.manifest):
        raise DamagedRecordError(
            f"the manifest of `{escape(name)}` as it is locked is not here",
            hint="`repro data pull` fetches it, if it was pushed to the store",
        )
    pages = parse_manifest(content.read(locked.manifest), where=where)

    def read(path: str) -> tuple[bytes, bytes]:
        if path not in pages:
            raise DamagedRecordError(f"the manifest of `{escape(name)}` lacks `{escape(path)}`")
        return pages[path]

    digest = locked.digest.removeprefix("xxh3:")
    return CheckedPages(read, digest=digest, is_file=_is_file(pages, digest))


def _is_file(pages: dict[str, tuple[bytes, bytes]], digest: str) -> bool:
    """Whether the digest is that of the one file, and not of a page that lists it."""
    text = pages.get("", (b"", b""))[0]
    return len(pages) == 1 and text.split(b" ", 2)[1:2] == [digest.encode()]
