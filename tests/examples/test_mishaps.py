"""What goes wrong between a clone and its remote: one clear error, then the next try completes."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.clones import Team, give, project_at
from tests.support.cutting import cutting
from tests.support.gitservers import git_daemon
from tests.support.projects import make_run
from tests.support.remotes import runs_of

from repro.store.refs import RunRefs


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def state(root: Path) -> tuple[str, list[str], list[str]]:
    """All refs, the packs, and what lies in the quarantine."""
    folder = Path(git(root, "rev-parse", "--absolute-git-dir"))
    packs = sorted(path.name for path in (folder / "objects/pack").iterdir())
    quarantine = folder / "repro/quarantine"
    left = sorted(map(str, quarantine.iterdir())) if quarantine.is_dir() else []
    return git(root, "for-each-ref"), packs, left


def tips(root: Path) -> dict[str, str]:
    return dict(RunRefs(project_at(root).repository).commits)


def only_error(said: str) -> str:
    """The line of an error, where it is the only one and a hint follows it."""
    lines = [line for line in said.splitlines() if not line.startswith("repro: this is the first")]
    assert [line.split(":")[0] for line in lines] == ["repro", "hint"], said
    return lines[0]


LOST = re.compile(r"`origin` \(127.0.0.1:\d+\): (the connection was lost|it ended the connection)")

# In the list of refs, in what git asks for, in the pack, and just before its end.
CUTS = (0, 80, 300, 700, 1500, 2400)


def test_a_connection_that_is_lost_anywhere_in_a_fetch_leaves_nothing_half(
    team: Team, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = team.clone("one"), team.clone("two")
    for _ in range(3):
        make_run(project_at(one), {"loss": 1.0}, steps=200)
    give(one)
    monkeypatch.chdir(two)
    before = state(two)
    with git_daemon(team.folder) as url:
        port = int(url.rpartition(":")[2])
        for after in CUTS:
            with cutting(port, after) as cut:
                git(two, "remote", "set-url", "origin", f"git://127.0.0.1:{cut}/hub.git")
                error = only_error(cli("pull", code=128).err)
            assert LOST.search(error), error
            assert state(two) == before
        git(two, "remote", "set-url", "origin", f"{url}/hub.git")
        assert cli("pull").out == "origin: 3 new runs\n"
    assert tips(two) == tips(one)


def test_a_connection_that_is_lost_anywhere_in_a_push_leaves_nothing_half(
    team: Team, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = team.clone("one")
    for _ in range(3):
        make_run(project_at(one), {"loss": 1.0}, steps=200)
    monkeypatch.chdir(one)
    before = state(one)
    with git_daemon(team.folder) as url:
        port = int(url.rpartition(":")[2])
        for after in CUTS:
            with cutting(port, after) as cut:
                git(one, "remote", "set-url", "origin", f"git://127.0.0.1:{cut}/hub.git")
                error = only_error(cli("push", "--yes", code=128).err)
            assert LOST.search(error), error
            assert state(one) == before
            assert runs_of(team.hub).items() <= tips(one).items()  # its answer may have been lost
        git(one, "remote", "set-url", "origin", f"{url}/hub.git")
        cli("push", "--yes")
    assert runs_of(team.hub) == tips(one)
    git(team.hub, "fsck", "--strict", "--no-dangling")


def test_a_remote_that_takes_branches_only_carries_runs_from_end_to_end(
    team: Team, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = team.clone("one"), team.clone("two")
    git(team.hub, "config", "receive.hideRefs", "refs/repro")
    git(team.hub, "config", "uploadpack.hideRefs", "refs/repro")
    run = make_run(project_at(one), {"loss": 1.0}, name="baseline")
    monkeypatch.chdir(one)

    refused = cli("push", "--yes", code=1)

    assert refused.out == "origin: 1 run not pushed\n"
    hint = "git config repro.origin.carrier refs/heads/repro"
    assert f"hint: `{hint}` has branches carry the runs\n" in refused.err
    git(one, *hint.split()[1:])
    assert cli("push", "--yes").out == "origin: 1 run pushed\n"
    assert runs_of(team.hub, "refs/heads/repro") == tips(one)

    monkeypatch.chdir(two)
    assert cli("pull").out == "origin: nothing new\n"
    git(two, *hint.split()[1:])
    assert cli("pull").out == "origin: 1 new run\n"
    cli("tag", "baseline", "seen")
    cli("push", "--yes")
    for root in (one, two):  # plain git takes them for branches, and loses none
        git(root, "fetch", "-q", "--prune")
        git(root, "gc", "-q", "--prune=now")
    monkeypatch.chdir(one)
    assert cli("pull").out == "origin: 1 of your own brought up to date\n"
    assert json.loads(cli("ls", "--json").out)[0]["tags"] == ["seen"]
    assert list(tips(one)) == [run.id]
    assert tips(one) == tips(two) == runs_of(team.hub, "refs/heads/repro")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, leave: int) -> Path:
    """Take all room of a file system but `leave` bytes."""
    hog = place / "hog"
    room = os.statvfs(place)
    hog.write_bytes(bytes(room.f_bavail * room.f_frsize - leave))
    return hog


def big_run(root: Path) -> str:
    """The id of a run whose code does not fit on a disk that is full."""
    write_files(root, {"noise.bin": os.urandom(200_000)})
    git(root, "add", "noise.bin")
    return make_run(project_at(root)).id


def test_a_disk_of_the_remote_that_is_full_is_named_and_takes_the_runs_later(
    team: Team, small_disk: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = team.clone("one")
    hub = small_disk / "hub.git"
    git(small_disk, "clone", "-q", "--bare", str(team.hub), str(hub))
    run_id = big_run(one)
    hog = fill(small_disk, 50_000)
    monkeypatch.chdir(one)
    with git_daemon(small_disk) as url:
        git(one, "remote", "set-url", "origin", f"{url}/hub.git")
        error = only_error(cli("push", "--yes", code=128).err)
        assert "there is no space left on the disk" in error, error
        assert runs_of(hub) == {}
        hog.unlink()
        assert cli("push", "--yes").out == "origin: 1 run pushed\n"
    assert list(runs_of(hub)) == [run_id]


def test_a_disk_that_is_full_here_is_named_and_the_runs_come_later(
    team: Team, small_disk: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = team.clone("one")
    run_id = big_run(one)
    give(one)
    two = small_disk / "two"
    git(small_disk, "clone", "-q", f"file://{team.hub}", str(two))
    monkeypatch.chdir(two)
    before = state(two)
    hog = fill(small_disk, 50_000)
    error = only_error(cli("pull", code=128).err)
    assert "No space left on device" in error or "no space left" in error, error
    hog.unlink()
    assert state(two) == before
    assert cli("pull").out == "origin: 1 new run\n"
    assert list(tips(two)) == [run_id]
