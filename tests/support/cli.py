"""The command line, run in this process or in one of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from repro.cli.main import run_cli

REPRO = [sys.executable, "-m", "repro"]


def repro(
    *words: str, cwd: Path | None = None, given: str | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a command line in a process of its own.

    Args:
        given: What it reads from its standard input.
        env: Variables beside those of this process.
    """
    return subprocess.run(
        [*REPRO, *words],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL if given is None else None,
        input=given,
    )


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


class Cli:
    """Runs commands; an exit code that is not expected fails the test."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> Ended:
        self._capsys.readouterr()
        got = run_cli(words)
        said = self._capsys.readouterr()
        assert code == got, said.err
        return Ended(got, said.out, said.err)
