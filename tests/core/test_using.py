"""A dataset taken into use by a run in progress is in its record as it was at that moment."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, write_files
from tests.support.datasets import add_data, commit_all, make_data
from tests.support.projects import begin, open_here

from repro.core.query import resolve_run
from repro.core.record import seal_run
from repro.core.restore_data import plan_restore
from repro.core.start import LiveRun
from repro.core.started import read_start
from repro.core.using import Used, use_dataset
from repro.errors import InvalidInputError, StorageError
from repro.store.refs import LIVE_DATA

FILES: dict[str, str | bytes] = {"a/one": "one\n", "two": "two\n"}


@pytest.fixture
def top(repository: Path) -> Path:
    """The folder of a kept dataset `train`, committed."""
    make_data(repository, FILES)
    commit_all(repository)
    return repository / "data/train"


@pytest.fixture
def live(repository: Path, top: Path) -> Iterator[LiveRun]:
    """A run in progress that has pinned it."""
    run = begin(open_here(repository))
    yield run
    run.journal.close()


def take(root: Path, live: LiveRun, text: str, **more: Any) -> Used:
    """Use a dataset, and let the journal say so, as the SDK does."""
    values: dict[str, Any] = {"known": {}, "cwd": root, **more}
    cwd = values.pop("cwd")
    used = use_dataset(open_here(root), live.id, text, cwd, **values)
    if used.is_new:
        live.journal.append(
            {"k": "data", "name": used.name, "v": used.facts, "tree": used.tree, "t": 1.8e9}
        )
    return used


def known_at_start(live: LiveRun) -> dict[str, Any]:
    started = read_start(live.dir)
    assert started is not None
    return {name: (started.data[name], tree) for name, tree in started.manifests.items()}


def seal(root: Path, live: LiveRun) -> dict[str, Any]:
    """The datasets in the record, once the run has ended."""
    live.journal.close()
    seal_run(open_here(root), live.dir)
    project = open_here(root)
    record = resolve_run(project, live.id)
    git(root, "fsck", "--strict", "--connectivity-only")
    plan_restore(project, record)
    return dict(record.data)


def test_what_is_as_it_was_at_the_start_is_not_written_again(repository, top, live):
    refs = git(repository, "for-each-ref")

    used = take(repository, live, "train", known=known_at_start(live))

    assert (used.is_new, used.place) == (False, top)
    assert refs == git(repository, "for-each-ref")


@pytest.mark.parametrize("text", ["train", "data/train", "./data/train/", "../project/data/train"])
def test_what_changed_since_is_in_the_record(repository, top, live, text):
    write_files(top, {"a/one": "changed\n"})

    used = take(repository, live, text, known=known_at_start(live))

    assert (used.is_new, used.name, used.place) == (True, "train", top)
    data = seal(repository, live)
    assert data == {"train": used.facts}
    assert data["train"]["bytes"] == 12


def test_a_path_that_is_no_dataset_yet_is_in_the_record_beside_the_others(repository, top, live):
    write_files(repository, {"data/more/x": "x\n"})

    used = take(repository, live, "more", cwd=repository / "data")

    assert (used.name, used.facts["path"], used.facts["kept"]) == ("more", "data/more", False)
    assert sorted(seal(repository, live)) == ["more", "train"]


def test_two_paths_with_one_last_name_are_two_datasets(repository, top, live):
    write_files(repository, {"other/train/x": "x\n"})

    used = take(repository, live, "other/train")

    assert used.name == "other/train"
    assert sorted(seal(repository, live)) == ["other/train", "train"]


def test_a_path_outside_is_recorded_by_its_absolute_path(repository, top, live, tmp_path):
    write_files(tmp_path / "far", {"x": "x\n"})

    with pytest.raises(InvalidInputError):
        take(repository, live, "../far")
    used = take(repository, live, str(tmp_path / "far"))

    assert (used.place, used.facts["path"]) == (tmp_path / "far", str(tmp_path / "far"))


@pytest.mark.parametrize("text", ["nowhere", ".", ".git", ".git/hooks", "", "a\0b"])
def test_what_can_be_no_dataset_is_refused_and_nothing_is_written(repository, top, live, text):
    refs = git(repository, "for-each-ref")

    with pytest.raises((InvalidInputError, ValueError)):
        take(repository, live, text)

    assert refs == git(repository, "for-each-ref")


def test_a_pipe_in_a_dataset_is_refused(repository, top, live):
    os.mkfifo(top / "pipe")

    with pytest.raises(InvalidInputError, match="pipe"):
        take(repository, live, "train")


def test_what_is_locked_is_what_was_added(repository, top, live):
    take(repository, live, "train", expect_locked=True)
    write_files(top, {"two": "changed\n"})

    with pytest.raises(InvalidInputError, match=r"not what repro\.lock pins") as wrong:
        take(repository, live, "train", expect_locked=True)
    write_files(repository, {"data/more/x": "x\n"})
    with pytest.raises(InvalidInputError, match=r"does not pin the dataset `more`"):
        take(repository, live, "data/more", expect_locked=True)

    assert wrong.value.hint is not None
    assert seal(repository, live)["train"]["bytes"] == 8


def test_the_pages_survive_a_gc_while_the_run_is_in_progress(repository, top, live):
    write_files(top, {"a/one": "changed\n"})
    take(repository, live, "train")
    write_files(repository, {"data/more/x": "x\n"})
    take(repository, live, "data/more")

    git(repository, "gc", "-q", "--prune=now")

    assert sorted(seal(repository, live)) == ["more", "train"]


def test_a_dataset_that_was_a_folder_and_is_a_file_now_is_recorded_anew(repository, live):
    write_files(repository, {"data/x/in/deep": "deep\n"})
    take(repository, live, "data/x")
    subprocess.run(["rm", "-r", repository / "data/x"], check=True)
    write_files(repository, {"data/x": "a file\n"})

    take(repository, live, "data/x")

    assert seal(repository, live)["x"]["kind"] == "file"


def test_a_run_that_is_over_takes_nothing_into_use(repository, top, live):
    seal(repository, live)
    refs = git(repository, "for-each-ref")
    write_files(top, {"a/one": "changed\n"})

    with pytest.raises(StorageError, match="not in progress"):
        use_dataset(open_here(repository), live.id, "train", repository, known={})

    assert refs == git(repository, "for-each-ref")


def test_a_killed_run_whose_journal_says_nothing_is_as_at_its_start(repository, top, live):
    before = known_at_start(live)["train"][0]
    write_files(top, {"a/one": "changed\n"})

    use_dataset(open_here(repository), live.id, "train", repository, known={})

    assert git(repository, "for-each-ref", f"{LIVE_DATA}{live.id}") != ""
    assert seal(repository, live) == {"train": before}
    assert git(repository, "for-each-ref", LIVE_DATA) == ""


def test_many_processes_take_data_into_use_at_once(repository, top, live):
    names = [f"set{number}" for number in range(6)]
    write_files(repository, {f"data/{name}/x": name for name in names})
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.support.projects import open_here\n"
        "from repro.core.using import use_dataset\n"
        "used = use_dataset(open_here(Path(sys.argv[1])), sys.argv[2], sys.argv[3],"
        " Path(sys.argv[1]), known={})\n"
        "import json; print(json.dumps([used.name, used.facts, used.tree]))\n"
    )
    here = Path(__file__).parents[2]
    import sys  # noqa: PLC0415

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(repository), live.id, f"data/{name}"],
            cwd=here,
            env={**os.environ, "PYTHONPATH": str(here)},
            stdout=subprocess.PIPE,
        )
        for name in names
    ]
    import json  # noqa: PLC0415

    for process in processes:
        said, _ = process.communicate()
        assert process.returncode == 0
        name, facts, tree = json.loads(said)
        live.journal.append({"k": "data", "name": name, "v": facts, "tree": tree, "t": 1.8e9})
    git(repository, "gc", "-q", "--prune=now")

    assert sorted(seal(repository, live)) == [*names, "train"]


def test_a_dataset_that_is_kept_has_its_new_bytes_in_the_store(repository, top, live):
    write_files(top, {"a/one": "changed\n"})
    take(repository, live, "train")
    seal(repository, live)
    write_files(top, {"a/one": "again\n"})
    project = open_here(repository)

    [plan] = plan_restore(project, resolve_run(project, live.id))

    assert [move.path for move in plan.moves] == ["a/one"]


def test_one_dataset_inside_another_can_be_restored_by_its_name(repository, top, live):
    take(repository, live, "data/train/a")
    live.journal.close()
    seal_run(open_here(repository), live.dir)
    project = open_here(repository)
    record = resolve_run(project, live.id)

    with pytest.raises(InvalidInputError, match="`train` and `a` overlap"):
        plan_restore(project, record)
    assert plan_restore(project, record, ["train"]) == []


def test_a_dataset_is_added_while_the_run_is_in_progress(repository, top, live):
    write_files(repository, {"data/more/x": "x\n"})
    add_data(repository, "data/more")

    used = take(repository, live, "more", expect_locked=True)

    assert used.facts["kept"] is True
