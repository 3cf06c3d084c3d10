"""`repro exec` and `repro shell`: a run's tree entered, and left without a trace."""

import sys
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import REPRO
from tests.support.datasets import add_data
from tests.support.projects import make_run, open_here
from tests.support.restores import everything
from tests.support.trust import disown
from tests.support.warm import repro

from repro.core.isolation import folder_of_worktrees


@pytest.fixture
def run(repository: Path) -> str:
    """A run with an edited and an untracked file, which are as before afterwards."""
    write_files(repository, {"train.py": "print('edited')\n", "new.txt": "untracked\n"})
    run_id = make_run(open_here(repository), name="baseline").id
    git(repository, "checkout", "-q", "--", "train.py")
    (repository / "new.txt").unlink()
    return run_id


def places(root: Path) -> list[str]:
    return sorted(path.name for path in folder_of_worktrees(open_here(root)).iterdir())


def test_a_command_sees_the_code_of_the_run_and_nothing_else_changes(repository, run):
    before = everything(repository)

    done = repro("exec", "baseline", "--", sys.executable, "train.py")

    assert (done.returncode, done.stdout) == (0, "edited\n")
    assert everything(repository) == before
    assert places(repository) == []


def test_the_exit_code_is_the_commands(repository, run):
    assert repro("exec", run, "--", "sh", "-c", "exit 7").returncode == 7
    assert repro("exec", run, "--", "sh", "-c", "kill -TERM $$").returncode == 143
    assert repro("exec", run, "--", "no-such-program").returncode == 127
    assert repro("exec", run).returncode == 129
    assert places(repository) == []


def test_a_command_without_its_dashes(repository, run):
    assert repro("exec", run, "cat", "new.txt").stdout == "untracked\n"


def test_what_it_wrote_is_named_when_it_goes(repository, run):
    done = repro("exec", run, "--", "touch", "figure.png")

    assert "`figure.png`; `--keep` keeps them" in done.stderr
    assert places(repository) == []


def test_a_kept_tree_stays_where_it_is_said_to_be(repository, run):
    done = repro("exec", "--keep", run, "--", "touch", "figure.png")

    [line] = [line for line in done.stderr.splitlines() if "is kept" in line]
    folder = Path(line.partition("kept: ")[2])
    assert (folder / "figure.png").exists()
    git(repository, "worktree", "remove", "--force", str(folder))


def test_a_shell_in_which_nothing_was_done_leaves_no_trace(repository, run):
    done = repro("shell", run, given="cat new.txt\n", SHELL="/bin/sh")

    assert done.stdout == "untracked\n"
    assert places(repository) == []


def test_work_done_in_a_shell_is_kept(repository, run):
    done = repro("shell", run, given="echo mine > work.txt\n", SHELL="/bin/sh")

    [name] = places(repository)
    kept = folder_of_worktrees(open_here(repository)) / name
    assert (kept / "work.txt").read_text() == "mine\n"
    assert str(kept) in done.stderr


def test_a_commit_made_in_a_shell_is_kept(repository, run):
    words = "echo mine > train.py; git -c user.name=a -c user.email=b commit -qam mine\n"
    done = repro("shell", run, given=words, SHELL="/bin/sh")

    [name] = places(repository)
    kept = folder_of_worktrees(open_here(repository)) / name
    assert git(kept, "log", "-1", "--format=%s") == "mine"
    assert str(kept) in done.stderr


def test_data_changed_in_a_shell_is_kept(repository, run):
    write_files(repository, {"data/x": "1\n"})
    run_id = make_run(add_data(repository, "data")).id
    repro("shell", run_id, given="echo mine > data/x\n", SHELL="/bin/sh")

    [name] = places(repository)
    kept = folder_of_worktrees(open_here(repository)) / name
    assert (kept / "data/x").read_text() == "mine\n"


def test_work_done_in_a_shell_stays_whatever_became_of_its_git(repository, run):
    done = repro("shell", run, given="echo mine > work.txt; rm .git\n", SHELL="/bin/sh")

    [name] = places(repository)
    assert (folder_of_worktrees(open_here(repository)) / name / "work.txt").exists()
    assert "Traceback" not in done.stderr


def test_nothing_of_somebody_elses_run_is_executed_unasked(repository, run):
    disown(repository)

    done = repro("exec", run, "--", "touch", str(repository / "executed"))

    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert not (repository / "executed").exists()
    assert repro("exec", "--yes", run, "--", "true").returncode == 0


def test_a_run_whose_code_is_gone_is_refused_without_a_trace(repository, run):
    snapshot = git(repository, "rev-parse", f"refs/repro/runs/{run}^:train.py")
    for pack in (repository / ".git/objects/pack").glob("*.pack"):
        data = pack.read_bytes()
        for path in pack.parent.glob(f"{pack.stem}.*"):
            path.unlink()
        git(repository, "unpack-objects", "-q", stdin=data)
    (repository / ".git/objects" / snapshot[:2] / snapshot[2:]).unlink()

    beside = repository.parent / "beside"
    for words in (("exec", run, "--", "true"), ("checkout", "-w", str(beside), run)):
        done = repro(*words)

        assert done.returncode == (125 if words[0] == "exec" else 128)
        said, hint = done.stderr.splitlines()[-2:]
        assert f"the code of run `{run}` is not whole here" in said
        assert "1 of 3 objects gone: `train.py`" in said
        assert f"`repro doctor {run}`" in hint
        assert places(repository) == []
        assert not beside.exists()
        assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_options_may_stand_behind_the_run(repository, run):
    done = repro("exec", run, "--keep", "--yes", "--", "ls", "-a", "new.txt")

    assert (done.returncode, done.stdout) == (0, "new.txt\n")
    [name] = places(repository)
    assert repro("exec", run, "--env", "current", "ls", "-x", "new.txt").stdout == "new.txt\n"
    assert repro("exec", run, "--yes").returncode == 129
    assert places(repository) == [name]


def test_a_wrong_option_behind_the_run_is_no_command(repository, run):
    done = repro("exec", run, "--kep", "--", "true")

    assert done.returncode == 129
    assert "--kep" in done.stderr


def test_every_word_of_a_command_is_its_own(repository, run):
    printed = "import sys; print(sys.argv[1:])"

    done = repro("exec", run, sys.executable, "-c", printed, "--keep", "--", "-y")

    assert done.stdout == "['--keep', '--', '-y']\n"
    assert places(repository) == []


RECORDS = "import repro; repro.init(); repro.log({'a': 1})"


def test_a_command_that_calls_the_sdk_records_nothing(repository, run):
    done = repro("exec", run, "--", sys.executable, "-c", RECORDS)

    assert done.returncode == 0, done.stderr
    assert len(git(repository, "for-each-ref", "refs/repro/runs/").splitlines()) == 1


def test_repro_itself_records_in_a_runs_tree(repository, run):
    words = [*REPRO, "run", "--", sys.executable, "-c", RECORDS]
    done = repro("exec", run, "--", *words)

    assert done.returncode == 0, done.stderr
    assert len(git(repository, "for-each-ref", "refs/repro/runs/").splitlines()) == 2


def test_a_shell_that_may_hide_the_environment_says_so(repository, run, tmp_path):
    (tmp_path / "zsh").symlink_to("/bin/sh")
    done = repro("shell", run, given="cat new.txt\n", SHELL=str(tmp_path / "zsh"))

    assert done.stdout == "untracked\n"
    assert "warning: what zsh reads at its start" in done.stderr


def test_nothing_is_checked_out_before_the_question_about_its_environment(repository, run):
    write_files(repository, {"new.txt": "untracked\n"})
    repro("run", "-n", "theirs", "--", sys.executable, "train.py")
    (repository / "new.txt").unlink()
    disown(repository)
    folder = repository.parent / "beside"

    refused = repro("checkout", "theirs", "--env", "-w", str(folder))
    in_place = repro("checkout", "theirs", "--env")

    assert (refused.returncode, in_place.returncode) == (1, 1)
    assert not folder.exists()
    assert not (repository / "new.txt").exists()
