"""Runs pin their datasets: each record is whole, and adds to git only what is new."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.store.forms import FORMS
from tests.support import git, write_files
from tests.support.manifests import make_dataset
from tests.support.projects import begin, make_run, open_here
from tests.support.waiting import until

from repro.core.datasets import list_datasets, open_cache, with_paths
from repro.core.pinning import pin_datasets, read_pages
from repro.core.pins import write_pages
from repro.core.record import recover_runs, seal_run
from repro.errors import InvalidInputError
from repro.model.manifest import by_name, encode_name
from repro.model.run import Run
from repro.store.content import ContentStore
from repro.store.git import Identity
from repro.store.objects import reading
from repro.store.pages import iter_pages
from repro.store.quarantine import open_quarantine
from repro.store.refs import LIVE, LIVE_DATA, RUNS, list_refs

ROUNDS = int(os.environ.get("REPRO_CRASH_RUNS", "4"))


def track(root, *, name="train", path="data/train", **more):
    """A project whose `repro.yaml` names a dataset, as a person writes it."""
    entry = json.dumps({"path": path, **more}, ensure_ascii=False)
    with (root / "repro.yaml").open("a") as file:
        if not file.tell():
            file.write("data:\n")
        file.write(f"  {json.dumps(name, ensure_ascii=False)}: {entry}\n")


def now(root):
    """The project, by the clock on the wall: files of just now are racy, as they are."""
    return open_here(root, time.time)


@pytest.fixture
def data(repository: Path) -> Path:
    """A dataset of eleven folders with five files each, that `repro.yaml` names."""
    files = {f"{n}/{m}.txt": f"{n} {m}\n" for n in range(10) for m in range(5)}
    files |= {f"top{m}": f"{m}" for m in range(5)}
    top = make_dataset(repository / "data/train", files)
    track(repository)
    git(repository, "add", "repro.yaml")
    git(repository, "commit", "-q", "-m", "data")
    return top


def facts_of(root, run, name="train"):
    return json.loads(git(root, "show", f"{RUNS}{run.id}:data.json"))[name]


def tree_of(root, run, name="train"):
    return git(root, "rev-parse", f"{RUNS}{run.id}:data/{encode_name(name)}")


def pages_of(project, run, name="train"):
    commit = git(project.repository.root, "rev-parse", RUNS + run.id)
    with reading(project.repository) as objects:
        found = read_pages(objects, commit, name)
        assert found is not None
        return dict(iter_pages(found[1]))


def paths_of(pages):
    return {
        f"{folder}/{entry.name}" if folder else entry.name
        for folder, page in pages.items()
        for entry in page
        if hasattr(entry, "is_executable")
    }


def check_whole(root, *runs):
    git(root, "fsck", "--strict", "--connectivity-only")
    for run in runs:
        git(root, "rev-list", "--objects", RUNS + run.id)


def packs(root):
    return set((root / ".git/objects/pack").glob("*.pack"))


def objects_in(root, found):
    lines = [
        line.split()
        for pack in found
        for line in git(root, "verify-pack", "-v", str(pack)).splitlines()
    ]
    return [line for line in lines if len(line) >= 5 and line[1] in ("commit", "tree", "blob")]


def test_a_run_records_what_it_reads(repository, data):
    run = make_run(now(repository))

    facts = facts_of(repository, run)
    assert {"path": "data/train", "kind": "folder", "files": 55, "kept": False} == {
        key: facts[key] for key in ("path", "kind", "files", "kept")
    }
    listed = git(repository, "ls-tree", "--name-only", RUNS + run.id).splitlines()
    assert {"data", "data.json"} < set(listed)
    found = paths_of(pages_of(now(repository), run))
    assert {
        path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()
    } == found
    assert run.warnings == ()
    check_whole(repository, run)


def test_the_files_of_a_dataset_are_not_in_the_snapshot(repository, data):
    run = make_run(now(repository))

    listed = git(repository, "ls-tree", "-r", "--name-only", f"{RUNS}{run.id}^").splitlines()
    assert not [path for path in listed if path.startswith("data/")]


def test_an_unchanged_dataset_adds_nothing_but_its_name(repository, data):
    first = make_run(now(repository))
    before = packs(repository)

    second = make_run(now(repository))

    assert tree_of(repository, first) == tree_of(repository, second)
    assert first.identity == second.identity
    new = objects_in(repository, packs(repository) - before)
    assert not [line for line in new if line[0] == tree_of(repository, first)]
    assert len(new) < 20
    check_whole(repository, first, second)


def test_one_changed_file_adds_the_pages_above_it_only(repository, data):
    first = make_run(now(repository))
    before = packs(repository)
    (data / "7/3.txt").write_text("changed\n")

    second = make_run(now(repository))

    assert first.identity != second.identity
    new = {line[0] for line in objects_in(repository, packs(repository) - before)}
    listed = git(repository, "ls-tree", "-r", "-t", f"{RUNS}{second.id}:data/train").splitlines()
    added = {line.split("\t")[1] for line in listed if line.split()[2] in new}
    assert {".page", "7", "7/.page"} == added
    assert len(new) < 25
    check_whole(repository, first, second)


def test_bytes_in_git_grow_with_the_folder_that_changed_and_not_with_the_dataset(repository, data):
    write_files(data, {f"large/{number}": f"{number}" for number in range(1000)})
    make_run(now(repository))
    before = packs(repository)
    make_run(now(repository))
    unchanged = sum(path.stat().st_size for path in packs(repository) - before)
    before = packs(repository)
    (data / "7/3.txt").write_text("changed\n")

    make_run(now(repository))

    changed = sum(path.stat().st_size for path in packs(repository) - before)
    assert changed - unchanged < 3_000


def test_a_folder_that_moved_shares_nothing_and_is_right(repository, data):
    make_run(now(repository))
    (data / "7").rename(data / "other")

    run = make_run(now(repository))

    assert "other/3.txt" in paths_of(pages_of(now(repository), run))
    check_whole(repository, run)


def test_what_is_kept_is_never_shared_with_what_is_not(repository, data):
    not_kept = make_run(now(repository))
    (repository / "repro.yaml").unlink()
    track(repository, keep=True)
    kept = make_run(now(repository))
    (repository / "repro.yaml").unlink()
    track(repository)
    again = make_run(now(repository))

    digests = {facts_of(repository, run)["digest"] for run in (not_kept, kept, again)}
    assert len(digests) == 1
    assert tree_of(repository, not_kept) == tree_of(repository, again)
    assert tree_of(repository, kept) != tree_of(repository, again)
    assert [False, True, False] == [
        facts_of(repository, run)["kept"] for run in (not_kept, kept, again)
    ]
    vouched = by_name(pages_of(now(repository), kept)[""])["top3"].sha256
    assert b"3" == ContentStore(now(repository).store).read(f"sha256:{vouched}")
    assert by_name(pages_of(now(repository), again)[""])["top3"].sha256 is None
    check_whole(repository, not_kept, kept, again)


def test_the_cache_deleted_between_two_runs_costs_nothing_but_time(repository, data):
    first = make_run(now(repository))
    (repository / ".git/repro/stat.db").unlink()

    second = make_run(now(repository))

    assert tree_of(repository, first) == tree_of(repository, second)
    check_whole(repository, first, second)


def test_a_run_is_whole_after_the_one_it_shared_with_was_deleted(repository, data):
    first = make_run(now(repository))
    git(repository, "update-ref", "-d", RUNS + first.id)
    git(repository, "gc", "-q", "--prune=now")

    second = make_run(now(repository))

    check_whole(repository, second)
    assert 55 == len(paths_of(pages_of(now(repository), second)))
    git(repository, "update-ref", "-d", RUNS + first.id)
    git(repository, "gc", "-q", "--prune=now")
    check_whole(repository, second)


def test_a_run_that_shared_is_whole_after_the_other_one_goes(repository, data):
    first = make_run(now(repository))
    (data / "7/3.txt").write_text("changed\n")
    second = make_run(now(repository))

    git(repository, "update-ref", "-d", RUNS + first.id)
    git(repository, "gc", "-q", "--prune=now")

    check_whole(repository, second)
    assert 55 == len(paths_of(pages_of(now(repository), second)))


@pytest.mark.parametrize("path", ["data/train/7/.page", "data/train", "data", "data.json"])
def test_a_damaged_record_from_before_is_no_reason_to_stop_a_run(repository, data, path):
    first = make_run(now(repository))
    oid = git(repository, "rev-parse", f"{RUNS}{first.id}:{path}")
    for pack in (repository / ".git/objects/pack").glob("*.pack"):
        moved = repository / pack.name
        pack.rename(moved)
        for suffix in (".idx", ".rev"):
            pack.with_suffix(suffix).unlink(missing_ok=True)
        git(repository, "unpack-objects", "-q", stdin=moved.read_bytes())
        moved.unlink()
    (repository / ".git/objects" / oid[:2] / oid[2:]).unlink()
    (data / "7/4.txt").write_text("changed\n")
    (data / "8/4.txt").write_text("changed\n")

    second = make_run(now(repository))

    assert second.warnings == ()
    assert 55 == len(paths_of(pages_of(now(repository), second)))
    git(repository, "rev-list", "--objects", RUNS + second.id)


@pytest.mark.parametrize("table", ["folder", "entries"])
def test_a_garbled_cache_is_no_reason_to_leave_a_dataset_out(repository, data, table):
    first = make_run(now(repository))
    time.sleep(0.03)
    make_run(now(repository))
    with sqlite3.connect(repository / ".git/repro/stat.db") as db:
        db.execute(f"UPDATE {table} SET data = CAST(substr(data, 1, 40) AS BLOB)")
        db.execute("DELETE FROM holder")
    db.close()

    second = make_run(now(repository))

    assert (second.warnings, tree_of(repository, first)) == ((), tree_of(repository, second))


def test_a_cache_that_another_process_takes_is_no_reason_to_leave_a_dataset_out(repository, data):
    """It is locked in the moment between the hashing and the writing of the pages."""
    path = repository / ".git/repro/stat.db"
    project = now(repository)
    locked: list[sqlite3.Connection] = []

    def lock(progress):
        if not locked and progress.files == progress.all_files:
            locked.append(sqlite3.connect(path, check_same_thread=False))
            locked[0].execute("BEGIN EXCLUSIVE")

    pins = pin_datasets(project, list_datasets(project), on_progress=lock)
    locked[0].close()

    assert pins.warnings == ()
    assert 55 == pins.facts["train"].files


def test_a_dataset_that_is_missing_is_a_warning_in_the_record(repository, data):
    track(repository, name="other", path="data/other")

    run = make_run(now(repository))

    [warning] = run.warnings
    assert "dataset `other` is not in the record: there is no dataset at" in warning
    assert ["train"] == list(json.loads(git(repository, "show", f"{RUNS}{run.id}:data.json")))


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda top: os.mkfifo(top / "pipe"), "`pipe` is a named pipe"),
        (lambda top: (top / "x").symlink_to("/etc/passwd"), "`x` is a link to `/etc/passwd`"),
        (lambda top: (shutil.rmtree(top), os.mkfifo(top)), "neither a file nor a folder"),
    ],
    ids=["pipe", "link", "top"],
)
def test_a_dataset_that_can_not_be_recorded_is_a_warning_and_the_run_goes_on(
    repository, data, harm, reason
):
    harm(data)

    run = make_run(now(repository))

    [warning] = run.warnings
    assert warning.startswith("dataset `train` is not in the record: ")
    assert reason in warning
    assert git(repository, "show", f"{RUNS}{run.id}:data.json") == "{}"


def test_what_is_left_out_of_a_dataset_is_a_warning(repository, data):
    for number in range(5):
        write_files(data, {f"{number}/.git/config": ""})

    run = make_run(now(repository))

    [warning] = run.warnings
    assert "dataset `train` has names that no record may hold: `0/.git`, `1/.git`" in warning
    assert warning.endswith("and 2 more")


def test_bytes_that_cannot_be_kept_are_a_warning_and_the_dataset_is_pinned(repository, data):
    (repository / "repro.yaml").unlink()
    track(repository, keep=True)
    (repository / ".git/repro").mkdir(exist_ok=True)
    (repository / ".git/repro/store").write_bytes(b"")

    run = make_run(now(repository))

    assert "the bytes of dataset `train` are not kept" in run.warnings[0]
    assert not facts_of(repository, run)["kept"]
    assert 55 == facts_of(repository, run)["files"]


def test_while_a_run_is_in_progress_its_pages_survive_a_gc(repository, data):
    live = begin(now(repository))
    git(repository, "gc", "-q", "--prune=now")
    live.journal.close()

    run = seal_run(now(repository), live.dir).run

    assert 55 == len(paths_of(pages_of(now(repository), run)))
    check_whole(repository, run)
    assert {RUNS + run.id} == set(list_refs(now(repository).repository.git, "refs/repro/"))


def test_runs_beside_an_endless_gc_are_whole(repository, data):
    stop = threading.Event()

    def collect():
        while not stop.is_set():
            subprocess.run(["git", "gc", "-q", "--prune=now"], cwd=repository, check=False)

    thread = threading.Thread(target=collect)
    thread.start()
    runs = []
    try:
        for number in range(ROUNDS):
            (data / f"{number % 10}/3.txt").write_text(f"changed {number}\n")
            runs.append(make_run(now(repository)))
            if number % 3 == 2:
                git(repository, "update-ref", "-d", RUNS + runs.pop(0).id)
    finally:
        stop.set()
        thread.join()

    check_whole(repository, *runs)
    for run in runs:
        assert run.warnings == ()
        assert 55 == len(paths_of(pages_of(now(repository), run)))


def test_a_run_that_was_killed_is_recovered_with_its_datasets(repository, data):
    make_run(now(repository))
    (data / "7/3.txt").write_text("changed\n")
    code = "import time; print('started', flush=True); time.sleep(1)"
    words = [sys.executable, "-m", "repro", "run", "--", sys.executable, "-c", code]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout.readline() == b"started\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (data / "7/3.txt").write_text("changed again\n")
    found: list[Run] = []

    def is_recovered() -> bool:
        found.extend(recover_runs(now(repository)).runs)
        return bool(found)

    until(is_recovered, "the end of the command")
    [run] = found
    assert run.status == "lost"
    pages = pages_of(now(repository), run)
    assert 8 == by_name(pages["7"])["3.txt"].size
    check_whole(repository, run)


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_run_that_is_continued_has_the_datasets_of_its_newest_attempt(
    repository, data, is_changed
):
    first = make_run(now(repository))
    if is_changed:
        (data / "7/3.txt").write_text("changed\n")

    run = make_run(now(repository), resume=first.id)

    assert first.id == run.id
    assert is_changed == (
        tree_of(repository, run) != git(repository, "rev-parse", f"{RUNS}{run.id}^2:data/train")
    )
    assert 55 == len(paths_of(pages_of(now(repository), run)))
    check_whole(repository, run)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_repository_pins_datasets(form, tmp_path):
    root = FORMS[form](tmp_path)
    top = make_dataset(root / "data/train")
    track(root)

    first = make_run(now(root))
    (top / "b/c").write_text("changed")
    second = make_run(now(root))

    assert {"a", "b/c", "b/d/e", "f g"} == paths_of(pages_of(now(root), second))
    assert (first.warnings, second.warnings) == ((), ())
    git(root, "rev-list", "--objects", RUNS + second.id)


def test_a_linked_worktree_shares_pages_with_the_main_one(repository, data):
    first = make_run(now(repository))
    git(repository, "worktree", "add", "-q", "-b", "side", "../side")
    side = repository.parent / "side"
    shutil.copytree(data, side / "data/train")

    second = make_run(now(side))

    assert tree_of(repository, first) == tree_of(repository, second)
    check_whole(repository, first, second)


NAMES = [
    "a/b",
    ".git",
    "..",
    "tr\u00e4in",
    "-x",
    "a b",
    "%41",
    "\U0001f600",
    "a\\b",
    "x" * 200,
    "~",
]


def test_datasets_of_any_name_are_pinned(repository):
    for number, name in enumerate(NAMES):
        make_dataset(repository / f"data/{number}", {"x": name})
        track(repository, name=name, path=f"data/{number}")

    run = make_run(now(repository))

    assert run.warnings == ()
    for name in NAMES:
        assert facts_of(repository, run, name)["files"] == 1
        assert {"x"} == paths_of(pages_of(now(repository), run, name))
    check_whole(repository, run)


def test_a_start_from_before_there_were_datasets_is_read(repository):
    live = begin(now(repository))
    live.journal.close()
    path = live.dir / "start.json"
    start = json.loads(path.read_text())
    assert {} == start.pop("manifests")
    path.write_text(json.dumps(start))

    run = seal_run(now(repository), live.dir).run

    assert git(repository, "show", f"{RUNS}{run.id}:data.json") == "{}"


@pytest.mark.parametrize("manifests", [[], {"train": "x"}, {"train": 1}, "x", None])
def test_a_start_with_other_manifests_is_refused_and_kept(repository, data, manifests):
    live = begin(now(repository))
    live.journal.close()
    path = live.dir / "start.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "manifests": manifests}))

    with pytest.raises(Exception, match=r"start\.json` is not what repro wrote"):
        seal_run(now(repository), live.dir)
    assert path.exists()


def test_a_path_that_is_no_dataset_yet_is_pinned_for_one_run(repository, data):
    make_dataset(repository / "extra/train", {"x": "1"})

    run = make_run(now(repository), data=("extra/train", "data/train"))

    found = json.loads(git(repository, "show", f"{RUNS}{run.id}:data.json"))
    assert {"train": "data/train", "extra/train": "extra/train"} == {
        name: facts["path"] for name, facts in found.items()
    }
    listed = git(repository, "ls-tree", "-r", "--name-only", f"{RUNS}{run.id}^")
    assert "extra/" not in listed


@pytest.mark.parametrize("path", ["/etc", "..", ".git", "data", "data/train/7", "."])
def test_a_path_that_can_be_no_dataset_stops_the_run_before_anything_is_written(
    repository, data, path
):
    with pytest.raises(InvalidInputError):
        begin(now(repository), data=(path,))

    git_refs = list_refs(now(repository).repository.git, LIVE, LIVE_DATA, RUNS)
    assert {} == git_refs
    assert [] == list(now(repository).live.iterdir())


def test_paths_are_relative_to_where_the_command_runs(repository, data):
    make_dataset(repository / "extra")
    project = now(repository)

    names = [one.path for one in with_paths(project, ["../extra"], repository / "data")]

    assert ["data/train", "extra"] == names


def test_a_record_without_a_dataset_has_none(repository, data):
    run = make_run(now(repository))

    commit = git(repository, "rev-parse", RUNS + run.id)
    with reading(now(repository).repository) as objects:
        assert read_pages(objects, commit, "other") is None


def test_a_carriage_return_in_the_name_of_an_artifact_takes_nothing_from_the_record(
    repository, data
):
    with (repository / "repro.yaml").open("a") as file:
        file.write("artifacts: [out/*]\n")
    script = "import os; os.makedirs('out'); open('out/a\\r-b', 'w').write('x' * 99)"

    subprocess.run(
        [sys.executable, "-m", "repro", "run", "--", sys.executable, "-c", script],
        check=True,
        capture_output=True,
    )

    [ref] = git(repository, "for-each-ref", "--format=%(refname)", RUNS).split()
    git(repository, "rev-list", "--objects", "--quiet", ref)
    git(repository, "fsck", "--strict")
    assert git(repository, "show", f"{ref}:artifacts/out/a\r-b") == "x" * 99


def test_pages_too_large_for_memory_are_written_to_the_disk(repository):
    project = now(repository)
    page = b"".join(b"file %032x 1 %07d\n" % (n, n) for n in range(400_000))
    with open_quarantine(project.repository) as quarantine:
        author = Identity("Ada", "ada@example.org")
        pages = write_pages(quarantine, {"data/train/.page": page}, author=author, when=0.0)
        words = ("cat-file", "blob", f"{pages.root}:train/.page")
        read = project.repository.git.run(*words, env=quarantine.env).out

    assert len(page) > 16 << 20
    assert read == page
    assert list(pages.manifests) == ["train"]


@pytest.mark.parametrize("is_absolute", [False, True])
def test_a_dataset_of_one_run_is_left_out_of_the_snapshot_wherever_the_command_runs(
    repository, is_absolute
):
    write_files(repository, {"train/loop.py": "code\n", "sub/train/a": "1\n"})
    path = str(repository / "sub/train") if is_absolute else "train"

    run = make_run(now(repository), data=(path,), cwd=repository / "sub")

    code = git(repository, "ls-tree", "-r", "--name-only", f"{RUNS}{run.id}^").split("\n")
    assert "train/loop.py" in code
    assert "sub/train/a" not in code
    assert facts_of(repository, run)["path"] == "sub/train"


def test_what_could_not_be_pinned_is_listed_and_the_run_has_no_identity(repository, data):
    (data / "out").symlink_to("/etc/passwd")

    run = make_run(now(repository))

    assert run.identity is None
    assert ("data/train/", "dataset not pinned") in [(one.path, one.reason) for one in run.omitted]


def test_an_empty_file_in_the_place_of_an_empty_folder_is_another_dataset(repository):
    track(repository, name="d", path="data/d")
    write_files(repository, {"data/d": ""})
    make_run(now(repository))
    (repository / "data/d").unlink()
    (repository / "data/d").mkdir()

    run = make_run(now(repository))

    with reading(now(repository).repository) as objects:
        commit = git(repository, "rev-parse", f"{RUNS}{run.id}")
        facts, pages = read_pages(objects, commit, "d")
        assert not facts.is_file
        assert pages("") == ()


def test_the_page_of_one_file_says_whether_it_is_executable_now(repository):
    track(repository, name="tool", path="data/tool.sh")
    write_files(repository, {"data/tool.sh": "echo\n"})
    make_run(now(repository))
    (repository / "data/tool.sh").chmod(0o755)

    run = make_run(now(repository))

    assert git(repository, "show", f"{RUNS}{run.id}:data/tool/.page").startswith("exec ")


def test_rows_of_another_process_that_keeps_nothing_do_not_make_a_record_lie(repository, data):
    (repository / "repro.yaml").unlink()
    track(repository, keep=True)
    make_run(now(repository))
    with open_cache(now(repository)) as cache:
        for folder in [str(data), *cache.folders(str(data))]:
            cache.put_files(folder, [one._replace(sha256=None) for one in cache.files(folder)])
            known = cache.folder(folder)
            if known is not None:
                cache.put_folder(folder, known)
    (data / "new").write_text("new")

    run = make_run(now(repository))

    assert facts_of(repository, run)["kept"]
    vouched = git(repository, "show", f"{RUNS}{run.id}:data/train/.sha256").split("\n")
    assert len(vouched) == 6
