"""`repro checkout` and `repro undo`: what they print, and what they end with."""

import json
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.projects import make_run, open_here
from tests.support.trees import read_folder

from repro.cli.main import run_cli


@pytest.fixture
def run(repository: Path) -> str:
    """A run called `baseline` of an edited file; the edit is taken away again."""
    write_files(repository, {"train.py": "edited\n"})
    run_id = make_run(open_here(repository), name="baseline").id
    git(repository, "checkout", "-q", "--", "train.py")
    return run_id


def test_in_place_and_back(repository, run, capfd):
    assert run_cli(["checkout", "baseline"]) == 0
    commit = git(repository, "rev-parse", "HEAD")
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        f"HEAD is now at {commit[:10]} run {run[:6]}: baseline\n"
        "1 file brought back\n"
        "hint: `repro undo` takes it back; `git switch -` goes back to main\n"
    )

    assert run_cli(["undo"]) == 0
    first = git(repository, "rev-parse", "main")
    _, err = capfd.readouterr()
    assert err == (
        f"took the checkout of run {run[:6]} back: HEAD is on branch main ({first[:10]}), "
        "1 path as before\n"
    )
    assert git(repository, "status", "--porcelain", "--branch") == "## main"


def test_refused_with_the_files_listed_one_a_line(repository, run, capfd):
    write_files(repository, {"train.py": "mine\n", "a\nb": "mine\n"})

    assert run_cli(["checkout", run]) == 1

    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        "repro: checkout would lose work that exists nowhere else, in 2 files\n"
        "    a\\nb\n"
        "    train.py\n"
        f"hint: `repro checkout {run[:6]} --save` keeps it for `repro undo`; "
        f"`repro checkout -w DIR {run[:6]}` restores beside\n"
    )


def test_refused_as_json(repository, run, capfd):
    write_files(repository, {"train.py": "mine\n"})

    assert run_cli(["checkout", run, "--json"]) == 1

    error = json.loads(capfd.readouterr().err)
    assert (error["error"], error["paths"]) == ("would-lose-work", ["train.py"])


def test_saved_as_json(repository, run, capfd):
    write_files(repository, {"train.py": "mine\n", ".env": "KEY=1\n"})

    assert run_cli(["checkout", run, "--save", "--json"]) == 0
    done = json.loads(capfd.readouterr().out)
    assert done == {
        "run": run,
        "commit": git(repository, "rev-parse", "HEAD"),
        "title": "baseline",
        "came_from": "main",
        "files": 1,
        "undo": 1,
        "saved": ["train.py"],
        "left": [".env"],
        "differing": [],
        "empty_submodules": [],
    }

    assert run_cli(["undo", "--json"]) == 0
    undone = json.loads(capfd.readouterr().out)
    assert undone == {
        "run": run,
        "branch": "refs/heads/main",
        "commit": git(repository, "rev-parse", "main"),
        "came_from": done["commit"],
        "files": 1,
        "undo": None,
        "saved": [],
        "notes": [],
    }
    assert (repository / "train.py").read_text() == "mine\n"


def test_the_last_one_checked_out_has_a_name(repository, run, capfd):
    make_run(open_here(repository), name="other")
    assert run_cli(["checkout", run]) == 0
    assert run_cli(["checkout", "main"]) == 0
    assert run_cli(["checkout", run]) == 0
    capfd.readouterr()

    assert run_cli(["checkout", "@{-1}"]) == 0

    assert "nothing was changed" in capfd.readouterr().err


def test_the_way_to_take_a_folder_away_can_be_typed_as_it_stands(repository, run, capfd):
    assert run_cli(["checkout", "-w", "../with space", "baseline"]) == 0

    hint = capfd.readouterr().err.splitlines()[-1]
    assert hint == f"hint: `git worktree remove '{repository.parent}/with space'` takes it away"


def test_beside(repository, run, capfd):
    assert run_cli(["checkout", "-w", "../beside", "baseline"]) == 0

    folder = repository.parent / "beside"
    commit = git(folder, "rev-parse", "HEAD")
    assert capfd.readouterr().err == (
        f"{folder} is at {commit[:10]} run {run[:6]}: baseline, 1 file\n"
        f"hint: `git worktree remove {folder}` takes it away\n"
    )
    assert read_folder(folder) == {"train.py": ("file", b"edited\n")}


def test_beside_as_json(repository, run, capfd):
    assert run_cli(["checkout", run, "--worktree", "../beside", "--json"]) == 0

    done = json.loads(capfd.readouterr().out)
    assert done["dir"] == str(repository.parent / "beside")
    assert (done["run"], done["files"], done["submodules"]) == (run, 1, [])


def test_beside_a_full_folder_is_refused(repository, run, capfd):
    write_files(repository.parent, {"full/x": "mine\n"})

    assert run_cli(["checkout", "-w", "../full", run]) == 128

    assert "full` is not empty" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["main", "HEAD~0", "main^{tree}^{commit}"])
def test_a_git_revision_is_a_code_state(repository, run, capfd, name):
    write_files(repository, {"train.py": "edited\n"})
    code = run_cli(["checkout", name, "--save"])

    err = capfd.readouterr().err
    if name.endswith("^{commit}"):
        assert (code, err[:30]) == (128, "repro: there is no run `main^{")
    else:
        assert code == 0
        assert "HEAD is now at" in err
        assert ": " not in err.splitlines()[0].removeprefix("HEAD is now at")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["checkout"], 129),
        (["checkout", "nosuch"], 128),
        (["checkout", "--", "-f"], 128),
        (["checkout", "--", "--upload-pack=touch ran"], 128),
        (["checkout", "a\x1b[2Jb"], 128),
        (["checkout", "main", "--data"], 129),
        (["checkout", "baseline", "-w", "x", "--save"], 129),
        (["undo"], 128),
        (["undo", "now"], 129),
    ],
)
def test_wrong_commands_end_in_one_error_with_a_next_step(repository, run, capfd, words, code):
    assert run_cli(words) == code

    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("repro: ")
    assert "hint: " in err
    assert "\x1b" not in err
    assert git(repository, "status", "--porcelain") == ""


def test_undo_refused_then_saved(repository, run, capfd):
    run_cli(["checkout", run])
    write_files(repository, {"train.py": "since\n"})
    capfd.readouterr()

    assert run_cli(["undo"]) == 1
    assert "    train.py\nhint: `repro undo --save`" in capfd.readouterr().err
    assert run_cli(["undo", "--save"]) == 0
    assert "saved as refs/repro/undo/2, and nowhere else now:\n    train.py\n" in (
        capfd.readouterr().err
    )
    assert (repository / "train.py").read_text() == "print('hello')\n"
