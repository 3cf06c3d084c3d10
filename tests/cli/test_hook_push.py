"""The hook pre-push: the runs that pushed commits name."""

import shutil

import pytest
from tests.support import git, make_repository, write_files
from tests.support.hooks import install, run_git, write_script
from tests.support.projects import make_run, open_here, ticking
from tests.support.secrets import make_secret
from tests.support.warm import repro

from repro.core.leaks import scan_staged


@pytest.fixture
def repository(shelf, tmp_path, monkeypatch):
    """A repository with hooks and a bare remote that a run was pushed to before: that asks."""
    root = shelf / "project"
    if not root.exists():  # not in a fixture of the module, which knows no hermetic environment
        make_repository(root)
        git(root, "init", "-q", "--bare", "-b", "main", "../remote.git")
        git(root, "remote", "add", "origin", "../remote.git")
        git(root, "push", "-q", "-u", "origin", "main")
        write_files(root, {"first.py": "1\n"})
        record(root)
        assert repro("push", "--yes", cwd=root).returncode == 0
        (root / "first.py").unlink()
        install(root, "prepare-commit-msg", "pre-push")
    for name in ("project", "remote.git"):
        shutil.copytree(shelf / name, tmp_path / name)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def remote(tmp_path):
    return tmp_path / "remote.git"


def record(root, **request):
    return make_run(open_here(root, ticking(step=5.0)), **request).id


def commit_run(root, code):
    """A commit of the code of a run, which it names."""
    write_files(root, {"train.py": code})
    run = record(root)
    assert run_git(root, "commit", "-am", f"code {code}").returncode == 0
    return run


def runs_at(bare):
    refs = git(bare, "for-each-ref", "--format=%(refname)", "refs/repro/runs/").split()
    return {ref.rpartition("/")[2] for ref in refs}


def test_the_runs_that_pushed_commits_name_go_along_and_no_others(repository, remote):
    before = runs_at(remote)
    write_files(repository, {"other.py": "1\n"})
    record(repository)
    (repository / "other.py").unlink()
    runs = {commit_run(repository, code) for code in ("2\n", "3\n")}

    done = run_git(repository, "push")

    assert done.returncode == 0
    assert "repro: pushed runs " in done.stderr
    assert runs_at(remote) == before | runs
    assert git(remote, "rev-parse", "main") == git(repository, "rev-parse", "main")


def test_a_push_that_names_nothing_says_nothing(repository, remote):
    before = runs_at(remote)
    record(repository)
    write_files(repository, {"train.py": "2\n"})
    git(repository, "commit", "-qam", "no run")

    assert "repro" not in run_git(repository, "push").stderr.replace("remote", "")
    assert "repro:" not in run_git(repository, "push", "origin", "main:other").stderr
    assert "repro:" not in run_git(repository, "push", "origin", ":other").stderr
    assert runs_at(remote) == before


def test_what_the_remote_has_already_is_not_looked_through_again(repository, remote):
    commit_run(repository, "2\n")
    run_git(repository, "push")

    assert "repro:" not in run_git(repository, "push", "origin", "HEAD:refs/heads/b").stderr


def test_a_remote_that_got_no_run_yet_is_told_of_and_the_push_goes_on(repository, remote, tmp_path):
    other = tmp_path / "other.git"
    git(repository, "init", "-q", "--bare", "-b", "main", str(other))
    git(repository, "remote", "add", "other", str(other))
    run = commit_run(repository, "2\n")

    done = run_git(repository, "push", "other", "main")

    assert done.returncode == 0
    assert f"run {run[:6]}, which these commits name, stays here" in done.stderr
    assert f"hint: `repro push other {run[:6]}`" in done.stderr
    assert runs_at(other) == set()
    assert git(other, "rev-parse", "main") == git(repository, "rev-parse", "main")


def commit_leak(root, key):
    """A commit of the code of a run, which it names, with a key in it."""
    write_files(root, {"train.py": f"key = '{key}'\n"})
    git(root, "add", "-A")
    [leak] = scan_staged(open_here(root))
    git(root, "config", "repro.allowSecret", leak.fingerprint)  # else it is not recorded
    run = commit_run(root, f"key = '{key}'\n")
    git(root, "config", "--unset", "repro.allowSecret")
    return run


def test_a_secret_does_not_leave_either_where_no_run_was_pushed_before(repository, tmp_path):
    other = tmp_path / "other.git"
    git(repository, "init", "-q", "--bare", "-b", "main", str(other))
    key = make_secret("aws id")
    run = commit_leak(repository, key)

    done = run_git(repository, "push", str(other), "main")

    assert done.returncode == 1
    assert f"repro: run {run[:6]} holds what looks like a secret: `train.py` line 1" in done.stderr
    assert "from here before" not in done.stderr
    assert key not in done.stderr
    assert git(other, "for-each-ref") == ""


def test_a_run_with_a_secret_refuses_the_push(repository, remote):
    before = runs_at(remote)
    key = make_secret("aws id")
    run = commit_leak(repository, key)
    head = git(remote, "rev-parse", "main")

    done = run_git(repository, "push")

    assert done.returncode == 1
    assert f"repro: run {run[:6]} holds what looks like a secret: `train.py` line 1" in done.stderr
    assert key not in done.stderr
    assert runs_at(remote) == before
    assert git(remote, "rev-parse", "main") == head


def test_a_remote_that_refuses_runs_still_gets_the_commits(repository, remote):
    lines = "while read a b ref; do case $ref in refs/repro/*) exit 1;; esac; done\n"
    write_script(remote / "hooks/pre-receive", lines)
    run = commit_run(repository, "2\n")

    done = run_git(repository, "push")

    assert done.returncode == 0
    assert run[:6] in done.stderr
    assert "Traceback" not in done.stderr
    assert git(remote, "rev-parse", "main") == git(repository, "rev-parse", "main")


def test_a_remote_that_is_gone_fails_as_git_says(repository, remote):
    commit_run(repository, "2\n")
    remote.rename(remote.with_name("gone"))

    done = run_git(repository, "push")

    assert done.returncode == 128
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("is_root", [False, True])
def test_pre_commit_says_in_variables_what_is_pushed(repository, remote, is_root):
    before = runs_at(remote)
    run = commit_run(repository, "2\n")
    variables = {
        "PRE_COMMIT_REMOTE_NAME": "origin",
        "PRE_COMMIT_REMOTE_URL": str(remote),
        "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main",
        "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main",
    }
    if not is_root:
        variables["PRE_COMMIT_TO_REF"] = git(repository, "rev-parse", "HEAD")
        variables["PRE_COMMIT_FROM_REF"] = git(repository, "rev-parse", "HEAD~1")

    done = repro("hook", "run", "pre-push", cwd=repository, given="", **variables)

    assert done.returncode == 0
    assert runs_at(remote) == before | {run}


@pytest.mark.parametrize(
    "told", ["x", "a b c d\n", f"r {'1' * 40} r {'0' * 40}\n", "-x --all r r\n"]
)
def test_what_git_would_not_say_is_no_reason_to_stop(repository, remote, told):
    done = repro("hook", "run", "pre-push", "origin", "url", cwd=repository, given=told)

    assert done.returncode == 0
    assert "Traceback" not in done.stderr
