"""The LFS server of the team's git remote, through git-lfs itself: it knows address and login."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from repro.errors import DamagedRecordError, RemoteError
from repro.model.secrets import redact_text
from repro.model.text import escape
from repro.store.arrival import (
    BLOCK,
    ObjectError,
    Outcome,
    Report,
    Wanted,
    is_here,
    move_each,
)
from repro.store.content import ContentStore
from repro.store.git import Identity, Repository, Result
from repro.store.lfs import storage_folder
from repro.store.quarantine import CommitSpec, open_quarantine, write_commits

_BATCH = 100  # objects for one git-lfs process; as many as one question to a server takes
_ENDPOINT = re.compile(r"^Endpoint(?: \([^)]*\))?=(\S+)", re.MULTILINE)
_OF_OBJECT = re.compile(r"\[([0-9a-f]{64})\] (.+)")
_ADVICE = re.compile(r"(?:Uploading|Downloading) LFS objects|fetch: |error: failed to |\s*\Z")
_HOPELESS = re.compile(
    r"dial tcp|no such host|i/o timeout|certificate|Authentication required|Authorization error"
    r"|[Ii]nvalid remote name|Could not resolve|Connection refused"
    r"|unsupported protocol|missing protocol"
)


class LfsRemote:
    """An LFS server, as git-lfs finds it.

    Attributes:
        label: What messages call it.
    """

    def __init__(self, repository: Repository, remote: str) -> None:
        self.label = f"the LFS server of `{escape(redact_text(remote))}`"
        self._repository = repository
        self._remote = remote

    def send(self, content: ContentStore, wanted: Sequence[Wanted], on_bytes: Report) -> Outcome:
        """See `Remote`.

        Cost: Reads each object twice, also those that the server has; a process for each 100.
        """
        folder = storage_folder(self._repository)

        def lend(one: Wanted, report: Report) -> None:
            report(0)
            # What git-lfs has of its own it checks itself.
            if content.has(one.digest) or _size(folder / one.key) != one.size:
                _lend(content, one, folder / one.key)

        lent = move_each(wanted, lend, _count_nothing)
        failed = dict(lent.failed)
        for batch in _batches(lent.done):
            for one, reason in self._send_batch(batch).items():
                failed[one] = reason
            on_bytes(sum(one.size for one in batch if one not in failed))
        return _outcome(wanted, failed)

    def _send_batch(self, batch: Sequence[Wanted]) -> dict[Wanted, str]:
        """Send objects, and give why some of them could not be."""
        failed: dict[Wanted, str] = {}
        # What git-lfs says of some objects says nothing of the others, so it is asked again.
        while left := [one for one in batch if one not in failed]:
            oids = [one.sha256 for one in left]
            done = self._run("push", "--object-id", self._remote, *oids)
            if done.code == 0:
                break
            failed |= self._reasons(done, left) or dict.fromkeys(left, self._reason(done))
        return failed

    def fetch(self, content: ContentStore, wanted: Sequence[Wanted], on_bytes: Report) -> Outcome:
        """See `Remote`. Cost: A few processes for each 100 objects; reads each once."""
        folder = storage_folder(self._repository)

        def take(one: Wanted, report: Report) -> None:
            if not is_here(content, one):
                _take(content, one, folder / one.key)
            report(one.size)

        failed: dict[Wanted, str] = {}
        for batch in _batches(dict.fromkeys(wanted)):
            away = [one for one in batch if not is_here(content, one)]
            away = [one for one in away if _size(folder / one.key) != one.size]
            reasons = self._bring(away) if away else {}
            taken = move_each(batch, take, on_bytes)
            failed |= {one: reasons.get(one, reason) for one, reason in taken.failed}
        return _outcome(wanted, failed)

    def _bring(self, batch: Sequence[Wanted]) -> dict[Wanted, str]:
        """Have git-lfs download objects into its own storage; it takes commits, and no objects."""
        pointers = {one.sha256: _pointer(one) for one in batch}
        spec = CommitSpec(
            message="objects to fetch", when=0.0, author=Identity("repro", ""), files=pointers
        )
        with open_quarantine(self._repository) as quarantine:
            [commit] = write_commits(quarantine, [spec])
            done = self._run(
                "fetch", "--include=*", "--exclude=", self._remote, commit, env=quarantine.env
            )
        if done.code == 0:
            return {}
        return dict.fromkeys(batch, self._reason(done)) | self._reasons(done, batch)

    def _run(self, *args: str, env: dict[str, str] | None = None) -> Result:
        # Fetching what is recent besides would be a surprise.
        recent = ("-c", "lfs.fetchrecentalways=false")
        done = self._repository.git.run(*recent, "lfs", *args, env=env, ok=range(256))
        if done.code != 0 and _HOPELESS.search(done.err):
            raise RemoteError(
                f"{self.label} cannot be used: {self._reason(done)}",
                hint="`git lfs env` shows where git-lfs looks for it",
            )
        return done

    def _reasons(self, done: Result, asked: Sequence[Wanted]) -> dict[Wanted, str]:
        said = {oid: self._clean(words) for oid, words in _OF_OBJECT.findall(done.err)}
        return {one: f"{self.label}: {said[one.sha256]}" for one in asked if one.sha256 in said}

    def _reason(self, done: Result) -> str:
        lines = [line for line in done.err.splitlines() if not _ADVICE.match(line)]
        return self._clean(lines[0]) if lines else f"git-lfs ended with exit code {done.code}"

    @staticmethod
    def _clean(text: str) -> str:
        return escape(redact_text(text.strip()[:300]))


def _batches(wanted: Iterable[Wanted]) -> Iterator[tuple[Wanted, ...]]:
    rest = iter(wanted)
    while batch := tuple(islice(rest, _BATCH)):
        yield batch


def _count_nothing(n_bytes: int) -> None:
    pass


def _outcome(wanted: Sequence[Wanted], failed: dict[Wanted, str]) -> Outcome:
    asked = list(dict.fromkeys(wanted))
    return Outcome(
        tuple(one for one in asked if one not in failed),
        tuple((one, failed[one]) for one in asked if one in failed),
    )


def _pointer(one: Wanted) -> bytes:
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{one.sha256}\nsize {one.size}\n"
    return text.encode()


def _lend(content: ContentStore, one: Wanted, path: Path) -> None:
    """Put an object where git-lfs looks for it."""
    try:
        content.link_out(one.digest, path)
    except DamagedRecordError as error:
        raise ObjectError(error.message) from error
    found = _size(path)
    if found != one.size:
        raise ObjectError(f"it has {found} bytes here, and not {one.size}")


def _take(content: ContentStore, one: Wanted, path: Path) -> None:
    """Keep what git-lfs has under the name of an object, if it is right."""
    if one.size == 0 and content.put_bytes(b"") == one.digest:
        return  # git-lfs never moves an empty file
    if _size(path) != one.size:
        raise ObjectError("git-lfs did not bring it")
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        for block in _blocks(file.fileno()):
            hasher.update(block)
    if hasher.hexdigest() != one.sha256:
        raise ObjectError("what git-lfs has of it is damaged: `git lfs fsck` puts it aside")
    # An entry that is there, and not of its size, is damaged: only other bytes heal it.
    if content.has(one.digest):
        content.put_file(path)
    else:
        content.link_in(path, one.sha256)


def _blocks(fd: int) -> Iterator[bytes]:
    while block := os.read(fd, BLOCK):
        yield block


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def open_lfs(repository: Repository) -> LfsRemote:
    """Give the LFS server of the git remote: the one git-lfs would take, by its settings.

    Raises:
        RemoteError: git-lfs is not installed, or there is no git remote.
    """
    _need_lfs(repository, "`store: lfs` needs")
    remotes = repository.git.text("remote").split()
    remote = _find_remote(repository, remotes)
    if remote is None and remotes:
        raise RemoteError(
            f"`store: lfs` cannot tell which remote is meant: {', '.join(map(escape, remotes))}",
            hint="`git config remote.lfsdefault NAME`",
        )
    if remote is None:
        raise RemoteError(
            "`store: lfs` needs a git remote, and there is none",
            hint="`git remote add origin URL`, or `git config lfs.url URL`",
        )
    return LfsRemote(repository, remote)


def open_lfs_of(repository: Repository, remote: str) -> LfsRemote:
    """Give the LFS server of one git remote.

    Args:
        remote: Its name or address.

    Raises:
        RemoteError: git-lfs is not installed.
    """
    _need_lfs(repository, "large files of the code need")
    return LfsRemote(repository, remote)


def _need_lfs(repository: Repository, what: str) -> None:
    if repository.git.run("lfs", "version", ok=range(256)).code != 0:
        raise RemoteError(f"{what} git-lfs, which is not installed", hint="install git-lfs")


def _find_remote(repository: Repository, remotes: Sequence[str]) -> str | None:
    branch = _ask(repository, "symbolic-ref", "--quiet", "--short", "HEAD")
    upstream = _ask(repository, "config", "--get", f"branch.{branch}.remote") if branch else None
    endpoint = None if remotes else _ENDPOINT.search(repository.git.text("lfs", "env"))
    candidates = (
        _ask(repository, "config", "--get", "remote.lfsdefault"),
        upstream if upstream != "." else None,
        "origin" if "origin" in remotes else None,
        remotes[0] if len(remotes) == 1 else None,
        endpoint[1] if endpoint and "://" in endpoint[1] else None,
    )
    # What begins with a dash would be an option.
    return next((name for name in candidates if name and not name.startswith("-")), None)


def _ask(repository: Repository, *args: str) -> str | None:
    asked = repository.git.run(*args, ok=(0, 1))
    return os.fsdecode(asked.out).removesuffix("\n") or None
