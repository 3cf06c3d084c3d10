"""`run.use_data`: the path, the record, and no harm to training."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from repro.errors import InvalidInputError, StorageError
from repro.model.run import Status
from tests.sdk.scripts import record, run, start
from tests.support import git, write_files
from tests.support.datasets import commit_all, make_data

FILES: dict[str, str | bytes] = {"a/one": "one\n", "two": "two\n"}


@pytest.fixture
def top(repository: Path) -> Path:
    """The folder of a kept dataset `train`, committed."""
    make_data(repository, FILES)
    commit_all(repository)
    return repository / "data/train"


def journal_of(live: Any) -> list[str]:
    """What the journals of a run in progress say of datasets."""
    lines = [
        line for path in live.live_dir.glob("journal-*") for line in path.read_text().split("\n")
    ]
    return [line for line in lines if '"k":"data"' in line]


def data_of(root: Path) -> dict[str, Any]:
    """The datasets in the one record; its pages are all there."""
    found = record(root)
    git(root, "fsck", "--strict", "--connectivity-only")
    for name in found.data:
        assert git(root, "ls-tree", f"{found.commit}:data/{name}")
    return dict(found.data)


def test_the_path_is_given_by_path_and_by_name(top, sdk, repository, monkeypatch):
    live = sdk.init()

    assert live.use_data("data/train") == top
    assert live.use_data("train") == top
    assert live.use_data(top) == top
    monkeypatch.chdir(top)
    assert live.use_data("a/..") == top


def test_data_that_is_as_at_the_start_is_recorded_once(top, sdk, repository):
    live = sdk.init()

    for _ in range(3):
        live.use_data("train")

    assert journal_of(live) == []
    live.finish()
    assert data_of(repository)["train"]["files"] == 2


def test_a_second_use_of_unchanged_data_records_nothing_new(top, sdk, repository):
    write_files(repository, {"data/more/x": "x\n"})
    live = sdk.init()
    live.use_data("data/more")
    refs = git(repository, "for-each-ref")

    for _ in range(3):
        live.use_data("data/more")

    assert len(journal_of(live)) == 1
    assert refs == git(repository, "for-each-ref")
    live.finish()
    assert sorted(data_of(repository)) == ["more", "train"]


def test_data_that_changed_since_is_recorded_as_it_is_now(top, sdk, repository):
    live = sdk.init()
    write_files(top, {"a/one": "changed\n", "new": "new\n"})

    live.use_data("train")
    live.finish()

    assert (data_of(repository)["train"]["files"], data_of(repository)["train"]["bytes"]) == (3, 16)


def test_data_that_changed_and_changed_back_is_recorded_as_it_was_last(top, sdk, repository):
    live = sdk.init()
    write_files(top, {"two": "changed\n"})
    live.use_data("train")
    write_files(top, {"two": "two\n"})

    live.use_data("train")
    live.finish()

    assert data_of(repository)["train"]["bytes"] == 8


@pytest.mark.parametrize("expect", ["locked", None])
def test_what_repro_lock_pins_is_used(top, sdk, expect):
    assert sdk.init().use_data("train", expect=expect) == top


def test_what_repro_lock_does_not_pin_is_refused_where_that_is_asked_for(top, sdk, repository):
    write_files(repository, {"data/more/x": "x\n"})
    live = sdk.init()
    write_files(top, {"two": "changed\n"})

    with pytest.raises(InvalidInputError, match=r"not what repro\.lock pins"):
        live.use_data("train", expect="locked")
    with pytest.raises(InvalidInputError, match="does not pin"):
        live.use_data("data/more", expect="locked")
    with pytest.raises(ValueError, match="'locked' or None"):
        live.use_data("train", expect="lokced")


@pytest.mark.parametrize("text", ["data/trian", ".", ".git/hooks", "../elsewhere"])
def test_a_wrong_path_raises_at_once(top, sdk, text):
    live = sdk.init()

    with pytest.raises(InvalidInputError):
        live.use_data(text)


def test_a_run_that_is_switched_off_gives_the_path_and_reads_nothing(
    top, sdk, repository, monkeypatch
):
    monkeypatch.setenv("REPRO_MODE", "disabled")
    live = sdk.init()
    os.mkfifo(top / "pipe")
    monkeypatch.chdir(repository / "data")

    assert live.use_data("train").samefile(top)
    assert live.use_data("elsewhere/x") == Path("elsewhere/x")
    assert live.use_data("train", expect="locked").samefile(top)
    (repository / "repro.yaml").write_text("data: [\n")
    assert live.use_data("train") == Path("train")
    monkeypatch.chdir(repository.parent)
    assert live.use_data("train") == Path("train")
    assert git(repository, "for-each-ref", "refs/repro") == ""


def test_inside_repro_run_the_record_has_it(top, repository):
    write_files(repository, {"data/more/x": "x\n"})
    code = "import repro; r = repro.init(); r.use_data('data/more'); r.use_data('train')"

    done = subprocess.run(
        [sys.executable, "-m", "repro", "run", "--", sys.executable, "-c", code],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert sorted(data_of(repository)) == ["more", "train"]


def test_two_forked_workers_use_data_at_once(top, repository):
    write_files(repository, {f"data/{name}/x": name for name in ("left", "right")})
    code = """
        repro.init()
        children = []
        for name in ("left", "right"):
            child = os.fork()
            if child == 0:
                repro.run.use_data(f"data/{name}")
                repro.run.use_data("train")
                os._exit(0)
            children.append(child)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
    """
    run(repository, code)

    assert sorted(data_of(repository)) == ["left", "right", "train"]


def test_every_rank_may_use_data(top, repository):
    write_files(repository, {f"data/{name}/x": name for name in ("left", "right")})
    launch = {"MASTER_ADDR": "localhost", "MASTER_PORT": "29511", "WORLD_SIZE": "2"}
    code = """
        run = repro.init()
        run.use_data(f"data/{sys.argv[1]}")
        repro.log({"a": 1.0})
    """
    waiting = code + "    while not os.path.exists('.git/go'):\n            time.sleep(0.01)\n"
    first = start(repository, waiting, "left", RANK="0", **launch)
    second = start(repository, code, "right", RANK="1", **launch)

    _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    (repository / ".git/go").touch()
    _, err = first.communicate(timeout=60)
    assert first.returncode == 0, err

    assert sorted(data_of(repository)) == ["left", "right", "train"]


def close(root: Path) -> Path:
    """Let nobody write new objects; what has to go for that to end."""
    folder = root / ".git/repro/quarantine"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("no folder\n")
    return folder


def test_trouble_with_storage_warns_and_training_goes_on(top, sdk, repository):
    live = sdk.init()
    write_files(top, {"two": "changed\n"})
    hurdle = close(repository)

    with pytest.warns(UserWarning, match="`train` is not recorded"):
        assert live.use_data("train") == top
    hurdle.unlink()

    live.finish()
    assert data_of(repository)["train"]["bytes"] == 8


def test_trouble_with_storage_raises_where_that_is_asked_for(top, sdk, repository, monkeypatch):
    monkeypatch.setenv("REPRO_STRICT", "1")
    live = sdk.init()
    write_files(top, {"two": "changed\n"})
    hurdle = close(repository)

    with pytest.raises((StorageError, OSError)):
        live.use_data("train")
    hurdle.unlink()


def test_a_run_that_was_killed_has_what_it_used(top, repository):
    write_files(repository, {"data/more/x": "x\n"})
    code = """
        run = repro.init()
        run.use_data("data/more")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run(repository, code, code_is=-signal.SIGKILL)
    git(repository, "gc", "-q", "--prune=now")

    assert record(repository).run.status is Status.LOST
    assert sorted(data_of(repository)) == ["more", "train"]


def test_a_run_that_is_continued_has_the_data_of_its_newest_attempt(top, sdk, repository):
    write_files(repository, {"data/more/x": "x\n"})
    live = sdk.init()
    live.use_data("data/more")
    live.finish()
    write_files(top, {"two": "changed\n"})

    live = sdk.init(resume="must", id=live.id)
    live.use_data("train")
    live.finish()

    data = data_of(repository)
    assert sorted(data) == ["train"]
    assert data["train"]["bytes"] == 12
