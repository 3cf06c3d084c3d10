"""Secrets in what is about to leave the clone."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from repro.core.project import Project
from repro.core.stagedfiles import list_staged_files
from repro.model.marking import Marker
from repro.model.secretrules import RULES
from repro.model.secrets import is_secret_file
from repro.model.secretscan import LONGEST, Found, find_in_names, find_secrets, takes_plain
from repro.store.allowed import ALLOW as ALLOW
from repro.store.allowed import allowed_secrets
from repro.store.clonekey import read_marker
from repro.store.git import Git
from repro.store.objects import open_objects
from repro.store.refs import RUNS, SWEEPS
from repro.store.scanned import Scanned
from repro.store.unsent import Unsent, list_unsent, reaches, read_start

BY_NAME = "a file that holds secrets, by its name"
MESSAGE = "(commit message)"
_MANY = 500  # objects from which on a faster reader pays
_RUN = re.compile(rb"^Repro-(?:Run|Sweep): ([0-9a-z]{12})$", re.MULTILINE)

OnScan = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """A secret that would leave.

    Attributes:
        run: Id of the run or sweep that has it; empty for a commit that is none.
        path: In the code or in the record of the run; nothing is escaped.
        line: From 1; 0 where the whole file is meant.
        rule: What it looks like.
        fingerprint: What `git config --add repro.allowSecret` takes to let it pass, here only.
    """

    run: str
    path: str
    line: int
    rule: str
    fingerprint: str


def find_leaks(
    project: Project,
    tips: Sequence[str],
    known: Sequence[str],
    *,
    on_progress: OnScan | None = None,
) -> tuple[Leak, ...]:
    """Give the secrets in all that `tips` reach and `known` do not, by run, path and line.

    Searched are the files of code and records, and the messages of commits; paths by their name.
    What was searched before is not searched again.

    Args:
        tips: Commits of runs and sweeps, or others.
        known: Commits that the other side has already; they may be absent here.
        on_progress: Told how many objects of how many are done.

    Cost: three git processes, and a second for each 30 MB that nobody searched before.
    """
    git = project.repository.git
    search = _Search(project)
    found = search.search(list_unsent(git, tips, known), on_progress)
    if not found:
        return ()
    return tuple(sorted(_by_run(git, found, tips, known)))


def find_own_leaks(
    project: Project, ids: Sequence[str] = (), *, on_progress: OnScan | None = None
) -> tuple[Leak, ...]:
    """Give what a push of own runs and sweeps would stop at, as far as that can be told here.

    What a branch of a remote has is taken for known there.

    Args:
        ids: Of the runs and sweeps; none for all.
    """
    git = project.repository.git
    lines = git.text("for-each-ref", "--format=%(objectname) %(refname)", RUNS, SWEEPS).splitlines()
    tips = {line.rpartition("/")[2]: line.split()[0] for line in lines}
    known = git.text("for-each-ref", "--format=%(objectname)", "refs/remotes/").split()
    chosen = [tips[one] for one in ids if one in tips] if ids else list(tips.values())
    return find_leaks(project, chosen, known, on_progress=on_progress) if chosen else ()


def find_leaking(project: Project, objects: Sequence[Unsent]) -> dict[str, Leak]:
    """Give those of some files and commits that hold a secret, each with its first one.

    Args:
        objects: Each may be there once.

    Returns:
        By the ids of the objects; the leaks name no run.
    """
    leaking: dict[str, Leak] = {}
    for one, secrets in _Search(project).search(objects, None):
        path = one.path if one.kind == "blob" else MESSAGE
        first = min(secrets, key=lambda secret: secret.line)
        leak = Leak("", path, first.line, first.rule, first.fingerprint)
        leaking[one.oid] = min(leak, leaking.get(one.oid, leak))
    return leaking


def scan_staged(project: Project, staged: Sequence[Unsent] | None = None) -> tuple[Leak, ...]:
    """Give the secrets in what the next commit would add, by path and line.

    What the file has in HEAD, or in the commit that is being merged, is not added by this one.

    Args:
        staged: What `list_staged_files` gives, by whoever asked already.
    """
    search = _Search(project)
    found = search.search(list_staged_files(project) if staged is None else staged, None)
    return tuple(
        sorted(
            Leak("", one.path, secret.line, secret.rule, secret.fingerprint)
            for one, secrets in found
            for secret in search.added(one.path, secrets)
        )
    )


class _Search:
    """Searches objects, and remembers those that are clean."""

    def __init__(self, project: Project) -> None:
        self._repository = project.repository
        private = project.repository.private
        self._marker: Marker = read_marker(private)
        oid_bytes = 20 if self._repository.object_format == "sha1" else 32
        self._scanned = Scanned(private, RULES, oid_bytes)

    @cached_property
    def _allowed(self) -> frozenset[str]:
        return allowed_secrets(self._repository.git)

    def search(
        self, objects: Sequence[Unsent], on_progress: OnScan | None
    ) -> list[tuple[Unsent, tuple[Found, ...]]]:
        """The objects with secrets that nobody allowed."""
        found: list[tuple[Unsent, tuple[Found, ...]]] = []
        in_names = find_in_names({one.path for one in objects if one.path}, self._marker)
        for one in objects:
            for named in (self._by_name(one), in_names.get(one.path)):
                if named is not None and named.fingerprint not in self._allowed:
                    found.append((one, (named,)))
        clean = []
        for one, secrets in self._read(objects, on_progress):
            if not secrets:
                clean.append((one.oid, takes_plain(one.path)))
            elif left := tuple(one for one in secrets if one.fingerprint not in self._allowed):
                found.append((one, left))
        self._scanned.add(clean)
        return found

    def added(self, path: str, secrets: Sequence[Found]) -> list[Found]:
        """Those of the secrets in a file that no parent of the next commit has in it."""
        old: set[str] = set()
        for parent in ("HEAD", "MERGE_HEAD"):
            done = self._repository.git.run("cat-file", "blob", f"{parent}:{path}", ok=(0, 128))
            if done.code == 0:
                old.add(BY_NAME)
                old |= {one.fingerprint for one in find_secrets(done.out, path, self._marker)}
        return [one for one in secrets if old.isdisjoint((one.rule, one.fingerprint))]

    def _by_name(self, one: Unsent) -> Found | None:
        if one.kind != "blob" or not is_secret_file(one.path):
            return None
        fingerprint = self._marker.fingerprint(f"{one.path}\0{one.oid}".encode(errors="replace"))
        return Found(BY_NAME, 0, fingerprint)

    def _read(
        self, objects: Sequence[Unsent], on_progress: OnScan | None
    ) -> Iterator[tuple[Unsent, tuple[Found, ...]]]:
        new = [
            one for one in objects if not self._scanned.has(one.oid, plain=takes_plain(one.path))
        ]
        small = [one for one in new if one.size <= LONGEST]
        reader = open_objects(self._repository, many=len(small) > _MANY)
        try:
            contents = reader.read_many(one.oid for one in small)
            for number, (one, read) in enumerate(zip(small, contents, strict=True)):
                if on_progress is not None:
                    on_progress(number, len(new))
                if read is not None:
                    yield one, find_secrets(read[1], one.path, self._marker)
        finally:
            reader.close()
        for one in new:
            if one.size > LONGEST:
                start = read_start(self._repository.git, one.oid, LONGEST)
                yield one, find_secrets(start, one.path, self._marker)
        if on_progress is not None:
            on_progress(len(new), len(new))


def _by_run(
    git: Git,
    found: Sequence[tuple[Unsent, tuple[Found, ...]]],
    tips: Sequence[str],
    known: Sequence[str],
) -> Iterator[Leak]:
    """A leak for each run that has it: any of them alone would carry it out."""
    for tip in tips:
        reached = reaches(git, tip, known)
        run = _run_of(git, tip)
        for one, secrets in found:
            if one.oid in reached:
                path = one.path if one.kind == "blob" else MESSAGE
                for secret in secrets:
                    yield Leak(run, path, secret.line, secret.rule, secret.fingerprint)


def _run_of(git: Git, tip: str) -> str:
    message = git.run("cat-file", "commit", tip, ok=range(256)).out.partition(b"\n\n")[2]
    trailers = _RUN.findall(message)
    return trailers[-1].decode() if trailers else ""
