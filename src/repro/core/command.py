"""A command as the user gave it, and the program that it starts."""

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from repro.errors import CommandError, UsageError

Process = TypeVar("Process")

_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Command:
    """A command that exists: its words, the file they start, the folder it runs in."""

    argv: tuple[str, ...]
    program: Path
    cwd: Path


def resolve_command(argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> Command:
    """Find the program of a command as a shell would.

    Raises:
        UsageError: There is no word in it.
        CommandError: There is no such program (127), or it cannot be executed (126).
    """
    if not argv or not argv[0]:
        raise UsageError("no command to run", hint="`repro run -- python train.py`")
    name = argv[0]
    if "/" in name:
        candidates = [cwd / name]
    else:
        folders = environ.get("PATH", _DEFAULT_PATH).split(os.pathsep)
        candidates = [cwd / folder / name for folder in folders]
    found = [candidate for candidate in candidates if _exists(candidate)]
    for candidate in found:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            _check_interpreter(candidate, name)
            return Command(tuple(argv), candidate, cwd)
    if not found:
        where = "" if "/" in name else " on the PATH"
        hint = _script_hint(argv, cwd) or "check the spelling, or give its path"
        raise CommandError(f"`{name}` is not found{where}", exit_code=127, hint=hint)
    if found[0].is_dir():
        raise CommandError(f"`{name}` is a folder, not a program", exit_code=126)
    hint = f"`chmod +x {name}`, or name its interpreter: `repro run -- python {name}`"
    raise CommandError(f"`{name}` is not executable", exit_code=126, hint=hint)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _script_hint(argv: Sequence[str], cwd: Path) -> str | None:
    """The likely slip: the script without its interpreter."""
    if argv[0].endswith(".py") and _exists(cwd / argv[0]):
        return f"`repro run -- python {' '.join(argv)}`"
    return None


def _check_interpreter(path: Path, name: str) -> None:
    try:
        with path.open("rb") as file:
            first = file.readline(4096)
    except OSError:
        return  # executable, though not readable
    words = first[2:].split() if first.startswith(b"#!") else []
    if words and not _exists(Path(os.fsdecode(words[0]))):
        shown = words[0].decode(errors="replace")
        raise CommandError(
            f"`{name}` is not executable: its interpreter `{shown}` does not exist", exit_code=126
        )


def start_as_shell(command: Command, spawn: Callable[[Command], Process]) -> Process:
    """Start a command as every shell does: a script without `#!` is given to sh.

    Args:
        spawn: Starts the program of a command, or raises the OSError of execve(2).
    """
    try:
        return spawn(command)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        script = ("sh", str(command.program), *command.argv[1:])
        return spawn(Command(script, Path("/bin/sh"), command.cwd))


def start_error(command: Command, error: OSError) -> CommandError:
    """The error for a program that the system refused to start."""
    exit_code = 127 if error.errno == errno.ENOENT else 126
    reason = error.strerror or str(error)
    return CommandError(f"`{command.argv[0]}` cannot be started: {reason}", exit_code=exit_code)
