"""New objects become visible as one kept pack, then by a ref (FORMAT.md section "Order of writes").

Loose objects that no ref names yet are fair game for `git gc --prune=now`: written naively,
13 of 668 runs were damaged beside such a loop, none this way. So all new objects are written
to a folder that borrows the repository's objects; then everything that the new commits reach
goes into one pack, which is moved in with a `.keep` beside it; then the refs are created;
then the `.keep` goes. The pack is made by reachability and not from what was newly written:
an object that already lies in the repository may be unreachable there, and a gc would take it.
"""

import itertools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from repro.atomic import fsync_dir, storage_errors
from repro.errors import GitError
from repro.store.git import Identity, Repository, fsync_settings
from repro.store.gitdir import make_git_dir
from repro.store.refs import RefUpdate, update_refs

MEMORY = Path("/dev/shm")  # noqa: S108  # a private folder of mode 0700 is made in it
PREFIX = "repro-quarantine-"
KEEP_NOTE = "repro"
NOTES = "packs"  # folder of .git/repro that names the packs repro made
_MOST_IN_MEMORY = 16 << 20
_FOLDER = "040000"
_FILE = "100644"


@dataclass(frozen=True, slots=True)
class Existing:
    """An object that git has already, put into a tree as it is.

    Attributes:
        mode: `100644`, `100755`, `120000`, or `040000` for a whole folder.
    """

    mode: str
    oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSpec:
    """A commit to write: of `tree`, or of `files` by path.

    Attributes:
        when: Seconds since 1970, used as author and committer date in UTC.
        parents: Object ids, or positions of earlier specs in the same batch.
        files: Content, a file to read it from, or an object there is already.
    """

    message: str
    when: float
    author: Identity
    parents: Sequence[str | int] = ()
    tree: str | None = None
    files: Mapping[str, bytes | Path | Existing] | None = None


class Quarantine:
    """Folders for new objects that no other git process sees.

    Attributes:
        dir: For whatever is needed on the way; gone when the quarantine is closed.
    """

    def __init__(self, repository: Repository, folder: Path, disk: Path) -> None:
        self.repository = repository
        self.dir = folder
        self._disk = disk
        self._objects = folder / "objects"
        self._borrowed = [repository.objects]
        self._expected = 0
        self._numbers = itertools.count()

    def expect(self, n_bytes: int) -> None:
        """Say how much is about to be written: past 16 MiB it goes to the disk, not to memory."""
        self._expected += n_bytes
        if self._expected > _MOST_IN_MEMORY and self._objects.parent != self._disk:
            self.borrow(self._objects)
            self._objects = self._disk / "objects"
            with storage_errors("the quarantine for new objects"):
                (self._objects / "pack").mkdir(parents=True, mode=0o700)

    def borrow(self, objects: Path) -> None:
        """Let git read the objects of another repository too, such as a submodule's."""
        if objects not in self._borrowed:
            self._borrowed.append(objects)

    @property
    def env(self) -> dict[str, str]:
        """Variables that make git write objects here and read them there too.

        Nothing is fsynced here: only the pack that is moved out must survive a power loss.
        """
        unsynced = fsync_settings(self.repository.git.version, durable=False)
        return {**self._folders(self._objects, self._borrowed), **unsynced}

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the objects lie that were written here; nothing that is only read is in them."""
        return self._objects, *(one for one in self._borrowed if one.parent == self.dir)

    def next_number(self) -> int:
        """A number that nothing else in this quarantine has."""
        return next(self._numbers)

    def pack_folder(self) -> tuple[Path, dict[str, str]]:
        """A folder on the disk of the repository for the pack, and the variables to write it.

        git renames a finished pack from `objects/pack/tmp_…`, which must be on the same disk.
        """
        folder = self._disk / f"finished-{self.next_number()}"
        objects = self._disk / "objects"
        with storage_errors("a pack"):
            folder.mkdir(parents=True, mode=0o700)
            (objects / "pack").mkdir(parents=True, exist_ok=True)
        return folder, self._folders(objects, [self._objects, *self._borrowed])

    @staticmethod
    def _folders(target: Path, others: Sequence[Path]) -> dict[str, str]:
        return {
            "GIT_OBJECT_DIRECTORY": str(target),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(map(_quoted, others)),
        }


def _quoted(path: Path) -> str:
    """A path as git reads it in a list of alternates: C-quoted if it has odd characters."""
    text = str(path)
    if os.pathsep not in text and not text.startswith('"'):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextmanager
def open_quarantine(repository: Repository) -> Iterator[Quarantine]:
    """Give a fresh quarantine; it is deleted at the end, published or not.

    Raises:
        StorageError: `.git/repro` cannot be written.
    """
    name = f"{PREFIX}{os.getpid()}-{os.urandom(6).hex()}"
    disk = repository.private / "quarantine" / name
    folder = MEMORY / name if _has_memory() else disk
    with storage_errors("the quarantine for new objects"):
        disk.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700)
        (folder / "objects" / "pack").mkdir(parents=True)
    try:
        yield Quarantine(repository, folder, disk)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(disk, ignore_errors=True)


def _has_memory() -> bool:
    """Whether there is a file system in memory with room to spare.

    Seventy loose objects cost 60 ms to write and remove on ext4, 10 ms there.
    """
    try:
        room = os.statvfs(MEMORY)
    except OSError:
        return False
    return os.access(MEMORY, os.W_OK) and room.f_bavail * room.f_frsize > 2 * _MOST_IN_MEMORY


def write_commits(quarantine: Quarantine, specs: Sequence[CommitSpec]) -> list[str]:
    """Write commits with all their new trees and blobs, by one `git fast-import`.

    fast-import always moves refs, without any compare-and-swap; it runs in a git folder of
    its own inside the quarantine, so that its refs die with it.

    Returns:
        The object ids of the commits, in the order of `specs`.
    """
    repository = quarantine.repository
    quarantine.expect(sum(map(_size, specs)))
    own = quarantine.dir / "git"
    if not own.exists():
        make_git_dir(own, repository.object_format)
    process = repository.git.spawn(
        "-c",
        "fastimport.unpackLimit=0",
        "fast-import",
        "--quiet",
        "--done",
        env={**quarantine.env, "GIT_DIR": str(own)},
    )
    assert process.stdin is not None  # a pipe, by `spawn`
    try:
        for index, spec in enumerate(specs):
            _write_spec(process.stdin, f"refs/heads/{quarantine.next_number()}", index + 1, spec)
        for index in range(len(specs)):
            process.stdin.write(f"get-mark :{index + 1}\n".encode())
        process.stdin.write(b"done\n")
    except BrokenPipeError:
        pass  # it died; what it said is the error
    except BaseException:
        process.kill()
        process.communicate()
        raise
    out, err = process.communicate()
    oids = out.decode().split()
    if process.returncode != 0 or len(oids) != len(specs):
        said = err.decode(errors="replace")
        raise repository.git.failure(("fast-import",), process.returncode, said)
    return oids


def _size(spec: CommitSpec) -> int:
    contents = (spec.files or {}).values()
    sizes = (len(one) for one in contents if isinstance(one, bytes))
    return sum(sizes) + sum(one.stat().st_size for one in contents if isinstance(one, Path))


def _write_spec(stream: IO[bytes], ref: str, mark: int, spec: CommitSpec) -> None:
    who = f"{_plain(spec.author.name) or 'repro'} <{_plain(spec.author.email)}>"
    # Of a message with a NUL git shows what stands before it, and fsck calls it an error.
    message = spec.message.replace("\0", "\\x00").encode(errors="replace")
    stream.write(f"commit {ref}\nmark :{mark}\n".encode())
    for role in ("author", "committer"):
        stream.write(f"{role} {who} {int(spec.when)} +0000\n".encode(errors="replace"))
    stream.write(b"data %d\n%b\n" % (len(message), message))
    for position, parent in enumerate(spec.parents):
        name = f":{parent + 1}" if isinstance(parent, int) else parent
        stream.write(f"{'merge' if position else 'from'} {name}\n".encode())
    stream.write(b"deleteall\n")  # `from` starts with the parent's tree
    if spec.tree is not None:
        stream.write(f'M {_FOLDER} {spec.tree} ""\n'.encode())
    for path, content in (spec.files or {}).items():
        _write_file(stream, path, content)
    stream.write(b"\n")


def _write_file(stream: IO[bytes], path: str, content: bytes | Path | Existing) -> None:
    name = b'"' + _escaped(os.fsencode(path)) + b'"'
    if isinstance(content, Existing):
        stream.write(f"M {content.mode} {content.oid} ".encode() + name + b"\n")
        return
    stream.write(f"M {_FILE} inline ".encode() + name + b"\n")
    if isinstance(content, bytes):
        stream.write(b"data %d\n%b\n" % (len(content), content))
        return
    with content.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        stream.write(b"data %d\n" % size)
        left = size
        while left:
            block = file.read(min(left, 1 << 20))
            if not block:
                raise GitError(f"`{content}` shrank while it was being recorded")
            stream.write(block)
            left -= len(block)
        stream.write(b"\n")


def _escaped(path: bytes) -> bytes:
    return path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")


def _plain(text: str) -> str:
    """Text that may stand in an author line: git takes no angle bracket, newline or NUL there."""
    return "".join(char for char in text if char not in "<>\n\0").strip()


def publish(
    quarantine: Quarantine,
    *,
    tips: Sequence[str],
    exclude: Sequence[str],
    refs: Sequence[RefUpdate],
    beside: Sequence[str] = (),
) -> None:
    """Make commits visible: one kept pack of what they reach, then the refs, then no `.keep`.

    Args:
        tips: Commits whose objects are to be kept.
        exclude: Ancestors of these that refs hold already; what they reach is left out.
        beside: Other commits that refs hold, and that share folders with the tips; likewise.
        refs: Moved in one transaction, by compare-and-swap.

    Raises:
        ConflictError: A ref was not where it should be; nothing became visible.
        GitError: An object went missing meanwhile; nothing became visible.
    """
    repository = quarantine.repository
    folder, env = quarantine.pack_folder()
    wanted = _listed(tips, [*exclude, *beside])
    if beside:
        # Of commits that are no parents git leaves nothing out, unless it is asked to look.
        words = ("rev-list", "--objects-edge-aggressive", "--stdin")
        lines = repository.git.run(*words, stdin=wanted, env=env).out.split(b"\n")
        wanted = b"".join(line + b"\n" for line in lines if line and line[:1] != b"-")
    repository.git.run(
        "pack-objects",
        *([] if beside else ["--revs"]),
        "--quiet",
        "--non-empty",
        "--threads=1",
        str(folder / "pack"),
        stdin=wanted,
        env=env,
    )
    keep = _move_pack(folder, repository.objects / "pack", repository.private / NOTES)
    try:
        update_refs(repository.git, refs)
        _check_reachable(repository, tips, exclude)
    finally:
        if keep is not None:
            keep.unlink(missing_ok=True)


def _listed(tips: Sequence[str], exclude: Sequence[str]) -> bytes:
    return "".join([f"{tip}\n" for tip in tips] + [f"^{commit}\n" for commit in exclude]).encode()


def _move_pack(source: Path, target: Path, notes: Path) -> Path | None:
    """Move the one pack in `source`, its index last; give the `.keep` that stands beside it now."""
    packs = list(source.glob("*.pack"))
    if not packs:
        return None
    [pack] = packs
    with storage_errors("a pack"):
        target.mkdir(exist_ok=True)
        notes.mkdir(exist_ok=True)
        (notes / pack.stem).touch()
        keep = target / f"{pack.stem}.keep"
        keep.write_text(f"{KEEP_NOTE} {os.getpid()}\n")
        for suffix in (".rev", ".pack", ".idx"):
            part = pack.with_suffix(suffix)
            if part.exists():
                part.rename(target / part.name)
        fsync_dir(target)
    return keep


def _check_reachable(repository: Repository, tips: Sequence[str], exclude: Sequence[str]) -> None:
    words = ("rev-list", "--objects", "--quiet", "--stdin")
    repository.git.run(*words, stdin=_listed(tips, exclude))
