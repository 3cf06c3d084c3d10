"""Git objects as an attacker writes them: raw, and checked by nobody."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from repro.model.ids import RunId
from repro.model.run import Record
from repro.store.runs import encode_record
from tests.support import git
from tests.support.records import make_record

FILE, EXEC, LINK, FOLDER, GITLINK = b"100644", b"100755", b"120000", b"40000", b"160000"
WHEN = b"Ada <ada@example.org> 1764000000 +0000"

ZEROS = "77e9132b46cb9535f286f18974872f40049d1a89"  # what git calls 2 GiB of zeros

_KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}

Entry = tuple[bytes, bytes, str]  # mode, name, object id


class Maker:
    """Makes objects, and writes all of them as one pack."""

    def __init__(self, folder: Path, base: str) -> None:
        """Write into the object folder `folder`; runs start from the commit `base`."""
        self.folder = folder
        self.base = base
        self._made: dict[str, tuple[str, bytes]] = {}
        self.hello = self.blob(b"print('hello')\n")
        self.code = self.tree([(FILE, b"train.py", self.hello)])

    def write(self, kind: str, payload: bytes) -> str:
        """Any object."""
        data = f"{kind} {len(payload)}".encode() + b"\0" + payload
        oid = hashlib.sha1(data).hexdigest()  # git's own name for it
        self._made[oid] = kind, payload
        return oid

    def flush(self) -> None:
        """Let git see what was made; git only finds out the names of it."""
        parts = [b"PACK" + (2).to_bytes(4, "big") + len(self._made).to_bytes(4, "big")]
        for kind, payload in self._made.values():
            parts += [_pack_header(_KINDS[kind], len(payload)), zlib.compress(payload, 1)]
        data = b"".join(parts)
        pack = self.folder / "pack" / "pack-hostile.pack"
        pack.parent.mkdir(parents=True, exist_ok=True)
        pack.write_bytes(data + hashlib.sha1(data).digest())
        git(pack.parent, "index-pack", str(pack))

    def blob(self, payload: bytes) -> str:
        return self.write("blob", payload)

    def two_gib_of_zeros(self) -> str:
        """A blob that is small until somebody reads it, made without hashing 2 GiB."""
        size, oid = 1 << 31, ZEROS
        path = self.folder / oid[:2] / oid[2:]
        if path.exists():
            return oid
        header = b"blob %d\0" % size
        compressor = zlib.compressobj(9, wbits=-15)
        chunk = 1 << 20
        first = compressor.compress(header) + compressor.flush(zlib.Z_FULL_FLUSH)
        part = compressor.compress(b"\0" * chunk) + compressor.flush(zlib.Z_FULL_FLUSH)
        end = zlib.compressobj(9, wbits=-15).flush(zlib.Z_FINISH)
        # Of zeros the first sum of Adler-32 stays, and is added to the second each time.
        low, high = zlib.adler32(header) & 0xFFFF, zlib.adler32(header) >> 16
        check = ((high + size % 65521 * low) % 65521) << 16 | low
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(b"\x78\xda" + first)
            for _ in range(size // chunk):
                file.write(part)
            file.write(end + check.to_bytes(4, "big"))
        return oid

    def tree(self, entries: Iterable[Entry]) -> str:
        """A tree with its entries in the order given."""
        payload = b"".join(
            mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries
        )
        return self.write("tree", payload)

    def commit(
        self,
        tree: str,
        parents: Iterable[str] = (),
        *,
        author: bytes = WHEN,
        committer: bytes = WHEN,
        message: bytes = b"run\n",
    ) -> str:
        lines = [b"tree " + tree.encode()]
        lines += [b"parent " + parent.encode() for parent in parents]
        lines += [b"author " + author, b"committer " + committer, b"", message]
        return self.write("commit", b"\n".join(lines))

    def folders(self, files: Mapping[str, bytes]) -> str:
        """A well-made tree of files by path."""
        inner: dict[str, dict[str, bytes]] = {}
        entries: list[Entry] = []
        for path, data in files.items():
            name, _, rest = path.partition("/")
            if rest:
                inner.setdefault(name, {})[rest] = data
            else:
                entries.append((FILE, name.encode(), self.blob(data)))
        entries += [(FOLDER, name.encode(), self.folders(part)) for name, part in inner.items()]
        return self.tree(sorted(entries, key=_git_order))

    def snapshot(self, code: str) -> str:
        """A commit of code on the base, as a run has it for its first parent."""
        return self.commit(code, [self.base], message=b"snapshot\n")

    def run(
        self,
        run_id: str,
        *,
        code: str | None = None,
        files: Mapping[str, bytes] | None = None,
        extra: Iterable[Entry] = (),
        earlier: Iterable[str] = (),
        **changes: Any,
    ) -> str:
        """A run commit that is sound but for what is asked for.

        Args:
            code: Tree of its code.
            files: Laid over the files of its record.
            extra: Put behind the entries of its record.
            earlier: Further parents.
            changes: Of `make_record`.
        """
        snapshot = self.snapshot(code or self.code)
        record = self.record(run_id, snapshot, **changes)
        return self.commit_record(
            {**encode_record(record), **(files or {})}, snapshot, extra, earlier
        )

    def record(self, run_id: str, snapshot: str, **changes: Any) -> Record:
        record = make_record(id=RunId(run_id), **changes)
        run = replace(record.run, base=self.base, snapshot=snapshot)
        return replace(record, run=run)

    def commit_record(
        self,
        files: Mapping[str, bytes],
        snapshot: str,
        extra: Iterable[Entry] = (),
        earlier: Iterable[str] = (),
    ) -> str:
        tree = self.folders(files)
        if extra := list(extra):
            tree = self.extend(tree, extra)
        return self.commit(tree, [snapshot, *earlier])

    def extend(self, tree: str, extra: Iterable[Entry]) -> str:
        """A tree with more entries, in git's order."""
        payload = self.read(tree)
        added = [(mode, name, oid) for mode, name, oid in extra]
        return self.tree(sorted([*_entries(payload), *added], key=_git_order))

    def read(self, oid: str) -> bytes:
        return self._made[oid][1]


def _pack_header(kind: int, size: int) -> bytes:
    out = [kind << 4 | size & 15]
    size >>= 4
    while size:
        out[-1] |= 0x80
        out.append(size & 0x7F)
        size >>= 7
    return bytes(out)


def _git_order(entry: Entry) -> bytes:
    return entry[1] + b"/" if entry[0] == FOLDER else entry[1]


def _entries(payload: bytes) -> list[Entry]:
    found = []
    while payload:
        head, _, rest = payload.partition(b"\0")
        mode, _, name = head.partition(b" ")
        found.append((mode, name, rest[:20].hex()))
        payload = rest[20:]
    return found
