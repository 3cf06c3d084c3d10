"""The LFS server that the team has keeps datasets too, through git-lfs itself."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import git, make_repository
from tests.support.servers import free_port, lfs_server
from tests.support.trees import read_state

from repro.errors import RemoteError
from repro.store.arrival import Wanted
from repro.store.content import ContentStore
from repro.store.git import open_repository
from repro.store.remote import Remote, open_remote

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    storage = tmp_path_factory.mktemp("lfs")
    with lfs_server(storage) as url:
        yield url, storage / "team" / "project"


@pytest.fixture
def content(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "store")


@pytest.fixture
def other(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "other")


def open_here(root: Path) -> Remote:
    return open_remote("lfs", open_repository(root, os.environ), os.environ)


def keep(content: ContentStore, data: bytes) -> Wanted:
    return Wanted(content.put_bytes(data).removeprefix("sha256:"), len(data))


def connect(root: Path, url: str, name: str = "origin") -> None:
    git(root, "remote", "add", name, "https://example.invalid/team/project.git")
    git(root, "config", f"remote.{name}.lfsurl", url)


def nothing(n_bytes: int) -> None:
    pass


def test_a_second_clone_gets_what_the_first_sent(repository, content, other, server, tmp_path):
    one = keep(content, os.urandom(100_000))
    second = make_repository(tmp_path / "second")
    for root in (repository, second):
        connect(root, server[0])

    assert open_here(repository).send(content, [one], nothing).done == (one,)
    assert open_here(second).fetch(other, [one], nothing).done == (one,)
    other.verify(one.digest)
    assert (server[1] / one.sha256).stat().st_size == one.size


def test_git_shows_nothing_of_a_transfer(repository, content, other, server):
    one = keep(content, os.urandom(1000))
    connect(repository, server[0])
    before, objects = read_state(repository), git(repository, "count-objects", "-v")

    remote = open_here(repository)
    remote.send(content, [one], nothing)
    shutil.rmtree(repository / ".git/lfs/objects")
    remote.fetch(other, [one], nothing)

    assert read_state(repository) == before
    assert git(repository, "count-objects", "-v") == objects
    assert list((repository / ".git/repro/quarantine").glob("*")) == []


def test_objects_are_fetched_in_a_sha256_repository(content, other, server, tmp_path):
    root = tmp_path / "modern"
    root.mkdir()
    git(root, "init", "-q", "--object-format=sha256")
    connect(root, server[0])
    one = keep(content, os.urandom(1000))

    open_here(root).send(content, [one], nothing)
    shutil.rmtree(root / ".git/lfs/objects")
    assert open_here(root).fetch(other, [one], nothing).done == (one,)


def test_what_the_user_told_git_lfs_to_leave_out_is_fetched_all_the_same(
    repository, content, other, server
):
    connect(repository, server[0])
    git(repository, "config", "lfs.fetchexclude", "*")
    git(repository, "config", "lfs.fetchinclude", "images")
    one = keep(content, os.urandom(1000))

    open_here(repository).send(content, [one], nothing)
    shutil.rmtree(repository / ".git/lfs/objects")

    assert open_here(repository).fetch(other, [one], nothing).done == (one,)


def test_what_git_lfs_has_already_needs_no_server(repository, content, other):
    connect(repository, f"http://127.0.0.1:{free_port()}")
    data = b"weights"
    one = Wanted(hashlib.sha256(data).hexdigest(), len(data))
    path = repository / ".git/lfs/objects" / one.key
    path.parent.mkdir(parents=True)
    path.write_bytes(data)

    assert open_here(repository).fetch(other, [one], nothing).done == (one,)
    assert path.samefile(other.path_of(one.digest))


def test_what_git_lfs_has_and_is_damaged_is_refused(repository, other, server):
    connect(repository, server[0])
    one = Wanted(hashlib.sha256(b"weights").hexdigest(), 7)
    path = repository / ".git/lfs/objects" / one.key
    path.parent.mkdir(parents=True)
    path.write_bytes(b"WEIGHTS")

    [(_, reason)] = open_here(repository).fetch(other, [one], nothing).failed

    assert "git lfs fsck" in reason
    assert not other.has(one.digest)


def test_a_damaged_file_of_git_lfs_is_replaced_before_it_is_sent(repository, content, server):
    connect(repository, server[0])
    one = keep(content, os.urandom(1000))
    path = repository / ".git/lfs/objects" / one.key
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0" * 1000)

    assert open_here(repository).send(content, [one], nothing).done == (one,)
    found = (server[1] / one.sha256).read_bytes()
    assert hashlib.sha256(found).hexdigest() == one.sha256


def test_a_few_that_the_server_lacks_do_not_stop_the_others(repository, content, other, server):
    connect(repository, server[0])
    good = [keep(content, os.urandom(100)) for _ in range(5)]
    absent = [Wanted(letter * 64, 10) for letter in "abc"]
    remote = open_here(repository)
    remote.send(content, good, nothing)
    shutil.rmtree(repository / ".git/lfs/objects")

    outcome = remote.fetch(other, [absent[0], *good, *absent[1:]], nothing)

    assert outcome.done == tuple(good)
    assert [one for one, _ in outcome.failed] == absent
    assert all("does not exist" in reason for _, reason in outcome.failed)


def test_a_server_that_is_not_there_is_one_error(repository, content, other):
    connect(repository, f"http://ada:geheim@127.0.0.1:{free_port()}/x")
    one = keep(content, b"weights")
    remote = open_here(repository)

    with pytest.raises(RemoteError, match="connection refused") as caught:
        remote.send(content, [one], nothing)
    shutil.rmtree(repository / ".git/lfs/objects")
    with pytest.raises(RemoteError, match="connection refused"):
        remote.fetch(other, [one], nothing)

    assert "geheim" not in caught.value.message
    assert "git lfs env" in caught.value.hint


def test_without_a_git_remote_it_is_one_error(repository):
    with pytest.raises(RemoteError, match="needs a git remote, and there is none"):
        open_here(repository)


def test_without_git_lfs_it_is_one_error(repository, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(shutil.which("git"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    if shutil.which("git-lfs", path=git(repository, "--exec-path")):
        pytest.skip("git-lfs is a part of this git")

    with pytest.raises(RemoteError, match="needs git-lfs, which is not installed"):
        open_here(repository)


def test_a_url_of_an_lfs_server_needs_no_git_remote(repository, content, other, server):
    git(repository, "config", "lfs.url", server[0])
    one = keep(content, os.urandom(1000))
    remote = open_here(repository)

    assert remote.send(content, [one], nothing).done == (one,)
    shutil.rmtree(repository / ".git/lfs/objects")
    assert remote.fetch(other, [one], nothing).done == (one,)
    assert remote.label == f"the LFS server of `{server[0]}`"


@pytest.mark.parametrize(
    ("remotes", "settings", "chosen"),
    [
        (["only"], {}, "only"),
        (["fork", "origin"], {}, "origin"),
        (["fork", "origin"], {"branch.main.remote": "fork"}, "fork"),
        (["fork", "origin"], {"branch.main.remote": "."}, "origin"),
        (["a", "b", "origin"], {"branch.main.remote": "b", "remote.lfsdefault": "a"}, "a"),
        (["a", "b"], {"remote.lfsdefault": "b"}, "b"),
    ],
)
def test_the_remote_is_the_one_git_lfs_would_take(repository, remotes, settings, chosen):
    for name in remotes:
        git(repository, "remote", "add", name, "https://example.invalid/x.git")
    for key, value in settings.items():
        git(repository, "config", key, value)

    assert open_here(repository).label == f"the LFS server of `{chosen}`"


def test_several_remotes_without_a_choice_are_one_error(repository):
    for name in ("a", "b"):
        git(repository, "remote", "add", name, "https://example.invalid/x.git")

    with pytest.raises(RemoteError, match="cannot tell which"):
        open_here(repository)


def test_a_detached_head_has_no_upstream_and_uses_origin(repository):
    git(repository, "remote", "add", "origin", "https://example.invalid/x.git")
    git(repository, "checkout", "-q", "--detach")

    assert open_here(repository).label == "the LFS server of `origin`"
