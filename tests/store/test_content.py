"""The content store: whole entries or none, hashed whenever they are read."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import pytest

from repro.errors import DamagedRecordError, InvalidInputError
from repro.store.content import ContentStore


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "store")


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_file(path: Path, data: bytes = b"weights") -> Path:
    path.write_bytes(data)
    return path


def entries(store: ContentStore) -> list[Path]:
    return sorted(path for path in store.dir.glob("??/??/*") if path.is_file())


def damage(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"WEIGHTS"[: path.stat().st_size])
    path.chmod(0o444)


def test_a_file_is_kept_under_its_sha256_in_two_levels_of_folders(store, tmp_path):
    digest = store.put_file(make_file(tmp_path / "model.pt"))

    name = hashlib.sha256(b"weights").hexdigest()
    assert f"sha256:{name}" == digest
    assert [store.dir / name[:2] / name[2:4] / name] == entries(store)
    assert store.path_of(digest).stat().st_mode & 0o777 == 0o444


def test_what_was_put_in_is_read_back(store, tmp_path):
    data = os.urandom(3 * (1 << 20) + 17)

    digest = store.put_file(make_file(tmp_path / "model.pt", data))

    assert sha256(data) == digest
    assert data == store.read(digest)
    with store.open(digest) as file:
        assert data == file.read()


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * (1 << 20)])
def test_bytes_and_a_file_of_them_are_one_entry(store, tmp_path, data):
    assert store.put_bytes(data) == store.put_file(make_file(tmp_path / "file", data))
    assert len(entries(store)) == 1


def test_nothing_but_entries_is_left_behind(store, tmp_path):
    store.put_file(make_file(tmp_path / "model.pt"))
    store.put_bytes(b"more")

    assert list((store.dir / "incoming").iterdir()) == []


def test_an_edit_of_the_original_in_place_does_not_reach_the_entry(store, tmp_path):
    path = make_file(tmp_path / "model.pt")
    digest = store.put_file(path)

    with path.open("r+b") as file:
        file.write(b"changed")

    assert store.read(digest) == b"weights"


def test_a_file_is_followed_through_a_link(store, tmp_path):
    make_file(tmp_path / "epoch3.pt")
    (tmp_path / "best.pt").symlink_to("epoch3.pt")

    assert store.read(store.put_file(tmp_path / "best.pt")) == b"weights"


def test_a_file_that_changes_while_it_is_read_is_refused(store, tmp_path):
    path = tmp_path / "growing.log"
    with path.open("wb") as file:
        file.truncate(256 << 20)
    stop = Event()

    def grow() -> None:
        while not stop.is_set():
            with path.open("ab") as file:
                file.write(b"x")

    writer = Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(InvalidInputError, match=r"growing\.log` changed"):
            store.put_file(path)
    finally:
        stop.set()
        writer.join()

    assert entries(store) == []
    assert list((store.dir / "incoming").iterdir()) == []


def test_a_named_pipe_is_refused_and_not_waited_for(store, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InvalidInputError, match="not a regular file"):
        store.put_file(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["folder", "absent"])
def test_what_is_no_file_is_refused_by_name(store, tmp_path, name):
    (tmp_path / "folder").mkdir()

    with pytest.raises(InvalidInputError, match=name):
        store.put_file(tmp_path / name)


@pytest.mark.parametrize("read", [ContentStore.read, ContentStore.open, ContentStore.verify])
def test_a_damaged_entry_is_named_and_never_given(store, read):
    digest = store.put_bytes(b"weights")
    damage(store.path_of(digest))

    with pytest.raises(DamagedRecordError, match=digest):
        read(store, digest)


def test_putting_the_same_bytes_again_heals_a_damaged_entry(store, tmp_path):
    digest = store.put_bytes(b"weights")
    damage(store.path_of(digest))
    store.put_bytes(b"weights")
    store.verify(digest)

    damage(store.path_of(digest))
    store.put_file(make_file(tmp_path / "model.pt"))
    store.verify(digest)


def test_an_absent_entry_is_named(store):
    digest = sha256(b"nobody has this")

    assert not store.has(digest)
    with pytest.raises(DamagedRecordError, match=f"{digest}.* is not in the content store"):
        store.read(digest)


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "sha256:",
        "sha256:../../../../etc/passwd",
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 64 + "\n",
        "xxh3:" + "a" * 64,
        "a" * 64,
    ],
)
def test_what_is_no_digest_never_becomes_a_path(store, digest):
    with pytest.raises(DamagedRecordError, match="not a digest"):
        store.path_of(digest)


def test_a_linked_file_costs_no_space(store, tmp_path):
    path = make_file(tmp_path / "object")
    name = sha256(b"weights").removeprefix("sha256:")

    assert store.link_in(path, name)
    assert store.path_of(f"sha256:{name}").samefile(path)


def test_a_linked_entry_outlives_its_first_name(store, tmp_path):
    path = make_file(tmp_path / "object")
    name = sha256(b"weights").removeprefix("sha256:")
    store.link_in(path, name)

    path.unlink()

    assert store.read(f"sha256:{name}") == b"weights"


def test_nothing_is_linked_where_there_is_no_file(store, tmp_path):
    assert not store.link_in(tmp_path / "absent", "a" * 64)
    assert entries(store) == []


@pytest.fixture
def elsewhere(tmp_path: Path):
    """A folder on another file system, to which nothing can be linked."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system at hand")
    folder = shm / f"repro-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_a_file_on_another_file_system_is_copied(store, elsewhere):
    path = make_file(elsewhere / "object")
    digest = sha256(b"weights")

    assert store.link_in(path, digest.removeprefix("sha256:"))
    assert store.read(digest) == b"weights"


def test_a_file_that_has_to_be_copied_is_hashed(store, elsewhere):
    path = make_file(elsewhere / "object")

    assert not store.link_in(path, "a" * 64)
    assert not store.has("sha256:" + "a" * 64)


def test_an_entry_is_given_back_on_another_file_system(store, elsewhere):
    digest = store.put_bytes(b"weights")

    store.link_out(digest, elsewhere / "aa" / "object")

    assert (elsewhere / "aa" / "object").read_bytes() == b"weights"
    assert [path.name for path in (elsewhere / "aa").iterdir()] == ["object"]


def test_an_entry_is_given_back_in_the_place_of_a_broken_file(store, tmp_path):
    digest = store.put_bytes(b"weights")
    target = make_file(tmp_path / "object", b"wei")

    store.link_out(digest, target)

    assert target.samefile(store.path_of(digest))
    assert {"object", "store", "home"} == {path.name for path in tmp_path.iterdir()}


def test_a_damaged_entry_is_not_given_back(store, tmp_path):
    digest = store.put_bytes(b"weights")
    damage(store.path_of(digest))
    target = make_file(tmp_path / "object", b"wei")

    with pytest.raises(DamagedRecordError, match=digest):
        store.link_out(digest, target)

    assert target.read_bytes() == b"wei"


def test_many_writers_of_one_file_make_one_entry(store, tmp_path):
    path = make_file(tmp_path / "model.pt", os.urandom(1 << 20))

    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(store.put_file, [path] * 32))

    assert 1 == len(digests) == len(entries(store))
    store.verify(digests.pop())


_PUT = """
import sys
from pathlib import Path
from repro.errors import ReproError
from repro.store.content import ContentStore
store = ContentStore(Path(sys.argv[1]))
try:
    print(store.put_file(Path(sys.argv[2])))
except ReproError as error:
    print(type(error).__name__, error.message)
"""


def in_namespace(script: str, *args: Path) -> str:
    """Run a shell script as root of a name space of its own, where it may mount."""
    try:
        probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no `unshare` here")
    if probe.returncode != 0:
        pytest.skip("name spaces are not allowed here")
    argv = ["unshare", "-rm", "sh", "-euc", script, "sh", sys.executable, _PUT, *map(str, args)]
    done = subprocess.run(argv, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(store, tmp_path):
    store.dir.mkdir()
    path = make_file(tmp_path / "model.pt", os.urandom(2 << 20))

    said = in_namespace(
        'mount -t tmpfs -o size=1m none "$3"; "$1" -c "$2" "$3" "$4"; find "$3" -type f',
        store.dir,
        path,
    )

    assert "StorageError cannot write `model.pt` to the content store: no space left" in said
    assert len(said.splitlines()) == 1


def test_a_read_only_store_is_a_storage_error(store, tmp_path):
    store.dir.mkdir()
    path = make_file(tmp_path / "model.pt")

    said = in_namespace(
        'mount -t tmpfs -o ro none "$3"; "$1" -c "$2" "$3" "$4"',
        store.dir,
        path,
    )

    assert (
        "StorageError cannot write `model.pt` to the content store: the file system is read" in said
    )


@pytest.mark.parametrize("delay_s", [0.05, 0.1, 0.15, 0.2, 0.3])
def test_a_killed_writer_leaves_whole_entries_only(store, tmp_path, delay_s):
    path = make_file(tmp_path / "model.pt", os.urandom(1 << 20) * 32)
    writer = subprocess.Popen(
        [sys.executable, "-c", _PUT, str(store.dir), str(path)], stdout=subprocess.PIPE
    )
    with writer:
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)

    for entry in entries(store):
        store.verify(f"sha256:{entry.name}")
    store.verify(store.put_file(path))
