"""`repro data verify`, `push`, `pull` and `gc`: what they print, and how they end."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.datasets import (
    add_data,
    commit_all,
    entry_of,
    flip_bit,
    make_data,
    share,
)
from tests.support.projects import begin, make_run, open_here
from tests.support.trees import read_folder
from tests.support.waiting import until

from repro.store.content import ContentStore

TWO = b"two\n"
MANY = {f"f{number:02}": f"{number}\n" for number in range(25)}


@pytest.fixture
def shared(repository: Path) -> Path:
    """A repository with a kept dataset and a store, committed; nothing was pushed yet."""
    make_data(repository)
    share(repository)
    commit_all(repository)
    return repository


def stray(root: Path) -> Path:
    content = ContentStore(root / ".git/repro/store")
    return content.path_of(content.put_bytes(b"stray"))


def test_push_clone_pull_gives_the_same_bytes(
    cli: Cli, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = cli("data", "push")
    git(tmp_path, "clone", "-q", str(shared), "clone")
    monkeypatch.chdir(tmp_path / "clone")
    pulled = cli("data", "pull")

    assert "sending 3 files (147.1 KiB) of train to " in pushed.err
    assert "4 objects (147.1 KiB) in " in pushed.err
    assert pushed.out == ""
    assert "wrote `data/train` (4 files)" in pulled.err
    assert read_folder(tmp_path / "clone/data") == read_folder(shared / "data")
    assert git(tmp_path / "clone", "status", "--porcelain") == ""


def test_push_with_data_sends_all_that_a_clone_needs_to_pull(
    cli: Cli, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(open_here(shared))
    cli("data", "push", "--run", run.id)
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    git(tmp_path, "clone", "-q", str(shared), "clone")
    monkeypatch.chdir(tmp_path / "clone")
    said = cli("data", "pull", code=1).err
    assert "hint: `repro data push train` in a clone that has them sends them" in said

    monkeypatch.chdir(shared)
    cli("push", str(tmp_path / "bare.git"), "--data", "--yes")
    monkeypatch.chdir(tmp_path / "clone")
    cli("data", "pull")
    assert read_folder(tmp_path / "clone/data") == read_folder(shared / "data")


def test_a_flipped_bit_is_named_by_verify_and_repaired_by_pull(cli: Cli, shared: Path) -> None:
    cli("data", "push")
    before = cli("data", "verify")
    flip_bit(entry_of(shared, TWO))

    broken = cli("data", "verify", code=1)
    assert before.out == ""
    assert "store  damaged  train" in broken.out
    assert "two.txt" in broken.out or "same.txt" in broken.out
    assert "hint: `repro data pull` brings sound copies, `repro data add train`" in broken.err

    cli("data", "pull")
    cli("data", "verify")
    assert entry_of(shared, TWO).read_bytes() == TWO


def test_without_a_store_verify_points_to_the_sound_file_in_the_working_tree(
    cli: Cli, repository: Path
) -> None:
    make_data(repository)
    flip_bit(entry_of(repository, TWO))

    said = cli("data", "verify", code=1)
    assert "hint: `repro data add train` keeps" in said.err
    assert "data pull" not in said.err

    cli("data", "add", "train")
    cli("data", "verify")


def test_without_a_store_and_a_sound_file_verify_says_that_a_store_is_wanted(
    cli: Cli, repository: Path
) -> None:
    make_data(repository)
    flip_bit(entry_of(repository, TWO))
    write_files(repository, {"data/train/two.txt": "TWO\n"})

    said = cli("data", "verify", code=1)

    assert "hint: `repro data pull` brings sound copies once `store:` names a store" in said.err


def test_without_a_store_a_dataset_that_is_gone_comes_from_a_run(
    cli: Cli, repository: Path
) -> None:
    make_data(repository)
    shutil.rmtree(repository / "data")

    said = cli("data", "verify", code=1)

    assert "hint: `repro checkout RUN --data` brings files back" in said.err
    assert "data pull" not in said.err


def test_verify_names_what_differs_in_the_working_tree(cli: Cli, shared: Path) -> None:
    write_files(shared, {"data/train/new.txt": "new\n", "data/train/two.txt": "TWO\n"})

    said = cli("data", "verify", "train", code=1)
    told = json.loads(cli("data", "verify", "--json", code=1).out)

    assert [line.split()[:4] for line in said.out.splitlines()[1:]] == [
        ["files", "extra", "train", "new.txt"],
        ["files", "changed", "train", "two.txt"],
    ]
    assert told["ok"] is False
    assert told["objects"] == 3
    assert [(fault["where"], fault["state"], fault["path"]) for fault in told["faults"]] == [
        ("files", "extra", "new.txt"),
        ("files", "changed", "two.txt"),
    ]


def test_verify_of_a_dataset_that_is_gone_points_to_pull(cli: Cli, shared: Path) -> None:
    shutil.rmtree(shared / "data")

    said = cli("data", "verify", code=1)

    assert "(all of it)" in said.out
    assert "hint: `repro data pull` writes a dataset that is not there" in said.err


def test_verify_of_a_run_looks_at_no_file_of_the_working_tree(cli: Cli, shared: Path) -> None:
    run = make_run(open_here(shared))
    write_files(shared, {"data/train/two.txt": "TWO\n"})

    cli("data", "verify", "--run", run.id)
    flip_bit(entry_of(shared, TWO))
    said = cli("data", "verify", "--run", run.id, code=1)

    assert f"hint: `repro data pull --run {run.id}` brings sound copies" in said.err


def test_verify_without_a_dataset_is_right(cli: Cli, repository: Path) -> None:
    assert "there is no dataset to verify" in cli("data", "verify").err


def test_twenty_faults_are_shown_and_json_has_all(cli: Cli, repository: Path) -> None:
    make_data(repository, dict(MANY))
    for data in MANY.values():
        entry_of(repository, data.encode()).unlink()

    said = cli("data", "verify", code=1)

    assert len(said.out.splitlines()) == 21
    assert "… and 5 more" in said.err
    assert len(json.loads(cli("data", "verify", "--json", code=1).out)["faults"]) == 25


def test_what_could_not_be_sent_is_listed_and_the_rest_is_there(
    cli: Cli, repository: Path, tmp_path: Path
) -> None:
    make_data(repository, {**MANY, "sound": "sound\n"})
    share(repository)
    for data in MANY.values():
        flip_bit(entry_of(repository, data.encode()))

    said = cli("data", "push", code=1)
    told = json.loads(cli("data", "push", "--json", code=1).out)

    assert "25 objects could not be sent:" in said.err
    assert said.err.count("is damaged") == 20
    assert "… and 5 more" in said.err
    assert len(told["failed"]) == 25
    assert told["failed"][0]["path"] == "f00"
    there = [path.read_bytes() for path in (tmp_path / "shared").glob("??/??/*")]
    assert b"sound\n" in there


def test_the_json_of_push_and_pull_counts(cli: Cli, shared: Path) -> None:
    pushed = json.loads(cli("data", "push", "--json").out)
    shutil.rmtree(shared / ".git/repro/store")
    shutil.rmtree(shared / "data")
    pulled = json.loads(cli("data", "pull", "--json").out)

    assert (pushed["objects"], pushed["failed"], pushed["left_out"]) == (4, [], [])
    assert pushed["datasets"] == [
        {"name": "train", "path": "data/train", "run": None, "kept": True}
    ]
    assert (pulled["objects"], pulled["bytes"], pulled["here"]) == (3, 150_010, 0)
    assert pulled["written"] == [
        {"name": "train", "path": "data/train", "files": 4, "reason": None}
    ]


def test_pull_leaves_files_alone_and_says_so(cli: Cli, shared: Path) -> None:
    cli("data", "push")
    write_files(shared, {"data/train/two.txt": "mine\n"})

    said = cli("data", "pull")

    assert "the files of train stay as they are" in said.err
    assert "hint: `repro checkout RUN --data`" in said.err
    assert (shared / "data/train/two.txt").read_text() == "mine\n"


def test_pull_of_a_run_writes_no_file(cli: Cli, shared: Path) -> None:
    run = make_run(open_here(shared))
    cli("data", "push", "--run", run.id)
    shutil.rmtree(shared / ".git/repro/store")
    shutil.rmtree(shared / "data")

    cli("data", "pull", "--run", run.id)

    assert entry_of(shared, TWO).exists()
    assert not (shared / "data").exists()


def test_a_run_in_progress_cannot_be_sent_yet(cli: Cli, shared: Path) -> None:
    live = begin(open_here(shared))

    said = cli("data", "push", "--run", live.id, code=128)

    live.journal.close()
    assert f"run `{live.id}` is in progress" in said.err


def test_a_dataset_that_is_not_kept_is_said_to_be_left_out(cli: Cli, shared: Path) -> None:
    write_files(shared, {"data/plain/x": "x\n"})
    add_data(shared, "data/plain", keep=False)

    both = cli("data", "push")
    alone = cli("data", "push", "plain", code=128)

    assert "left out, for their bytes are not kept: plain" in both.err
    assert "hint: `repro data add --keep plain`" in both.err
    assert "none of these datasets is kept" in alone.err
    assert "hint: `repro data add --keep plain`" in alone.err


def test_without_a_store_the_error_shows_the_line_to_write(cli: Cli, repository: Path) -> None:
    make_data(repository)

    for verb in ("push", "pull"):
        said = cli("data", verb, code=128)
        assert said.err.splitlines()[-2:] == [
            "repro: `repro.yaml` names no store for kept bytes",
            "hint: add a line such as `store: s3://bucket/prefix` or `store: /mnt/team/data` to it",
        ]


def test_a_store_that_is_not_there_is_one_error(cli: Cli, repository: Path) -> None:
    make_data(repository)
    share(repository, "/nowhere/at/all")

    said = cli("data", "push", code=128)

    assert "there is no folder `/nowhere/at/all`" in said.err
    assert "Traceback" not in said.err


def test_gc_asks_and_without_a_terminal_refuses(cli: Cli, shared: Path) -> None:
    entry = stray(shared)

    said = cli("data", "gc", "--grace", "0", code=1)

    assert "1 entry would be deleted, and there is nobody to ask" in said.err
    assert entry.exists()


def test_gc_counts_and_then_deletes(cli: Cli, shared: Path) -> None:
    entry = stray(shared)

    young = cli("data", "gc")
    counted = cli("data", "gc", "--grace", "0", "--dry-run")
    is_there = entry.exists()
    told = json.loads(cli("data", "gc", "--grace", "0", "--yes", "--json").out)

    assert "freed 0 entries (0 bytes) of 5" in young.err
    assert "kept for now: 1 entry that nothing names, but younger than 14 days" in young.err
    assert "would free 1 entry (5 bytes) of 5" in counted.err
    assert is_there
    assert not entry.exists()
    assert (told["freed"], told["freed_bytes"], told["unneeded"]) == (
        1,
        5,
        [f"sha256:{entry.name}"],
    )


def test_gc_says_what_was_set_aside(cli: Cli, shared: Path) -> None:
    flip_bit(entry_of(shared, TWO))
    cli("data", "verify", code=1)

    assert "1 damaged file set aside in" in cli("data", "gc").err


@pytest.mark.parametrize(("answer", "is_kept"), [("n", True), ("y", False)])
def test_gc_on_a_terminal_does_what_is_answered(
    shared: Path, answer: str, *, is_kept: bool
) -> None:
    entry = stray(shared)
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "repro", "data", "gc", "--grace", "0"]
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=shared)
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(ours, 1000)
    os.write(ours, f"{answer}\n".encode())
    until(lambda: process.poll() is not None, "the end")
    os.close(ours)

    assert process.returncode == (1 if is_kept else 0)
    assert b"Delete 1 entry (5 bytes) that nothing names?" in said
    assert entry.exists() == is_kept
