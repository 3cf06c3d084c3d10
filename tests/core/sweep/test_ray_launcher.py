"""Trials as tasks of a real Ray cluster, which is started for these tests on this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.sdk.scripts import records
from tests.support.cli import Cli
from tests.support.projects import open_here
from tests.support.sweeps import make_sweep

from repro.core.sweep.protocols import Task
from repro.core.sweep.ray_launcher import make_ray_launcher
from repro.errors import InvalidInputError, UsageError
from repro.model.ids import new_id
from repro.model.launching import RayOptions
from repro.model.run import Status

pytestmark = pytest.mark.usefixtures("own_python")


def test_without_ray_the_error_names_the_extra(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    project = open_here(repository)
    at = make_sweep(project)

    with pytest.raises(InvalidInputError) as error:
        make_ray_launcher(project, at.sweep, 1)
    assert "git-repro[ray]" in str(error.value.hint)


def test_a_cluster_is_never_started(repository: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not here: pip install 'git-repro[ray]'")
    project = open_here(repository)
    at = make_sweep(project)

    with pytest.raises(UsageError, match="there is no Ray cluster at `local`"):
        make_ray_launcher(project, at.sweep, 1, RayOptions(address="local"))


def test_a_cluster_that_cannot_be_reached_is_named_at_once(repository: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not here: pip install 'git-repro[ray]'")
    project = open_here(repository)
    at = make_sweep(project)

    with pytest.raises(UsageError, match=r"there is no Ray cluster at `127\.0\.0\.1:9`"):
        make_ray_launcher(project, at.sweep, 1, RayOptions(address="127.0.0.1:9"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster of one node."""
    pytest.importorskip("ray", reason="Ray is not here: pip install 'git-repro[ray]'")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = [
        sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--head",
        "--block", f"--port={port}", "--node-ip-address=127.0.0.1", "--num-cpus=2",
        "--include-dashboard=false", "--disable-usage-stats", "--object-store-memory=100000000",
    ]  # fmt: skip
    said = tmp_path_factory.mktemp("ray") / "said"
    with said.open("wb") as file:
        head = subprocess.Popen(
            words, env={**os.environ, "RAY_AUTH_MODE": "disabled"}, stdout=file, stderr=file
        )
    all_of_it: list[psutil.Process] = []
    try:
        for _ in range(240):
            text = said.read_text()
            if "Ray runtime started" in text:
                break
            assert head.poll() is None, text[-2000:]
            time.sleep(0.5)
        lines = text.splitlines()
        shown = next(line for line in lines if "--address=" in line)
        yield shown.partition("--address='")[2].partition("'")[0]
    finally:
        all_of_it = psutil.Process(head.pid).children(recursive=True)
        head.terminate()
        with suppress(subprocess.TimeoutExpired):
            head.wait(20)
        for process in all_of_it:
            with suppress(psutil.Error):
                process.kill()


def test_twenty_trials_run_on_a_real_cluster(
    cli: Cli, repository: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")

    cli(
        "sweep", "-p", "lr=uniform(0,1)", "--method", "random", "--metric", "loss", "--goal",
        "minimize", "-n", "20", "-j", "2", "--launcher", "ray", "--", "python", "-c",
        "import repro; repro.init(); repro.log({'loss': repro.config.lr})",
    )  # fmt: skip

    found = records(repository)
    assert {one.run.trial for one in found} == {*range(20)}
    assert {one.run.status for one in found} == {Status.FINISHED}


def test_a_trial_whose_worker_is_killed_is_lost_and_ends(
    repository: Path, cluster: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    project = open_here(repository, time.time)
    running = tmp_path / "running"
    code = f"import os, time; open({str(running)!r}, 'w').write(str(os.getpid())); time.sleep(100)"
    at = make_sweep(project, command=("python", "-c", code), is_macro=True)
    launcher = make_ray_launcher(project, at.sweep, 1, RayOptions(address=cluster))
    run = new_id(project.entropy)
    task = Task(sweep=at.sweep.id, base=at.sweep.base, number=0, run=run, params={"lr": 0.1})
    launcher.submit(task)
    for _ in range(600):
        if running.exists() and running.read_text():
            break
        time.sleep(0.1)
    command = psutil.Process(int(running.read_text()))
    above = command.parents()
    next(one for one in above if "ray::" in " ".join(one.cmdline())).kill()

    [end] = launcher.wait(100)

    assert "Ray lost it" in end.error
    psutil.wait_procs([command], 30)
    assert not command.is_running()
    launcher.close()
