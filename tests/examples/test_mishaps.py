"""What goes wrong between a clone and its remote: one clear error, then the next try completes."""

import re
from pathlib import Path

import pytest
from tests.support import git
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
