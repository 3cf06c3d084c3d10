"""`repro data add` and `rm`, and `repro run` in a project with datasets, as a user sees them."""

import json
import os
import select
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import REPRO
from tests.support.manifests import in_memory, make_dataset


@pytest.fixture
def root(repository: Path) -> Path:
    make_dataset(repository / "data/train")
    write_files(repository, {"data/labels.csv": "1\n"})
    return repository


def test_adding_a_dataset_says_what_was_done_and_what_to_do_next(root, cli):
    said = cli("data", "add", "data/train")

    assert said.out == ""
    assert said.err.splitlines() == [
        "repro: dataset train: added (4 files, 7 bytes)",
        "repro: `data/train` is in .gitignore now",
        "hint: commit repro.yaml and repro.lock, so that the commit pins the data",
    ]


def test_adding_it_again_says_that_nothing_changed(root, cli):
    cli("data", "add", "data/train")

    said = cli("data", "add", "data/train").err

    assert said == "repro: dataset train: unchanged (4 files, 7 bytes)\n"


def test_a_change_is_said(root, cli):
    cli("data", "add", "data/train")
    write_files(root, {"data/train/new": "12345"})

    assert "dataset train: changed (5 files, 12 bytes)" in cli("data", "add", "train").err


def test_without_an_argument_all_datasets_are_brought_up_to_date(root, cli):
    cli("data", "add", "data/train", "data/labels.csv")
    write_files(root, {"data/labels.csv": "12\n"})

    said = cli("data", "add").err.splitlines()

    assert [line for line in said if "dataset" in line] == [
        "repro: dataset train: unchanged (4 files, 7 bytes)",
        "repro: dataset labels.csv: changed (file, 3 bytes)",
    ]


def test_without_a_dataset_or_an_argument_there_is_nothing_to_add(root, cli):
    said = cli("data", "add", code=129).err

    assert "there is no dataset yet" in said
    assert "hint: `repro data add PATH` adds one" in said


def test_a_name_is_for_one_path(root, cli):
    assert "takes one PATH" in cli("data", "add", "--name", "x", code=129).err
    assert "takes one PATH" in cli("data", "add", "--name", "x", "a", "b", code=129).err


def test_what_is_kept_is_said(root, cli):
    assert "(4 files, 7 bytes, kept)" in cli("data", "add", "--keep", "data/train").err
    assert "(4 files, 7 bytes, kept)" in cli("data", "add").err
    assert "changed (4 files, 7 bytes)" in cli("data", "add", "--no-keep", "train").err


def test_json_has_all_that_was_done(root, cli):
    write_files(root, {"data/train/b/.git/config": ""})
    (root / "data/train/far").symlink_to("/etc/hostname")

    [shown] = json.loads(
        cli("data", "add", "--json", "--keep", "--follow", "data/train", "--name", "x").out
    )

    assert shown.pop("digest").startswith("xxh3:")
    assert shown.pop("bytes") == 7 + Path("/etc/hostname").stat().st_size
    assert shown == {
        "name": "x",
        "path": "data/train",
        "kind": "folder",
        "files": 5,
        "kept": True,
        "new": True,
        "changed": True,
        "read": 5,
        "left_out": ["b/.git"],
        "followed": ["far"],
    }
    [again] = json.loads(cli("data", "add", "--json", "x").out)
    assert (again["new"], again["changed"]) == (False, False)


def test_json_of_two_is_a_list_of_two(root, cli):
    shown = json.loads(cli("data", "add", "--json", "data/train", "data/labels.csv").out)

    assert [("train", "folder"), ("labels.csv", "file")] == [
        (one["name"], one["kind"]) for one in shown
    ]


def test_names_of_files_are_shown_without_what_a_terminal_obeys(root, cli):
    (root / "data/train/b/\x1b[2J\n.git").mkdir()
    for number in range(7):
        write_files(root, {f"data/train/\x1b{number}/.git/x": ""})

    said = cli("data", "add", "data/train").err

    assert "\x1b" not in said
    assert r"`\x1b0/.git`" in said
    assert "and 2 more" in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["data/gone"], "there is no dataset at `"),
        (["."], "the whole repository is no dataset"),
        (["/etc"], "outside of the repository"),
        ([".."], "outside of the repository"),
        ([".git/hooks"], "inside a git folder"),
        (["data/train", "data"], "overlaps"),
        (["--name", "a\x1bb", "data/train"], r"`a\x1bb` is no name for a dataset"),
        (["data/pipe"], "is neither a file nor a folder"),
    ],
)
def test_what_can_be_no_dataset_is_refused_with_a_reason_and_a_hint(root, cli, words, reason):
    os.mkfifo(root / "data/pipe")

    said = cli("data", "add", *words, code=128).err

    assert reason in said
    assert "hint: " in said
    assert "\x1b" not in said


def test_one_outside_is_added_on_request(root, cli):
    make_dataset(root.parent / "far")

    cli("data", "add", "--outside", str(root.parent / "far"))

    assert str(root.parent / "far") in (root / "repro.lock").read_text()


def test_a_path_that_looks_like_an_option_is_added_behind_two_dashes(root, cli):
    make_dataset(root / "--keep")

    cli("data", "add", "--", "--keep")

    assert "--keep" in (root / "repro.yaml").read_text()
    cli("data", "rm", "--", "--keep")
    assert "--keep" not in (root / "repro.yaml").read_text()


def test_paths_are_those_of_the_folder_one_stands_in(root, cli, monkeypatch):
    monkeypatch.chdir(root / "data")

    cli("data", "add", "train", "../data/labels.csv")

    found = (root / "repro.yaml").read_text()
    assert found == "data:\n  train: data/train\n  labels.csv: data/labels.csv\n"


def test_dropping_says_that_the_files_stay(root, cli):
    cli("data", "add", "data/train", "data/labels.csv")

    said = cli("data", "rm", "train", "data/labels.csv").err

    assert "dataset train is dropped; `data/train` stays as it is" in said
    assert (root / "data/train/a").exists()
    assert not (root / "repro.lock").exists()


def test_dropping_an_unknown_one_names_near_ones(root, cli):
    cli("data", "add", "data/train")

    assert "did you mean `train`?" in cli("data", "rm", "trian", code=128).err
    assert "missing argument" in cli("data", "rm", code=129).err


def test_a_lock_file_that_cannot_be_read_is_named_with_its_line(root, cli):
    write_files(root, {"repro.lock": "a: 1\ntrain: [\n"})

    said = cli("data", "add", "data/train", code=128).err

    assert "`repro.lock` line" in said
    assert "hint: " in said


def test_the_words_of_an_error_are_json_on_request(root, cli):
    said = cli("data", "add", "--json", "data/gone", code=128)

    assert json.loads(said.err)["error"] == "invalid-input"
    assert said.out == ""


def test_a_wrong_verb_names_near_ones(root, cli):
    assert "did you mean `add`" in cli("data", "ad", code=129).err


def test_a_run_records_the_datasets_and_those_it_was_given(root, cli):
    make_dataset(root / "extra", {"x": "1"})
    cli("data", "add", "data/train")

    done = subprocess.run([*REPRO, "run", "--data", "extra", "--", "true"], check=False)

    assert done.returncode == 0
    [shown] = json.loads(cli("ls", "--json").out)
    assert {"train": 4, "extra": 1} == {name: one["files"] for name, one in shown["data"].items()}


def test_a_path_that_can_be_no_dataset_stops_a_run_before_the_command(root):
    words = [*REPRO, "run", "--data", "/etc", "--", "touch", "ran"]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 125
    assert "outside of the repository" in done.stderr
    assert not (root / "ran").exists()


def test_a_dataset_that_is_missing_is_a_warning_and_the_command_runs(root, cli):
    write_files(root, {"repro.yaml": "data: {gone: data/gone}\n"})

    done = subprocess.run([*REPRO, "run", "--", "touch", "ran"], check=False)

    assert done.returncode == 0
    assert (root / "ran").exists()
    run = git(root, "for-each-ref", "--format=%(refname)", "refs/repro/runs")
    assert "dataset `gone` is not in the record" in git(root, "show", f"{run}:run.json")


class Terminal:
    """A command whose standard error is a terminal."""

    def __init__(self, *words: str) -> None:
        self.outer, inner = os.openpty()
        termios.tcsetwinsize(inner, (24, 100))
        self.process = subprocess.Popen([*REPRO, *words], stdin=inner, stdout=inner, stderr=inner)
        os.close(inner)
        self.screen = b""

    def read(self, *, until: bytes | None = None) -> bytes:
        """All that comes to the end, or what comes until a text."""
        deadline = time.monotonic() + 60
        while until is None or until not in self.screen:
            assert time.monotonic() < deadline, self.screen
            if select.select([self.outer], [], [], 0.1)[0]:
                try:
                    self.screen += os.read(self.outer, 65536)
                except OSError:
                    break
        return self.screen

    def end(self) -> int:
        code = self.process.wait(timeout=60)
        os.close(self.outer)
        return code


@pytest.fixture
def large(root: Path) -> Path:
    """A dataset that takes a while: holes cost no disk, but are read."""
    for number in range(4):
        with (root / f"data/train/large{number}").open("wb") as file:
            file.truncate(100 << 30)
    return root


def test_progress_is_shown_on_a_terminal_meanwhile_and_interrupted_by_a_key(large):
    terminal = Terminal("data", "add", "data/train")

    shown = terminal.read(until=b" left")

    assert b"hashing train: " in shown
    assert b" of 8 files, " in shown
    assert b"GiB/s" in shown or b"MiB/s" in shown
    terminal.process.send_signal(signal.SIGINT)
    shown = terminal.read()
    assert terminal.end() == 130
    assert b"Traceback" not in shown
    assert shown.rstrip().rpartition(b"\x1b[K")[2].count(b"hashing") == 0
    assert not (large / "repro.lock").exists()


def test_the_line_of_progress_is_gone_at_the_end(root, tmp_path):
    with in_memory(tmp_path) as folder:
        with (folder / "large").open("wb") as file:
            file.truncate(2 << 30)
        (root / "data/disk").symlink_to(folder)

        terminal = Terminal("data", "add", "data/disk")
        shown = terminal.read()

        assert terminal.end() == 0
    last = shown.rpartition(b"\r\x1b[K")[2].decode()
    assert "hashing" not in last
    assert "repro: dataset disk: added (1 file, 2.0 GiB)" in last


def test_nothing_is_shown_of_progress_where_nobody_looks(root):
    words = [*REPRO, "data", "add", "data/train"]

    done = subprocess.run(words, capture_output=True, check=True)

    assert b"\r" not in done.stderr
    assert b"hashing" not in done.stderr


def test_a_run_that_hashes_for_long_shows_it_and_is_interrupted_without_a_trace(large):
    write_files(large, {"repro.yaml": "data: {train: data/train}\n"})
    terminal = Terminal("run", "--", "touch", "ran")

    assert b"hashing the datasets: " in terminal.read(until=b" left")
    terminal.process.send_signal(signal.SIGINT)
    shown = terminal.read()

    assert terminal.end() == 130
    assert b"Traceback" not in shown
    assert not (large / "ran").exists()
    assert git(large, "for-each-ref", "refs/repro") == ""
    assert not list((large / ".git/repro/live").iterdir())
