"""Which remote is meant, where it is, and which runs it has."""

import os
from pathlib import Path

import pytest
from tests.support import git

from repro.errors import InvalidInputError, RemoteError
from repro.store.git import open_repository
from repro.store.remoterefs import GitRemote, find_host, find_remote, list_remote, sort_refs

ONE, TWO = "abcdefgh1234", "bcdefgh12345"


def find(root: Path, name: str | None = None, **options: bool) -> GitRemote:
    return find_remote(open_repository(root, os.environ).git, name, **options)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    root = tmp_path / "bare.git"
    root.mkdir()
    git(root, "init", "-q", "--bare")
    return root


def test_the_only_remote_is_meant(repository):
    git(repository, "remote", "add", "team", "https://example.org/team/x.git")
    assert find(repository).name == "team"


def test_origin_goes_before_other_remotes(repository):
    git(repository, "remote", "add", "team", "https://example.org/team/x.git")
    git(repository, "remote", "add", "origin", "https://example.org/x.git")
    assert find(repository).name == "origin"


def test_the_upstream_of_the_branch_goes_before_origin(repository):
    branch = git(repository, "branch", "--show-current")
    git(repository, "remote", "add", "team", "https://example.org/team/x.git")
    git(repository, "remote", "add", "origin", "https://example.org/x.git")
    git(repository, "config", f"branch.{branch}.remote", "team")
    assert find(repository).name == "team"


def test_pushes_go_where_pushes_are_set_to_go(repository):
    branch = git(repository, "branch", "--show-current")
    for name in ("origin", "mine", "fork"):
        git(repository, "remote", "add", name, f"https://example.org/{name}.git")
    git(repository, "config", "remote.pushDefault", "mine")
    assert find(repository, push=True).name == "mine"
    assert find(repository).name == "origin"
    git(repository, "config", f"branch.{branch}.pushRemote", "fork")
    assert find(repository, push=True).name == "fork"


def test_which_of_several_is_asked(repository):
    git(repository, "remote", "add", "a", "https://example.org/a")
    git(repository, "remote", "add", "b", "https://example.org/b")
    with pytest.raises(RemoteError, match="there are `a`, `b`"):
        find(repository)


def test_without_a_remote_the_next_command_is_said(repository):
    with pytest.raises(RemoteError) as caught:
        find(repository)
    assert caught.value.hint == "`git remote add origin URL` adds one"


def test_an_unknown_remote_gets_the_nearest_name(repository):
    git(repository, "remote", "add", "origin", "https://example.org/x.git")
    with pytest.raises(RemoteError, match="no remote `orign`; did you mean `origin`"):
        find(repository, "orign")


@pytest.mark.parametrize("name", ["--upload-pack=touch x", "-rf"])
def test_what_looks_like_an_option_is_no_remote(repository, name):
    with pytest.raises(RemoteError, match="there is no remote"):
        find(repository, name)


def test_an_address_may_stand_for_a_remote(repository, bare):
    assert not find(repository, "https://example.org/x.git").is_named
    assert find(repository, str(bare)).url == str(bare)


def test_a_path_is_relative_to_the_folder_of_the_command(repository, bare):
    remote = find_remote(open_repository(repository, os.environ).git, "../bare.git", cwd=repository)
    assert list_remote(open_repository(repository, os.environ).git, remote).runs == {}


def test_a_password_in_an_address_is_never_shown(repository):
    remote = find(repository, "https://ada:hunter2secret@example.org/x.git")
    assert "hunter2" not in remote.label + remote.host + remote.place
    assert remote.host == "example.org"


def test_rewritten_addresses_are_followed(repository):
    git(repository, "remote", "add", "origin", "gh:x.git")
    git(repository, "config", "url.https://example.org/.insteadOf", "gh:")
    assert find(repository).url == "https://example.org/x.git"
    git(repository, "config", "url.ssh://git@example.org/.pushInsteadOf", "gh:")
    assert find(repository, push=True).push_url == "ssh://git@example.org/x.git"
    assert find(repository, push=True).source(push=True) == "ssh://git@example.org/x.git"


def test_git_is_told_the_name_of_a_remote_so_that_its_settings_hold(repository):
    git(repository, "remote", "add", "origin", "https://example.org/x.git")
    assert find(repository, push=True).source(push=True) == "origin"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.org/x", "example.org"),
        ("https://u:p@ss@example.org:8443/x", "example.org:8443"),
        ("git@example.org:team/x.git", "example.org"),
        ("[::1]:x.git", "[::1]"),
        ("ssh://git@[::1]:22/x", "[::1]:22"),
        ("/srv/x.git", ""),
        ("../x:y.git", ""),
        ("file:///srv/x.git", ""),
        ("https://ex\x1bample.org/x", "ex\\x1bample.org"),
    ],
)
def test_the_host_of_an_address(url, host):
    assert find_host(url) == host


def test_runs_are_listed_by_id_and_what_is_no_run_apart(repository, bare):
    git(repository, "remote", "add", "origin", str(bare))
    names = [f"runs/{ONE}", f"live/{TWO}", f"archive/{TWO}", "runs/Odd", f"runs/{TWO}/x", "trash/x"]
    git(repository, "push", "-q", "origin", *(f"HEAD:refs/repro/{name}" for name in names))
    git(repository, "push", "-q", "origin", "HEAD:refs/heads/main")
    head = git(repository, "rev-parse", "HEAD")

    refs = list_remote(open_repository(repository, os.environ).git, find(repository))

    assert refs.runs == {ONE: head}
    assert refs.live == {TWO: head}
    assert refs.archives == {TWO: head}
    assert sorted(refs.odd) == ["refs/repro/runs/Odd", f"refs/repro/runs/{TWO}/x"]
    assert refs.others == {"refs/heads/main": head, "refs/repro/trash/x": head}


def test_branches_may_carry_the_runs(repository, bare):
    git(repository, "remote", "add", "origin", str(bare))
    git(repository, "config", "repro.origin.carrier", "refs/heads/repro")
    git(repository, "push", "-q", "origin", f"HEAD:refs/heads/repro/runs/{ONE}")
    remote = find(repository)

    assert list(list_remote(open_repository(repository, os.environ).git, remote).runs) == [ONE]
    assert remote.carried(f"refs/repro/runs/{ONE}") == f"refs/heads/repro/runs/{ONE}"
    assert remote.local(f"refs/heads/repro/runs/{ONE}") == f"refs/repro/runs/{ONE}"


@pytest.mark.parametrize("carrier", ["", "heads/repro", "refs/heads/repro/", "refs/a..b", "-x"])
def test_a_carrier_that_can_carry_nothing_is_refused(repository, carrier):
    git(repository, "remote", "add", "origin", "https://example.org/x.git")
    git(repository, "config", "repro.origin.carrier", carrier)
    with pytest.raises(InvalidInputError, match="there can be no refs"):
        find(repository)


def test_a_remote_that_is_not_there_is_named(repository, tmp_path):
    git(repository, "remote", "add", "origin", str(tmp_path / "gone.git"))
    with pytest.raises(RemoteError, match="cannot read `origin`: there is no such repository"):
        list_remote(open_repository(repository, os.environ).git, find(repository))


def test_names_that_are_not_utf8_are_listed_as_odd():
    remote = GitRemote("origin", "/x", "/x")
    listed = b"%s\trefs/repro/runs/\xff\n" % (b"a" * 40)
    assert [os.fsencode(name) for name in sort_refs(remote, listed).odd] == [
        b"refs/repro/runs/\xff"
    ]
