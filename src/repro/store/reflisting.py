"""The refs that bear on which runs there are, as one question to git gives them.

Of several that say which commit a run is, the first counts: its own ref, the archives of this
clone, remotes in the order of their names, the archives of these (FORMAT.md, "Which commit a run
is"). A run in progress at a remote counts where nothing says that it is over.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from repro.errors import ReproError
from repro.model.ids import PATTERN as ID
from repro.model.sharing import Refusal
from repro.store.git import Repository
from repro.store.refnames import RUNS, Kind, parse_ref

if TYPE_CHECKING:
    from repro.store.archive import Archive

_BROKEN = re.compile(r"ignoring (?:broken ref|ref with broken name|dangling symref) (\S+)")
_FORMAT = "--format=%(objectname) %(refname) %(symref)"  # git reads no object for these
_OWN_LINE = re.compile(rf"^([0-9a-f]+) {RUNS}({ID}) \n", re.MULTILINE)
_OURS = ""
_TRIES = 5  # somebody folds runs meanwhile, an archive at a time


@dataclass(frozen=True, slots=True)
class RunPlace:
    """One place that says which commit a run is.

    Attributes:
        ref: The ref of the run, or of the archive that it is in.
        remote: The remote that had it; empty for what is this clone's own.
        is_archived: Whether `ref` names an archive with the run in it.
        is_live: Whether the run was in progress, at the remote.
    """

    ref: str
    commit: str
    remote: str = _OURS
    is_archived: bool = False
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class _Named:
    """A ref that is no run's own: what it is called, and which object it names."""

    ref: str
    remote: str
    name: str
    oid: str


class RefListing:
    """Refs that were listed together.

    Attributes:
        own: What `refs/repro/runs/<id>` names, by id and in the order of the ids.
        removed: Ids of runs that the user removed.
        n_refs: How many refs there are, the odd ones included.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.own: dict[str, str] = {}
        self.removed: set[str] = set()
        self.n_refs = 0
        self._named: dict[Kind, list[_Named]] = {Kind.RUN: [], Kind.LIVE: [], Kind.ARCHIVE: []}
        self._refused: dict[str, Refusal] = {}
        self._archives: dict[str, list[tuple[str, Archive]]] | None = None

    def add(self, ref: str, oid: str) -> None:
        """Take in what git said of one ref."""
        self.n_refs += 1
        parsed = parse_ref(ref)
        if parsed.kind == Kind.ODD:
            self.refuse(ref.removeprefix(RUNS), "this is no run id", _forget(ref))
        elif parsed.kind == Kind.RUN and parsed.remote == _OURS:
            self.own[parsed.name] = oid
        elif parsed.kind == Kind.TRASH:
            self.removed.add(parsed.name)
        else:
            self._named[parsed.kind].append(_Named(ref, parsed.remote, parsed.name, oid))

    def refuse(self, name: str, reason: str, hint: str = "") -> None:
        """Take in that something is not to be used."""
        self._refused[name] = Refusal(name, reason, hint)

    def commits(self, ids: Iterable[str] | None = None) -> dict[str, str]:
        """The commits of some runs, or of all, in the order of the ids."""
        found: dict[str, str] = {}
        for layer in self._layers(ids):
            found |= layer
        for run_id in self.removed:
            found.pop(run_id, None)
        if not found:
            return dict(self.own)
        found |= self.own
        return {run_id: found[run_id] for run_id in sorted(found)}

    def own_commits(self) -> dict[str, str]:
        """The commits of the runs of this clone, in the order of the ids."""
        found = self._archived(_OURS, None) if self._has_archives(_OURS) else {}
        kept = {run_id: oid for run_id, oid in found.items() if run_id not in self.removed}
        return dict(sorted((kept | self.own).items()))

    def places(self, run_id: str) -> list[RunPlace]:
        """All places of a run, the one that counts first."""
        own = [RunPlace(RUNS + run_id, self.own[run_id])] if run_id in self.own else []
        return [
            *own,
            *self._archive_places(run_id, is_own=True),
            *self._named_places(run_id, Kind.RUN),
            *self._archive_places(run_id, is_own=False),
            *self._named_places(run_id, Kind.LIVE),
        ]

    def archives(self) -> "dict[str, Archive]":
        """The archives that are as they should be, by their refs."""
        found = {ref: archive for opened in self._opened().values() for ref, archive in opened}
        return {ref: archive for ref, archive in found.items() if self._is_sound(ref, archive)}

    def refused(self) -> list[Refusal]:
        """What cannot be used, in the order of the names."""
        for remote in self._remotes(Kind.ARCHIVE):
            self._archived(remote, None)
        return [self._refused[name] for name in sorted(self._refused)]

    def _layers(self, ids: Iterable[str] | None) -> Iterator[Mapping[str, str]]:
        """What places other than own refs say, the one that counts last of all."""
        asked = None if ids is None else list(ids)
        yield from self._named_layers(Kind.LIVE, asked)
        archived = sorted(self._remotes(Kind.ARCHIVE), reverse=True)
        for remote in archived:
            if remote != _OURS:
                yield self._archived(remote, asked)
        yield from self._named_layers(Kind.RUN, asked)
        if _OURS in archived:
            yield self._archived(_OURS, asked)

    def _named_layers(self, kind: Kind, asked: list[str] | None) -> Iterator[Mapping[str, str]]:
        layers: defaultdict[str, dict[str, str]] = defaultdict(dict)
        wanted = None if asked is None else set(asked)
        for one in self._named[kind]:
            if wanted is None or one.name in wanted:
                layers[one.remote][one.name] = one.oid
        for remote in sorted(layers, reverse=True):
            yield layers[remote]

    def _named_places(self, run_id: str, kind: Kind) -> list[RunPlace]:
        return [
            RunPlace(one.ref, one.oid, one.remote, is_live=kind == Kind.LIVE)
            for one in sorted(self._named[kind], key=lambda one: one.remote)
            if one.name == run_id
        ]

    def _archive_places(self, run_id: str, *, is_own: bool) -> list[RunPlace]:
        return [
            RunPlace(ref, oid, remote, is_archived=True)
            for remote in sorted(self._remotes(Kind.ARCHIVE))
            if (remote == _OURS) == is_own
            for ref, archive in self._opened().get(remote, ())
            for oid in [self._ask(ref, archive, run_id)]
            if oid is not None and run_id in self._archived(remote, [run_id])
        ]

    def _remotes(self, kind: Kind) -> set[str]:
        return {one.remote for one in self._named[kind]}

    def _has_archives(self, remote: str) -> bool:
        return remote in self._remotes(Kind.ARCHIVE)

    def _archived(self, remote: str, asked: Sequence[str] | None) -> dict[str, str]:
        """What the archives of a remote, or our own, say of some runs or of all."""
        found: dict[str, str] = {}
        torn: set[str] = set()
        for ref, archive in self._opened().get(remote, ()):
            for run_id, oid in self._lines(ref, archive, asked):
                if found.setdefault(run_id, oid) != oid:
                    torn.add(run_id)
        named = {one.name for one in self._named[Kind.RUN] if torn and one.remote == remote}
        for run_id in torn:
            del found[run_id]
            if run_id in self.own or run_id in named or run_id in self.removed:
                continue  # that counts
            whose = f" of `{remote}`" if remote else ""
            self.refuse(f"{remote}/{run_id}".lstrip("/"), f"two archives{whose} disagree on it")
        return found

    def _lines(
        self, ref: str, archive: "Archive", asked: Sequence[str] | None
    ) -> Iterable[tuple[str, str]]:
        if asked is not None:
            pairs = ((run_id, self._ask(ref, archive, run_id)) for run_id in asked)
            return [(run_id, oid) for run_id, oid in pairs if oid is not None]
        return archive.items() if self._is_sound(ref, archive) else ()

    def _is_sound(self, ref: str, archive: "Archive") -> bool:
        try:
            archive.check()
        except ReproError as error:
            self.refuse(ref, error.message, error.hint or "")
            return False
        return True

    def _ask(self, ref: str, archive: "Archive", run_id: str) -> str | None:
        seems = archive.find(run_id)
        return seems if seems is not None and self._is_sound(ref, archive) else None

    def _opened(self) -> dict[str, list[tuple[str, "Archive"]]]:
        """The archives that can be read, with their refs, by remote."""
        if self._archives is None:
            # Most repositories have none.
            from repro.store.archive import read_archives  # noqa: PLC0415

            named = self._named[Kind.ARCHIVE]
            read, failed = read_archives(self._repository, [one.oid for one in named])
            known = {archive.commit: archive for archive in read}
            self._archives = {}
            for one in named:
                if one.oid in failed:
                    error = failed[one.oid]
                    self.refuse(one.ref, error.message, error.hint or "")
                else:
                    self._archives.setdefault(one.remote, []).append((one.ref, known[one.oid]))
        return self._archives


def _forget(ref: str) -> str:
    # A remote may have chosen the name, and somebody may paste this into a shell.
    return f"`git update-ref -d {quote(ref)}` deletes it"


def list_run_refs(repository: Repository, patterns: Iterable[str]) -> RefListing:
    """Ask git for the refs that fit any of the patterns, and sort out what they stand for.

    Symbolic refs are none: through one, a change of a run would move another ref.
    """
    words = list(patterns)
    for _ in range(_TRIES):
        before = _stamp_archives(repository.common_dir)
        listing = _ask(repository, words)
        # git reads archives first: a run that went into one after that would be in neither place.
        if _stamp_archives(repository.common_dir) == before:
            break
    return listing


def _stamp_archives(common_dir: Path) -> list[tuple[str, int]]:
    """What changes whenever an archive comes, here or from a remote."""
    refs = common_dir / "refs/repro"
    folders = [str(refs / "archive")]
    with suppress(OSError), os.scandir(refs / "remotes") as entries:
        folders += [f"{entry.path}/archive" for entry in entries]
    found = []
    for folder in folders:
        with suppress(OSError):
            found.append((folder, Path(folder).stat().st_mtime_ns))
    return found


def _ask(repository: Repository, patterns: Iterable[str]) -> RefListing:
    listing = RefListing(repository)
    answer = repository.git.run("for-each-ref", _FORMAT, *patterns)
    text = os.fsdecode(answer.out)
    # Most are of own runs, a hundred thousand of them.
    listing.own = {run_id: oid for oid, run_id in _OWN_LINE.findall(text)}
    listing.n_refs = len(listing.own)
    others = _OWN_LINE.sub("", text) if listing.n_refs < text.count("\n") else ""
    for line in others.split("\n")[:-1]:
        oid, ref, target = line.split(" ", 2)
        if target:
            listing.n_refs += 1
            reason = f"it is a symbolic ref to `{target}`, and runs have none"
            listing.refuse(ref, reason, f"`git symbolic-ref -d {quote(ref)}` deletes it")
        else:
            listing.add(ref, oid)
    for ref in _BROKEN.findall(answer.err):
        listing.refuse(ref, "git calls this ref broken", _forget(ref))
    return listing
