"""Threads, forks, workers and ranks record into one run, and only its maker seals it."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from repro.model.run import Status
from repro.sdk.ranks import Place, await_run, find_place, publish_run
from tests.sdk.scripts import PREAMBLE, points, record, records, run, start, steps
from tests.support import git
from tests.support.projects import begin, open_here


def test_threads_share_a_run(repository: Path) -> None:
    code = """
        repro.init()
        def work(first):
            for step in range(first, first + 500):
                repro.log({'a': float(step)}, step=step)
                repro.log({'auto': 1.0})
        threads = [threading.Thread(target=work, args=(n * 500,)) for n in range(8)]
        [t.start() for t in threads]; [t.join() for t in threads]
    """
    run(repository, code)

    found = record(repository)
    assert found.metrics["a"].count == 4000
    assert steps(repository, "a") == {step: float(step) for step in range(4000)}
    assert found.run.skipped_lines == 0


def test_default_steps_of_threads_never_meet(repository: Path) -> None:
    code = """
        repro.init()
        def work():
            for _ in range(500):
                repro.log({'auto': 1.0})
        threads = [threading.Thread(target=work) for n in range(8)]
        [t.start() for t in threads]; [t.join() for t in threads]
    """
    run(repository, code)

    assert record(repository).metrics["auto"].count == 4000


@pytest.mark.parametrize(
    "ending", ["os._exit(0)", "sys.exit(1)", "repro.finish()", "raise ValueError", ""]
)
def test_a_forked_child_records_but_never_ends_the_run(repository: Path, ending: str) -> None:
    code = f"""
        repro.init()
        repro.log({{'a': 0.0}}, step=0)
        child = os.fork()
        if child == 0:
            repro.log({{'a': 1.0}}, step=1)
            repro.config.child = True
            {ending or "pass"}
        else:
            os.waitpid(child, 0)
            assert os.path.exists(repro.run.live_dir)
            repro.log({{'a': 2.0}}, step=2)
    """
    run(repository, code)

    assert steps(repository, "a") == {0: 0.0, 1: 1.0, 2: 2.0}
    assert record(repository).run.status is Status.FINISHED
    assert record(repository).config["child"] is True


def test_a_forked_child_that_is_terminated_dies_and_the_run_goes_on(repository: Path) -> None:
    code = """
        repro.init()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            repro.log({'a': 1.0})
            os.write(writer, b'x')
            time.sleep(60)
        os.read(reader, 1)
        os.kill(child, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
        assert os.path.exists(repro.run.live_dir)
    """
    run(repository, code)

    assert (record(repository).run.status, steps(repository, "a")) == (Status.FINISHED, {0: 1.0})


def test_a_child_that_is_terminated_while_it_is_being_forked_dies(repository: Path) -> None:
    code = """
        repro.init()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                time.sleep(5)
                os._exit(7)
            os.kill(child, signal.SIGTERM)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
        repro.log({'a': 1.0})
    """
    run(repository, code)

    assert (record(repository).run.status, steps(repository, "a")) == (Status.FINISHED, {0: 1.0})


def test_a_forked_child_takes_sigterm_as_the_program_did_before_init(repository: Path) -> None:
    code = """
        def mine(number, frame): pass
        for before in (signal.SIG_DFL, mine):
            signal.signal(signal.SIGTERM, before)
            with repro.init():
                child = os.fork()
                if child == 0:
                    os._exit(0 if signal.getsignal(signal.SIGTERM) is before else 1)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                assert signal.getsignal(signal.SIGTERM) is not before
            assert signal.getsignal(signal.SIGTERM) is before
    """
    run(repository, code)

    assert len(records(repository)) == 2


def test_a_child_that_outlives_the_run_is_told(repository: Path) -> None:
    code = """
        import warnings
        repro.init()
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(writer)
            os.read(reader, 1)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter('always')
                repro.log({'a': 1.0})
            print(caught[0].message, flush=True)
            os._exit(0)
        repro.finish()
        os.write(writer, b'x')
        os.wait()
    """
    assert "is over" in run(repository, code).stdout


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_every_start_method_leave_the_run_alone(repository: Path, method: str) -> None:
    (repository / "work.py").write_text(
        "import multiprocessing, sys, repro\n"
        "def double(n):\n    return 2 * n\n"
        "if __name__ == '__main__':\n"
        "    repro.init()\n"
        "    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:\n"
        "        for step, value in enumerate(pool.map(double, range(4))):\n"
        "            repro.log({'a': value}, step=step)\n"
    )
    command = [sys.executable, "work.py", method]
    subprocess.run(command, cwd=repository, check=True, timeout=60, capture_output=True)

    assert steps(repository, "a") == {0: 0.0, 1: 2.0, 2: 4.0, 3: 6.0}


def test_inside_repro_run_init_attaches_and_does_not_seal(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project, config={"lr": 1, "seed": 3})
    code = """
        with repro.init({'lr': 2}, name='attached', tags=['t'], note='n') as run:
            assert run.config.seed == 3, run.config
            repro.log({'a': 1.0})
            repro.summary['best'] = 1
        assert os.path.exists(os.environ['REPRO_LIVE_DIR'])
        print(run.id)
    """
    done = run(repository, code, REPRO_RUN_ID=live.id, REPRO_LIVE_DIR=str(live.dir))
    assert (done.stdout, done.stderr) == (f"{live.id}\n", "")
    live.journal.append({"k": "end", "status": "finished", "exit_code": 0, "t": project.clock()})
    live.journal.close()

    found = record(repository)
    assert (found.run.name, found.run.tags, found.run.note) == ("attached", ("t",), "n")
    assert (found.config["lr"], found.summary, found.metrics["a"].count) == (2, {"best": 1}, 1)


def test_a_rank_that_was_launched_around_repro_run_is_the_first_of_its_run(
    repository: Path,
) -> None:
    project = open_here(repository)
    live = begin(project, environment={"variables": {"SLURM_PROCID": "3"}})
    live_run = {"REPRO_RUN_ID": live.id, "REPRO_LIVE_DIR": str(live.dir)}
    code = "repro.init(); repro.log({'a': 1.0})"
    run(repository, code, **live_run, SLURM_PROCID="3")
    run(repository, code, **live_run, SLURM_PROCID="3", RANK="2")
    live.journal.close()

    assert sorted(record(repository).metrics) == ["a", "rank2/a"]


def test_a_run_that_is_over_is_not_attached_to(repository: Path) -> None:
    gone = repository / ".git/repro/live/a00000000000"

    done = run(
        repository,
        "repro.init(); repro.log({'a': 1})",
        REPRO_RUN_ID=gone.name,
        REPRO_LIVE_DIR=str(gone),
    )

    assert "becomes a run of its own" in done.stderr
    assert record(repository).run.id != gone.name


TORCH = {"MASTER_ADDR": "localhost", "MASTER_PORT": "29500", "WORLD_SIZE": "3"}


@pytest.mark.parametrize(
    "launch",
    [
        TORCH,
        {**TORCH, "TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "3"},
        {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "3"},
        {"PMIX_NAMESPACE": "job1", "OMPI_COMM_WORLD_SIZE": "3"},
    ],
)
def test_the_ranks_of_a_launch_are_one_run(repository: Path, launch: dict[str, str]) -> None:
    code = """
        repro.init({'rank': int(sys.argv[1])}, name=sys.argv[1])
        repro.log({'loss': float(sys.argv[1])})
        repro.summary['rank'] = int(sys.argv[1])
        print(flush=True)
        sys.stdin.readline()
    """
    variable = (
        "RANK"
        if "MASTER_ADDR" in launch
        else "SLURM_PROCID"
        if "SLURM_JOB_ID" in launch
        else "OMPI_COMM_WORLD_RANK"
    )
    ranks = []
    for rank in (2, 1, 0):  # the others wait for rank 0
        process = start_rank(repository, code, str(rank), {**launch, variable: str(rank)})
        ranks.append(process)
    for process in ranks:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n", process.communicate()
    for process in ranks:  # rank 0 last
        _, err = process.communicate("\n", timeout=60)
        assert process.returncode == 0, err

    found = record(repository)
    assert (found.run.name, dict(found.summary), found.config["rank"]) == ("0", {"rank": 0}, 0)
    series = points(repository, found)
    assert {name: one[0].value for name, one in series.items()} == {
        "loss": 0.0,
        "rank1/loss": 1.0,
        "rank2/loss": 2.0,
    }
    assert os.listdir(repository / ".git/repro/live") == []


def start_rank(
    root: Path, code: str, rank: str, variables: dict[str, str]
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(code), rank],
        cwd=root,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("environ", "rank", "is_launch"),
    [
        ({}, 0, False),
        ({"RANK": "3"}, 3, False),
        ({"LOCAL_RANK": "1"}, 1, False),
        ({"RANK": "x"}, 0, False),
        ({**TORCH, "RANK": "2", "SLURM_PROCID": "0"}, 2, True),
        ({**TORCH, "RANK": "0", "WORLD_SIZE": "1"}, 0, False),
        ({"SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, 0, False),
        (
            {"SLURM_JOB_ID": "7", "SLURM_STEPID": "1", "SLURM_PROCID": "2", "SLURM_NTASKS": "4"},
            2,
            True,
        ),
    ],
)
def test_the_place_in_a_launch_is_read(environ: dict[str, str], rank: int, is_launch: bool) -> None:
    found = find_place(environ)

    assert (found.rank, found.launch is not None) == (rank, is_launch)


def test_all_ranks_agree_on_their_launch_and_the_next_one_differs() -> None:
    ranks = {find_place({**TORCH, "RANK": str(rank)}).launch for rank in range(4)}

    assert len(ranks) == 1
    assert find_place({**TORCH, "RANK": "0", "TORCHELASTIC_RESTART_COUNT": "1"}) != Place(
        0, ranks.pop()
    )


def test_the_notice_of_a_dead_launch_is_not_followed(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    publish_run(project.live, "key", live.id)
    assert await_run(project.live, "key", timeout_s=0) == live.dir

    live.journal.close()

    assert await_run(project.live, "key", timeout_s=0.2) is None
    (project.live / "by-launch-key").write_bytes(b"\xff../../x")
    assert await_run(project.live, "key", timeout_s=0) is None


def test_a_rank_without_a_launch_makes_a_run_of_its_own(repository: Path) -> None:
    run(repository, "repro.init(); repro.log({'a': 1})", RANK="3")

    assert steps(repository, "a") == {0: 1.0}
    assert len(records(repository)) == 1
    git(repository, "fsck", "--strict", "--connectivity-only")


def test_two_programs_at_once_make_two_runs(repository: Path) -> None:
    processes = [start(repository, "repro.init(); repro.log({'a': 1})") for _ in range(4)]
    for process in processes:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err

    assert len(records(repository)) == 4


def test_what_other_ranks_log_after_rank_0_has_finished_is_kept(repository: Path) -> None:
    code = """
        repro.init()
        print(flush=True)
        sys.stdin.readline()
        repro.log({'late': float(sys.argv[1])})
        repro.finish()
    """
    ranks = [start_rank(repository, code, str(n), {**TORCH, "RANK": str(n)}) for n in (0, 1, 2)]
    for process in ranks:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n", process.communicate()
    for process in ranks:  # rank 0 first
        _, err = process.communicate("\n", timeout=60)
        assert process.returncode == 0, err

    # The last one sealed it: nothing is left for the next command.
    assert os.listdir(repository / ".git/repro/live") == []
    found = record(repository)
    assert found.run.status is Status.FINISHED
    assert set(points(repository, found)) == {"late", "rank1/late", "rank2/late"}


def test_what_a_fork_logs_after_its_parent_has_finished_is_kept(repository: Path) -> None:
    code = """
        repro.init()
        reader, writer = os.pipe()
        ready, told = os.pipe()
        if os.fork() == 0:
            os.close(writer)
            repro.log({'child': 0.0}, step=0)
            os.write(told, b'x')
            os.read(reader, 1)
            for step in range(1, 20):
                repro.log({'child': float(step)}, step=step)
            os._exit(0)
        os.read(ready, 1)
        repro.finish()
        os.write(writer, b'x')
        os.wait()
    """
    run(repository, code)

    assert steps(repository, "child") == {step: float(step) for step in range(20)}
    assert record(repository).run.status is Status.FINISHED


@pytest.mark.parametrize("last", [256, 4096])
def test_files_opened_after_closing_all_descriptors_are_the_programs_own(
    repository: Path, last: int
) -> None:
    code = f"""
        repro.init()
        os.closerange(3, {last})
        files = [open(f"../own{{n}}.txt", "w") for n in range(4)]
        for step in range(3):
            repro.log({{"loss": step}}, step=step)
        repro.finish()
        for file in files:
            file.write("mine")
            file.close()
    """

    run(repository, code)

    own = [(repository.parent / f"own{n}.txt").read_text() for n in range(4)]
    assert own == ["mine"] * 4
    assert steps(repository, "loss") == {0: 0.0, 1: 1.0, 2: 2.0}
    assert record(repository).run.status is Status.FINISHED
