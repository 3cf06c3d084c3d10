"""Hashing: the digests that other programs give, of one state of a file, in constant memory."""

import errno
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import xxhash
from tests.support.manifests import as_nobody, in_memory, open_to_all

from repro.core.reading import keeper
from repro.errors import InvalidInputError
from repro.store.content import ContentStore
from repro.store.hashing import StoppedError, Tally, digest_bytes, hash_file

SIZES = [0, 1, 16, 17, 240, 241, (1 << 18) - 1, 1 << 18, (1 << 20) - 1, 1 << 20, 3 * (1 << 20) + 7]


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    with in_memory(tmp_path) as folder:
        yield folder


def make(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def hash_at(path, **more):
    return hash_file(str(path), where=path.name, tally=Tally(), **more)


@contextmanager
def repeating(action):
    """Do it again and again in a thread."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            action()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("size", SIZES)
def test_digests_are_those_of_xxhash_and_hashlib(tmp_path, size):
    data = os.urandom(size)
    path = make(tmp_path / "file", data)

    plain = hash_at(path)
    kept = hash_at(path, keep=keeper(ContentStore(tmp_path / "store"), None))

    assert xxhash.xxh3_128(data).hexdigest() == plain.xxh3 == kept.xxh3 == digest_bytes(data)
    assert plain.sha256 is None
    assert hashlib.sha256(data).hexdigest() == kept.sha256


def test_the_digest_of_nothing_is_the_one_that_xxhash_publishes(tmp_path):
    assert "99aa06d3014798d86001c324468d497f" == hash_at(make(tmp_path / "empty", b"")).xxh3


@pytest.mark.parametrize(("program", "words"), [("xxhsum", ["-H2"]), ("sha256sum", [])])
def test_digests_are_those_that_programs_print(tmp_path, program, words):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    path = make(tmp_path / "file", os.urandom(1_500_000))
    kept = hash_at(path, keep=keeper(ContentStore(tmp_path / "store"), None))

    printed = subprocess.check_output([program, *words, str(path)], text=True)

    assert printed.split()[0] in (kept.xxh3, kept.sha256)


def test_a_sparse_file_of_three_gib_is_hashed_in_constant_memory(roomy):
    path = roomy / "sparse"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    code = """
import resource, sys
from repro.store.hashing import Tally, hash_file
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
tally = Tally()
found = hash_file(sys.argv[1], where="x", tally=tally)
print(found.xxh3, tally.size, peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )

    digest, size, grown = done.stdout.split()
    hasher = xxhash.xxh3_128()
    for _ in range(3 << 10):
        hasher.update(bytes(1 << 20))
    assert (hasher.hexdigest(), 3 << 30) == (digest, int(size))
    assert int(grown) < 16  # MiB


def test_what_was_read_is_counted_once(tmp_path):
    tally = Tally()
    for number, size in enumerate(SIZES):
        path = make(tmp_path / str(number), bytes(size))
        hash_file(str(path), where="x", tally=tally)

    assert (len(SIZES), sum(SIZES)) == (tally.files, tally.size)


def changing(path, change, *, times):
    """A keeper that changes the file under its own hands, the first few times."""
    count = iter(range(times))

    def keep(fd, size, hasher):
        data = os.pread(fd, size + 1, 0)
        hasher.update(data)
        if next(count, None) is not None:
            time.sleep(0.02)  # a tick of the clock of the file system
            change(path)
        return hashlib.sha256(data).hexdigest()

    return keep


def grow(path):
    with path.open("ab") as file:
        file.write(b"x")


def shrink(path):
    os.truncate(path, path.stat().st_size - 1)


def rewrite(path):
    with path.open("r+b") as file:
        file.write(os.urandom(8))


def rewrite_and_set_the_time_back(path):
    status = path.stat()
    rewrite(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


CHANGES = [grow, shrink, rewrite, rewrite_and_set_the_time_back]


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_while_it_was_read_is_read_again(tmp_path, change):
    path = make(tmp_path / "file", os.urandom(100))

    found = hash_at(path, keep=changing(path, change, times=2))

    assert digest_bytes(path.read_bytes()) == found.xxh3
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.status.st_size == path.stat().st_size


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_never_stands_still_is_refused_by_name(tmp_path, change):
    path = make(tmp_path / "file.bin", os.urandom(100))

    with pytest.raises(InvalidInputError, match=r"`file\.bin` changes while it is read"):
        hash_at(path, keep=changing(path, change, times=100))


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_file_that_grows_all_the_time_is_refused_and_not_read_for_ever(tmp_path, is_kept):
    path = make(tmp_path / "log.txt", bytes(32 << 20))
    keep = keeper(ContentStore(tmp_path / "store"), None) if is_kept else None

    class Growing(Tally):
        """Each block that is counted makes the file longer."""

        def add(self, files: int, size: int) -> None:
            super().add(files, size)
            grow(path)

    with pytest.raises(InvalidInputError, match="changes while"):
        hash_file(str(path), where=path.name, tally=Growing(), keep=keep)


def test_a_small_file_that_shrinks_and_grows_is_never_hashed_as_a_mixture(tmp_path):
    states = [bytes(1000), b"x" * 500]
    path = make(tmp_path / "file", states[0])
    wanted = {digest_bytes(state) for state in states} | {digest_bytes(b"")}

    def flip():
        for state in states:
            path.write_bytes(state)

    with repeating(flip):
        for _ in range(200):
            with suppress(InvalidInputError):
                assert hash_at(path).xxh3 in wanted


def test_a_file_that_is_replaced_is_hashed_as_the_one_or_the_other(tmp_path):
    states = [b"a" * (4 << 20), b"b" * (4 << 20)]
    path = make(tmp_path / "file", states[0])
    wanted = {digest_bytes(state) for state in states}

    def replace():
        for state in states:
            make(tmp_path / "new", state).replace(path)

    with repeating(replace):
        for _ in range(20):
            assert hash_at(path).xxh3 in wanted


def test_the_second_name_that_the_store_gave_a_file_is_no_change_of_it(tmp_path):
    path = make(tmp_path / "frozen", os.urandom(100))
    path.chmod(0o444)
    store = ContentStore(tmp_path / "store")

    first = hash_at(path, keep=keeper(store, None))
    second = hash_at(path, keep=keeper(store, None))

    assert first.sha256 == second.sha256
    assert store.read(f"sha256:{first.sha256}") == path.read_bytes()


def test_a_vanished_file_is_no_input_error_for_its_folder_may_be_looked_at_again(tmp_path):
    with pytest.raises(FileNotFoundError):
        hash_at(tmp_path / "gone")


def test_a_file_is_found_relative_to_an_open_folder(tmp_path):
    make(tmp_path / "file", b"x")
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        found = hash_file("file", where="file", tally=Tally(), dir_fd=fd)
    finally:
        os.close(fd)

    assert digest_bytes(b"x") == found.xxh3


def make_socket(path):
    folder = os.open(path.parent, os.O_RDONLY)
    os.fchdir(folder)  # the name of a socket may have no more than 107 bytes
    os.close(folder)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)


def make_device(path):
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.parametrize(
    ("make_it", "kind"),
    [
        (os.mkfifo, "a named pipe"),
        (make_socket, "a socket"),
        (make_device, "a device"),
        (os.mkdir, "a folder"),
        (lambda path: path.symlink_to("/etc/passwd"), "a symbolic link"),
    ],
    ids=["fifo", "socket", "device", "folder", "link"],
)
def test_what_is_no_regular_file_is_refused_as_what_it_is(tmp_path, make_it, kind):
    make_it(tmp_path / "odd")

    with pytest.raises(InvalidInputError, match=f"`odd` is {kind}"):
        hash_at(tmp_path / "odd")


def test_a_file_without_a_right_to_read_it_is_refused_by_name(tmp_path):
    path = make(tmp_path / "secret\x1b.bin", b"x")
    path.chmod(0)
    open_to_all(tmp_path)

    with as_nobody(), pytest.raises(InvalidInputError) as caught:
        hash_at(path)

    assert r"`secret\x1b.bin` cannot be read: Permission denied" == caught.value.message
    assert caught.value.hint == "mend its permissions"


def test_reading_ends_soon_when_it_is_told_to_stop(roomy):
    path = roomy / "large"
    with path.open("wb") as file:
        file.truncate(200 << 30)
    tally = Tally()
    threading.Timer(0.2, tally.stop.set).start()
    start = time.monotonic()

    with pytest.raises(StoppedError):
        hash_file(str(path), where="x", tally=tally)

    assert time.monotonic() - start < 30


def test_a_disk_that_fails_is_told_of_by_name(tmp_path):
    """Reading its own memory at address 0 is an I/O error on every Linux."""
    if not Path("/proc/self/mem").exists():
        pytest.skip("no /proc")

    with pytest.raises(InvalidInputError, match="`mem` cannot be read") as caught:
        hash_file("/proc/self/mem", where="mem", tally=Tally())

    assert os.strerror(errno.EIO) in caught.value.message
