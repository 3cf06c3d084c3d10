import sys
from pathlib import Path

import pytest
from tests.support import git
from tests.support.cli import Cli


def test_a_sweep_that_cannot_run_here_is_not_made(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)  # as where it is not installed
    search = ("sweep", "-p", "lr=uniform(0,1)", "--method", "gp", "--metric", "loss", "--min")

    refused = cli(*search, "-n", "3", "--", "true", code=128)

    assert "`pip install torch scipy`" in refused.err
    assert git(repository, "for-each-ref", "refs/repro/sweeps") == ""
    # Where others run it, it can be made all the same.
    cli(*search, "-n", "3", "--create", "--", "true")
    assert git(repository, "for-each-ref", "refs/repro/sweeps") != ""
