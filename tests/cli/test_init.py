import json
import os

import pytest
from tests.support import git, write_files
from tests.support.projects import begin, open_here
from tests.support.warm import repro

from repro.store.settings import read_settings


def status() -> dict:
    done = repro("status", "--json")
    assert done.returncode == 0, done.stderr
    found: dict = json.loads(done.stdout)
    return found


def test_init_writes_settings_that_change_nothing(repository):
    before = read_settings(repository)

    done = repro("init")

    assert done.returncode == 0
    assert f"ready to record runs in {repository}" in done.stdout
    assert read_settings(repository) == before


def test_every_line_of_the_template_is_valid_without_its_comment(repository):
    repro("init")
    path = repository / "repro.yaml"
    lines = path.read_text().splitlines()
    commented = [line[2:] for line in lines if line.startswith("# ") and ": " in line]
    examples = [line for line in commented if line.split(":")[0].isidentifier()]
    path.write_text("\n".join(examples))

    settings = read_settings(repository)

    assert settings.config == ("params.yaml",)
    assert settings.metrics == ("metrics.json",)
    assert settings.artifacts == ("models/*.pt",)
    assert settings.exclude == ("*.ckpt",)
    assert list(settings.data) == ["train"]
    assert settings.store == "s3://bucket/prefix"


def test_init_again_leaves_the_settings_alone(repository):
    (repository / "repro.yaml").write_text("metrics: [m.json]\n")

    assert [repro("init").returncode for _ in range(2)] == [0, 0]

    assert (repository / "repro.yaml").read_text() == "metrics: [m.json]\n"


def test_init_below_the_root_writes_to_the_root(repository, monkeypatch):
    (repository / "deep").mkdir()
    monkeypatch.chdir(repository / "deep")

    repro("init")

    assert (repository / "repro.yaml").exists()


def test_init_without_a_repository_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = repro("init")

    assert done.returncode == 128
    assert "git init" in done.stderr
    assert not (tmp_path / "repro.yaml").exists()


def test_status_of_a_clean_repository(repository):
    found = status()

    assert found["base"] == git(repository, "rev-parse", "HEAD")
    assert found["branch"] == "main"
    assert found["dirty"] is False
    assert found["changes"] == []
    assert found["live"] == []
    assert "nothing in the working tree differs" in repro("status").stdout


def test_status_lists_what_a_run_would_record_and_leave_out(repository):
    write_files(repository, {"gone.py": "1\n", "kept.py": "1\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "more")
    (repository / "gone.py").unlink()
    write_files(
        repository,
        {
            "train.py": "print('changed')\n",
            "staged.py": "1\n",
            "new.py": "1\n",
            ".env": "TOKEN=x\n",
            "big.bin": b"\0" * (11 << 20),
            "out.json": "{}\n",
            "params.json": '{"lr": 0.1, "password": "x"}\n',
            "repro.yaml": "metrics: [out.json]\nconfig: [params.json]\n",
        },
    )
    git(repository, "add", "staged.py")

    found = status()

    kinds = {change["path"]: change["kind"] for change in found["changes"]}
    assert kinds == {
        "gone.py": "deleted",
        "train.py": "modified",
        "staged.py": "new",
        "new.py": "untracked",
        "params.json": "untracked",
        "repro.yaml": "untracked",
    }
    assert {one["path"]: one["reason"] for one in found["omitted"]} == {
        ".env": "looks secret",
        "big.bin": "too large",
    }
    assert found["dirty"] is True
    assert found["config"].pop("password").startswith("<redacted:")
    assert found["config"] == {"lr": 0.1}
    assert found["settings"]["metrics"] == ["out.json"]
    text = repro("status").stdout
    assert all(path in text for path in (*kinds, ".env", "big.bin", "out.json"))


def test_status_shows_the_datasets_against_what_is_pinned(repository):
    write_files(repository, {"data/train/1": "one", "data/gone": "x", "data/odd": "x"})
    for name in ("train", "gone", "odd"):
        assert repro("data", "add", f"data/{name}").returncode == 0
    write_files(repository, {"data/train/1": "changed", "data/train/2": "new"})
    (repository / "data/gone").unlink()
    (repository / "data/odd").unlink()
    os.mkfifo(repository / "data/odd")

    found = status()["data"]
    text = repro("status").stdout

    assert {name: one["state"] for name, one in found.items()} == {
        "train": "changed",
        "gone": "missing",
        "odd": "unreadable",
    }
    assert (found["train"]["added"], found["train"]["changed"]) == (["2"], ["1"])
    assert "Datasets:\n  train  changed: 1 added (3 bytes), 1 changed (3 bytes → 7 bytes)" in text
    assert "  gone   missing: there is nothing at `data/gone`" in text
    assert "  odd    cannot be read: " in text


def test_status_says_what_the_next_run_then_records(repository):
    write_files(repository, {"new.py": "1\n", ".env": "TOKEN=x\n"})
    before = status()

    run = json.loads(repro("run", "--json", "--", "true").stdout)

    for key in ("base", "branch", "dirty", "omitted"):
        assert before[key] == run[key]
    recorded = git(repository, "diff", "--name-only", run["base"], run["snapshot"]).splitlines()
    assert [change["path"] for change in before["changes"]] == recorded


def test_status_writes_nothing(repository):
    write_files(repository, {"new.py": "1\n", "train.py": "2\n"})
    index = (repository / ".git/index").read_bytes()
    objects = git(repository, "count-objects", "-v")

    status()

    assert (repository / ".git/index").read_bytes() == index
    assert git(repository, "count-objects", "-v") == objects
    assert git(repository, "for-each-ref", "refs/repro") == ""


def test_status_before_the_first_commit_and_detached(repository, tmp_path, monkeypatch):
    git(repository, "switch", "-q", "--detach")
    assert status()["branch"] is None

    fresh = tmp_path / "fresh"
    git(tmp_path, "init", "-q", "-b", "main", "fresh")
    monkeypatch.chdir(fresh)
    found = status()

    assert (found["base"], found["branch"], found["dirty"]) == (None, "main", True)
    assert "no commit yet" in repro("status").stdout


def test_status_shows_the_runs_in_progress(repository):
    live = begin(open_here(repository), name="long one")
    try:
        found = status()
        text = repro("status").stdout
    finally:
        live.journal.close()

    assert [(run["id"], run["status"]) for run in found["live"]] == [(live.id, "running")]
    assert "long one" in text


def test_a_run_whose_process_died_is_sealed_and_said(repository):
    live = begin(open_here(repository))
    live.journal.log(0, 1_764_000_001.0, {"loss": 1.0})
    live.journal.close()

    done = repro("status")

    assert f"the process of run {live.id} is gone, its record is kept: lost" in done.stderr
    assert git(repository, "for-each-ref", "--format=%(refname)", "refs/repro") == (
        f"refs/repro/runs/{live.id}"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_init_in_a_read_only_repository_is_one_clear_error(repository):
    repository.chmod(0o555)
    try:
        done = repro("init")
    finally:
        repository.chmod(0o755)

    assert done.returncode == 128
    assert "permission denied" in done.stderr
    assert "Traceback" not in done.stderr
