"""Our hooks in pre-commit itself, offline, from a clone of this repository, beside others."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import repro
from tests.support.datasets import commit_all, make_data
from tests.support.hooks import image_of, install, message_of, run_git, write_script
from tests.support.projects import make_run, open_here

ROOT = Path(__file__).parents[2]
STAGES = (
    "pre-commit", "prepare-commit-msg", "commit-msg", "post-rewrite", "post-checkout",
    "post-merge", "pre-push",
)  # fmt: skip
CHECKS = ("repro-lock", "repro-large-files", "repro-secrets", "repro-config")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pre_commit") is None, reason="pre-commit is not installed"
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """This repository as another one would name it in `repo:`, with its `rev:`."""
    source = make_repository(tmp_path_factory.mktemp("source"), {"README": "of a clone\n"})
    write_files(source, {".pre-commit-hooks.yaml": (ROOT / ".pre-commit-hooks.yaml").read_bytes()})
    write_script(source / "hooks/repro-hook", "")
    (source / "hooks/repro-hook").write_bytes((ROOT / "hooks/repro-hook").read_bytes())
    return source, commit_all(source, "hooks")


@pytest.fixture
def framed(repository, clone, shelf, tmp_path, monkeypatch):
    """A repository in which pre-commit runs all hooks of ours, and one of its own."""
    source, rev = clone
    tools = tmp_path / "tools"
    write_script(tools / "repro", f'exec "{sys.executable}" -m repro "$@"\n')
    monkeypatch.setenv("PATH", f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(shelf / "pre-commit"))
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(shelf / "compiled"))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    ids = re.findall(r"^- id: (.+)$", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    lines = [f"      - id: {one}" for one in ids]
    config = (
        f"default_install_hook_types: [{', '.join(STAGES)}]\n"
        f"repos:\n  - repo: {source}\n    rev: {rev}\n    hooks:\n" + "\n".join(lines) + "\n"
        "  - repo: local\n    hooks:\n"
        "      - {id: theirs, name: theirs, entry: test -f train.py, language: system,"
        " pass_filenames: false, always_run: true, stages: [pre-commit]}\n"
    )
    write_files(repository, {".pre-commit-config.yaml": config})
    commit_all(repository, "config")
    frame(repository, "install")
    return repository


def frame(root, *words):
    argv = [sys.executable, "-m", "pre_commit", *words]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done


def states(said):
    """What pre-commit says of each hook, by its id or name."""
    return dict(re.findall(r"^(.+?)\.{3,}(?:\(.*\))?(\w+)$", said, re.MULTILINE))


def test_a_commit_runs_ours_and_the_others(framed):
    write_files(framed, {"train.py": "print(2)\n"})
    run = make_run(open_here(framed)).id

    done = run_git(framed, "commit", "-am", "code of a run")

    found = states(done.stderr)
    assert done.returncode == 0, done.stderr
    assert found["datasets are as repro.lock says"] == "Passed"
    assert found["no files larger than snapshot.max_file"] == "Passed"
    assert found["no secrets"] == "Passed"
    assert found["theirs"] == "Passed"
    assert message_of(framed) == f"code of a run\n\nRepro-Run: {run}"


def test_what_ours_refuse_is_not_committed_and_unstaged_work_stays(framed):
    make_data(framed)
    commit_all(framed, "data")
    write_files(framed, {"data/train/one.bin": "changed\n", "repro.yaml": "data: [\n"})
    git(framed, "add", "repro.yaml")
    write_files(framed, {"train.py": "print('unstaged')\n"})
    before = git(framed, "rev-parse", "HEAD")

    done = run_git(framed, "commit", "-m", "wrong")

    assert done.returncode == 1
    assert "repro-config: `repro.yaml` line 2" in done.stderr
    assert git(framed, "rev-parse", "HEAD") == before
    assert (framed / "train.py").read_text() == "print('unstaged')\n"
    git(framed, "checkout", "-q", "HEAD", "--", "repro.yaml")
    again = run_git(framed, "commit", "-am", "wrong")
    assert "repro-lock: dataset `train` changed" in again.stderr
    assert run_git(framed, "commit", "-am", "skipped", SKIP="repro-lock").returncode == 0


def test_all_files_can_be_checked(framed):
    write_files(framed, {"big.bin": b"x" * 2000, "repro.yaml": "snapshot: {max_file: 1KiB}\n"})
    git(framed, "add", "-A")
    git(framed, "commit", "-qm", "big", "--no-verify")

    done = frame(framed, "run", "--all-files")

    assert done.returncode == 1
    assert "repro-large-files: `big.bin` is 2.0 KiB" in done.stdout


def test_rebases_checkouts_merges_and_pushes_behave(framed, tmp_path):
    bare = tmp_path / "bare.git"
    git(framed, "init", "-q", "--bare", "-b", "main", str(bare))
    git(framed, "remote", "add", "origin", str(bare))
    assert run_git(framed, "push", "-q", "-u", "origin", "main").returncode == 0
    make_data(framed)
    commit_all(framed, "data")
    run = make_run(open_here(framed)).id
    base = git(framed, "rev-parse", "HEAD")
    assert run_git(framed, "push", "-q").returncode == 0
    git(framed, "switch", "-qc", "side", "HEAD~1")
    write_files(framed, {"side.py": "1\n"})
    commit_all(framed, "side")
    said = run_git(framed, "switch", "main").stderr
    assert "datasets after a checkout" in said

    done = run_git(framed, "rebase", "-q", "side")

    assert done.returncode == 0, done.stderr
    now = git(framed, "rev-parse", "HEAD")
    shown = repro("show", run, cwd=framed).stdout
    assert f"{base[:12]}, which was rewritten as {now[:12]}" in shown
    assert run_git(framed, "merge", "-q", "--no-ff", "-m", "merged", "side").returncode == 0
    assert run_git(framed, "push", "-q", "--force").returncode == 0


def test_ours_beside_pre_commit_run_once_and_leave_no_trace(framed):
    """Native hooks and those of pre-commit, installed in either order."""
    before = image_of(framed / ".git/hooks")

    install(framed)
    frame(framed, "install")
    again = install(framed)
    write_files(framed, {"more.py": "1\n"})
    git(framed, "add", "-A")
    done = run_git(framed, "commit", "-m", "one")

    assert again.changed == ()
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("theirs...") == 1
    assert repro("hook", "uninstall", cwd=framed).returncode == 0
    assert image_of(framed / ".git/hooks") == before


def test_without_repro_nothing_is_stopped(framed, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    write_files(framed, {"repro.yaml": "data: [\n"})
    git(framed, "add", "-A")

    done = run_git(framed, "commit", "-m", "no repro here")

    assert done.returncode == 0, done.stderr
