"""The content store: whole entries or none, hashed whenever they are read."""

import hashlib
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.support.manifests import another_file_system, open_to_all

from repro.errors import DamagedRecordError, InvalidInputError
from repro.store.content import ContentStore

_NOBODY = 65534
_DROP_ROOT = """
import ctypes, tempfile  # nobody may not read the standard library of root
if os.geteuid() == 0:  # give up the rights of root for good, but keep /proc/self/fd
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1)
"""


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
    with another_file_system(tmp_path) as folder:
        yield folder


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


def put_open(store: ContentStore, path: Path, **more) -> str:
    with path.open("rb") as file:
        return store.put_open(file.fileno(), size=os.fstat(file.fileno()).st_size, **more)


def unfinished(store: ContentStore) -> list[str]:
    return os.listdir(store.dir / "incoming")


@pytest.mark.parametrize("mode", [0o644, 0o444])
@pytest.mark.parametrize("data", [b"", b"weights", os.urandom(3 * (1 << 20) + 17)])
def test_an_open_file_is_kept_and_read_once_for_two_hashers(store, tmp_path, data, mode):
    path = make_file(tmp_path / "model.pt", data)
    path.chmod(mode)
    also = hashlib.md5()

    digest = put_open(store, path, also=also)

    assert sha256(data) == digest
    assert data == store.read(digest)
    assert hashlib.md5(data).digest() == also.digest()
    assert unfinished(store) == []


@pytest.mark.parametrize("mode", [0o400, 0o444, 0o555])
def test_a_file_that_nobody_may_write_to_is_kept_as_a_second_name(store, tmp_path, mode):
    path = make_file(tmp_path / "model.pt")
    path.chmod(mode)
    store.dir.mkdir()
    script = _PUT_OPEN.replace("store =", _DROP_ROOT + "store =", 1)
    command = [sys.executable, "-c", script, str(store.dir), str(path)]
    if os.geteuid() == 0:
        open_to_all(tmp_path)
        for one in (path, tmp_path, store.dir):
            os.chown(one, _NOBODY, _NOBODY)

    digest = subprocess.check_output(command, text=True).strip()

    assert store.path_of(digest).samefile(path)
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write to any file")
@pytest.mark.parametrize("mode", [0o400, 0o444, 0o555])
def test_root_may_write_to_any_file_so_none_of_its_files_is_linked(store, tmp_path, mode):
    path = make_file(tmp_path / "model.pt")
    path.chmod(mode)
    digest = put_open(store, path)

    with path.open("r+b") as file:
        file.write(b"W")

    assert store.read(digest) == b"weights"


@pytest.mark.parametrize("mode", [0o644, 0o464, 0o446, 0o4555])
def test_a_file_that_somebody_may_write_to_is_never_linked(store, tmp_path, mode):
    path = make_file(tmp_path / "model.pt")
    path.chmod(mode)

    digest = put_open(store, path)

    assert path.stat().st_nlink == 1
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert store.path_of(digest).stat().st_mode & 0o777 == 0o444


def test_a_file_of_somebody_else_is_never_linked(store, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = make_file(tmp_path / "model.pt")
    path.chmod(0o444)
    os.chown(path, 65534, 65534)

    assert store.read(put_open(store, path)) == b"weights"
    assert path.stat().st_nlink == 1


def test_an_open_file_on_another_file_system_is_copied(store, elsewhere):
    path = make_file(elsewhere / "model.pt")
    path.chmod(0o444)

    assert store.read(put_open(store, path)) == b"weights"
    assert unfinished(store) == []


def test_an_open_file_that_lost_its_name_is_copied(store, tmp_path):
    path = make_file(tmp_path / "model.pt")
    path.chmod(0o444)
    with path.open("rb") as file:
        path.unlink()

        assert store.read(store.put_open(file.fileno(), size=7)) == b"weights"


@pytest.mark.parametrize("mode", [0o644, 0o444])
@pytest.mark.parametrize("size", [0, 6, 8])
def test_an_open_file_of_another_size_than_expected_is_refused(store, tmp_path, size, mode):
    path = make_file(tmp_path / "model.pt")
    path.chmod(mode)

    with path.open("rb") as file, pytest.raises(InvalidInputError, match="changed"):
        store.put_open(file.fileno(), size=size)

    assert entries(store) == []
    assert unfinished(store) == []


def test_a_copy_of_a_sparse_file_has_its_holes(store, tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        for place in (5 << 20, 20 << 20):
            file.seek(place)
            file.write(b"data")
        file.truncate(64 << 20)
    data = path.read_bytes()

    for digest in (store.put_file(path), put_open(store, path)):
        assert sha256(data) == digest
        assert data == store.read(digest)
        assert store.path_of(digest).stat().st_blocks * 512 < 1 << 20


def test_an_entry_that_is_there_and_sound_is_not_written_again(store, tmp_path):
    path = make_file(tmp_path / "model.pt")
    digest = put_open(store, path)
    before = store.path_of(digest).stat()
    path.chmod(0o444)

    assert digest == put_open(store, path)
    assert before == store.path_of(digest).stat()
    assert path.stat().st_nlink == 1


@pytest.mark.parametrize("mode", [0o644, 0o444])
def test_keeping_an_open_file_heals_a_damaged_entry(store, tmp_path, mode):
    path = make_file(tmp_path / "model.pt")
    path.chmod(mode)
    damage(store.path_of(store.put_bytes(b"weights")))

    store.verify(put_open(store, path))


_PUT_OPEN = """
import os, sys
from pathlib import Path
from repro.store.content import ContentStore
store = ContentStore(Path(sys.argv[1]))
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        print(store.put_open(file.fileno(), size=os.fstat(file.fileno()).st_size))
"""


def test_processes_that_keep_the_same_bytes_at_once_agree(store, tmp_path):
    data = os.urandom(1 << 20)
    paths = [make_file(tmp_path / f"{number}.bin", data) for number in range(4)]
    for path in paths[:2]:
        path.chmod(0o444)
    argv = [sys.executable, "-c", _PUT_OPEN, str(store.dir), *map(str, paths)]
    writers = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(16)]

    said = {writer.communicate()[0] for writer in writers}

    assert {0} == {writer.returncode for writer in writers}
    assert {f"{sha256(data)}\n" * 4} == said
    assert len(entries(store)) == 1
    assert unfinished(store) == []
    store.verify(sha256(data))


def test_an_entry_is_written_out_hashed(store, tmp_path):
    digest = store.put_bytes(b"weights")

    with (tmp_path / "out").open("w+b") as file:
        assert store.copy_out(digest, file.fileno(), 7)

    assert (tmp_path / "out").read_bytes() == b"weights"


@pytest.mark.parametrize("size", [6, 8])
def test_a_record_with_a_wrong_size_is_told_from_a_damaged_entry(store, tmp_path, size):
    digest = store.put_bytes(b"weights")

    with (tmp_path / "out").open("w+b") as file:
        with pytest.raises(DamagedRecordError, match=f"7 bytes, but the record says {size}"):
            store.copy_out(digest, file.fileno(), size)
        damage(store.path_of(digest))
        with pytest.raises(DamagedRecordError, match="in the content store is damaged"):
            store.copy_out(digest, file.fileno(), size)


def test_a_damaged_entry_is_set_aside_and_its_name_is_free(store):
    digest = store.put_bytes(b"weights")
    for suffix in ("", ".1", ".2"):
        damage(store.path_of(digest))

        place = store.set_aside(digest)

        assert store.dir / "damaged" / (digest.removeprefix("sha256:") + suffix) == place
        assert place.read_bytes() == b"WEIGHTS"
        assert not store.has(digest)
        store.put_bytes(b"weights")
        store.verify(digest)


def test_an_entry_that_was_healed_meanwhile_is_not_lost(store):
    digest = store.put_bytes(b"weights")

    assert store.path_of(digest) == store.set_aside(digest)
    assert store.read(digest) == b"weights"
    assert os.listdir(store.dir / "damaged") == []


def test_an_absent_entry_cannot_be_set_aside(store):
    with pytest.raises(DamagedRecordError, match="is not in the content store"):
        store.set_aside(sha256(b"nobody has this"))

    assert os.listdir(store.dir / "damaged") == []


def test_the_error_for_a_damaged_entry_says_what_mends_it(store):
    digest = store.put_bytes(b"weights")
    damage(store.path_of(digest))

    with pytest.raises(DamagedRecordError) as error:
        store.verify(digest)

    assert "`repro data verify`" in error.value.hint
    assert "`repro data pull`, or `repro data add` where" in error.value.hint


def test_entries_are_listed_in_order_and_nothing_else_is(store, tmp_path):
    digests = sorted(store.put_bytes(bytes([number])) for number in range(50))
    damaged = store.put_bytes(b"weights")
    damage(store.path_of(damaged))
    store.set_aside(damaged)
    first = store.path_of(digests[0])
    make_file(first.with_name("notes.txt"))
    make_file(first.with_name(first.name + ".part"))
    make_file(first.with_name(first.name.upper()))
    make_file(first.with_name("f" * 64 if first.name[0] != "f" else "0" * 64))
    make_file(store.dir / "incoming" / ("a" * 64))
    make_file(store.dir / "zz")
    link = store.path_of(sha256(b"link"))
    link.parent.mkdir(parents=True)
    link.symlink_to(first)

    listed = list(store.entries())

    assert digests == [digest for digest, _ in listed]
    assert {1} == {status.st_size for _, status in listed}


def test_a_store_that_is_not_there_has_no_entries(store):
    assert list(store.entries()) == []
    store.clear_incoming(now=time.time())


@pytest.mark.parametrize(
    ("days", "left"),
    [(0.9, {".new.x", "part", "folder"}), (1.1, {"part", "folder"}), (14.1, {"folder"})],
)
def test_what_killed_writers_left_is_removed_when_it_is_old(store, days, left):
    store.put_bytes(b"weights")
    names = {".new.x": "", "part": "a" * 64 + ".part", "folder": "folder"}
    folder = store.dir / "incoming"
    make_file(folder / ".new.x")
    make_file(folder / names["part"])
    (folder / "folder").mkdir()
    os.utime(folder / ".new.x", (0, 0))  # as a second name of an old file has it

    store.clear_incoming(now=time.time() + days * 86400)

    assert {names[name] or name for name in left} == set(unfinished(store))


def test_entries_of_a_batch_get_their_names_together(store, tmp_path):
    frozen = make_file(tmp_path / "frozen")
    frozen.chmod(0o444)
    twin = make_file(tmp_path / "twin")
    other = make_file(tmp_path / "other", b"other")

    with store.batch() as batch:
        digests = {put_open(store, path, batch=batch) for path in (frozen, twin, other)}
        assert entries(store) == []

    assert {sha256(b"weights"), sha256(b"other")} == digests
    assert digests == {digest for digest, _ in store.entries()}
    for digest in digests:
        store.verify(digest)
        assert store.path_of(digest).stat().st_mode & 0o777 == 0o444
    assert unfinished(store) == []


def test_a_batch_that_is_long_is_written_on_the_way(store, tmp_path):
    paths = [make_file(tmp_path / str(number), b"%d" % number) for number in range(1001)]

    with store.batch() as batch, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda path: put_open(store, path, batch=batch), paths))
        assert len(entries(store)) == 1000

    assert len(entries(store)) == 1001
    assert unfinished(store) == []


def test_what_was_kept_before_an_error_in_a_batch_stays_kept(store, tmp_path):
    path = make_file(tmp_path / "model.pt")

    def keep_and_stop() -> None:
        with store.batch() as batch:
            put_open(store, path, batch=batch)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep_and_stop()

    assert store.read(sha256(b"weights")) == b"weights"
    assert unfinished(store) == []


def test_a_batch_heals_a_damaged_entry(store, tmp_path):
    damage(store.path_of(store.put_bytes(b"weights")))

    with store.batch() as batch:
        digest = put_open(store, make_file(tmp_path / "model.pt"), batch=batch)

    store.verify(digest)


_PUT_BATCH = """
import os, sys
from pathlib import Path
from repro.errors import ReproError
from repro.store.content import ContentStore
store = ContentStore(Path(sys.argv[1]))
try:
    with store.batch() as batch:
        for path in sorted(Path(sys.argv[2]).iterdir()):
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                store.put_open(file.fileno(), size=size, batch=batch)
except ReproError as error:
    print(type(error).__name__, error.message)
print(len(list(store.entries())), os.listdir(store.dir / "incoming"))
for digest, _ in store.entries():
    store.verify(digest)
"""


def test_a_full_disk_in_a_batch_leaves_whole_entries_and_no_others(store, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "_PUT", _PUT_BATCH)
    store.dir.mkdir()
    (tmp_path / "files").mkdir()
    for number in range(10):
        make_file(tmp_path / "files" / str(number), os.urandom(200_000))

    said = in_namespace(
        'mount -t tmpfs -o size=1m none "$3"; "$1" -c "$2" "$3" "$4"', store.dir, tmp_path / "files"
    ).splitlines()

    assert "StorageError cannot write `a new entry` to the content store: no space left" in said[0]
    assert "5 []" == said[1]


@pytest.mark.parametrize("delay_s", [0.15, 0.25, 0.4])
def test_a_batch_that_is_killed_leaves_whole_entries_only(store, tmp_path, delay_s):
    (tmp_path / "files").mkdir()
    for number in range(1500):
        make_file(tmp_path / "files" / str(number), b"%d" % number * 100)
    argv = [sys.executable, "-c", _PUT_BATCH, str(store.dir), str(tmp_path / "files")]
    writer = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    with writer:
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)

    for digest, _ in store.entries():
        store.verify(digest)
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("1500 ")
