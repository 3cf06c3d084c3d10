"""`repro.autopush`: the end of a run waits for no push, and the next command says how it went."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import REPRO, repro
from tests.support.gitservers import git_http
from tests.support.projects import make_run, open_here
from tests.support.remotes import add_hook, add_origin, make_bare, push_all, runs_of
from tests.support.waiting import until

from repro.cli.run import run
from repro.errors import UsageError
from repro.store.introduced import introduce
from repro.store.outbox import LOCK, LOG, list_waiting


@pytest.fixture
def bare(tmp_path: Path, repository: Path) -> Path:
    bare = make_bare(tmp_path / "bare.git")
    add_origin(repository, bare)
    make_run(open_here(repository))
    push_all(open_here(repository))
    git(repository, "config", "repro.autopush", "true")
    return bare


def test_a_run_is_pushed_at_its_end(repository, bare):
    done = repro("run", "--", "true")
    assert done.returncode == 0, done.stderr
    until(lambda: len(runs_of(bare)) == 2, "the push of the run")
    until(lambda: not list_waiting(repository / ".git" / "repro"), "the end of the push")


def test_a_run_of_the_sdk_is_pushed_at_its_end(repository, bare):
    write_files(repository, {"train.py": "import repro\nrepro.init()\nrepro.log({'a': 1.0})\n"})
    subprocess.run([sys.executable, "train.py"], check=True, capture_output=True)
    until(lambda: len(runs_of(bare)) == 2, "the push of the run")


def test_a_rerun_is_pushed_at_its_end(repository, bare):
    assert repro("run", "--", "true").returncode == 0
    assert repro("rerun", "@", "--yes").returncode == 0
    until(lambda: len(runs_of(bare)) == 3, "the push of run and rerun")


def test_a_run_whose_process_died_is_pushed_once_it_is_sealed(repository, bare):
    write_files(repository, {"die.py": "import os, repro\nrepro.init()\nos.kill(os.getpid(), 9)\n"})
    subprocess.run([sys.executable, "die.py"], check=False, capture_output=True)
    assert "its record is kept: lost" in repro("ls").stderr
    until(lambda: len(runs_of(bare)) == 2, "the push of the run")


def test_a_remote_that_never_answers_delays_no_run(repository, bare):
    """The hook of the server waits for a file that is made when the run has ended."""
    gate = bare / "gate"
    os.mkfifo(gate)
    add_hook(bare, "pre-receive", f"cat {gate}")
    done = repro("run", "--", "echo", "hi")  # with pipes, which nobody behind it may hold open
    assert done.returncode == 0, done.stderr
    assert len(runs_of(bare)) == 1
    gate.write_text("go\n")
    until(lambda: len(runs_of(bare)) == 2, "the push of the run")


def test_the_next_command_says_once_that_a_push_failed(repository, bare):
    bare.rename(bare.with_name("away"))
    assert repro("run", "--", "true").returncode == 0
    private = repository / ".git" / "repro"
    until(lambda: (private / "autopush-untold.json").exists(), "the failure of the push")
    assert "repro: runs wait to be pushed to `origin`: " in repro("ls").stderr
    assert "wait" not in repro("ls").stderr
    assert "runs wait to be pushed" in (private / LOG).read_text()


def test_a_password_is_asked_of_nobody(tmp_path, repository, bare):
    """Where git has no password, the push fails, whatever there is to ask with."""
    asked = tmp_path / "asked"
    program = tmp_path / "ask"
    program.write_text(f"#!/bin/sh\ntouch {asked}\n")
    program.chmod(0o755)
    with git_http(tmp_path, password="needed") as url:
        git(repository, "remote", "set-url", "origin", f"{url}/{bare.name}")
        (repository / ".git" / "repro" / "pushed").unlink()
        introduce(repository / ".git" / "repro", f"{url}/{bare.name}")
        done = repro("run", "--", "true", GIT_ASKPASS=str(program), SSH_ASKPASS=str(program))
        assert done.returncode == 0
        private = repository / ".git" / "repro"
        until(lambda: (private / "autopush-untold.json").exists(), "the failure of the push")
    assert "runs wait to be pushed" in repro("ls").stderr
    assert not asked.exists()


def test_runs_that_end_at_once_are_all_pushed(repository, bare):
    started = [
        subprocess.Popen([*REPRO, "run", "--", "true"], stderr=subprocess.PIPE) for _ in range(6)
    ]
    for one in started:
        one.communicate()
        assert one.returncode == 0
    until(lambda: len(runs_of(bare)) == 7, "the push of all runs")
    until(lambda: not list_waiting(repository / ".git" / "repro"), "the end of the push")


def test_a_pusher_that_is_killed_leaves_its_runs_to_the_next(repository, bare):
    gate, entered = bare / "gate", bare / "entered"
    os.mkfifo(gate)
    add_hook(
        bare, "pre-receive", f"test -e {entered} || {{ touch {entered}; cat {gate}; exit 1; }}"
    )
    assert repro("run", "--", "true").returncode == 0
    until(entered.exists, "the push")
    private = repository / ".git" / "repro"
    os.kill(_holder(private / LOCK), 9)
    gate.write_text("go\n")
    assert repro("run", "--", "true").returncode == 0
    until(lambda: len(runs_of(bare)) == 3, "the push of both runs")
    git(repository, "fsck", "--strict")


def _holder(lock: Path) -> int:
    """The process that holds a lock, as the kernel says."""
    facts = lock.stat()
    name = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    lines = Path("/proc/locks").read_text().splitlines()
    return next(int(line.split()[4]) for line in lines if line.split()[5] == name)


def test_nothing_is_pushed_without_the_setting(repository, bare):
    git(repository, "config", "repro.autopush", "false")
    assert repro("run", "--", "true").returncode == 0
    assert not (repository / ".git" / "repro" / "outbox").exists()


def test_a_running_run_is_published_and_is_over_there_when_it_is_pushed(tmp_path, repository, bare):
    gate, other = repository / "gate", tmp_path / "other"
    os.mkfifo(gate)
    git(tmp_path, "clone", "-q", str(bare), str(other))
    started = subprocess.Popen([*REPRO, "run", "--live", "1s", "--", "cat", str(gate)])
    until(lambda: git(bare, "for-each-ref", "refs/repro/live/"), "the publication")
    repro("fetch", cwd=other)
    listed = repro("ls", "--live", cwd=other)
    assert "running" in listed.stdout
    assert "in progress elsewhere, last heard: " in listed.stderr
    assert "last heard" in repro("show", "@", cwd=other).stdout

    gate.write_text("go\n")
    assert started.wait() == 0
    until(lambda: not git(bare, "for-each-ref", "refs/repro/live/"), "the end of the run there")
    assert len(runs_of(bare)) == 2


def test_a_time_that_is_none_is_refused(repository):
    for word in ("0", "60", "0.5s", "-3s", "nan", "100w"):
        with pytest.raises(UsageError, match="is no time of 1 s or more"):
            run.main(["--live", word, "--", "true"], standalone_mode=False)
