"""A working tree moved from one commit to another, all of it or nothing.

The move runs in a git folder of its own, whose HEAD and index describe the present state to
the last file; so `git checkout` itself sees nothing but tracked files, writes only what differs,
and refuses whatever stands in its way unseen. The user's index and HEAD follow when it is done:
until then they are as they were, and a move that was killed shows by the folder it left.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from repro.atomic import FileLock, storage_errors
from repro.errors import BusyRepositoryError, ReproError, StorageError, WouldLoseWorkError
from repro.store.git import Git, Repository, join_names
from repro.store.present import TreeChange, is_inside
from repro.store.quarantine import Quarantine
from repro.store.rawfiles import write_raw_files

_MARK = "REPRO_RESTORE"  # in the environment of each git that changes something here
_WAIT_S = 60.0  # for the git of a killed repro to end
_PAUSE_S = 0.02
_LOCK_TRIES = 100  # two seconds: a `git status` of an editor or a prompt holds the index so briefly
_CHECKOUT = ("-c", "core.splitIndex=false", "checkout", "--quiet", "--no-recurse-submodules")
_REFUSED = 1  # how git's checkout ends when it has written nothing: something stood in its way

_Seen = tuple[int, int, int] | None  # inode and times: a file that was written has others


def worktree_name(repository: Repository) -> str | None:
    """What git calls this linked worktree, None for the main one."""
    same = repository.git_dir.resolve() == repository.common_dir
    return None if same else repository.git_dir.name


class Scratch:
    """A git folder that shares all but HEAD and index with the user's, for the same files.

    Attributes:
        interrupted: Ref of the undo entry of a move that was killed, None if there was none.
    """

    def __init__(self, repository: Repository, folder: Path) -> None:
        self.repository = repository
        self.folder = folder
        self.interrupted = self._read_interrupted()
        self._mark = {_MARK: str(folder)}
        self._env: Mapping[str, str] = {}
        self._index = folder / "index"

    def _read_interrupted(self) -> str | None:
        try:
            return (self.folder / "entry").read_text()
        except OSError:
            return None

    @property
    def is_begun(self) -> bool:
        """Whether a move was begun here, and neither finished nor taken back."""
        return (self.folder / "entry").exists()

    def begin(self, entry: str, commit: str, index: Path, quarantine: Quarantine) -> None:
        """Describe the present state: `commit` holds all of it, and `index` matches it.

        Args:
            entry: Ref of the undo entry that brings it back.
        """
        with storage_errors("the scratch folder of a restore"):
            self.clear()
            self.folder.mkdir(parents=True, mode=0o700)
            for name in ("info/sparse-checkout", "config.worktree"):
                source = self.repository.git_dir / name
                if source.exists():
                    (self.folder / name).parent.mkdir(exist_ok=True)
                    shutil.copy2(source, self.folder / name)
            (self.folder / "commondir").write_text(f"{self.repository.common_dir}\n")
            (self.folder / "HEAD").write_text(f"{commit}\n")
            if index.exists():
                shutil.copy2(index, self.folder / "index")
            (self.folder / "entry").write_text(entry)
        self._index = index
        # What a partial clone fetches on the way belongs into the repository itself.
        quarantined = quarantine.env["GIT_OBJECT_DIRECTORY"]
        borrowed = quarantine.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"]
        self._env = {
            "GIT_DIR": str(self.folder),
            "GIT_WORK_TREE": str(self.repository.root),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{_quoted(quarantined)}{os.pathsep}{borrowed}",
            **self._mark,
        }

    def switch(
        self, new: str, changes: Sequence[TreeChange], raw: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Move the files to commit `new`; all of them or none.

        Args:
            changes: In what it differs from the commit that `begin` was given.
            raw: Blobs of the files that git would not give back.

        Returns:
            Tracked paths whose files do not read back as `new` has them, such as by a filter.

        Raises:
            WouldLoseWorkError: Files changed since they were described; nothing was moved.
            GitError, StorageError: git refused or failed; the files are as they were, or the
                message says that they are not.
        """
        before = self._look(changes)
        words = (*_CHECKOUT, "--no-overwrite-ignore", "--detach", new)
        try:
            done = self.repository.git.run(*words, env=self._env, ok=(0, _REFUSED))
            if done.code != _REFUSED:
                return self._check_moved(new, changes, before)
        except ReproError as error:
            try:
                self._revert(changes, before, raw)
            except ReproError as second:
                raise type(error)(
                    f"{error.message}; and going back failed: {second.message}",
                    hint="`repro undo` brings everything back",
                ) from second
            self.clear()
            raise
        self.clear()
        raise _refusal(self.repository.git, words, done.err)

    def _look(self, changes: Sequence[TreeChange]) -> dict[str, _Seen]:
        return {change.path: _see(self.repository.root / change.path) for change in changes}

    def _check_moved(
        self, new: str, changes: Sequence[TreeChange], before: Mapping[str, _Seen]
    ) -> tuple[str, ...]:
        """Fail where git could not replace a file: it says so, goes on, and ends in 0."""
        after = self._look(changes)
        differing = dict.fromkeys(self._differing(new))
        stuck = [
            change.path
            for change in changes
            if after[change.path] == before[change.path]
            and (change.path in differing or (change.new is None and after[change.path]))
        ]
        if stuck:
            more = f" and {len(stuck) - 1} more" if len(stuck) > 1 else ""
            raise StorageError(
                f"git cannot replace `{stuck[0]}`{more}",
                hint="mend the permissions of the folder it is in, then run the command again",
            )
        return tuple(differing)

    def _revert(
        self,
        changes: Sequence[TreeChange],
        before: Mapping[str, _Seen],
        raw: Mapping[str, str],
    ) -> None:
        """Write again what the move touched, and nothing else: people go on working meanwhile."""
        root, after = self.repository.root, self._look(changes)
        touched = [change for change in changes if after[change.path] != before[change.path]]
        again = []
        for change in touched:
            if change.old is not None and before[change.path] is not None:
                again.append(change.path)
            elif is_inside(root, change.path):
                remove_file(root, change.path)
        if again:
            env = {**self._env, "GIT_INDEX_FILE": str(self._index)}
            words = ("checkout-index", "--force", "-z", "--stdin")
            self.repository.git.run(*words, stdin=join_names(again), env=env)
            write_raw_files(self.repository, {path: raw[path] for path in again if path in raw})

    def _differing(self, commit: str) -> Iterator[str]:
        words = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        names = self._run(*words, "--ignore-submodules=all", commit, "--")
        return (os.fsdecode(name) for name in names.split(b"\0") if name)

    def flag(self, flag: str, paths: Sequence[str]) -> None:
        """Set a bit such as `--assume-unchanged` of paths in the index again."""
        if paths:
            self._run("update-index", flag, "-z", "--stdin", stdin=join_names(paths))

    def write_skipped(self, paths: Sequence[str]) -> None:
        """Write those of `paths` that a sparse checkout left out."""
        wanted = set(paths)
        lines = self._run("ls-files", "-t", "-z").split(b"\0") if wanted else []
        skipped = [os.fsdecode(line[2:]) for line in lines if line[:2] == b"S "]
        names = [path for path in skipped if path in wanted]
        if names:
            words = ("checkout-index", "--ignore-skip-worktree-bits", "--force", "-z", "--stdin")
            self._run(*words, stdin=join_names(names))

    def _run(self, *args: str, stdin: bytes | None = None) -> bytes:
        return self.repository.git.run(*args, stdin=stdin, env=self._env).out

    def install_index(self) -> None:
        """Put the index of the finished move in the place of the user's."""
        swap_index(self.repository, self.folder / "index")

    def install_raw_index(self, data: bytes | None, mtime_ns: int) -> None:
        """Put an index of old in the place of the user's, byte for byte; None removes it.

        Args:
            mtime_ns: Its time: git trusts entries only that are older than their index.
        """
        if data is None:
            (self.repository.git_dir / "index").unlink(missing_ok=True)
            return
        source = self.folder / "index"
        with storage_errors("the index"):
            source.unlink(missing_ok=True)
            with source.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.utime(source, ns=(mtime_ns, mtime_ns))
        swap_index(self.repository, source)

    def detach_head(self, old: str | None, new: str, came_from: str) -> None:
        """Detach HEAD at a commit, with the reflog entry by which `git switch -` goes back.

        Args:
            old: Where HEAD must be, None for a branch without a commit.
            came_from: Short name of the branch, or the commit, that is left.
        """
        message = f"checkout: moving from {came_from} to {new}"
        # An unborn branch has nothing to compare with.
        expected = [old] if old is not None else []
        words = ("update-ref", "--no-deref", "-m", message, "HEAD", new)
        self.repository.git.run(*words, *expected, env=self._mark)

    def attach_head(self, branch: str, came_from: str) -> None:
        """Let HEAD name a branch again.

        Args:
            branch: Full name of its ref.
            came_from: Short name of the branch, or the commit, that is left.
        """
        message = f"checkout: moving from {came_from} to {branch.removeprefix('refs/heads/')}"
        words = ("symbolic-ref", "-m", message, "HEAD", branch)
        self.repository.git.run(*words, env=self._mark)

    def clear(self) -> None:
        """Forget the move: done, or taken back."""
        (self.folder / "entry").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def _see(path: Path) -> _Seen:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _refusal(git: Git, words: Sequence[str], said: str) -> ReproError:
    paths = [line[1:] for line in said.splitlines() if line.startswith("\t")]
    if not paths:
        return git.failure(words, _REFUSED, said)
    return WouldLoseWorkError(
        "files were changed while this was under way; nothing was moved",
        paths=paths,
        hint="run the command again",
    )


def _quoted(path: str) -> str:
    """A path as git reads it in a list of alternates: C-quoted, for it may hold the separator."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@contextmanager
def open_scratch(repository: Repository) -> Iterator[Scratch]:
    """Give the one scratch folder of this worktree, when the git of a killed move has ended.

    Raises:
        BusyRepositoryError: Another repro moves these files, or a git holds the index.
    """
    name = worktree_name(repository)
    folder = repository.private / "restore" / ("main" if name is None else f"worktree-{name}")
    with storage_errors("the scratch folder of a restore"):
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    if not lock.try_acquire():
        raise BusyRepositoryError(
            "another repro is restoring this working tree", hint="wait for it to end"
        )
    try:
        _await_orphans(folder)
        _refuse_locked(repository, folder)
        yield Scratch(repository, folder)
    finally:
        lock.release()


def _await_orphans(folder: Path) -> None:
    """Wait for the git processes of a killed repro: they go on without it."""
    if not (folder / "entry").exists():
        return
    import psutil  # noqa: PLC0415  145 ms, and only after a kill

    waited = 0.0
    while True:
        processes = psutil.process_iter(["environ"])
        found = [one for one in processes if (one.info["environ"] or {}).get(_MARK) == str(folder)]
        if not found:
            return
        if waited > _WAIT_S:
            raise BusyRepositoryError(
                f"the git of an interrupted restore still runs (process {found[0].pid})",
                hint="wait for it to end",
            )
        time.sleep(_PAUSE_S)
        waited += _PAUSE_S


def _refuse_locked(repository: Repository, folder: Path) -> None:
    lock = repository.git_dir / "index.lock"
    mine = folder / "index"
    if lock.exists() and mine.exists() and mine.samefile(lock):  # killed inside `swap_index`
        lock.unlink()
    if not _try_often(lambda: not lock.exists()):
        raise BusyRepositoryError(
            "another git process holds the index (`index.lock` exists)",
            hint=f"wait for it to end; if none runs, remove `{lock}`",
        )


def _try_often(attempt: Callable[[], bool]) -> bool:
    for _ in range(_LOCK_TRIES):
        if attempt():
            return True
        time.sleep(_PAUSE_S)
    return False


def swap_index(repository: Repository, source: Path) -> None:
    """Put `source` in the place of the user's index, under git's own lock.

    Raises:
        BusyRepositoryError: A git process holds the lock.
    """
    index = repository.git_dir / "index"
    lock = repository.git_dir / "index.lock"
    with storage_errors("the index"):
        if not source.exists():
            index.unlink(missing_ok=True)
            return
        if index.exists():
            source.chmod(index.stat().st_mode & 0o777)
        if not _try_often(lambda: _is_linked(source, lock)):
            raise BusyRepositoryError(
                "another git process holds the index (`index.lock` exists)",
                hint="wait for it to end, then `repro undo` brings everything back",
            )
        lock.replace(index)


def _is_linked(source: Path, lock: Path) -> bool:
    try:
        os.link(source, lock)
    except FileExistsError:
        return False
    return True


def remove_file(root: Path, path: str) -> None:
    """Remove a file or link, and the folders that are empty then."""
    target = root / path
    try:
        target.unlink()
    except OSError:  # a folder, or nothing: not what a checkout wrote
        return
    for parent in target.parents:
        if parent == root:
            return
        try:
            parent.rmdir()
        except OSError:
            return
