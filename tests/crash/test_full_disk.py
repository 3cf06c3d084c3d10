"""A disk that is full: one clear error, exact counts, nothing half done, and it goes on later."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import Cli

SCRIPT = """
import pathlib
import repro
run = repro.init()
repro.log({"before": 1.0}, step=0)
hog = pathlib.Path("hog.log")
with hog.open("wb", buffering=0) as file:
    try:
        while file.write(b"x" * 4096) == 4096:
            pass
    except OSError:
        pass
for step in range(2000):
    repro.log({"loss": float(step), "long-name-" + "x" * 200: 1.0}, step=step)
if FREE:
    hog.unlink()
run.finish()
print("trained to the end")
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB with a repository in it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount")
    try:
        yield make_repository(place / "project", {"train.py": "1\n", ".gitignore": "*.log\n"})
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def repro(root: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "repro", *args]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def fill(root: Path, leave: int) -> Path:
    """Take all room but `leave` bytes."""
    hog = root / "hog.log"
    room = os.statvfs(root)
    with hog.open("wb") as file:
        left = room.f_bavail * room.f_frsize - leave
        file.write(b"x" * max(left, 0))
    return hog


@pytest.mark.parametrize("leave", [0, 4096, 16384, 40960])
def test_a_run_on_a_full_disk_fails_clearly_and_works_once_there_is_room(
    small_disk: Path, leave: int, cli: Cli
) -> None:
    write_files(small_disk, {"new.bin": os.urandom(60_000)})
    hog = fill(small_disk, leave)

    failed = repro(small_disk, "run", "--", "true")

    assert failed.returncode == 125
    assert "no space left" in failed.stderr
    assert "Traceback" not in failed.stderr
    hog.unlink()
    git(small_disk, "fsck", "--strict", "--connectivity-only")
    cli("-C", str(small_disk), "run", "--", "true")
    assert git(small_disk, "for-each-ref", "refs/repro/live/") == ""


def test_training_goes_on_and_every_point_that_was_lost_is_counted(
    small_disk: Path, cli: Cli
) -> None:
    write_files(small_disk, {"train.py": SCRIPT.replace("FREE", "True")})

    done = subprocess.run(
        [sys.executable, "train.py"], cwd=small_disk, capture_output=True, text=True, check=False
    )

    assert "trained to the end" in done.stdout, done.stderr
    shown = cli("-C", str(small_disk), "show", "--json", "@").out
    lost = int(re.findall(r'"lost_points": (\d+)', shown)[0])
    kept = cli("-C", str(small_disk), "show", "--series", "loss", "@").out.count("\n") - 1
    # Each call logs two points; what memory held back was written once there was room again.
    assert kept + lost // 2 == 2000


def test_a_run_that_cannot_be_sealed_is_sealed_by_the_next_command(
    small_disk: Path, cli: Cli
) -> None:
    write_files(small_disk, {"train.py": SCRIPT.replace("FREE", "False")})

    subprocess.run([sys.executable, "train.py"], cwd=small_disk, capture_output=True, check=False)
    (small_disk / "hog.log").unlink()
    cli("-C", str(small_disk), "ls", "--porcelain")

    assert git(small_disk, "for-each-ref", "refs/repro/live/") == ""
    shown = git(small_disk, "for-each-ref", "--format=%(refname)", "refs/repro/runs/").split()
    assert len(shown) == 1
    assert '"before"' in git(small_disk, "show", f"{shown[0]}:metrics.json")


def test_a_read_only_repository_is_listed_but_not_recorded_into(small_disk: Path, cli: Cli) -> None:
    cli("-C", str(small_disk), "run", "-n", "first", "--", "true")
    disk = str(small_disk.parent)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    listed = repro(small_disk, "ls")
    cli("-C", str(small_disk), "show", "first")
    failed = repro(small_disk, "run", "--", "true")
    tagged = repro(small_disk, "tag", "first", "v2")

    assert (listed.returncode, listed.stderr) == (0, "")
    assert "first" in listed.stdout
    assert failed.returncode == 125
    assert tagged.returncode == 128
    for done in (failed, tagged):
        assert "read-only" in done.stderr
        assert "hint: " in done.stderr
        assert "Traceback" not in done.stderr


FILLING = """
import pathlib, sys, repro
x = int(sys.argv[1].removeprefix("--x="))
run = repro.init()
repro.log({"loss": float(x)})
if x == 2:
    with pathlib.Path(HOG).open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096) == 4096:
                pass
        except OSError:
            pass
"""


def test_a_sweep_ends_on_a_full_disk_and_goes_on_later_with_nothing_lost(small_disk: Path):
    hog = small_disk.parent / "hog"
    write_files(small_disk, {"train.py": f"HOG = {str(hog)!r}\n{FILLING}"})
    words = ["-p", "x=1,2,3", "--metric", "loss", "--goal", "minimize"]
    full = repro(small_disk, "sweep", *words, "--", sys.executable, "train.py")
    assert full.returncode == 128
    assert "no space left on the disk" in full.stderr
    assert "Traceback" not in full.stderr
    hog.unlink()
    done = repro(small_disk, "sweep", "resume", "@", "--retries", "0", "--json")
    trials = json.loads(done.stdout)["trials"]
    assert [trial["value"] for trial in trials] == [1.0, 2.0, 3.0]
    assert {trial["state"] for trial in trials} == {"finished"}
