"""An isolated tree put back as it was laid out, for the next run in it."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

from repro.core.beside_data import DataBeside, fill_worktree
from repro.core.isolation import Isolated
from repro.core.project import Project
from repro.errors import ReproError
from repro.store.beside import remove_folder
from repro.store.git import join_names, split_names
from repro.store.placing import Seen, is_still, seen_of

_CACHE = "__pycache__"
_COMPILED = re.compile(r"(.+?)\.[^.]+(?:\.opt-\d)?\.pyc\Z")
_STATUS = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no")
_OF_CODE = ("--ignore-submodules=all", "--no-renames")
_FILES = ("ls-files", "-z", "-v", "--cached", "--others", "--directory")
_OTHER, _PLAIN = "? ", "H "  # what it says of a file that git does not track, and of one it does
_CHECKOUT = ("checkout", "--quiet", "--force", "--detach", "--no-recurse-submodules")

# What tells a file from what it was before; of a folder only its mode counts.
_Mark = tuple[int, Seen | None]


@dataclass(frozen=True, slots=True)
class _Look:
    """A tree as it is.

    Attributes:
        code: What git says of HEAD and of the files that it tracks.
        flagged: Files that it tracks, but not as usual: it may not look at them.
        others: All else in the tree by path, folders before what is in them; datasets and the
            files of submodules are among it.
        packages: All that is in the folder of packages.
    """

    code: tuple[str, ...]
    flagged: frozenset[str]
    others: Mapping[str, _Mark] = field(default_factory=dict)
    packages: Mapping[str, _Mark] = field(default_factory=dict)


class Pristine:
    """How an isolated tree was laid out; made before anything runs in it."""

    def __init__(self, project: Project, isolation: Isolated) -> None:
        self._project = project
        self._isolation = isolation
        self._before = self._look()
        # By the clock of the file system: what was laid out has no later ctime.
        with TemporaryFile(dir=isolation.folder.parent) as file:
            self._laid_ns = os.fstat(file.fileno()).st_ctime_ns

    def put_back(self) -> bool:
        """Have the tree as it was laid out, whatever a run left in it.

        Files that git tracks get their content back and all others go, ignored ones too, but
        for compiled Python whose source is as it was laid out. A dataset that was changed is
        laid out anew.

        Returns:
            False where this cannot be done: only a new tree is as this one was.

        Cost: two git processes and a look at each file that git does not track.
        """
        try:
            return self._put_back()
        except (ReproError, OSError):
            return False

    def _put_back(self) -> bool:
        before, now = self._before, self._look()
        plans = {plan.path: plan for plan in self._isolation.data}
        others = {
            path: mark
            for path, mark in before.others.items()
            if not any(_is_in(path, one) for one in plans)
        }
        new = _topmost(path for path in now.others if path not in before.others)
        if (
            now.flagged != before.flagged
            or not _is_all_there(before.packages, now.packages)
            or not _is_all_there(others, now.others)
            or any(_is_in(path, one) for one in new for path in (*others, *plans))
        ):
            return False
        changed = self._changed_data(plans, now)
        folder = self._isolation.folder
        for plan in changed:
            _remove(folder / plan.path)
        self._remove(folder, new, kept=self._ignored([path for path in new if _is_cache(path)]))
        new = _topmost(path for path in now.packages if path not in before.packages)
        self._remove(self._isolation.packages, new, kept={path for path in new if _is_cache(path)})
        # Files that never read back as they were recorded look changed in any case.
        if changed or now.code != before.code or _has_changes(before.code):
            self._check_out()
            if self._look_at_code() != before.code:
                return False
        if changed:
            fill_worktree(self._project, folder, changed)
            self._before = self._look()
        return True

    def _check_out(self) -> None:
        isolation = self._isolation
        isolation.project.repository.git.run(*_CHECKOUT, isolation.beside.commit, "--")

    def _changed_data(self, plans: Mapping[str, DataBeside], now: _Look) -> list[DataBeside]:
        changed = []
        for path, plan in plans.items():
            was, is_now = (
                {one: mark for one, mark in look.others.items() if _is_in(one, path)}
                for look in (self._before, now)
            )
            if was.keys() != is_now.keys() or not _is_all_there(was, is_now):
                changed.append(plan)
        return changed

    def _remove(self, top: Path, paths: Iterable[str], *, kept: Set[str]) -> None:
        for path in paths:
            if path in kept:
                self._prune(top / path)
            else:
                _remove(top / path)

    def _ignored(self, paths: list[str]) -> set[str]:
        """Those that are no part of a snapshot, as git does not take them."""
        if not paths:
            return set()
        git = self._isolation.project.repository.git
        inner = self._inner()
        words = ("check-ignore", "-z", "--stdin")
        # Of a path in a submodule git refuses to say anything.
        asked = [path for path in paths if not any(_is_in(path, one) for one in inner)]
        done = git.run(*words, stdin=join_names([f"{path}/" for path in asked]), ok=(0, 1))
        found = {path.removesuffix("/") for path in split_names(done.out)}
        return {*found, *(path for path in paths if path not in asked)}

    def _prune(self, cache: Path) -> None:
        """Keep compiled Python only where nobody wrote its source since the tree was laid out.

        Python knows that source again by its size and the second in which it was written.
        """
        for entry in list(os.scandir(cache)):
            found = _COMPILED.match(entry.name)
            source = cache.parent / f"{found[1]}.py" if found else None
            try:
                is_kept = source is not None and source.lstat().st_ctime_ns <= self._laid_ns
            except OSError:
                is_kept = False
            if not is_kept:
                _remove(Path(entry.path))

    def _look(self) -> _Look:
        isolation = self._isolation
        git, top = isolation.project.repository.git, str(isolation.folder)
        listing = git.spawn(*_FILES)
        try:
            code = self._look_at_code()
        finally:
            out, said = listing.communicate()
        if listing.returncode != 0:
            raise git.failure(_FILES, listing.returncode, said.decode(errors="replace"))
        lines = split_names(out)
        flagged = frozenset(line for line in lines if not line.startswith((_OTHER, _PLAIN)))
        listed = [line[len(_OTHER) :] for line in lines if line.startswith(_OTHER)]
        paths = [*listed, *self._inner()]
        others = dict(_walk(top, (path.removesuffix("/") for path in paths)))
        others.update(_find_special(top, others))
        packages = str(isolation.packages)
        inside = os.listdir(packages) if os.path.isdir(packages) else []  # noqa: PTH112
        return _Look(code, flagged, others, dict(_walk(packages, inside)))

    def _inner(self) -> tuple[str, ...]:
        """Submodules, in which git looks at nothing."""
        beside = self._isolation.beside
        return (*beside.submodules, *beside.recorded, *beside.empty)

    def _look_at_code(self) -> tuple[str, ...]:
        git = self._isolation.project.repository.git
        lines = split_names(git.run(*_STATUS, *_OF_CODE).out)
        return tuple(line for line in lines if not line.startswith("# stash"))


def _walk(top: str, paths: Iterable[str]) -> Iterator[tuple[str, _Mark]]:
    """All that is at some paths below `top`; links are not followed."""
    waiting = list(dict.fromkeys(paths))
    for path in waiting:
        status = os.lstat(f"{top}/{path}")
        yield path, _mark_of(status)
        if stat.S_ISDIR(status.st_mode):
            yield from _walk_folder(top, path)


def _walk_folder(top: str, path: str) -> Iterator[tuple[str, _Mark]]:
    folders = [path]
    while folders:
        folder = folders.pop()
        with os.scandir(f"{top}/{folder}") as entries:
            for entry in entries:
                inner = f"{folder}/{entry.name}"
                status = entry.stat(follow_symlinks=False)
                yield inner, _mark_of(status)
                if stat.S_ISDIR(status.st_mode):
                    folders.append(inner)


def _find_special(top: str, known: Mapping[str, _Mark]) -> Iterator[tuple[str, _Mark]]:
    """Sockets, pipes and the like, of which git says nothing, outside of what is known."""
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(f"{top}/{folder}") as entries:
            for entry in entries:
                path = f"{folder}{entry.name}"
                if entry.is_symlink() or entry.is_file(follow_symlinks=False) or path in known:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{path}/")
                else:
                    yield path, _mark_of(entry.stat(follow_symlinks=False))


def _mark_of(status: os.stat_result) -> _Mark:
    return status.st_mode, None if stat.S_ISDIR(status.st_mode) else seen_of(status)


def _is_all_there(before: Mapping[str, _Mark], now: Mapping[str, _Mark]) -> bool:
    """Whether all that was there is there as it was."""
    return all(
        path in now and now[path][0] == mode and is_still(now[path][1], seen)
        for path, (mode, seen) in before.items()
    )


def _has_changes(code: Iterable[str]) -> bool:
    return any(not line.startswith("#") for line in code)


def _is_cache(path: str) -> bool:
    return path.rpartition("/")[2] == _CACHE


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _topmost(paths: Iterable[str]) -> list[str]:
    """Those of some paths that are in none of the others."""
    found: list[str] = []
    for path in sorted(paths, key=lambda one: one.split("/")):
        if not found or not _is_in(path, found[-1]):
            found.append(path)
    return found


def _remove(path: Path) -> None:
    """Take a file, a link or a folder away."""
    if path.is_dir() and not path.is_symlink():
        remove_folder(path)
    else:
        path.unlink(missing_ok=True)
