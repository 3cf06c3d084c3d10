"""Every remote store keeps the same promises; and which one a setting names."""

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from tests.support import git, make_repository
from tests.support.servers import free_port, lfs_server, s3_server, sftp_server

from repro.errors import DamagedRecordError, InvalidInputError, RemoteError, StorageError
from repro.store.arrival import Outcome, Wanted
from repro.store.content import ContentStore
from repro.store.git import open_repository
from repro.store.remote import Remote, open_remote

KINDS = ["folder", "s3", "sftp", "lfs"]
OBJECTS = ["folder", "s3", "sftp"]  # without git-lfs, which keeps things to itself
LARGE = 11 << 20  # three parts of the smallest size that S3 takes


def wanted_of(data: bytes) -> Wanted:
    return Wanted(hashlib.sha256(data).hexdigest(), len(data))


def keep(content: ContentStore, *datas: bytes) -> list[Wanted]:
    for data in datas:
        content.put_bytes(data)
    return [wanted_of(data) for data in datas]


def nothing(n_bytes: int) -> None:
    pass


def leftovers(content: ContentStore) -> list[str]:
    folder = content.dir / "incoming"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@dataclass
class Ground:
    """A remote, with a door for the test to what it holds."""

    remote: Remote
    put: Callable[[str, bytes], None]
    get: Callable[[str], bytes]
    store: str = ""


@pytest.fixture
def content(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "store")


@pytest.fixture
def other(tmp_path: Path) -> ContentStore:
    """The content store of another clone."""
    return ContentStore(tmp_path / "other")


def open_here(store: str, root: Path, **options: float) -> Remote:
    return open_remote(store, open_repository(root, os.environ), os.environ, **options)


def ground_of_folder(folder: Path, store: str, root: Path) -> Ground:
    def put(key: str, data: bytes) -> None:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)

    return Ground(open_here(store, root), put, lambda key: (folder / key).read_bytes(), store)


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def s3(s3_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A client of a loopback S3 server, which the environment names, with a fresh bucket."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.bucket = f"team-{os.urandom(6).hex()}"
    client.create_bucket(Bucket=client.bucket)
    yield client
    client.close()


def ground_of_s3(client, root: Path) -> Ground:
    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket=client.bucket, Key=f"data/set/{key}", Body=data)

    def get(key: str) -> Any:
        return client.get_object(Bucket=client.bucket, Key=f"data/set/{key}")["Body"].read()

    store = f"s3://{client.bucket}/data/set/"
    return Ground(open_here(store, root), put, get, store)


@pytest.fixture(scope="module")
def lfs_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    if shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is not installed")
    storage = tmp_path_factory.mktemp("lfs")
    with lfs_server(storage) as url:
        yield url, storage


def ground_of_lfs(url: str, storage: Path, root: Path) -> Ground:
    git(root, "remote", "add", "origin", "https://example.invalid/team/project.git")
    git(root, "config", "lfs.url", url)
    folder = storage / "team" / "project"

    def put(key: str, data: bytes) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / Path(key).name).write_bytes(data)

    return Ground(open_here("lfs", root), put, lambda key: (folder / Path(key).name).read_bytes())


@pytest.fixture(params=KINDS)
def ground(request: pytest.FixtureRequest, tmp_path: Path, repository: Path) -> Iterator[Ground]:
    if request.param == "folder":
        yield ground_of_folder(tmp_path / "remote", "../remote", repository)
    elif request.param == "s3":
        yield ground_of_s3(request.getfixturevalue("s3"), repository)
    elif request.param == "lfs":
        url, storage = request.getfixturevalue("lfs_url")
        yield ground_of_lfs(url, storage, repository)
        shutil.rmtree(storage / "team", ignore_errors=True)
    else:
        folder = tmp_path / "served"
        folder.mkdir()
        with sftp_server(folder, tmp_path / "home/.ssh/known_hosts") as url:
            yield ground_of_folder(folder / "team" / "store", f"{url}/team/store", repository)


def take(ground: Ground, content: ContentStore, *wanted: Wanted) -> Outcome:
    """Fetch as a clone does that has nothing of git-lfs yet."""
    shutil.rmtree(".git/lfs/objects", ignore_errors=True)
    return ground.remote.fetch(content, wanted, nothing)


def test_what_was_sent_is_fetched_by_another_clone(ground, content, other):
    datas = [b"", b"x", os.urandom(3 << 20), b"weights" * 1000]
    wanted = keep(content, *datas)

    assert Outcome(tuple(wanted), ()) == ground.remote.send(content, wanted, nothing)
    assert Outcome(tuple(wanted), ()) == take(ground, other, *wanted)
    assert datas == [other.read(one.digest) for one in wanted]
    # git-lfs never sends an empty file.
    assert datas[1:] == [ground.get(one.key) for one in wanted[1:]]
    assert leftovers(content) == leftovers(other) == []


@pytest.fixture
def small_parts(monkeypatch):
    """What is sent to an object store is cut as if it were larger."""
    monkeypatch.setattr("repro.store.remote_fsspec._ONE_REQUEST", 4 << 20)
    monkeypatch.setattr("repro.store.remote_fsspec._PART", 5 << 20)


def test_an_object_of_many_parts_arrives_whole(ground, content, other, small_parts):
    data = os.urandom(1 << 20) * (LARGE >> 20)
    [one] = keep(content, data)

    assert ground.remote.send(content, [one], nothing).done == (one,)
    assert take(ground, other, one).done == (one,)
    other.verify(one.digest)


def test_progress_counts_every_byte_once(ground, content, other):
    wanted = keep(content, b"a" * 70_000, b"b" * (3 << 20), b"")
    total = sum(one.size for one in wanted)
    counts: dict[str, list[int]] = {"sent": [], "sent again": [], "fetched": [], "again": []}

    ground.remote.send(content, wanted, counts["sent"].append)
    ground.remote.send(content, wanted, counts["sent again"].append)
    take_ = ground.remote.fetch
    take_(other, wanted, counts["fetched"].append)
    take_(other, wanted, counts["again"].append)

    assert dict.fromkeys(counts, total) == {name: sum(list_) for name, list_ in counts.items()}


def test_what_is_there_already_is_not_sent_again(ground, content):
    [one] = keep(content, b"weights")
    ground.put(one.key, b"WEIGHTS")  # of the same size: only a second writing would be noticed

    assert ground.remote.send(content, [one], nothing).done == (one,)
    assert ground.get(one.key) == b"WEIGHTS"


def test_a_damaged_entry_is_never_sent_and_the_others_are(ground, content):
    bad, good = keep(content, b"weights", b"data")
    path = content.path_of(bad.digest)
    path.chmod(0o600)
    path.write_bytes(b"WEIGHTS")

    outcome = ground.remote.send(content, [bad, good], nothing)

    assert outcome.done == (good,)
    [(one, reason)] = outcome.failed
    assert one == bad
    assert "damaged" in reason
    with pytest.raises(Exception, match=r"NoSuchKey|No such file"):
        ground.get(bad.key)


def test_what_the_content_store_lacks_is_a_failure_of_that_object(ground, content):
    [good] = keep(content, b"data")
    absent = wanted_of(b"nobody has this")

    outcome = ground.remote.send(content, [absent, good], nothing)

    assert outcome.done == (good,)
    assert [absent] == [one for one, _ in outcome.failed]
    assert "is not in the content store" in outcome.failed[0][1]


def test_a_size_that_is_not_that_of_the_bytes_is_not_sent(ground, content):
    [one] = keep(content, b"weights")
    lie = Wanted(one.sha256, 8)

    [(_, reason)] = ground.remote.send(content, [lie], nothing).failed

    assert "7 bytes here, and not 8" in reason


def test_an_object_that_nobody_sent_is_named_and_the_others_come(ground, content, other):
    [good] = keep(content, b"data")
    absent = wanted_of(b"nobody has this")
    ground.remote.send(content, [good], nothing)

    outcome = take(ground, other, absent, good)

    assert outcome.done == (good,)
    [(one, reason)] = outcome.failed
    assert one == absent
    assert "does not have it" in reason or "does not exist" in reason
    assert leftovers(other) == []


def test_wrong_bytes_of_the_right_length_are_refused_and_leave_nothing(ground, other):
    one = wanted_of(b"weights")
    ground.put(one.key, b"WEIGHTS")

    outcome = take(ground, other, one)

    assert outcome.done == ()
    assert not other.has(one.digest)
    assert leftovers(other) == []


def test_what_is_here_already_is_done_without_asking(ground, content):
    wanted = keep(content, b"weights", b"data")

    assert ground.remote.fetch(content, wanted, nothing).done == tuple(wanted)


def test_objects_that_come_and_those_that_are_here_are_told_in_the_order_asked_for(
    ground, content, other
):
    wanted = keep(content, b"away", b"here", b"away too")
    ground.remote.send(content, wanted, nothing)
    other.put_bytes(b"here")

    assert take(ground, other, *wanted).done == tuple(wanted)


def test_what_is_here_already_costs_each_object_the_same(content, repository, tmp_path):
    class Counted(Wanted):
        n_hashed = 0

        def __hash__(self):
            Counted.n_hashed += 1
            return super().__hash__()

    wanted = [
        Counted(one.sha256, one.size) for one in keep(content, *(b"%d" % n for n in range(99)))
    ]

    found = open_here("../remote", repository).fetch(content, wanted, nothing)

    assert found.done == tuple(wanted)
    assert Counted.n_hashed <= 10 * len(wanted)


def test_an_object_asked_for_twice_is_moved_once(ground, content, other):
    [one] = keep(content, b"weights")

    assert ground.remote.send(content, [one, one], nothing).done == (one,)
    assert take(ground, other, one, one).done == (one,)


def test_an_entry_of_another_size_is_healed(ground, content, other):
    [one] = keep(content, b"weights")
    ground.remote.send(content, [one], nothing)
    other.put_bytes(b"weights")
    other.path_of(one.digest).chmod(0o600)
    other.path_of(one.digest).write_bytes(b"w")

    assert take(ground, other, one).done == (one,)
    other.verify(one.digest)


def test_many_small_objects_go_and_come(ground, content, other):
    wanted = keep(content, *(b"%d" % n for n in range(120)))  # git-lfs: two batches)

    assert len(ground.remote.send(content, wanted, nothing).done) == 120
    assert len(take(ground, other, *wanted).done) == 120
    for one in wanted:
        other.verify(one.digest)


def test_nothing_asked_for_is_nothing_done(ground, content):
    assert Outcome((), ()) == ground.remote.send(content, [], nothing)
    assert Outcome((), ()) == ground.remote.fetch(content, [], nothing)


@pytest.mark.parametrize("ground", OBJECTS, indirect=True)
def test_an_object_of_another_size_is_never_overwritten(ground, content):
    [one] = keep(content, b"weights")
    ground.put(one.key, b"what somebody else needs")

    [(_, reason)] = ground.remote.send(content, [one], nothing).failed

    assert "holds another object under this name" in reason
    assert ground.get(one.key) == b"what somebody else needs"


@pytest.mark.parametrize("ground", OBJECTS, indirect=True)
@pytest.mark.parametrize(
    ("there", "said"),
    [
        (b"weig", "only 4 of its 7 bytes came"),
        (b"weights and more", "more came than its 7 bytes"),
        (b"WEIGHTS", "other bytes came: those of `sha256:"),
    ],
)
def test_why_bytes_are_refused_is_said(ground, other, there, said):
    one = wanted_of(b"weights")
    ground.put(one.key, there)

    [(_, reason)] = take(ground, other, one).failed

    assert said in reason
    assert leftovers(other) == []
    assert not other.has(one.digest)


@pytest.mark.parametrize("ground", OBJECTS, indirect=True)
def test_a_part_that_was_left_is_read_on_from_where_it_ends(ground, content, other):
    data = os.urandom(5 << 20)
    [one] = keep(content, data)
    ground.put(one.key, b"\0" * (3 << 20) + data[3 << 20 :])  # the beginning is not asked for
    (other.dir / "incoming").mkdir(parents=True)
    (other.dir / "incoming" / f"{one.sha256}.part").write_bytes(data[: 3 << 20])

    assert take(ground, other, one).done == (one,)
    other.verify(one.digest)
    assert leftovers(other) == []


@pytest.mark.parametrize("ground", OBJECTS, indirect=True)
@pytest.mark.parametrize("left", [b"other beginning", b"x" * 4_000_000])
def test_a_part_of_other_bytes_is_thrown_away_and_the_next_call_begins_anew(
    ground, content, other, left
):
    [one] = keep(content, os.urandom(3 << 20))
    ground.remote.send(content, [one], nothing)
    (other.dir / "incoming").mkdir(parents=True)
    (other.dir / "incoming" / f"{one.sha256}.part").write_bytes(left)

    first = take(ground, other, one)
    assert first.done or leftovers(other) == []
    assert take(ground, other, one).done == (one,)
    other.verify(one.digest)


def test_a_whole_part_needs_no_remote(content, other, repository, tmp_path):
    (tmp_path / "remote").mkdir()
    one = wanted_of(b"weights")
    (other.dir / "incoming").mkdir(parents=True)
    (other.dir / "incoming" / f"{one.sha256}.part").write_bytes(b"weights")

    assert open_here("../remote", repository).fetch(other, [one], nothing).done == (one,)


@pytest.mark.parametrize("fault", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_not_waited_for(
    content, other, repository, monkeypatch, fault
):
    def refuse(*_):
        raise OSError(fault, os.strerror(fault))

    (repository.parent / "remote").mkdir()
    remote = open_here("../remote", repository)
    one, two = keep(content, b"weights", b"data")
    remote.send(content, [one, two], nothing)
    (other.dir / "incoming").mkdir(parents=True)
    (other.dir / "incoming" / f"{two.sha256}.part").write_bytes(b"another process writes this")
    monkeypatch.setattr(fcntl, "lockf", refuse)
    over = time.monotonic() + 5

    def watch(n_bytes: int) -> None:
        assert time.monotonic() < over

    assert remote.fetch(other, [one, two], watch).done == (one, two)
    other.verify(one.digest)
    other.verify(two.digest)
    assert leftovers(other) == [f"{two.sha256}.part"]


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("/etc/hostname")])
def test_what_is_no_file_in_the_place_of_a_part_is_an_error_that_names_it(
    content, other, repository, tmp_path, make
):
    ground = ground_of_folder(tmp_path / "remote", "../remote", repository)
    [one] = keep(content, b"weights")
    ground.remote.send(content, [one], nothing)
    (other.dir / "incoming").mkdir(parents=True)
    make(other.dir / "incoming" / f"{one.sha256}.part")

    with pytest.raises(StorageError, match=r"part` is no file"):
        ground.remote.fetch(other, [one], nothing)


def test_a_folder_has_what_git_lfs_and_sha256sum_would_call_it(content, repository, tmp_path):
    ground = ground_of_folder(tmp_path / "remote", "../remote", repository)
    [one] = keep(content, b"weights")

    ground.remote.send(content, [one], nothing)

    path = tmp_path / "remote" / one.sha256[:2] / one.sha256[2:4] / one.sha256
    assert path.read_bytes() == b"weights"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert list((tmp_path / "remote" / "incoming").iterdir()) == []


def test_what_dead_transfers_left_in_a_folder_is_swept_and_living_ones_are_not(
    content, repository, tmp_path
):
    incoming = tmp_path / "remote" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "dead").write_bytes(b"half")
    os.utime(incoming / "dead", (0, time.time() - 2 * 86_400))
    (incoming / "living").write_bytes(b"half")
    [one] = keep(content, b"weights")

    open_here("../remote", repository).send(content, [one], nothing)

    assert [path.name for path in incoming.iterdir()] == ["living"]


def test_a_named_pipe_in_a_folder_is_not_waited_for(other, repository, tmp_path):
    one = wanted_of(b"weights")
    path = tmp_path / "remote" / one.key
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    remote = open_here("../remote", repository)

    assert "no file" in remote.fetch(other, [one], nothing).failed[0][1]


def test_a_folder_that_is_not_there_is_named(content, other, repository, tmp_path):
    [one] = keep(content, b"weights")
    remote = open_here("../mount/store", repository)

    for move in (
        lambda: remote.send(content, [one], nothing),
        lambda: remote.fetch(other, [one], nothing),
    ):
        with pytest.raises(RemoteError, match=r"there is no folder `.*mount/store`"):
            move()
    assert not (tmp_path / "mount").exists()


def test_a_file_in_the_place_of_the_folder_is_named(content, repository, tmp_path):
    (tmp_path / "remote").write_text("no folder")

    with pytest.raises(RemoteError, match="not a directory"):
        open_here("../remote", repository).send(content, keep(content, b"weights"), nothing)


IN_NAMESPACE = """
import os, sys
from pathlib import Path
from repro.errors import ReproError
from repro.store.arrival import Wanted
from repro.store.content import ContentStore
from repro.store.git import open_repository
from repro.store.remote import open_remote
what, root, store, content, sha256, size = sys.argv[1:]
remote = open_remote(store, open_repository(Path(root), os.environ), os.environ)
try:
    move = getattr(remote, what)
    print(move(ContentStore(Path(content)), [Wanted(sha256, int(size))], lambda n_bytes: None))
except ReproError as error:
    print(type(error).__name__, error.message)
"""


def argv_of(what: str, root: Path, store: str, content: ContentStore, one: Wanted) -> list[str]:
    words = (what, root, store, content.dir, one.sha256, one.size)
    return [sys.executable, "-c", IN_NAMESPACE, *map(str, words)]


def mounted(options: str, place: Path, argv: list[str]) -> str:
    """What a command prints that finds another file system at `place`."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("name spaces are not allowed here")
    place.mkdir(parents=True, exist_ok=True)
    script = f'mount -t tmpfs -o {options} none "$1"; shift; "$@"; find "$0" -type f'
    command = ["unshare", "-rm", "sh", "-euc", script, str(place), str(place), *argv]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_folder_is_one_error_and_leaves_nothing_there(content, repository, tmp_path):
    [one] = keep(content, os.urandom(2 << 20))
    argv = argv_of("send", repository, "../remote", content, one)

    said = mounted("size=1m", tmp_path / "remote", argv)

    assert "RemoteError" in said
    assert "no space left on device" in said
    assert len(said.splitlines()) == 1


def test_a_read_only_folder_is_one_error(content, repository, tmp_path):
    [one] = keep(content, b"weights")

    said = mounted(
        "ro", tmp_path / "remote", argv_of("send", repository, "../remote", content, one)
    )

    assert "RemoteError" in said
    assert "read-only file system" in said


def test_a_full_disk_here_is_one_error_and_shows_nothing_half(content, repository, tmp_path):
    ground = ground_of_folder(tmp_path / "remote", "../remote", repository)
    [one] = keep(content, os.urandom(2 << 20))
    ground.remote.send(content, [one], nothing)
    full = ContentStore(tmp_path / "full" / "store")

    said = mounted(
        "size=1m", tmp_path / "full", argv_of("fetch", repository, "../remote", full, one)
    )

    assert "StorageError" in said
    assert "no space left" in said
    assert [f"{one.sha256}.part"] == [Path(line).name for line in said.splitlines()[1:]]


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("a\nb", "cannot be printed"),
        ("ftp://host/x", "does not know `ftp://`"),
        ("memory://x", "does not know `memory://`"),
        ("simplecache::s3://bucket/x", "chains"),
        ("zip://x::file:///etc", "chains"),
        ("git@host:team/project", "neither a folder nor a URL"),
        ("file://host/x", "three slashes"),
        ("s3:///prefix", "no host or bucket"),
        ("s3://bucket:80/x", "has no port"),
        ("http://host/x?sig=geheim", "has no `?`"),
        ("https://user:geheim/x", "no host or bucket"),
        ("s3://AKIA:gehe/im@bucket/x", "no host or bucket"),
    ],
)
def test_what_is_no_remote_store_is_refused_with_what_is_allowed(repository, store, said):
    with pytest.raises(InvalidInputError) as caught:
        open_here(store, repository)

    assert said in caught.value.message
    assert "geheim" not in caught.value.message + caught.value.hint
    assert "://" in caught.value.hint


@pytest.mark.parametrize(
    ("store", "where"),
    [
        ("kept", "project/kept"),
        ("./a:b", "project/a:b"),
        ("~/kept", "home/kept"),
        ("{tmp}/abs", "abs"),
        ("file://{tmp}/a%20b", "a b"),
        ("FILE://localhost{tmp}/x", "x"),
    ],
)
def test_a_folder_is_found_in_each_form(repository, tmp_path, content, store, where):
    [one] = keep(content, b"weights")

    open_here(store.replace("{tmp}", str(tmp_path)), repository).send(content, [one], nothing)

    assert (tmp_path / where / one.key).read_bytes() == b"weights"


def test_a_driver_that_is_not_installed_is_named_by_its_extra(repository):
    script = """
import os, sys
from pathlib import Path
sys.modules.update(s3fs=None, gcsfs=None, paramiko=None, aiohttp=None)
from repro.errors import InvalidInputError
from repro.store.git import open_repository
from repro.store.remote import open_remote
for url in ["s3://b/x", "gs://b/x", "gcs://b/x", "ssh://h/x", "sftp://h/x", "http://h", "https://h"]:
    try:
        open_remote(url, open_repository(Path("."), os.environ), os.environ)
    except InvalidInputError as error:
        print(error.message, error.hint)
"""
    said = subprocess.check_output([sys.executable, "-c", script], text=True).splitlines()

    assert said[0] == "the driver for s3:// is not installed `pip install 'git-repro[s3]'`"
    assert [line.split("git-repro")[1] for line in said] == [
        f"[{extra}]'`" for extra in ("s3", "gs", "gs", "ssh", "ssh", "http", "http")
    ]


def test_fsspec_is_not_imported_before_there_is_a_url(repository):
    script = """
import os, sys
from pathlib import Path
from repro.store.git import open_repository
from repro.store.remote import open_remote
open_remote("folder", open_repository(Path("."), os.environ), os.environ)
print(sorted({"fsspec", "aiohttp", "s3fs", "asyncio"} & set(sys.modules)))
"""
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


@pytest.mark.parametrize("sha256", ["../../../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_what_is_no_digest_is_never_asked_for(sha256):
    with pytest.raises(DamagedRecordError):
        Wanted(sha256, 1)


def test_a_bucket_that_is_not_there_is_one_error(s3, content, other, repository):
    wanted = keep(content, b"weights", b"data")
    remote = open_here("s3://no-such-bucket/x", repository)

    for move in (
        lambda: remote.send(content, wanted, nothing),
        lambda: remote.fetch(other, wanted, nothing),
    ):
        with pytest.raises(RemoteError, match=r"s3://no-such-bucket/x` cannot be used: .*bucket"):
            move()


def test_a_server_that_is_not_there_is_one_error(content, repository, monkeypatch, s3):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    remote = open_here("s3://bucket/x", repository)

    with pytest.raises(RemoteError, match=r"`s3://bucket/x` cannot be used: "):
        remote.send(content, keep(content, b"weights"), nothing)


def test_no_credentials_are_one_error(content, repository, monkeypatch, s3):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    remote = open_here(f"s3://{s3.bucket}/x", repository)

    with pytest.raises(RemoteError, match="credentials"):
        remote.send(content, keep(content, b"weights"), nothing)


def test_a_bucket_that_refuses_us_is_one_error_without_our_key(s3, s3_url, content, repository):
    remote = open_here(f"s3://GEHEIMKEY:geheim%2Fsecret@{s3.bucket}/x", repository)

    def let_in(n_requests: bytes) -> None:
        plain = {"Content-Type": "text/plain"}
        urlopen(Request(f"{s3_url}/moto-api/reset-auth", n_requests, plain)).close()

    let_in(b"0")
    try:
        with pytest.raises(RemoteError, match=rf"`s3://{s3.bucket}/x` cannot be used: ") as caught:
            remote.send(content, keep(content, b"weights"), nothing)
    finally:
        let_in(b"1000000")

    assert "geheim" not in (caught.value.message + caught.value.hint).lower()


def test_an_upload_that_breaks_off_leaves_no_object(s3, content, repository, small_parts):
    [one] = keep(content, os.urandom(1 << 20) * (LARGE >> 20))
    remote = open_here(f"s3://{s3.bucket}/x", repository)

    def break_off(n_bytes: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remote.send(content, [one], break_off)

    assert s3.list_objects_v2(Bucket=s3.bucket)["KeyCount"] == 0
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=s3.bucket)


def test_an_unknown_host_key_is_refused(content, repository, tmp_path):
    (tmp_path / "served").mkdir()
    with sftp_server(tmp_path / "served", tmp_path / "home/.ssh/known_hosts") as url:
        (tmp_path / "home/.ssh/known_hosts").write_text("")

        with pytest.raises(RemoteError, match="not found in known_hosts") as caught:
            open_here(f"{url}/x", repository).send(content, keep(content, b"weights"), nothing)

    assert "pass" not in caught.value.message
    assert list((tmp_path / "served").iterdir()) == []


def test_a_wrong_password_is_one_error(content, repository, tmp_path):
    (tmp_path / "served").mkdir()
    with sftp_server(tmp_path / "served", tmp_path / "home/.ssh/known_hosts") as url:
        wrong = url.replace("pass%3Aword", "geheim")

        with pytest.raises(RemoteError, match="Authentication failed") as caught:
            open_here(f"{wrong}/x", repository).send(content, keep(content, b"weights"), nothing)

    assert "geheim" not in caught.value.message


def test_the_names_of_the_users_ssh_config_are_known(content, repository, tmp_path):
    (tmp_path / "served").mkdir()
    with sftp_server(tmp_path / "served", tmp_path / "home/.ssh/known_hosts") as url:
        port = url.rpartition(":")[2]
        (tmp_path / "home/.ssh/config").write_text(
            f"Host cluster\n  HostName 127.0.0.1\n  Port {port}\n  User ada\n"
        )
        [one] = keep(content, b"weights")

        open_here("ssh://:pass%3Aword@cluster/~/x", repository).send(content, [one], nothing)

    assert (tmp_path / "served/x" / one.key).read_bytes() == b"weights"


def test_many_writers_to_one_folder_agree(content, repository, tmp_path):
    wanted = keep(content, *(os.urandom(100_000) for _ in range(20)))
    remote = open_here("../remote", repository)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: remote.send(content, wanted, nothing), range(8)))

    assert {Outcome(tuple(wanted), ())} == set(outcomes)
    for one in wanted:
        assert wanted_of((tmp_path / "remote" / one.key).read_bytes()) == one


def test_a_transfer_that_is_interrupted_ends_soon_and_is_taken_up(
    content, other, repository, tmp_path
):
    wanted = keep(content, *(os.urandom(1 << 20) * 4 for _ in range(8)))
    remote = open_here("../remote", repository)
    remote.send(content, wanted, nothing)
    seen = []

    def interrupt(n_bytes: int) -> None:
        seen.append(n_bytes)
        if len(seen) > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remote.fetch(other, wanted, interrupt)

    assert all(name.endswith(".part") for name in leftovers(other))
    assert remote.fetch(other, wanted, nothing).done == tuple(wanted)
    assert leftovers(other) == []


def test_a_remote_in_a_second_repository_is_its_own(content, tmp_path, repository):
    second = make_repository(tmp_path / "nested" / "second")
    [one] = keep(content, b"weights")

    open_here("kept", second).send(content, [one], nothing)

    assert (second / "kept" / one.key).exists()
    assert not (repository / "kept").exists()
