import sys
from pathlib import Path

import pytest
from tests.support import git
from tests.support.cli import Cli


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--launcher", "ray"], 128, "Ray is not installed"),
        (["--launcher", "slurm"], 128, "submitit is not installed"),
        (["--launcher", "ray", "-l", "cpus=none"], 129, "cpus"),
    ],
)
def test_no_sweep_is_made_for_an_engine_that_is_not_there(
    repository: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    said: str,
) -> None:
    for name in ("ray", "submitit"):
        monkeypatch.setitem(sys.modules, name, None)  # as where it is not installed

    refused = cli("sweep", "-p", "lr=1,2", *words, "--", "true", code=code)

    assert said in refused.err
    assert git(repository, "for-each-ref", "refs/repro/sweeps") == ""


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
