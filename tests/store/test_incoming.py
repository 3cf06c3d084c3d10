"""Objects fetched from real servers, bundles and odd clones, into a quarantine."""

from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.clones import Team, a_run, give
from tests.support.gitservers import PASSWORD, USER, git_daemon, git_http
from tests.support.records import open_at

from repro.errors import RemoteError
from repro.store.incoming import Source, receive
from repro.store.quarantine import open_quarantine
from repro.store.refs import RUNS


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def a_pushed_run(team: Team) -> str:
    """The commit of a run with code of its own, that only the hub has."""
    one = team.clone("one")
    write_files(one, {"model.py": "x = 1\n"})
    git(one, "add", "-A")
    git(one, "commit", "-q", "-m", "branch that nobody else has")
    run_id = a_run(one)
    give(one)
    return git(one, "rev-parse", RUNS + run_id)


def state(root: Path) -> object:
    """All of a git folder that a fetch could write."""
    folder = root / ".git"
    private = folder / "repro"
    files = {path for path in folder.rglob("*") if private not in path.parents and path != private}
    return {(path, path.read_bytes() if path.is_file() else None) for path in files}


def received(root: Path, source: Source, *oids: str) -> tuple[dict[str, str], list[str]]:
    """What did not come, and the kinds of what did."""
    with open_quarantine(open_at(root)) as quarantine:
        failed = receive(quarantine, source, oids)
        env = {"stdin": b"".join(f"{oid}\n".encode() for oid in oids), "env": quarantine.env}
        kinds = quarantine.repository.git.run("cat-file", "--batch-check=%(objecttype)", **env)
    return failed, kinds.out.decode().split("\n")[:-1]


def test_receiving_writes_nothing_outside_of_the_quarantine(team: Team) -> None:
    oid = a_pushed_run(team)
    two = team.clone("two")
    git(two, "config", "fetch.prune", "true")
    git(two, "config", "remote.origin.tagOpt", "--tags")
    before = state(two)
    assert received(two, Source("origin", "origin"), oid) == ({}, ["commit"])
    assert before == state(two)
    assert not list((two / ".git/repro/quarantine").iterdir())


def test_objects_come_over_the_git_protocol(team: Team) -> None:
    oid = a_pushed_run(team)
    two = team.clone("two")
    with git_daemon(team.folder) as url:
        got = received(two, Source(f"{url}/hub.git", "daemon"), oid)
    assert got == ({}, ["commit"])


def test_a_password_is_taken_from_the_helper_that_the_user_set_up(team: Team) -> None:
    oid = a_pushed_run(team)
    two = team.clone("two")
    helper = f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f"
    with git_http(team.folder, password=PASSWORD) as url:
        git(two, "config", f"url.{url}/.insteadOf", "team:")
        source = Source("team:hub.git", "hub", "127.0.0.1")
        with pytest.raises(RemoteError, match=r"cannot fetch from `hub`.*a user name and password"):
            received(two, source, oid)
        git(two, "config", "credential.helper", helper)
        assert received(two, source, oid) == ({}, ["commit"])


def test_a_lost_connection_leaves_nothing_and_the_next_one_completes(team: Team) -> None:
    oid = a_pushed_run(team)
    two = team.clone("two")
    before = state(two)
    with git_http(team.folder, cut_after=200) as url:
        source = Source(f"{url}/hub.git", "hub")
        with pytest.raises(RemoteError, match="the connection was lost half way"):
            received(two, source, oid)
    assert before == state(two)
    assert received(two, Source("origin", "origin"), oid) == ({}, ["commit"])


def test_what_the_other_side_has_no_more_is_named_and_the_rest_comes(team: Team) -> None:
    oid = a_pushed_run(team)
    two = team.clone("two")
    failed, kinds = received(two, Source("origin", "origin"), "1" * 40, oid)
    assert failed == {"1" * 40: "the other side moved or removed it meanwhile"}
    assert kinds == ["1" * 40 + " missing", "commit"]


def test_one_damaged_object_on_the_other_side_does_not_keep_the_rest_away(team: Team) -> None:
    good = a_pushed_run(team)
    blob = git(team.hub, "hash-object", "-w", "--stdin", stdin=b"a lot of text" * 99)
    tree = git(team.hub, "mktree", stdin=f"100644 blob {blob}\tx\n".encode())
    bad = git(team.hub, "commit-tree", tree, "-p", "main", "-m", "bad")
    git(team.hub, "update-ref", f"{RUNS}baaaaaaaaaaa", bad)
    loose = team.hub / "objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(loose.read_bytes()[:20])
    failed, _ = received(team.clone("two"), Source("origin", "origin"), good, bad)
    assert list(failed) == [bad]
    assert failed[bad].startswith("the other side cannot give it: ")


def test_a_bundle_is_a_source(team: Team) -> None:
    oid = a_pushed_run(team)
    file = team.folder / "runs.bundle"
    git(team.hub, "bundle", "create", str(file), "--all")
    got = received(team.clone("two"), Source(str(file), "runs.bundle"), oid)
    assert got == ({}, ["commit"])


def test_a_shallow_clone_stays_as_shallow_as_it_was(team: Team) -> None:
    seed = team.clone("seed2")
    for number in range(3):
        git(seed, "commit", "-q", "--allow-empty", "-m", f"{number}")
    git(seed, "push", "-q", "origin", "main")
    git(seed, "checkout", "-q", "HEAD~2")
    run_id = a_run(seed)
    give(seed)
    two = team.clone("two", "--depth=1")
    before = (two / ".git/shallow").read_bytes()
    oid = git(seed, "rev-parse", RUNS + run_id)
    assert received(two, Source("origin", "origin"), oid) == ({}, ["commit"])
    assert before == (two / ".git/shallow").read_bytes()


def test_the_gaps_of_a_shallow_remote_do_not_become_those_of_this_clone(team: Team) -> None:
    one = team.clone("one")
    git(one, "commit", "-q", "--allow-empty", "-m", "later")
    git(one, "push", "-q", "origin", "main")
    shallow = team.clone("shallow", "--depth=1")
    run_id = a_run(shallow)
    two = team.folder / "two"
    two.mkdir()
    git(two, "init", "-q")
    oid = git(shallow, "rev-parse", RUNS + run_id)
    received(two, Source(f"file://{shallow}", "shallow"), oid)
    assert not (two / ".git/shallow").exists()


def test_progress_is_told_in_words(team: Team) -> None:
    oid = a_pushed_run(team)
    told: list[str] = []
    with open_quarantine(open_at(team.clone("two"))) as quarantine:
        receive(quarantine, Source("origin", "origin"), [oid], report=told.append)
    assert any(words.startswith("receiving objects, ") for words in told)
