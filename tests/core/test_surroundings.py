"""Lock files in the record: named, kept, and never with credentials that the code has not."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, write_files
from tests.support.projects import begin, make_run, open_here

from repro.core.query import resolve_run
from repro.core.record import seal_run
from repro.model.run import Record
from repro.store.lockfiles import LARGEST

ENVIRONMENT: dict[str, Any] = {"packages": {"count": 0, "digest": None, "list": []}}


def recorded(repository: Path, **request: Any) -> Record:
    project = open_here(repository)
    return resolve_run(project, make_run(project, environment=ENVIRONMENT, **request).id)


def locks_of(record: Record) -> Any:
    return record.environment["lockfiles"]


def kept(repository: Path, record: Record) -> list[str]:
    names = git(repository, "ls-tree", "-r", "--name-only", record.commit, "environment/")
    return names.splitlines()


def show(repository: Path, record: Record, path: str) -> str:
    return git(repository, "show", f"{record.commit}:environment/{path}")


def test_lock_files_of_every_kind_are_kept_as_they_are(repository):
    names = [
        "Pipfile.lock",
        "conda-lock.yml",
        "environment.yaml",
        "environment.yml",
        "pdm.lock",
        "pixi.lock",
        "poetry.lock",
        "pylock.dev.toml",
        "pylock.toml",
        "requirements-dev.txt",
        "requirements.txt",
        "uv.lock",
    ]
    write_files(repository, {name: f"# {name}\n" for name in [*names, "notes.txt", "x.lock"]})

    record = recorded(repository)

    assert kept(repository, record) == [f"environment/{name}" for name in names]
    assert locks_of(record)[-1] == {
        "path": "uv.lock",
        "size": 10,
        "sha256": hashlib.sha256(b"# uv.lock\n").hexdigest(),
    }
    assert show(repository, record, "uv.lock") == "# uv.lock"
    git(repository, "fsck", "--strict")


def test_those_of_the_folder_where_the_command_runs_count_too(repository):
    write_files(
        repository, {"uv.lock": "1\n", "sub dir/poetry.lock": "2\n", "other/uv.lock": "3\n"}
    )

    record = recorded(repository, cwd=repository / "sub dir")

    assert kept(repository, record) == ["environment/sub dir/poetry.lock", "environment/uv.lock"]


def test_a_tracked_one_shares_its_blob_with_the_code(repository):
    write_files(repository, {"uv.lock": "1\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "lock")

    record = recorded(repository)

    blobs = git(repository, "rev-parse", "HEAD:uv.lock", f"{record.commit}:environment/uv.lock")
    assert len(set(blobs.split())) == 1
    packs = list((repository / ".git/objects/pack").glob("*.idx"))
    listed = [git(repository, "show-index", stdin=pack.read_bytes()) for pack in packs]
    assert not any(blobs.split()[0] in one for one in listed)


def test_a_tracked_one_is_kept_with_what_is_in_it(repository):
    text = "--index-url https://ada:hunter2@example.org/simple\n"
    write_files(repository, {"requirements.txt": text})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "lock")

    record = recorded(repository)

    assert show(repository, record, "requirements.txt") == text.rstrip()
    assert "redacted" not in locks_of(record)[0]


def test_an_ignored_one_is_kept_without_its_credentials(repository):
    text = "--index-url https://ada:hunter2@example.org/simple\nnumpy\n"
    write_files(repository, {".gitignore": "*.txt\n", "requirements.txt": text})
    project = open_here(repository)
    live = begin(project, environment=ENVIRONMENT)
    git(repository, "gc", "-q", "--prune=now")
    live.journal.close()
    record = resolve_run(project, seal_run(project, live.dir).run.id)

    bare = text.replace("ada:hunter2", "<redacted>")
    assert show(repository, record, "requirements.txt") == bare.rstrip()
    assert locks_of(record) == [
        {
            "path": "requirements.txt",
            "size": len(bare),
            "sha256": hashlib.sha256(bare.encode()).hexdigest(),
            "redacted": True,
        }
    ]
    assert "kept without the credentials" in record.run.warnings[0]
    git(repository, "fsck", "--strict")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"x" * (LARGEST + 1), "too large or unreadable"), (b"\xff\xfe", "is no text")],
)
def test_an_ignored_one_that_cannot_be_kept_is_named(repository, content, reason):
    write_files(repository, {".gitignore": "uv.lock\n", "uv.lock": content})

    record = recorded(repository)

    assert kept(repository, record) == []
    [lock] = locks_of(record)
    assert (lock["path"], lock["size"], lock["left_out"]) == ("uv.lock", len(content), reason)


def test_one_as_large_as_allowed_is_kept(repository):
    write_files(repository, {"uv.lock": b"x" * LARGEST})

    assert kept(repository, recorded(repository)) == ["environment/uv.lock"]


def test_what_is_no_file_is_no_lock_file(repository):
    (repository / "uv.lock").mkdir()
    os.mkfifo(repository / "poetry.lock")
    (repository / "pdm.lock").symlink_to("absent")

    record = recorded(repository)

    assert [one["path"] for one in locks_of(record)] == ["pdm.lock"]
    assert kept(repository, record) == []


def test_the_same_environment_is_the_same_object(repository):
    write_files(repository, {"uv.lock": "1\n"})
    first, second = recorded(repository), recorded(repository)

    paths = [f"{one.commit}:environment.json" for one in (first, second)]
    assert len(set(git(repository, "rev-parse", *paths).split())) == 1


def test_a_run_without_an_environment_names_no_lock_files(repository):
    write_files(repository, {"uv.lock": "1\n"})
    project = open_here(repository)

    record = resolve_run(project, make_run(project).id)

    assert record.environment == {}
    assert kept(repository, record) == []


def test_a_folder_outside_of_the_project_is_not_looked_into(repository, tmp_path):
    write_files(tmp_path / "outside", {"uv.lock": "1\n"})

    assert locks_of(recorded(repository, cwd=tmp_path / "outside")) == []


def test_line_ends_that_git_changes_are_kept_as_git_has_them(repository):
    write_files(repository, {".gitattributes": "* text eol=lf\n", "requirements.txt": "a\r\nb\r\n"})

    record = recorded(repository)

    assert show(repository, record, "requirements.txt") == "a\nb"


def test_a_continued_run_has_the_lock_files_of_its_newest_attempt(repository):
    project = open_here(repository)
    write_files(repository, {"uv.lock": "1\n"})
    first = make_run(project, environment=ENVIRONMENT)
    (repository / "uv.lock").unlink()
    write_files(repository, {"poetry.lock": "1\n"})

    record = resolve_run(project, make_run(project, environment=ENVIRONMENT, resume=first.id).id)

    assert kept(repository, record) == ["environment/poetry.lock"]


def test_two_jobs_of_a_scheduler_have_one_environment(repository):
    project = open_here(repository)

    def job(number: str) -> Record:
        variables = {"OMP_NUM_THREADS": "4", "SLURM_JOB_ID": number}
        run = make_run(project, environment={**ENVIRONMENT, "variables": variables})
        return resolve_run(project, run.id)

    first, second = job("1"), job("2")

    paths = [f"{one.commit}:environment.json" for one in (first, second)]
    assert len(set(git(repository, "rev-parse", *paths).split())) == 1
    assert first.environment["variables"] == {"OMP_NUM_THREADS": "4"}
    said = git(repository, "show", f"{second.commit}:launch.json")
    assert said == '{\n  "SLURM_JOB_ID": "2"\n}'
