"""Trials as jobs of submitit: of its local executor, and of a real Slurm where there is one."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.sdk.scripts import records
from tests.support import git
from tests.support.cli import Cli, Ended
from tests.support.projects import open_here
from tests.support.sweeps import make_sweep

from repro.core.sweep.protocols import Task
from repro.core.sweep.slurm_launcher import make_slurm_launcher
from repro.errors import InvalidInputError, UsageError
from repro.model.ids import new_id
from repro.model.launching import SlurmOptions
from repro.model.run import Status

pytestmark = pytest.mark.usefixtures("own_python")
pytest.importorskip("submitit", reason="submitit is not here: pip install 'git-repro[slurm]'")

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel")
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def sweep(cli: Cli, *options: str, n: int, code: int = 0) -> Ended:
    return cli(
        "sweep", "-p", "lr=uniform(0,1)", "--method", "random", "--metric", "lr", "--goal",
        "minimize", "-n", str(n), "-j", "2", "--launcher", "slurm", *options, "--", "python",
        "-c", "import repro, sys; repro.init(); repro.log({'lr': repro.config.lr})",
        code=code,
    )  # fmt: skip


def test_trials_run_by_the_local_executor(cli: Cli, repository: Path) -> None:
    sweep(cli, "-l", "local=true", n=1)

    assert {one.run.trial for one in records(repository)} == {0}


def test_without_slurm_the_error_says_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(shutil.which("git") or "git")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    project = open_here(repository)
    at = make_sweep(project)

    with pytest.raises(UsageError, match="there is no Slurm here"):
        make_slurm_launcher(project, at.sweep, 1)


def test_without_submitit_the_error_names_the_extra(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    project = open_here(repository)
    at = make_sweep(project)

    with pytest.raises(InvalidInputError) as error:
        make_slurm_launcher(project, at.sweep, 1, SlurmOptions(is_local=True))
    assert "git-repro[slurm]" in str(error.value.hint)


def free_ports(n: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The configuration of a Slurm of one node, which runs for these tests."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"a real Slurm needs root and {', '.join(missing or PROGRAMS)}")
    folder = tmp_path_factory.mktemp("slurm")
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o600)
    host = socket.gethostname().partition(".")[0]
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(host=host, folder=folder, ports=free_ports(2)))
    environ = {**os.environ, "SLURM_CONF": str(config)}
    munge = [f"--{name}={folder}/munge.{end}" for name, end in
             [("key-file", "key"), ("socket", "sock"), ("pid-file", "pid"), ("log-file", "log"),
              ("seed-file", "seed")]]  # fmt: skip
    daemons = [["munged", "--force", "--foreground", *munge], ["slurmctld", "-D"], ["slurmd", "-D"]]
    with (folder / "said").open("wb") as said:
        running = [
            subprocess.Popen(words, env=environ, stdout=said, stderr=said) for words in daemons
        ]
        try:
            for _ in range(120):
                asked = subprocess.run(
                    ["sinfo", "-h", "-o", "%T"], env=environ, capture_output=True, text=True
                )
                if asked.stdout.strip() == "idle":
                    break
                time.sleep(0.5)
            else:
                pytest.skip(f"this Slurm does not come up: {(folder / 'said').read_text()[-500:]}")
            yield config
        finally:
            for process in reversed(running):
                process.terminate()
            for process in running:
                process.wait(30)


def test_trials_run_as_jobs_of_a_real_slurm(
    cli: Cli, repository: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", str(slurm))

    sweep(cli, "-l", "partition=short", "-l", "time=5", n=4)

    found = records(repository)
    assert {one.run.trial for one in found} == {0, 1, 2, 3}
    assert {one.run.status for one in found} == {Status.FINISHED}
    assert len({git(repository, "show", f"{one.commit}:launch.json") for one in found}) == 4


def test_what_slurm_refuses_is_said_in_one_line(
    cli: Cli, repository: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", str(slurm))

    said = sweep(cli, "-l", "partition=none", n=1, code=1).err

    assert "Slurm refuses the job" in said
    assert "invalid partition" in said.lower()


def test_a_job_that_is_cancelled_before_it_runs_is_lost(
    repository: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", str(slurm))
    project = open_here(repository, time.time)
    at = make_sweep(project)
    options = SlurmOptions(extra={"begin": "now+1hour"})
    launcher = make_slurm_launcher(project, at.sweep, 1, options)
    run = new_id(project.entropy)
    params = {"lr": 0.1}
    launcher.submit(Task(sweep=at.sweep.id, base=at.sweep.base, number=0, run=run, params=params))
    assert launcher.wait(1) == []

    launcher.stop(run)

    [end] = launcher.wait(60)
    assert (end.run, end.status) == (run, None)
    assert "cancelled" in end.error
    launcher.close()
