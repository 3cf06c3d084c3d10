"""git bundles: one file with refs and all that they reach, written by git, looked into first.

Format: `gitformat-bundle(5)`. The header is read by dulwich, so that nothing of git touches a
file from elsewhere before it is known what that claims to hold.
"""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from repro.errors import DamagedRecordError, InvalidInputError, NewerFormatError
from repro.model.text import escape
from repro.store.gitdir import make_git_dir
from repro.store.objects import is_oid
from repro.store.quarantine import Quarantine

HEAD = "HEAD"

_MAGIC = b"# v"
_KIND = b" git bundle\n"
_KNOWN = (2, 3)
_LONGEST_HEADER = 64 << 20  # bytes: a million refs
_BLOCK = 1 << 20
# dulwich wants a pack behind the header, and reads all of it into memory: it gets an empty one.
_EMPTY_PACK = bytes.fromhex("5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleHeader:
    """What a bundle claims to hold.

    Attributes:
        refs: The object that each ref names.
        prerequisites: Commits that whoever reads it must have already.
        object_format: `sha1` or `sha256`.
        is_partial: Whether objects were filtered out of it.
    """

    refs: Mapping[str, str]
    prerequisites: tuple[str, ...]
    object_format: str
    is_partial: bool


def read_header(path: Path) -> BundleHeader:
    """Read the header of a bundle, and nothing behind it.

    Raises:
        InvalidInputError: The file cannot be read, or is no git bundle.
        NewerFormatError: It is a bundle of a version that is not known here.
        DamagedRecordError: Its header is cut off or malformed.
    """
    shown = escape(str(path))
    if path.exists() and not path.is_file():  # a pipe may never have a byte
        raise InvalidInputError(f"`{shown}` is no file", hint="name one of `repro bundle`")
    try:
        with path.open("rb") as file:
            header = _cut_header(file, shown)
    except OSError as error:
        raise InvalidInputError(f"`{shown}` cannot be read: {error.strerror}") from error
    return _parse(header, shown)


def _cut_header(file: IO[bytes], shown: str) -> bytes:
    first = file.readline(64)
    if not (first.startswith(_MAGIC) and first.endswith(_KIND)):
        raise InvalidInputError(
            f"`{shown}` is no bundle: it does not start as one of git",
            hint="`repro bundle RUN -o FILE` makes one",
        )
    version = first.removeprefix(_MAGIC).removesuffix(_KIND)
    if not version.isdigit() or int(version) not in _KNOWN:
        raise NewerFormatError(
            f"`{shown}` is a bundle of version {escape(version.decode(errors='replace'))},"
            f" of which this repro knows {' and '.join(map(str, _KNOWN))}",
            hint="upgrade repro and git",
        )
    lines = [first]
    size = len(first)
    while lines[-1] != b"\n":
        line = file.readline(_BLOCK)
        size += len(line)
        if not line.endswith(b"\n") or size > _LONGEST_HEADER:
            raise DamagedRecordError(
                f"`{shown}` is cut off or damaged: its list of refs has no end",
                hint="get the file again",
            )
        lines.append(line)
    return b"".join(lines)


def _parse(header: bytes, shown: str) -> BundleHeader:
    # 50 ms, and only for those who unbundle.
    from dulwich.bundle import read_bundle  # noqa: PLC0415

    try:
        with read_bundle(io.BytesIO(header + _EMPTY_PACK)) as bundle:
            refs = {os.fsdecode(ref): oid.decode() for ref, oid in bundle.references.items()}
            prerequisites = tuple(oid.decode() for oid, _ in bundle.prerequisites)
            capabilities = dict(bundle.capabilities)
    except Exception as error:  # whatever dulwich raises of a hostile header
        raise DamagedRecordError(
            f"`{shown}` is damaged: its list of refs cannot be read", hint="get the file again"
        ) from error
    unknown = capabilities.keys() - {"object-format", "filter"}
    if unknown:
        raise NewerFormatError(
            f"`{shown}` needs `{escape(min(unknown))}`, which this repro does not know",
            hint="upgrade repro and git",
        )
    if not all(map(is_oid, (*refs.values(), *prerequisites))):
        raise DamagedRecordError(
            f"`{shown}` is damaged: a ref in it names no object", hint="get the file again"
        )
    return BundleHeader(
        refs=refs,
        prerequisites=prerequisites,
        object_format=capabilities.get("object-format") or "sha1",
        is_partial="filter" in capabilities,
    )


def write_bundle(quarantine: Quarantine, refs: Mapping[str, str], head: str, target: Path) -> None:
    """Write a bundle of refs with all their history, which needs nothing to be there already.

    Args:
        quarantine: Has the objects that are not in the repository.
        refs: The object that each ref is to name; none of them need exist anywhere.
        head: The ref of these that a clone checks out.
        target: A file that is not there yet.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
        GitError: An object is missing.
    """
    repository = quarantine.repository
    own = quarantine.dir / f"bundle-{quarantine.next_number()}"
    make_git_dir(own, repository.object_format, head=head)
    lines = "".join(f"{oid} {ref}\n" for ref, oid in sorted(refs.items()))
    (own / "packed-refs").write_text(f"# pack-refs with: sorted \n{lines}")
    names = "".join(f"{name}\n" for name in (HEAD, *sorted(refs)))
    repository.git.run(
        "bundle",
        "create",
        "--quiet",
        str(target),
        "--stdin",
        stdin=names.encode(),
        env={**quarantine.env, "GIT_DIR": str(own)},
    )
