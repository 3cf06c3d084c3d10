"""The user's shell, whose start-up files must not hide the environment that it is given."""

import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

# What decides which Python a word starts, and what that imports.
_DECIDING = ("PATH", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
_PLAIN = ("sh", "dash", "ash")  # these read no file of the user's that names programs


@dataclass(frozen=True, slots=True)
class UserShell:
    """How to start a shell.

    Attributes:
        argv: Its command.
        is_sure: Whether the environment is as given once its start-up files were read.
    """

    argv: tuple[str, ...]
    is_sure: bool


@contextmanager
def user_shell(program: str, environ: Mapping[str, str]) -> Iterator[UserShell]:
    """Give the command of an interactive shell that ends up in `environ`.

    A `.bashrc` with `pyenv init` or `conda activate` puts its own Python first. So bash and fish
    read what the user has, and then set what decides that again.

    Args:
        program: As in `SHELL`; its name says which shell it is.
    """
    name = PurePath(program).name
    if name == "bash":
        with tempfile.TemporaryDirectory(prefix="repro-shell-") as folder:
            file = Path(folder) / "bashrc"
            file.write_text(_bash_lines(environ), encoding="utf-8", errors="surrogateescape")
            yield UserShell((program, "--rcfile", str(file)), is_sure=True)
    elif name == "fish":
        yield UserShell((program, "-C", _fish_line(environ)), is_sure=True)
    else:
        yield UserShell((program,), is_sure=name in _PLAIN)


def _bash_lines(environ: Mapping[str, str]) -> str:
    lines = ["if [ -f ~/.bashrc ]; then . ~/.bashrc; fi"]
    for name in _DECIDING:
        value = environ.get(name)
        lines.append(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
    return "\n".join([*lines, "hash -r", ""])


def _fish_line(environ: Mapping[str, str]) -> str:
    commands = []
    for name in _DECIDING:
        value = environ.get(name)
        if value is None:
            commands.append(f"set -e {name}")
        else:
            # Of all variables fish has PATH alone as a list.
            words = value.split(":") if name == "PATH" else [value]
            commands.append(f"set -gx {name} {' '.join(map(_quote_for_fish, words))}")
    return "; ".join(commands)


def _quote_for_fish(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
