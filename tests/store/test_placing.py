"""Dataset files come into their place whole, through no link, and over nobody's work."""

import errno
import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.support.manifests import another_file_system, open_to_all

from repro.errors import DamagedRecordError, StorageError, WouldLoseWorkError
from repro.store.content import ContentStore
from repro.store.placing import Means, Place, open_place, seen_of

IS_ROOT = os.geteuid() == 0
KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "8"))
ODD_NAMES = ["a\nb", "caf\udce9", "-rf", "a b", "a:b", "%2E", "~", "\u202e", "x" * 255]


class Project:
    """A folder with a content store outside of it."""

    def __init__(self, folder: Path, staging: Path) -> None:
        self.root = folder / "project"
        self.root.mkdir(parents=True)
        self.store = ContentStore(folder / "store")
        self.staging = staging
        self.top = self.root / "data" / "train"

    @contextmanager
    def place(self, path: str = "data/train") -> Iterator[Place]:
        with open_place(self.root, path, self.staging) as place:
            yield place

    def put(self, place: Place, path: str, data: bytes = b"old", **more) -> None:
        facts = {"is_executable": False, "means": Means.COPY, **more}
        place.put(path, self.store, self.store.put_bytes(data), len(data), **facts)

    def write(self, path: str, data: bytes = b"mine") -> Path:
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def files(self) -> dict[str, bytes]:
        """All that is below the root, staging included if it is there."""
        paths = (path for path in self.root.rglob("*") if path.is_file() or path.is_symlink())
        return {
            str(path.relative_to(self.root)): path.read_bytes() if path.is_file() else b"a link"
            for path in paths
        }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, tmp_path / "staging")


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Project]:
    """A project whose staging folder is on another file system."""
    with another_file_system(tmp_path) as folder:
        yield Project(folder, tmp_path / "staging")


@contextmanager
def mounted(tmp_path: Path, make: list[str], mount: list[str], size: int) -> Iterator[Path]:
    """A file system in a file."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    missing = [program for program in (make[0], mount[0]) if shutil.which(program) is None]
    if missing:
        pytest.skip(f"there is no `{missing[0]}` here")
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run([*make, str(image)], check=True, capture_output=True)
    if subprocess.run([*mount, str(image), str(place)], check=False).returncode != 0:
        pytest.skip("this machine does not let root mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def reflinking(tmp_path: Path) -> Iterator[Project]:
    with mounted(tmp_path, ["mkfs.xfs"], ["mount", "-o", "loop"], 512 << 20) as disk:
        yield Project(disk, disk / "staging")


@pytest.fixture
def folding(tmp_path: Path) -> Iterator[Project]:
    """A project on a file system for which `A` and `a` are one name."""
    mount = ["lowntfs-3g", "-o", "ignore_case,permissions"]
    with mounted(tmp_path, ["mkntfs", "-q", "-F"], mount, 32 << 20) as disk:
        yield Project(disk, disk / "staging")


def test_bytes_and_modes_are_as_recorded(project):
    umask = os.umask(0o027)
    try:
        with project.place() as place:
            for means in Means:
                project.put(place, f"{means.value}/a", b"plain", means=means)
                project.put(place, f"{means.value}/b", b"", means=means)
                project.put(place, f"{means.value}/c", b"run", means=means, is_executable=True)
    finally:
        os.umask(umask)

    for name, data, copied, linked in [
        ("a", b"plain", 0o640, 0o640 if IS_ROOT else 0o444),
        ("b", b"", 0o640, 0o640 if IS_ROOT else 0o444),
        ("c", b"run", 0o750, 0o750),
    ]:
        for folder, mode in (("copy", copied), ("link", linked)):
            file = project.top / folder / name
            assert data == file.read_bytes()
            assert file.stat().st_mode & 0o7777 == mode


def test_a_large_file_arrives_byte_for_byte(project):
    data = os.urandom(5 * (1 << 20) + 3)

    with project.place() as place:
        project.put(place, "big", data)

    assert data == (project.top / "big").read_bytes()


@pytest.mark.skipif(not IS_ROOT, reason="only root may write to any file")
def test_root_may_write_to_any_file_so_an_entry_is_copied_and_not_linked(project):
    digest = project.store.put_bytes(b"old")
    with project.place() as place:
        project.put(place, "a", means=Means.LINK)

    with (project.top / "a").open("r+b") as file:
        file.write(b"new")

    assert project.store.read(digest) == b"old"


_LINK = """
import tempfile  # nobody may not read the standard library of root
import ctypes, os, sys
from pathlib import Path
from repro.store.content import ContentStore
from repro.store.placing import Means, open_place
if os.geteuid() == 0:  # give up the rights of root for good, but keep /proc/self/fd
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1)
root, staging, store = map(Path, sys.argv[1:])
store = ContentStore(store)
digest = store.put_bytes(b"old")
with open_place(root, "data/train", staging) as place:
    place.put("a", store, digest, 3, is_executable=False, means=Means.LINK)
"""


def test_a_link_is_a_second_name_of_the_read_only_entry(project):
    folders = (project.root, project.staging, project.store.dir)
    for folder in (*folders, project.store.dir.parent):
        folder.mkdir(exist_ok=True)
        if IS_ROOT:
            open_to_all(folder)
            os.chown(folder, 65534, 65534)
    command = [sys.executable, "-c", _LINK, *map(str, folders)]

    subprocess.run(command, check=True)

    digest = f"sha256:{hashlib.sha256(b'old').hexdigest()}"
    assert (project.top / "a").samefile(project.store.path_of(digest))
    assert (project.top / "a").stat().st_mode & 0o222 == 0


def test_a_copy_can_be_edited_without_harm_to_the_entry(project):
    digest = project.store.put_bytes(b"old")
    with project.place() as place:
        project.put(place, "a")

    with (project.top / "a").open("r+b") as file:
        file.write(b"new")

    assert project.store.read(digest) == b"old"


def test_an_entry_that_somebody_may_write_to_is_copied_and_not_linked(project):
    project.store.path_of(project.store.put_bytes(b"old")).chmod(0o664)
    digest = project.store.put_bytes(b"old")

    with project.place() as place:
        place.put("a", project.store, digest, 3, is_executable=False, means=Means.LINK)

    assert (project.top / "a").stat().st_nlink == 1


def test_blocks_are_shared_where_the_file_system_can(reflinking):
    data = os.urandom(64 << 20)
    before = shutil.disk_usage(reflinking.root).free
    source = reflinking.write("source", data)

    with source.open("rb") as file:
        digest = reflinking.store.put_open(file.fileno(), size=len(data))
    with reflinking.place() as place:
        for means in Means:
            facts = {"is_executable": False, "means": means}
            place.put(means.value, reflinking.store, digest, len(data), **facts)
        assert place.put_copy("c", source, lambda _: True, is_executable=False)
    os.sync()

    assert before - shutil.disk_usage(reflinking.root).free < 80 << 20
    for name in ("copy", "link", "c"):
        file = reflinking.top / name
        assert data == file.read_bytes()
        assert file.stat().st_nlink == 1
        assert file.stat().st_mode & 0o777 == 0o644


def test_a_damaged_entry_is_refused_where_blocks_are_shared(reflinking):
    test_a_damaged_entry_is_refused_and_nothing_appears(reflinking, Means.COPY, 0o444)


@pytest.mark.parametrize("means", Means)
@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_damaged_entry_is_refused_and_nothing_appears(project, means, mode):
    digest = project.store.put_bytes(b"old")
    entry = project.store.path_of(digest)
    entry.chmod(0o644)
    entry.write_bytes(b"odd")
    entry.chmod(mode)

    with project.place() as place, pytest.raises(DamagedRecordError, match=digest):
        place.put("a", project.store, digest, 3, is_executable=False, means=means)

    assert project.files() == {}
    assert os.listdir(project.staging) == []


@pytest.mark.parametrize("means", Means)
@pytest.mark.parametrize("size", [0, 2, 4, 1 << 62])
def test_a_record_that_gives_a_wrong_size_is_refused(project, means, size):
    digest = project.store.put_bytes(b"old")

    with project.place() as place, pytest.raises(DamagedRecordError, match="3 bytes, but the rec"):
        place.put("a", project.store, digest, size, is_executable=False, means=means)

    assert project.files() == {}


@pytest.mark.parametrize("means", Means)
def test_an_absent_entry_is_named(project, means):
    digest = "sha256:" + "0" * 64

    with project.place() as place, pytest.raises(DamagedRecordError, match="is not in the content"):
        place.put("a", project.store, digest, 3, is_executable=False, means=means)

    assert project.files() == {}


HOSTILE = [
    "",
    ".",
    "..",
    "../escaped",
    "a/../../escaped",
    "/escaped",
    "a//b",
    "a/",
    ".git/hooks/x",
    "a/.GIT/config",
    "a/git~1/config",
    "a\\..\\b",
    "a\0b",
    "x" * 256,
    "/".join(["x" * 200] * 21),
    "\ud800",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_no_path_leads_out_of_the_folder_or_into_git(project, path):
    with project.place() as place:
        seen = seen_of(project.root.stat())
        for act in (
            partial(project.put, place, path),
            partial(place.put_copy, path, Path(__file__), lambda _: True, is_executable=False),
            partial(place.link, path, "a"),
            partial(place.make_folder, path),
            partial(place.look, path),
            partial(place.remove, path, seen=seen),
            partial(place.remove_folder, path),
        ):
            with pytest.raises(DamagedRecordError, match="the record names the path"):
                act()

    assert project.files() == {}


@pytest.mark.parametrize("path", [path for path in HOSTILE if path != "."])
def test_a_dataset_is_never_outside_of_its_root(project, path):
    with pytest.raises(DamagedRecordError), project.place(path):
        pass

    assert os.listdir(project.root) == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_names_as_others(project, name):
    with project.place() as place:
        project.put(place, f"{name}/{name}")
        place.link(f"{name}/link", name)

    assert project.files() == {
        f"data/train/{name}/{name}": b"old",
        f"data/train/{name}/link": b"old",
    }


def test_a_path_of_many_folders_is_walked(project):
    path = "/".join(["d"] * 300) + "/a"

    with project.place() as place:
        project.put(place, path)
        assert place.look(path) is not None


def test_a_dataset_may_be_the_root_itself(project):
    with project.place(".") as place:
        project.put(place, "a/b")

    assert project.files() == {"a/b": b"old"}


def refused(project: Project, act) -> WouldLoseWorkError:
    """What refuses `act`, after which all is as it was."""
    before = project.files()
    with pytest.raises(WouldLoseWorkError) as error, project.place() as place:
        act(place)
    assert before == project.files()
    return error.value


@pytest.mark.parametrize("link", ["data", "data/train"])
def test_a_folder_that_is_a_link_is_not_entered(project, tmp_path, link):
    (tmp_path / "elsewhere").mkdir()
    (project.root / link).parent.mkdir(exist_ok=True)
    (project.root / link).symlink_to(tmp_path / "elsewhere")

    error = refused(project, lambda place: project.put(place, "a"))

    assert f"a symbolic link stands where the folder `{link}` belongs" in error.message
    assert (link,) == error.paths
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("act", ["put", "make_folder", "look", "remove", "remove_folder"])
def test_nothing_is_done_through_a_link_inside(project, tmp_path, act):
    target = tmp_path / "elsewhere"
    (target / "b").mkdir(parents=True)
    project.top.mkdir(parents=True)
    (project.top / "a").symlink_to(target)
    acts = {
        "put": lambda place: project.put(place, "a/b/c"),
        "make_folder": lambda place: place.make_folder("a/c"),
        "look": lambda place: place.look("a/b"),
        "remove": lambda place: place.remove("a/b", seen=seen_of(target.stat())),
        "remove_folder": lambda place: place.remove_folder("a/b"),
    }

    error = refused(project, acts[act])

    assert "a symbolic link stands where the folder `a` belongs" in error.message
    assert [target / "b"] == list(target.rglob("*"))


def test_a_link_that_is_swapped_in_between_two_files_is_not_followed(project, tmp_path):
    def swap_between(place: Place) -> None:
        (project.top / "sub").rename(project.top / "moved")
        (project.top / "sub").symlink_to(tmp_path / "elsewhere")
        project.put(place, "sub/b")

    (tmp_path / "elsewhere").mkdir()
    with project.place() as place:
        project.put(place, "sub/a")
        with pytest.raises(WouldLoseWorkError, match="symbolic link"):
            swap_between(place)

    assert os.listdir(tmp_path / "elsewhere") == []
    assert os.listdir(project.top / "moved") == ["a"]


def test_a_folder_that_vanishes_between_two_files_is_made_again(project):
    with project.place() as place:
        project.put(place, "sub/a")
        shutil.rmtree(project.top / "sub")
        project.put(place, "sub/b")

    assert project.files() == {"data/train/sub/b": b"old"}


def test_a_file_where_a_folder_belongs_is_refused(project):
    project.write("a")

    error = refused(project, lambda place: project.put(place, "a/b"))

    assert "a file stands where the folder `a` belongs" in error.message


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_folder_where_a_file_belongs_is_refused(project, is_seen):
    folder = project.write("a/b").parent
    seen = seen_of(folder.stat()) if is_seen else None

    error = refused(project, lambda place: project.put(place, "a", seen=seen))

    assert "a folder stands where the file `a` belongs" in error.message


def test_a_file_that_is_what_was_seen_is_replaced(project):
    project.write("a")

    with project.place() as place:
        project.put(place, "a", b"new", seen=place.look("a"))

    assert project.files() == {"data/train/a": b"new"}


def test_a_file_that_is_gone_meanwhile_is_written_all_the_same(project):
    seen = seen_of(project.write("a").stat())
    (project.top / "a").unlink()

    with project.place() as place:
        project.put(place, "a", b"new", seen=seen)

    assert project.files() == {"data/train/a": b"new"}


def edit(file: Path) -> None:
    file.write_bytes(b"mime")


def edit_in_secret(file: Path) -> None:
    before = file.stat()
    file.write_bytes(b"mime")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def swap(file: Path) -> None:
    file.rename(file.with_name("b"))
    file.symlink_to("b")


@pytest.mark.parametrize("change", [edit, edit_in_secret, swap])
def test_a_file_that_changed_meanwhile_is_neither_replaced_nor_removed(project, change):
    file = project.write("a")
    seen = seen_of(file.lstat())
    time.sleep(0.02)  # a tick of the clock of the file system
    change(file)

    for act in (
        lambda place: project.put(place, "a", b"new", seen=seen),
        lambda place: place.link("a", "c", seen=seen),
        lambda place: place.remove("a", seen=seen),
    ):
        assert "`a` changed meanwhile" in refused(project, act).message


def test_a_file_that_nobody_saw_is_never_replaced(project):
    project.write("a")

    for act in (
        lambda place: project.put(place, "a", b"new"),
        lambda place: place.link("a", "b"),
    ):
        assert "something stands where the file `a` belongs" in refused(project, act).message


def test_files_that_share_an_inode_can_change_places(project):
    with project.place() as place:
        project.put(place, "a", b"1", means=Means.LINK)
        project.put(place, "b", b"2", means=Means.LINK)
        project.put(place, "c", b"2", means=Means.LINK)
    with project.place() as place:
        seen = {name: place.look(name) for name in "abc"}
        time.sleep(0.02)
        project.put(place, "a", b"2", means=Means.LINK, seen=seen["a"])
        place.remove("c", seen=seen["c"])
        project.put(place, "b", b"1", means=Means.LINK, seen=seen["b"])

    assert project.files() == {"data/train/a": b"2", "data/train/b": b"1"}


def test_an_entry_can_be_put_over_itself(project):
    for _ in range(2):
        with project.place() as place:
            project.put(place, "a", means=Means.LINK, seen=place.look("a"))

    assert project.files() == {"data/train/a": b"old"}
    assert os.listdir(project.staging) == []


@pytest.mark.parametrize("act", ["put", "link", "folder"])
def test_two_names_that_the_file_system_takes_for_one_are_an_error(folding, act):
    acts = {
        "put": lambda place, path: folding.put(place, path, path.encode()),
        "link": lambda place, path: place.link(path, "x"),
        "folder": lambda place, path: place.make_folder(path),
    }
    with folding.place() as place:
        acts[act](place, "sub/a")
        with pytest.raises(DamagedRecordError, match=r"cannot tell `sub/a` and `sub/A` apart"):
            acts[act](place, "sub/A")

    assert os.listdir(folding.top / "sub") == ["a"]
    if act == "put":
        assert (folding.top / "sub" / "a").read_bytes() == b"sub/a"


def test_links_are_made_whole_and_replaced(project):
    with project.place() as place:
        project.put(place, "a")
        place.link("sub/link", "../a")
        place.link("sub/link", "../b", seen=place.look("sub/link"))

    assert str((project.top / "sub" / "link").readlink()) == "../b"
    assert os.listdir(project.staging) == []


@pytest.mark.parametrize("target", ["/etc/passwd", "../../a", "..", "a/../../b", "", "a\0b"])
def test_a_link_never_leads_out_of_the_dataset(project, target):
    with project.place() as place, pytest.raises(DamagedRecordError, match="the record names the"):
        place.link("link", target)

    assert project.files() == {}


def test_what_is_removed_is_a_file_a_link_or_an_empty_folder(project):
    project.write("sub/a")
    (project.top / "sub" / "link").symlink_to("a")
    (project.top / "to-folder").symlink_to("sub")

    with project.place() as place:
        assert not place.remove_folder("sub")
        assert not place.remove_folder("to-folder")
        assert not place.remove_folder("absent")
        assert not place.remove_folder("sub/a")
        with pytest.raises(WouldLoseWorkError, match="a folder stands"):
            place.remove("sub", seen=place.look("sub"))
        for path in ("sub/a", "sub/link", "to-folder"):
            seen = place.look(path)
            place.remove(path, seen=seen)
            place.remove(path, seen=seen)
        assert place.look("absent/too") is None
        assert place.remove_folder("sub")

    assert os.listdir(project.top) == []


def test_a_folder_is_made_once_and_again(project):
    with project.place() as place:
        for _ in range(2):
            place.make_folder("a/b")

    assert (project.top / "a" / "b").is_dir()


def test_bytes_of_another_file_come_in_if_they_pass_the_check(project, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"weights")
    given: list[bytes] = []

    def check(file: int, *, verdict: bool) -> bool:
        given.append(os.read(file, 100))
        return verdict

    with project.place() as place:
        yes, no = partial(check, verdict=True), partial(check, verdict=False)
        assert place.put_copy("a", source, yes, is_executable=True)
        assert not place.put_copy("b", source, no, is_executable=False)

    assert [b"weights"] * 2 == given
    assert project.files() == {"data/train/a": b"weights"}
    assert (project.top / "a").stat().st_mode & 0o777 == 0o755
    assert os.listdir(project.staging) == []


@pytest.mark.parametrize("kind", ["absent", "folder", "link", "pipe"])
def test_what_is_no_regular_file_is_not_copied(project, tmp_path, kind):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(__file__)
    os.mkfifo(tmp_path / "pipe")

    with project.place() as place:
        assert not place.put_copy("a", tmp_path / kind, lambda _: True, is_executable=False)

    assert project.files() == {}


def test_a_copy_replaces_only_what_was_seen(project, tmp_path):
    project.write("a")
    copy = partial(Place.put_copy, check=lambda _: True, is_executable=False)

    refused(project, lambda place: copy(place, "a", Path(__file__)))
    with project.place() as place:
        assert copy(place, "a", Path(__file__), seen=place.look("a"))

    assert project.files() == {"data/train/a": Path(__file__).read_bytes()}


def test_threads_write_side_by_side(project):
    digests = [project.store.put_bytes(bytes([number])) for number in range(200)]

    def write(place: Place, number: int) -> None:
        means = Means.LINK if number % 2 else Means.COPY
        path = f"{number % 7}/{number}"
        place.put(path, project.store, digests[number], 1, is_executable=False, means=means)

    with project.place() as place, ThreadPoolExecutor(8) as pool:
        list(pool.map(partial(write, place), range(200)))

    expected = {f"data/train/{n % 7}/{n}": bytes([n]) for n in range(200)}
    assert expected == project.files()


def test_no_descriptor_stays_open(project):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with project.place() as place:
            project.put(place, "a/b", seen=place.look("a/b"))
            with pytest.raises(WouldLoseWorkError):
                project.put(place, "a/b/c")

    assert before == len(os.listdir("/proc/self/fd"))


def test_unfinished_files_on_another_file_system_stay_beside_the_dataset(apart):
    with apart.place() as place:
        [hidden] = {path.name for path in apart.top.parent.iterdir()} - {"train"}
        assert hidden.startswith(".repro-incoming-")
        assert len(hidden) == len(".repro-incoming-") + 16
        apart.put(place, "a")
        apart.put(place, "b", means=Means.LINK)

    assert apart.files() == {"data/train/a": b"old", "data/train/b": b"old"}
    assert os.listdir(apart.top.parent) == ["train"]


def test_an_entry_on_another_file_system_is_copied_in_place_of_linked(apart, tmp_path):
    apart.store = ContentStore(tmp_path / "store")

    with apart.place() as place:
        apart.put(place, "a", means=Means.LINK)

    assert (apart.top / "a").read_bytes() == b"old"
    assert (apart.top / "a").stat().st_mode & 0o777 == 0o644


def test_a_planted_link_is_never_taken_for_the_folder_of_unfinished_files(apart, tmp_path):
    with apart.place():
        [hidden] = set(apart.top.parent.iterdir()) - {apart.top}
    (tmp_path / "elsewhere").mkdir()
    hidden.symlink_to(tmp_path / "elsewhere")

    refused(apart, lambda place: apart.put(place, "a"))

    assert os.listdir(tmp_path / "elsewhere") == []


_MOUNTED = """
import os, sys
from pathlib import Path
from repro.errors import ReproError
from repro.store.content import ContentStore
from repro.store.placing import Means, open_place
root, store = Path(sys.argv[1]), ContentStore(Path(sys.argv[2]))
digest = store.put_bytes(b"x" * 100_000)
try:
    with open_place(root, "data", root.parent / "staging") as place:
        for number in range(30):
            facts = {"is_executable": False, "means": Means.COPY}
            place.put(f"sub/{number}", store, digest, 100_000, **facts)
except ReproError as error:
    print(type(error).__name__, error.message)
print(sorted(os.listdir(root)), sorted(os.listdir(root / "data")))
print({file.stat().st_size for file in (root / "data").rglob("*") if file.is_file()})
"""


def in_namespace(script: str, project: Project) -> list[str]:
    """What `_MOUNTED` prints after the shell has mounted what the script says."""
    try:
        probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no `unshare` here")
    if probe.returncode != 0:
        pytest.skip("name spaces are not allowed here")
    script += '; "$1" -c "$2" "$3" "$4"'
    values = [sys.executable, _MOUNTED, str(project.root), str(project.store.dir)]
    argv = ["unshare", "-rm", "sh", "-euc", script, "sh", *values]
    done = subprocess.run(argv, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_dataset_that_is_a_mounted_disk_is_written_to(project):
    (project.root / "data").mkdir()

    said = in_namespace('mount -t tmpfs none "$3/data"', project)

    assert ["['data'] ['sub']", "{100000}"] == said


def test_the_same_file_system_mounted_twice_is_not_renamed_across(project):
    (project.root / "data").mkdir()

    said = in_namespace('mount --bind "$3/data" "$3/data"', project)

    assert ["['data'] ['sub']", "{100000}"] == said


def test_a_disk_that_is_mounted_inside_of_a_dataset_is_a_clear_error(project):
    (project.root / "data" / "sub").mkdir(parents=True)

    said = in_namespace('mount -t tmpfs none "$3/data/sub"', project)

    assert "StorageError cannot write `sub/0`: a file system is mounted in its folder" == said[0]
    assert ["['data'] ['sub']", "set()"] == said[1:]


def test_a_full_disk_is_a_storage_error_and_all_that_is_there_is_whole(project):
    (project.root / "data").mkdir()

    said = in_namespace('mount -t tmpfs -o size=1m none "$3/data"', project)

    assert said[0].startswith("StorageError cannot write `sub/")
    assert "no space left on the disk" in said[0]
    assert ["['data'] ['sub']", "{100000}"] == said[1:]


def test_a_read_only_disk_is_a_storage_error(project):
    script = 'mount -t tmpfs none "$3"; mkdir "$3/data"; mount -o remount,ro "$3"'

    said = in_namespace(script, project)

    assert "StorageError cannot write `data`: the file system is read-only" in said[0]
    assert ["['data'] []", "set()"] == said[1:]


_FILL = """
import sys, time
from pathlib import Path
from repro.store.content import ContentStore
from repro.store.placing import Means, open_place
root, staging, store = map(Path, sys.argv[1:4])
enough = int(sys.argv[4])  # files, after which it waits
with open_place(root, "data/train", staging) as place:
    for digest, status in ContentStore(store).entries():
        for means in Means:
            path = f"{digest[7:9]}/{digest[9:]}.{means.value}"
            if place.look(path) is None:
                facts = {"is_executable": False, "means": means}
                place.put(path, ContentStore(store), digest, status.st_size, **facts)
                enough -= 1
                if not enough:
                    time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["project", "apart"])
def test_a_kill_at_any_moment_leaves_whole_files_only_and_is_made_good(kind, request):
    project = request.getfixturevalue(kind)
    contents = [os.urandom(200_000) for _ in range(40)]
    digests = [project.store.put_bytes(data) for data in contents]
    expected = {
        f"data/train/{digest[7:9]}/{digest[9:]}.{means.value}": data
        for digest, data in zip(digests, contents, strict=True)
        for means in Means
    }
    folders = (project.root, project.staging, project.store.dir)
    command = [sys.executable, "-c", _FILL, *map(str, folders)]
    whole = [*command, "0"]
    subprocess.run(whole, check=True)
    chance = random.Random(7)
    n_partly = 0

    for number in range(KILLS):
        shutil.rmtree(project.root / "data")
        enough = chance.randrange(1, len(expected) - 10)
        # Where it does not wait it may be killed within a file, or too late.
        process = subprocess.Popen([*command, "0" if number else str(enough)])
        while process.poll() is None and len(list(project.root.glob("data/train/*/*"))) < enough:
            time.sleep(0.001)
        process.kill()
        process.wait()
        there = {p: b for p, b in project.files().items() if "/.repro-incoming-" not in p}
        assert there.items() <= expected.items()
        n_partly += 0 < len(there) < len(expected)
        subprocess.run(whole, check=True)
        assert expected == project.files()
        assert os.listdir(project.root / "data") == ["train"]
        assert not project.staging.exists() or os.listdir(project.staging) == []

    assert n_partly > 0


def test_files_of_a_living_process_stay(project):
    with project.place() as first:
        [name] = os.listdir(project.staging)
        code = _FILL.split("    for")[0] + "    pass\n"
        folders = (project.root, project.staging, project.store.dir)
        subprocess.run([sys.executable, "-c", code, *map(str, folders), "0"], check=True)
        with project.place() as second:
            project.put(second, "b")
        assert [name] == os.listdir(project.staging)
        project.put(first, "a")

    assert os.listdir(project.staging) == []
    assert project.files() == {"data/train/a": b"old", "data/train/b": b"old"}


def test_what_dead_processes_left_is_removed_and_nothing_else(project):
    for name in ("place-dead", ".place-old", ".place-new", "other"):
        (project.staging / name).mkdir(parents=True)
        (project.staging / name / "0").touch()
    (project.staging / "place-dead" / "lock").touch()
    os.utime(project.staging / ".place-old", (0, 0))

    with project.place():
        pass

    assert sorted(os.listdir(project.staging)) == [".place-new", "other"]


def test_an_error_of_the_caller_is_not_taken_for_one_of_the_disk(project):
    with pytest.raises(OSError, match="No space") as error, project.place():
        raise OSError(errno.ENOSPC, "No space left on device")

    assert not isinstance(error.value, StorageError)
    assert os.listdir(project.staging) == []
