"""The command line, run in this process."""

from dataclasses import dataclass

import pytest

from repro.cli.main import run_cli


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
