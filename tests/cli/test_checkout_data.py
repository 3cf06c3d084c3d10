"""`repro checkout --data`: what it prints and ends with, hostile records, full disks, kills."""

import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import REPRO, Cli
from tests.support.datasets import add_data, commit_all, entry_of, flip_bit, make_data
from tests.support.manifests import BAD_VOUCHERS, HARM, OUTER_LINKS, S, X
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, open_at, write_run
from tests.support.restores import everything, list_unfinished, make_once, read_all

from repro.core.beside_data import plan_beside
from repro.core.query import resolve_run
from repro.core.restore_data import plan_restore
from repro.core.saved import list_entries
from repro.errors import DamagedRecordError
from repro.model.manifest import FileEntry, FolderEntry, LinkEntry, format_page, total_of
from repro.store.content import ContentStore
from repro.store.hashing import digest_bytes

KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "4"))
FILES: dict[str, str | bytes] = {"a/one": "one\n", "a/b/two": "two\n", "four": "four\n"}
# Nobody has so much time for a record that does harm; the limit is for machines under load.
_SOON_S = 2.0


@pytest.fixture
def top(repository: Path, shelf: Path) -> Path:
    """A kept dataset as run `two` had it, after a run `one` had it otherwise."""
    make_once(shelf, "project", repository, lambda: _make(repository))
    return repository / "data/train"


def _make(root: Path) -> None:
    make_data(root, FILES)
    commit_all(root)
    make_run(open_here(root), name="one")
    write_files(root, {"data/train/a/one": "newer\n", "data/train/new": "new\n"})
    (root / "data/train/a/b/two").unlink()
    add_data(root)
    commit_all(root, "second")
    make_run(open_here(root), name="two")


def test_in_place_and_back(repository, top, cli):
    before = read_all(repository)

    done = cli("checkout", "one", "--data")

    assert done.out == ""
    assert "dataset train: 3 paths as recorded again\n" in done.err
    assert (top / "a/b/two").read_text() == "two\n"
    cli("undo")
    assert before == read_all(repository)
    assert git(repository, "branch", "--show-current") == "main"


def test_work_is_listed_one_a_line_and_kept_when_that_is_asked_for(repository, top, cli):
    write_files(top, {"a/one": "mine\n", "a\nb": "mine\n"})
    before = everything(repository)

    refused = cli("checkout", "one", "--data", code=1)
    run = resolve_run(open_here(repository), "one").run.id
    assert refused.err == (
        "repro: checkout would lose work that exists nowhere else, in 2 files\n"
        "    data/train/a\\nb\n"
        "    data/train/a/one\n"
        f"hint: `repro checkout {run[:6]} --save` keeps it for `repro undo`; "
        f"`repro checkout -w DIR {run[:6]}` restores beside\n"
    )
    assert before == everything(repository)

    saved = cli("checkout", "one", "--data", "--save")
    assert "saved as refs/repro/undo/1, and nowhere else now:\n" in saved.err
    cli("undo")
    assert before == everything(repository)


def test_what_is_missing_is_listed_and_as_json(repository, top, cli):
    entry_of(repository, b"two\n").unlink()
    before = everything(repository)

    refused = cli("checkout", "one", "--data", "--save", "--json", code=1)

    said = json.loads(refused.err)
    assert said["error"] == "missing-data"
    assert "the bytes of 1 file of run" in said["message"]
    assert "repro data pull --run" in said["hint"]
    assert "    data/train/a/b/two\n" in cli("checkout", "one", "--data", code=1).err
    assert before == everything(repository)


def test_json_says_what_was_done(repository, top, cli):
    done = cli("checkout", "one", "--dataset", "train", "--json")
    again = cli("checkout", "one", "--data", "--json")

    assert json.loads(done.out)["data"] == {"train": 3}
    assert json.loads(again.out)["data"] == {}
    assert json.loads(again.out)["undo"] is None


def test_without_the_option_data_stays_as_it_is(repository, top, cli):
    before = read_all(top)

    said = cli("checkout", "one").err

    assert before == read_all(top)
    assert "\ndataset `train` differs from what the run read\nhint: `repro checkout --data" in said
    assert "dataset" not in cli("checkout", "two").err
    shutil.rmtree(top)
    assert "\ndataset `train` is not here\nhint: " in cli("checkout", "one").err
    assert "dataset `train` is not there" in cli("checkout", "one", "-w", "../beside").err


@pytest.mark.parametrize("words", [(), ("-w", "../beside")], ids=["here", "beside"])
def test_the_code_of_a_run_comes_whatever_its_record_says_of_data(repository, cli, words):
    base = git(repository, "rev-parse", "HEAD")
    made = make_record(data={"train": {"path": "data"}}, snapshot=base, name="odd")
    write_run(open_at(repository), made)
    assert "dataset" not in cli("checkout", "odd", *words).err


def test_a_wrong_name_is_one_error(repository, top, cli):
    before = everything(repository)

    wrong = cli("checkout", "one", "--dataset", "trian", code=128)
    no_run = cli("checkout", "HEAD", "--data", code=129)
    beside = cli("checkout", "-w", "../beside", "one", "--dataset", "trian", code=128)

    assert wrong.err.count("\n") == 2
    assert "no dataset `trian`; did you mean `train`?" in wrong.err
    assert "is no run" in no_run.err
    assert "no dataset `trian`" in beside.err
    assert before == everything(repository)
    assert not (repository.parent / "beside").exists()


def test_a_run_in_progress_is_one_error(repository, top, cli):
    live = begin(open_here(repository))
    try:
        done = cli("checkout", live.id, "--data", code=128)
    finally:
        live.journal.close()

    assert "in progress" in done.err


def test_damage_is_named_and_nothing_is_changed(repository, top, cli):
    flip_bit(entry_of(repository, b"two\n"))
    before = everything(repository)

    done = cli("checkout", "one", "--data", code=128)

    assert "`data/train/a/b/two` cannot be restored" in done.err
    assert "hint: " in done.err
    assert before == everything(repository)


def test_beside_and_away_again_as_the_hints_say(repository, top, cli):
    write_files(repository, {"data/loose/x": "x\n"})
    add_data(repository, "data/loose", keep=False)
    make_run(open_here(repository), name="three")
    before = everything(repository)
    beside = repository.parent / "beside"

    done = cli("checkout", "-w", "../beside", "three", "--data", "--json")

    assert json.loads(done.out)["data"] == {"train": 5, "loose": 0}
    assert f"`data/loose` links to {repository}/data/loose, where it is unchanged" in done.err
    # Root may write to what is read-only, so that a second name would not be safe.
    is_linked = (beside / "data/train/new").samefile(entry_of(repository, b"new\n"))
    assert is_linked == (os.geteuid() != 0)
    [hint] = [line for line in done.err.split("\n") if "worktree remove" in line]
    git(repository, *hint.split("`")[1].split(" ")[1:])
    assert not beside.exists()
    assert before == everything(repository)


# Records that do harm.


class Hostile:
    """Makes runs whose data is not what repro writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = ContentStore(root / ".git/repro/store")
        self.number = 0

    def run(
        self,
        page: bytes,
        *,
        vouchers: bytes = b"",
        more: Mapping[str, bytes] | None = None,
        **facts: Any,
    ) -> str:
        """A run with a dataset whose top page, and facts, are these."""
        said = {
            "path": "data/evil",
            "kind": "folder",
            "digest": f"xxh3:{digest_bytes(page)}",
            "files": 1,
            "bytes": 1,
            "kept": True,
            **facts,
        }
        self.number += 1
        record = make_record(name=f"evil-{self.number}", data={"evil": said})
        files = {"data/evil/.page": page, **(more or {})}
        if vouchers:
            files["data/evil/.sha256"] = vouchers
        return write_run(open_at(self.root), record, files=files).run.id

    def keep(self, data: bytes) -> str:
        """The sha256 of bytes that are in the content store now."""
        return self.store.put_bytes(data).removeprefix("sha256:")


@pytest.fixture
def hostile(repository: Path) -> Hostile:
    return Hostile(repository)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A folder outside of the repository in which nothing may change."""
    folder = tmp_path / "canary"
    write_files(folder, {"one": "canary\n", "four": "canary\n"})
    before = read_all(folder)
    yield folder
    assert before == read_all(folder)


def assert_refused(cli: Cli, root: Path, run: str, *options: str, code: int = 128) -> str:
    """One error, soon, and nothing changed, in place and beside."""
    before, beside = everything(root), root.parent / "beside"
    began = time.process_time()
    done = cli("checkout", run, "--data", "--save", *options, code=code)
    assert time.process_time() - began < _SOON_S
    other = cli("checkout", "-w", str(beside), run, "--data", *options, code=code)
    assert not beside.exists()
    for said in (done.err, other.err):
        assert said.count("repro: ") == 1
        assert "Traceback" not in said
    assert before == everything(root)
    return done.err


def _raw(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("kind", [kind for kind in HARM if "digest" not in kind][::12])
def test_a_page_that_does_harm_is_one_error(repository, hostile, canary, cli, kind):
    assert_refused(cli, repository, hostile.run(_raw(HARM[kind])))


def test_pages_that_do_harm_are_refused_before_anything_is_planned(repository, hostile, canary):
    runs = [hostile.run(_raw(text)) for text in [*HARM.values()][::2]]
    project = open_here(repository)
    before = everything(repository)

    for run in runs:
        record = resolve_run(project, run)
        with pytest.raises(DamagedRecordError):
            plan_restore(project, record)
        with pytest.raises(DamagedRecordError):
            plan_beside(project, record)

    assert before == everything(repository)


@pytest.mark.parametrize("kind", [*BAD_VOUCHERS][::5])
def test_vouchers_of_another_shape_are_one_error(repository, hostile, cli, kind):
    page = f"file {X} 1 a\nlink b l\n".encode()
    run = hostile.run(page, vouchers=_raw(BAD_VOUCHERS[kind]))

    assert_refused(cli, repository, run)


@pytest.mark.parametrize("target", [*OUTER_LINKS, "../../../etc"])
def test_a_link_that_leads_out_is_one_error(repository, hostile, cli, target):
    page = format_page([LinkEntry("link", target)])

    assert_refused(cli, repository, hostile.run(page))


def test_files_behind_a_link_of_the_same_dataset_are_one_error(repository, hostile, cli):
    inner = f"file {X} 1 x\n".encode()
    page = f"link . a\ndir {digest_bytes(inner)} 1 0 1 a\n".encode()

    assert_refused(cli, repository, hostile.run(page, more={"data/evil/a/.page": inner}))


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "..",
        ".",
        "",
        "a/../../x",
        ".git",
        ".git/hooks",
        ".GIT/hooks",
        "git~1",
        "a\nb",
        "a\0b",
        "a//b",
        "./a",
        "x" * 300,
        "C:/x",
    ],
)
def test_a_dataset_that_lies_elsewhere_is_one_error(repository, hostile, canary, cli, path):
    sha256 = hostile.keep(b"x")
    page = f"file {digest_bytes(b'x')} 1 x\n".encode()

    assert_refused(
        cli, repository, hostile.run(page, vouchers=f"{sha256}  x\n".encode(), path=path)
    )


@pytest.mark.parametrize("path", ["/etc", "/", "/proc/self", "/dev"])
def test_a_place_on_this_machine_is_neither_read_nor_written(repository, hostile, cli, path):
    run = hostile.run(b"", path=path)
    before = everything(repository)

    said = cli("checkout", run, "--data", "--save", code=128).err
    beside = cli("checkout", "-w", "../beside", run, "--data", code=1).err

    assert "outside of the repository" in said
    assert path in beside
    assert before == everything(repository)


def test_a_place_in_the_repository_that_holds_work_is_not_taken(repository, hostile, cli):
    write_files(repository, {"notes/mine": "mine\n"})
    before = everything(repository)
    run = hostile.run(b"", path="notes")

    said = cli("checkout", run, "--data", code=1).err

    assert "    notes/mine\n" in said
    assert before["files"] == everything(repository)["files"]


def test_source_files_are_not_replaced_by_data(repository, hostile, cli):
    sha256, digest = hostile.keep(b"evil\n"), digest_bytes(b"evil\n")
    page = f"file {digest} 5 train.py\n".encode()
    run = hostile.run(page, vouchers=f"{sha256}  train.py\n".encode(), path="train.py", kind="file")
    before = read_all(repository)

    cli("checkout", run, "--data", code=128)

    assert before == read_all(repository)


def test_pages_that_are_missing_or_others_are_one_error(repository, hostile, cli):
    inner = f"file {X} 1 x\n".encode()
    entry = f"dir {digest_bytes(inner)} 1 0 1 a\n"

    assert_refused(cli, repository, hostile.run(entry.encode()))
    other = {"data/evil/a/.page": f"file {X} 1 y\n".encode()}
    assert_refused(cli, repository, hostile.run(entry.encode(), more=other))
    no_folder = {"data/evil/a": inner}
    assert_refused(cli, repository, hostile.run(entry.encode(), more=no_folder))
    for counts in ("2 0 1", "1 1 1", "1 0 2", "0 0 0"):
        page = f"dir {digest_bytes(inner)} {counts} a\n".encode()
        assert_refused(cli, repository, hostile.run(page, more={"data/evil/a/.page": inner}))
    assert_refused(cli, repository, hostile.run(inner, digest=f"xxh3:{'1' * 32}"))


def test_a_record_without_any_page_is_one_error(repository, cli):
    facts = {
        "path": "data/evil",
        "kind": "folder",
        "digest": f"xxh3:{X}",
        "files": 1,
        "bytes": 1,
        "kept": True,
    }
    run = write_run(open_at(repository), make_record(data={"evil": facts})).run.id

    assert_refused(cli, repository, run)


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("what", ["sha256", "size"])
def test_bytes_that_are_not_those_that_were_pinned_are_one_error(
    repository, hostile, cli, what, kind
):
    right, wrong = b"what was pinned", b"something quite"
    hostile.keep(right)
    sha256 = hostile.keep(wrong if what == "sha256" else right)
    size = len(right) + (what == "size")
    page = f"file {digest_bytes(right)} {size} x\n".encode()
    facts = {"digest": f"xxh3:{digest_bytes(right)}"} if kind == "file" else {}
    run = hostile.run(page, vouchers=f"{sha256}  x\n".encode(), kind=kind, **facts)

    assert_refused(cli, repository, run)
    assert not (repository / "data").exists()


def _chain(leaf: list[FileEntry | FolderEntry], levels: int) -> tuple[bytes, dict[str, bytes]]:
    """Pages that hold ten times what is below them: text of the top, and of one branch."""
    page, files, below = leaf, {}, []
    for _ in range(levels):
        text = format_page(page)
        below = [("0/.page", text), *((f"0/{path}", one) for path, one in below)]
        total = total_of(page)
        page = [FolderEntry(str(n), digest_bytes(text), *total) for n in range(10)]
    files = {f"data/evil/{path}": text for path, text in below}
    return format_page(page), files


@pytest.mark.parametrize("kind", ["files", "folders"])
def test_ten_thousand_million_files_in_twelve_objects_are_one_error(repository, hostile, cli, kind):
    leaf: list[Any] = [FileEntry(str(n), X, 1, False) for n in range(10)]
    if kind == "folders":
        leaf = [FolderEntry("f", digest_bytes(b""), 0, 0, 0)]
    for levels in (7, 9):
        page, files = _chain(leaf, levels)

        assert_refused(cli, repository, hostile.run(page, more=files))


def test_the_names_in_the_tree_of_a_record_lead_nowhere(repository, hostile, canary, cli):
    inner = f"file {X} 1 x\n".encode()
    page = f"dir {digest_bytes(inner)} 1 0 1 %2E.\n".encode()
    run = hostile.run(page)
    commit = git(repository, "rev-parse", f"refs/repro/runs/{run}")

    def blob(data: bytes) -> str:
        return git(repository, "hash-object", "-w", "--stdin", stdin=data)

    def tree(*entries: tuple[str, str, str]) -> str:
        raw = b"".join(
            f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries
        )
        words = ("hash-object", "-t", "tree", "--literally", "-w", "--stdin")
        return git(repository, *words, stdin=raw)

    leaf = tree(("100644", ".page", blob(inner)))
    evil = tree(
        ("40000", "..", leaf),
        ("40000", ".git", leaf),
        ("100644", ".page", blob(page)),
        ("40000", "a/b", leaf),
    )
    lines = git(repository, "ls-tree", commit).split("\n")
    top = [
        (facts.split(" ")[0].removeprefix("0"), name, facts.split(" ")[2])
        for facts, _, name in (line.partition("\t") for line in lines)
        if name != "data"
    ]
    root = tree(*sorted([*top, ("40000", "data", tree(("40000", "evil", evil)))], key=_tree_order))
    parent = git(repository, "rev-parse", f"{commit}^")
    made = git(repository, "commit-tree", "-p", parent, "-m", f"run {run}: x", root)
    git(repository, "update-ref", f"refs/repro/runs/{run}", made)

    assert_refused(cli, repository, run)


def _tree_order(entry: tuple[str, str, str]) -> str:
    return entry[1] + ("/" if entry[0] == "40000" else "")


# Disks that are full, processes that die.


def repro(root: Path, *args: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "repro", *args]
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=False, **more)


def test_a_disk_that_is_full_half_way_changes_nothing_and_a_second_call_works(repository, cli):
    small = {f"small/{number}": f"{number}" for number in range(9)}
    make_data(repository, {**small, "big": os.urandom(900_000)})
    commit_all(repository)
    make_run(open_here(repository), name="one")
    expected = read_all(repository / "data")
    shutil.rmtree(repository / "data")
    before = everything(repository)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    failed = repro(repository, "checkout", "one", "--data", preexec_fn=limit)
    assert failed.returncode == 128, failed.stderr
    assert "size limit" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert before == everything(repository)

    cli("checkout", "one", "--data")
    assert expected == read_all(repository / "data")


def test_a_small_disk_that_is_full_changes_nothing_and_a_second_call_works(tmp_path, cli):
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    try:
        root = make_repository(place / "project")
        os.chdir(root)
        make_data(root, {"small": "small", "big": os.urandom(1_500_000), "other": b"x" * 400_000})
        commit_all(root)
        make_run(open_here(root), name="one")
        expected = read_all(root / "data")
        shutil.rmtree(root / "data")
        hog = place / "hog"
        room = os.statvfs(place)
        hog.write_bytes(b"x" * (room.f_bavail * room.f_frsize - 1_000_000))
        before = everything(root)

        failed = repro(root, "checkout", "one", "--data")
        assert failed.returncode == 128, failed.stderr
        assert "no space left" in failed.stderr
        assert before == everything(root)

        hog.unlink()
        cli("checkout", "one", "--data")
        assert expected == read_all(root / "data")
    finally:
        os.chdir("/")
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def many(repository: Path) -> Path:
    """A kept dataset of many files that changed wholly between two runs, and its code too."""
    chance = random.Random(3)
    make_data(repository, {f"{n % 9}/{n}": chance.randbytes(2000 + n) for n in range(100)})
    commit_all(repository)
    make_run(open_here(repository), name="one")
    shutil.rmtree(repository / "data")
    write_files(repository, {"train.py": "newer\n", "more.py": "more\n"})
    files = {f"{n % 7}/{n}": chance.randbytes(2000 + n) for n in range(100)}
    make_data(repository, {**files, "8": b"a file where a folder was"})
    commit_all(repository, "second")
    make_run(open_here(repository), name="two")
    return repository


def killed(root: Path, *words: str, after_s: float) -> bool:
    """Kill a command and all that it started so long after its start; False if it was over."""
    process = subprocess.Popen(
        [*REPRO, *words], cwd=root, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=after_s)
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()  # until nobody has its output open any more
    free_locks(root)
    return process.returncode != 0


def kill_often(root: Path, *words: str, whole_s: float, times: int) -> Iterator[None]:
    """Kill a command at several moments of its work; it must be there to be done each time.

    Args:
        whole_s: Seconds that it took. How long it takes now depends on who else is at work.
    """
    for number in range(times):
        after_s = whole_s * (0.3 + 0.7 * (number + 0.5) / times)
        while not killed(root, *words, after_s=after_s):
            after_s *= 0.8
            yield
        yield


def timed(root: Path, *words: str) -> float:
    """Seconds that a command took."""
    began = time.monotonic()
    assert repro(root, *words).returncode == 0
    return time.monotonic() - began


def test_a_checkout_that_was_killed_is_finished_by_the_next_and_undone_to_the_byte(many, cli):
    original = everything(many)
    old = read_all(many / "data")
    words = ("checkout", "one", "--data")
    whole_s = timed(many, *words)
    new = read_all(many / "data")
    cli("undo")
    assert comparable(original) == comparable(everything(many))

    for _ in kill_often(many, *words, whole_s=whole_s, times=KILLS):
        now = read_all(many / "data")
        assert {
            path: one for path, one in now.items() if one not in (old.get(path), new.get(path))
        } == {}
        cli("checkout", "one", "--data")
        assert new == read_all(many / "data")
        assert list_unfinished(many) == []
        assert (many / "train.py").read_text() == "print('hello')\n"
        cli("undo")
        assert comparable(original) == comparable(everything(many))
        for ref in git(many, "for-each-ref", "--format=%(refname)", "refs/repro/undo").split():
            git(many, "update-ref", "-d", ref)


def test_an_undo_that_was_killed_is_finished_by_the_next(many, cli):
    original = everything(many)
    assert repro(many, "checkout", "one", "--data").returncode == 0
    whole_s = timed(many, "undo")

    cli("checkout", "one", "--data")
    for _ in kill_often(many, "undo", whole_s=whole_s, times=max(KILLS // 2, 1)):
        if list_entries(open_here(many)):  # else it was killed when all was done
            cli("undo")
        now = everything(many)
        assert [original[key] for key in ("files", "head", "index")] == [
            now[key] for key in ("files", "head", "index")
        ]
        cli("checkout", "one", "--data")


def comparable(state: Mapping[str, Any]) -> tuple[Any, ...]:
    """All of a state but what repro itself keeps."""
    return state["files"], state["head"], state["index"], state["unfinished"]


def free_locks(root: Path) -> None:
    """Remove what git processes leave that die with us: git's own business."""
    for lock in (root / ".git").rglob("*.lock"):
        if "repro" not in lock.relative_to(root / ".git").parts[:1]:
            lock.unlink(missing_ok=True)


def test_bytes_in_the_store_agree_with_sha256sum(repository, top):
    for path in (repository / ".git/repro/store").glob("??/??/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert len(S) == 64
