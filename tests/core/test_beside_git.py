"""A repository with a thousand runs behaves, for the user of git, as if there were none."""

import os
from pathlib import Path

from tests.support import git, write_files

from repro.store.git import Identity, open_repository
from repro.store.packs import consolidate
from repro.store.quarantine import CommitSpec, open_quarantine, publish, write_commits
from repro.store.refs import RUNS, RefUpdate

N_RUNS = 1000
ADA = Identity("Ada", "ada@example.org")


def record_many(root: Path) -> None:
    """A thousand runs above the same base, as a sweep leaves them."""
    repository = open_repository(root, os.environ)
    base = git(root, "rev-parse", "HEAD")
    specs = [
        CommitSpec(
            message=f"run {number}",
            when=1e9 + number,
            author=ADA,
            parents=[base],
            files={"run.json": f"{number}\n".encode()},
        )
        for number in range(N_RUNS)
    ]
    with open_quarantine(repository) as quarantine:
        commits = write_commits(quarantine, specs)
        refs = [RefUpdate(f"{RUNS}r{n}", new=commit) for n, commit in enumerate(commits)]
        publish(quarantine, tips=commits, exclude=[base], refs=refs)
    consolidate(repository, now=2e9)


def seen(root: Path) -> list[str]:
    """What the usual commands print."""
    return [
        git(root, "log", "--oneline"),
        git(root, "log", "--oneline", "--branches", "--tags", "--remotes"),
        git(root, "branch", "-a"),
        git(root, "tag"),
        git(root, "status"),
        git(root, "stash", "list"),
        git(root, "log", "--oneline", "--exclude=refs/repro/*", "--all"),
    ]


def test_log_branch_and_status_do_not_see_runs(repository: Path) -> None:
    before = seen(repository)

    record_many(repository)

    assert seen(repository) == before


def test_push_and_clone_do_not_carry_runs(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(repository, "remote", "add", "origin", str(tmp_path / "remote.git"))
    record_many(repository)
    write_files(repository, {"train.py": "print('next')\n"})
    git(repository, "commit", "-q", "-a", "-m", "next")

    git(repository, "push", "-q", "origin", "main")
    git(repository, "push", "-q", "--all", "origin")
    git(repository, "fetch", "-q", "--prune", "origin")
    git(tmp_path, "clone", "-q", (tmp_path / "remote.git").as_uri(), "clone")

    refs = git(tmp_path / "remote.git", "for-each-ref", "--format=%(refname)")
    assert refs == "refs/heads/main"
    assert git(tmp_path / "clone", "rev-list", "--all", "--count") == "2"
    assert git(tmp_path / "remote.git", "rev-list", "--all", "--objects", "--count") == "6"
    kept = git(repository, "for-each-ref", "--format=%(refname)", RUNS)
    assert len(kept.splitlines()) == N_RUNS


def test_a_thousand_runs_are_a_few_files_in_the_git_folder(repository: Path) -> None:
    record_many(repository)

    files = [path for path in (repository / ".git").rglob("*") if path.is_file()]
    assert len(files) < 60
