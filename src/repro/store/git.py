"""The git program: the one way it is called, and what repository it sees."""

import os
import re
import subprocess
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from repro.errors import (
    GitError,
    NotARepositoryError,
    ReproError,
    StorageError,
    UnsupportedRepositoryError,
)

OLDEST = (2, 34)

# Variables of git that say who and how, never where: a hook or an alias exports GIT_DIR,
# GIT_INDEX_FILE and friends, and a child git would then write the user's staging area
# (pre-commit's `no_git_env`; `git rev-parse --local-env-vars` lists the local ones).
_KEPT = (
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_AUTHOR_",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMITTER_",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
    "GIT_HTTP_",
    "GIT_LFS_",
    "GIT_PROXY_",
    "GIT_SSH",
    "GIT_SSL_",
    "GIT_TERMINAL_PROMPT",
    "GIT_TRACE",
)
# Nothing of the user's runs because of a recording: no hook, signature, monitor or repack.
_QUIET = {
    "advice.detachedHead": "false",
    "advice.addEmbeddedRepo": "false",
    "color.ui": "false",
    "commit.gpgSign": "false",
    "core.filesRefLockTimeout": "20000",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.packedRefsTimeout": "20000",
    "core.safecrlf": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
}
# What `git add` says of a file of the user's; of its own files it says "unable to".
_UNREADABLE = re.compile(r"^error: (open\(\".*|(?:short read|read error) while .*)$", re.MULTILINE)
_DISK_SAYINGS = {
    "No space left on device": "no space left on the disk",
    "Out of diskspace": "no space left on the disk",
    "Disk quota exceeded": "the disk quota is used up",
    "Read-only file system": "the file system is read-only",
    "Permission denied": "permission denied",
    "insufficient permission": "permission denied",
}
# By PATH. A program that records a thousand runs would else ask two thousand times.
_versions: dict[str, tuple[int, ...]] = {}


@dataclass(frozen=True, slots=True)
class Result:
    """How a git process ended: exit code, standard output as it came, standard error as text."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True)
class Git:
    """The git program in one folder, with hooks, signing and leaking variables switched off.

    Attributes:
        cwd: Folder it runs in.
        environ: The whole environment it runs with.
    """

    cwd: Path
    environ: Mapping[str, str]

    @property
    def version(self) -> tuple[int, ...]:
        """Such as (2, 39, 5); asked once in a process."""
        path = self.environ.get("PATH", "")
        if path not in _versions:
            words = self.text("version").split()
            parts = words[2].split(".") if len(words) > 2 else []
            _versions[path] = tuple(int(part) for part in parts[:3] if part.isdigit())
        return _versions[path]

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        ok: Container[int] = (0,),
        cwd: Path | None = None,
        timeout_s: float | None = None,
    ) -> Result:
        """Run `git ARGS` to its end.

        Args:
            env: Added to the environment.
            ok: Exit codes that are an answer; any other one is a failure.
            timeout_s: Seconds after which it is killed, which is a failure.

        Raises:
            StorageError: git says that the disk is full, read-only or forbidden.
            GitError: Any other failure.
        """
        process = self.spawn(*args, env=env, cwd=cwd)
        try:
            out, err_bytes = process.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise GitError(f"git did not end within {timeout_s:g} seconds") from None
        err = err_bytes.decode(errors="replace").strip()
        if process.returncode not in ok:
            raise self.failure(args, process.returncode, err)
        return Result(process.returncode, out, err)

    def spawn(
        self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start `git ARGS` with three pipes; the caller ends it."""
        config = [word for key, value in _QUIET.items() for word in ("-c", f"{key}={value}")]
        try:
            return subprocess.Popen(
                ["git", *config, *args],
                cwd=cwd or self.cwd,
                env={**self.environ, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise _no_start(error, cwd or self.cwd) from error

    @staticmethod
    def failure(args: Sequence[str], code: int, err: str) -> ReproError:
        """The error that stands for a failed `git ARGS`, by what it said."""
        reason = _reason(err) or f"exit code {code}"
        words = [arg for before, arg in pairwise(["", *args]) if before != "-c" and arg[0] != "-"]
        verb = words[0] if words else "git"
        if unreadable := _UNREADABLE.search(err):
            return GitError(
                f"`git {verb}` cannot read a file: {unreadable[1]}",
                hint="mend its permissions, or take it out of git",
            )
        for saying, meaning in _DISK_SAYINGS.items():
            if saying in err:
                return StorageError(
                    f"git cannot write: {meaning} ({reason})",
                    hint="free space or mend the permissions, then run the command again",
                )
        return GitError(f"`git {verb}` failed: {reason}")

    def text(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """What `git ARGS` prints, as text, without the last newline."""
        return self.run(*args, env=env).out.decode(errors="surrogateescape").removesuffix("\n")

    def find(self, name: str, *, env: Mapping[str, str] | None = None) -> str | None:
        """The id of the object that `name` stands for; None where git knows none.

        What a record says can be asked for as it is: no name is taken for an option. A whole id
        stands for itself, whether that object is here or not.
        """
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return self.run(*words, env=env, ok=(0, 1, 128)).out.decode().strip() or None

    def paths(self, *args: str, env: Mapping[str, str] | None = None) -> list[str]:
        """The NUL-separated names that `git ARGS` prints; bytes beyond UTF-8 as surrogates."""
        return split_names(self.run(*args, env=env).out)


def _no_start(error: OSError, cwd: Path) -> ReproError:
    """Why no git process could be started: a missing folder looks as a missing program does."""
    if not cwd.is_dir():
        return GitError(f"the folder `{cwd}` is gone", hint="change to a folder that exists")
    if isinstance(error, FileNotFoundError):
        return GitError("the `git` program is not on the PATH", hint="install git 2.34 or newer")
    return GitError(f"the `git` program cannot be started: {error.strerror}")


def _reason(err: str) -> str:
    """The one line that says why: the `fatal:` one with what follows its colon, else the last."""
    lines = [line.strip() for line in err.splitlines() if line and not line.startswith("hint:")]
    for position, line in enumerate(lines):
        if line.startswith("fatal: "):
            tail = lines[position + 1 :] if line.endswith(":") else []
            return " ".join([line, *tail]).removeprefix("fatal: ")
    return lines[-1].removeprefix("error: ") if lines else ""


def split_names(output: bytes) -> list[str]:
    """The names in the output of a git command run with `-z`."""
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def join_names(names: Sequence[str]) -> bytes:
    """Names as the standard input of a git command run with `-z --stdin`."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)


@dataclass(frozen=True, slots=True)
class Repository:
    """A working tree and the git folders behind it.

    Attributes:
        root: Top of the working tree.
        git_dir: Its own git folder (`.git`, or `.git/worktrees/<name>` of a linked worktree).
        common_dir: The git folder that all worktrees share.
        object_format: `sha1` or `sha256`.
        git: The git program, run in `root`.
    """

    root: Path
    git_dir: Path
    common_dir: Path
    object_format: str
    git: Git

    @property
    def private(self) -> Path:
        """Where repro keeps what is not a git object: `.git/repro`."""
        return self.common_dir / "repro"

    @property
    def objects(self) -> Path:
        """The object folder."""
        return self.common_dir / "objects"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit names as its author."""

    name: str
    email: str


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without the variables that point git at another repository or index.

    Replace refs are switched off: a record names what is in the objects, not what a local
    `git replace` shows instead. Optional locks are off, else `git status` rewrites the index.
    What git says is read here, so it is not translated; the locale of its filters stays.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1", "LANGUAGE": "C"}


def fsync_settings(version: tuple[int, ...], *, durable: bool) -> dict[str, str]:
    """Environment that makes git fsync objects and refs, or nothing; by default it does neither."""
    if version >= (2, 36):
        key, value = "core.fsync", "objects,derived-metadata,reference" if durable else "none"
    else:
        key, value = "core.fsyncObjectFiles", "true" if durable else "false"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": value}


def open_repository(cwd: Path, environ: Mapping[str, str]) -> Repository:
    """Find the repository around `cwd`, as git does.

    Raises:
        NotARepositoryError: There is none, or it has no working tree.
        UnsupportedRepositoryError: git, or a version of it that is too old, refuses it.
    """
    git = Git(cwd, clean_environment(environ))
    asked = git.run(
        "rev-parse",
        "--is-bare-repository",
        "--is-inside-work-tree",
        "--show-object-format",
        "--absolute-git-dir",
        "--git-common-dir",
        "--show-toplevel",
        ok=range(256),
    )
    lines = os.fsdecode(asked.out).removesuffix("\n").split("\n")
    if asked.code != 0:
        raise _refusal(cwd, lines, asked.err)
    if len(lines) != 6:
        raise UnsupportedRepositoryError(
            f"the path of the repository around `{cwd}` contains a newline",
            hint="move it to a folder with a plain name",
        )
    _, _, object_format, git_dir, common_dir, root = lines
    inside = Git(Path(root), {**git.environ, **fsync_settings(git.version, durable=True)})
    if git.version < OLDEST:
        found = ".".join(map(str, git.version))
        raise UnsupportedRepositoryError(
            f"git {found} is too old: repro needs 2.34", hint="upgrade git"
        )
    return Repository(
        root=Path(root),
        git_dir=Path(git_dir),
        common_dir=(cwd / common_dir).resolve(),
        object_format=object_format,
        git=inside,
    )


def _refusal(cwd: Path, lines: Sequence[str], err: str) -> ReproError:
    if lines[:1] == ["true"]:
        return NotARepositoryError(
            f"`{cwd}` is a bare repository: it has no working tree to record",
            hint="run repro in a clone or in a worktree of it (`git worktree add`)",
        )
    if lines[1:2] == ["false"]:
        return NotARepositoryError(
            f"`{cwd}` is inside a git folder, not in a working tree",
            hint="change to the working tree first",
        )
    if "not a git repository" in err:
        return NotARepositoryError(
            f"`{cwd}` is not in a git repository", hint="`git init` makes one here"
        )
    trust = next((line.strip() for line in err.splitlines() if "--add safe.directory" in line), "")
    return UnsupportedRepositoryError(
        f"git cannot open the repository around `{cwd}`: {_reason(err) or 'it gives no reason'}",
        hint=f"`{trust}` if you trust its owner" if trust else "`git status` says more",
    )
