"""A run counts as alive exactly as long as a process that records into it lives."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repro.store.journal import JournalWriter
from repro.store.liveness import STALE_S, SignOfLife, is_live
from repro.store.process import (
    Process,
    boot_id,
    find_process,
    host_name,
    is_alive,
    parse_process,
    this_process,
)

WRITER = """
import os, sys, time
from pathlib import Path
from repro.store.journal import JournalWriter

journal = JournalWriter(Path(sys.argv[1]), run="abc", rank=0, pid=os.getpid(), time=1.0)
if sys.argv[2:] == ["fork"] and os.fork() == 0:
    time.sleep(60)
print(flush=True)
time.sleep(60)
"""
LOOKER = """
import os, sys, time
from pathlib import Path
from repro.store.liveness import is_live

print(is_live(Path(sys.argv[1]), host=os.uname().nodename, now=time.time()))
"""


def look(folder: Path) -> bool:
    return is_live(folder, host=host_name(), now=time.time())


def start_writer(folder: Path, *args: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), *args],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_this_process_sees_its_own_run_and_looking_does_not_end_it(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, run="abc", rank=0, pid=os.getpid(), time=1.0):
        assert look(tmp_path)
        asked = subprocess.run(
            [sys.executable, "-c", LOOKER, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert asked.stdout == "True\n"
    assert not look(tmp_path)


def test_a_run_dies_with_its_process(tmp_path: Path) -> None:
    process = start_writer(tmp_path)
    assert look(tmp_path)

    process.kill()
    process.wait()
    process.communicate()

    assert not look(tmp_path)


def test_an_orphaned_fork_does_not_keep_a_run_alive(tmp_path: Path) -> None:
    process = start_writer(tmp_path, "fork")
    process.kill()
    process.wait()
    try:
        assert not look(tmp_path)
    finally:
        os.killpg(process.pid, 9)
        process.communicate()


def test_a_dead_process_that_nobody_waited_for_is_dead(tmp_path: Path) -> None:
    process = start_writer(tmp_path)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert not look(tmp_path)
    process.communicate()


def test_the_command_of_a_dead_parent_keeps_the_run_alive(tmp_path: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    process = find_process(child.pid)
    assert process is not None
    (tmp_path / "child.json").write_text(json.dumps(process.as_json()))
    assert look(tmp_path)

    child.kill()
    child.wait()

    assert not look(tmp_path)


@pytest.mark.parametrize(("age_s", "alive"), [(0.0, True), (STALE_S + 60, False)])
def test_on_another_machine_the_heartbeat_counts(tmp_path: Path, age_s: float, alive: bool) -> None:
    lock = tmp_path / "lock-7-0"
    lock.write_text(json.dumps({"pid": 7, "start": "1", "boot": "other", "host": "elsewhere"}))
    os.utime(lock, (time.time() - age_s,) * 2)

    assert look(tmp_path) is alive


def test_after_a_reboot_nothing_of_before_is_alive(tmp_path: Path) -> None:
    owner = {"pid": os.getpid(), "start": "1", "boot": "before", "host": host_name()}
    (tmp_path / "lock-7-0").write_text(json.dumps(owner))

    assert not look(tmp_path)


def test_a_heartbeat_moves_the_time_of_the_lock(tmp_path: Path) -> None:
    sign = SignOfLife(tmp_path / "lock-1-0")
    os.utime(sign.path, (1.0, 1.0))

    sign.beat()

    assert time.time() - sign.path.stat().st_mtime < 60
    sign.end()
    assert list(tmp_path.glob("*lock*")) == []


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"pid": "x"}'])
def test_a_damaged_lock_file_of_nobody_is_dead(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lock-7-0").write_bytes(content)

    assert not look(tmp_path)


def test_a_folder_that_is_gone_is_dead(tmp_path: Path) -> None:
    assert not look(tmp_path / "gone")


def test_a_pid_that_came_round_again_is_another_process() -> None:
    me = this_process()

    assert is_alive(me)
    assert not is_alive(Process(me.pid, "1", me.boot))
    assert not is_alive(Process(me.pid, me.start, "other boot"))
    assert me.boot == boot_id()


def test_a_process_reads_back_and_nonsense_is_none() -> None:
    me = this_process()

    assert parse_process({**me.as_json(), "more": 1}) == me
    assert [
        parse_process(value) for value in (None, [], {"pid": True, "start": "", "boot": ""})
    ] == [None] * 3


def test_there_is_no_process_zero() -> None:
    assert find_process(0) is None
    assert find_process(-1) is None
