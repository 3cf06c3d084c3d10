"""`repro purge`: what only a run has is gone, and nothing else is."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import Cli
from tests.support.clones import Team, project_at
from tests.support.projects import begin, make_run, open_here
from tests.support.remotes import push_all
from tests.support.secrets import make_secret
from tests.support.sweeps import make_sweep

SECRET = b"AKIA-very-secret\n"


def holds(root: Path, data: bytes) -> bool:
    """Whether git has a blob of these bytes anywhere, or any file of repro's has them."""
    oid = git(root, "hash-object", "--stdin", stdin=data)
    listed = git(root, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    private = root / ".git/repro"
    files = [path for path in private.rglob("*") if path.is_file()]
    return oid in listed or any(data.strip() in path.read_bytes() for path in files)


def leak(root: Path, **request: object) -> str:
    """The id of a run with a secret in its code; the file is gone again."""
    write_files(root, {"leak.txt": SECRET})
    run = make_run(open_here(root), {"loss": 1.0}, **request)
    (root / "leak.txt").unlink()
    return run.id


def test_every_byte_that_only_the_run_has_is_gone(repository: Path, cli: Cli) -> None:
    other = make_run(open_here(repository), {"loss": 2.0})
    leak(repository, name="x")
    cli("tag", "x", "good")
    git(repository, "repack", "-adq")
    last = leak(repository)
    cli("rm", last)
    write_files(repository / ".git/repro/unkept", {f"{last}/.env": "x", f"{other.id}/.env": "y"})
    assert holds(repository, SECRET)

    first = cli("purge", "x", "--yes")
    assert holds(repository, SECRET)  # the other run has it, too
    second = cli("purge", last, "--yes")

    assert "change what leaked first" in first.err
    assert "held by" in first.err
    assert f"refs/repro/trash/{last}" in first.err
    assert "`git cat-file -e` fails for each" in second.err
    assert not holds(repository, SECRET)
    assert os.listdir(repository / ".git/repro/unkept") == [other.id]
    assert [one["id"] for one in json.loads(cli("ls", "--json").out)] == [other.id]
    assert git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/") == (
        f"refs/repro/runs/{other.id}"
    )
    git(repository, "fsck", "--strict")
    cli("fsck")


def test_a_sweep_goes_with_what_it_starts_from_here_and_on_the_remote(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path / "team")
    root = team.clone("ada")
    monkeypatch.chdir(root)
    write_files(root, {"leak.txt": SECRET})
    kept, gone, removed = (make_sweep(project_at(root)).sweep.id for _ in range(3))
    cli("sweep", "rm", removed)
    push_all(project_at(root))
    head = git(root, "rev-parse", "HEAD")

    for sweep_id in (removed, gone):
        said = cli("purge", sweep_id, "--remote", "origin", "--yes")
        assert "held by" in said.err
        assert f"refs/repro/sweeps/{kept}" in said.err
        assert f"repro: {sweep_id} is gone" in said.err  # which is no run
    assert holds(root, SECRET)
    (root / "leak.txt").unlink()
    cli("purge", kept[:8], "--yes")

    assert not holds(root, SECRET)
    assert git(root, "rev-parse", "HEAD") == head
    assert git(team.hub, "for-each-ref", "--format=%(refname)", "refs/repro/sweeps") == (
        f"refs/repro/sweeps/{kept}"
    )
    assert "nothing new" in cli("fetch").out
    git(root, "fsck", "--strict")
    cli("fsck")


def test_without_consent_nothing_goes(repository: Path, cli: Cli) -> None:
    run = leak(repository)

    said = cli("purge", run, code=1).err

    assert "leak.txt" in said
    assert holds(repository, SECRET)
    cli("show", run)


def test_objects_of_the_user_stay_also_dangling_ones(repository: Path, cli: Cli) -> None:
    run = leak(repository)
    dangling = git(repository, "hash-object", "-w", "--stdin", stdin=b"the user's own\n")
    (repository / "train.py").write_text("stashed\n")
    git(repository, "stash")
    write_files(repository, {"staged.txt": "staged\n"})
    git(repository, "add", "staged.txt")
    staged = git(repository, "rev-parse", ":staged.txt")
    git(repository, "repack", "-aq")
    before = set(git(repository, "rev-list", "--objects", "--all", "HEAD").split())
    run_only = git(repository, "rev-list", "--objects", f"refs/repro/runs/{run}", "^HEAD").split()

    cli("purge", run, "--yes")

    for oid in (dangling, staged):
        git(repository, "cat-file", "-e", oid)
    git(repository, "stash", "pop")
    git(repository, "fsck", "--strict")
    after = set(git(repository, "rev-list", "--objects", "--all", "HEAD").split())
    assert after < before
    assert not holds(repository, SECRET)
    assert run_only[0] not in after


def test_a_checkout_of_the_run_is_forgotten_too(repository: Path, cli: Cli) -> None:
    run = leak(repository)
    write_files(repository, {"train.py": "print('work')\n"})
    cli("checkout", run, "--save")
    assert "is checked out" in cli("purge", run, "--yes", code=128).err
    write_files(repository, {"leak.txt": SECRET + b"more\n"})
    cli("undo", "--save")

    said = cli("purge", run, "--yes")

    assert "undo " in said.err
    assert not holds(repository, SECRET)
    assert (repository / "train.py").read_text() == "print('work')\n"
    git(repository, "fsck", "--strict")


def test_what_a_branch_reaches_stays_and_is_named(repository: Path, cli: Cli) -> None:
    run = leak(repository)
    git(repository, "branch", "kept", f"refs/repro/runs/{run}^")

    said = cli("purge", run, "--yes")

    assert "refs/heads/kept" in said.err
    assert "leak.txt" in said.err
    assert holds(repository, SECRET)
    git(repository, "fsck", "--strict")


def commit_key(root: Path) -> str:
    """The id of a run whose code is a commit with a key in it."""
    write_files(root, {"train.py": f"key = '{make_secret('aws id')}'\n"})
    git(root, "commit", "-qam", "with a key")
    return make_run(open_here(root)).id


def test_a_secret_of_the_code_that_a_branch_or_reflog_has_is_named_and_the_exit_code(
    repository: Path, cli: Cli
) -> None:
    run = commit_key(repository)
    git(repository, "commit", "-q", "--amend", "-m", "other words")
    git(repository, "tag", "v1")
    asked = cli("purge", run, code=1).err

    done = cli("purge", run, "--yes", "--json", code=1)

    [secret] = json.loads(done.out)["secrets"]
    assert secret["path"] == "train.py"
    assert secret["line"] == 1
    assert {"refs/heads/main", "refs/tags/v1", "the reflog of HEAD"} < {*secret["held_by"]}
    for said in (asked, done.err):
        assert "what looks like a secret stays" in said
        assert "train.py line 1 (AWS access key), held by HEAD of" in said
        assert make_secret("aws id") not in said
    assert "warning: what looks like a secret is still here: train.py line 1" in done.err
    cli("show", run, code=128)


def test_a_secret_that_only_reflogs_have_is_named_too(repository: Path, cli: Cli) -> None:
    run = commit_key(repository)
    git(repository, "reset", "-q", "--hard", "HEAD~1")
    git(repository, "update-ref", "-d", "ORIG_HEAD")

    done = cli("purge", run, "--yes", "--json", code=1)

    [secret] = json.loads(done.out)["secrets"]
    assert secret["held_by"] == ["the reflog of HEAD", "the reflog of refs/heads/main"]
    assert "as committed: in no branch or tag" in done.err


def test_a_purge_that_goes_on_knows_of_the_secret_that_stays(repository: Path, cli: Cli) -> None:
    run = commit_key(repository)
    git(repository, "repack", "-adq")
    [pack] = (repository / ".git/objects/pack").glob("*.pack")
    pack.with_suffix(".keep").write_text("mine\n")
    cli("purge", run, "--yes", code=1)
    pack.with_suffix(".keep").unlink()

    said = cli("purge", run, "--yes", code=1).err

    key = git(repository, "rev-parse", "main:train.py")
    assert f"what looks like a secret is still here: object {key}" in said


def test_a_secret_that_nothing_names_any_more_is_named_too(repository: Path, cli: Cli) -> None:
    run = commit_key(repository)
    git(repository, "reset", "-q", "--hard", "HEAD~1")
    git(repository, "update-ref", "-d", "ORIG_HEAD")
    git(repository, "reflog", "expire", "--expire=now", "--all")

    done = cli("purge", run, "--yes", "--json", code=1)

    [secret] = json.loads(done.out)["secrets"]
    assert secret["held_by"] == []
    assert "`git gc --prune=now`" in done.err


def test_what_any_two_runs_share_is_one_quiet_line(repository: Path, cli: Cli) -> None:
    write_files(repository, {"new/file.py": "1\n"})
    run, other = (make_run(open_here(repository)).id for _ in range(2))

    said = cli("purge", run, "--yes").err

    assert "warning" not in said
    assert "of its record stay, as in other runs" in said
    assert "repro: 1 file of its code stays, as others have the same" in said
    assert "of its code stays, as committed: in refs/heads/main" in said
    [counted] = [line.split() for line in said.splitlines() if line.startswith("    objects")]
    assert counted[1:4] == ["2", "commits,", "1"]
    last = cli("purge", other, "--yes").err
    assert "    files     " in last
    assert "new/file.py" in last
    assert " new," not in last


def test_entries_of_the_content_store_that_others_need_stay(repository: Path, cli: Cli) -> None:
    write_files(repository, {"repro.yaml": "artifacts: ['*.out']\n"})
    make = "open('{0}.out', 'wb').write(b'{0}' * 2_000_000)"
    cli("run", "-n", "one", "--", sys.executable, "-c", make.format("a"))
    (repository / "a.out").unlink()
    both = f"{make.format('a')}; {make.format('b')}"
    cli("run", "-n", "two", "--", sys.executable, "-c", both)
    store = repository / ".git/repro/store"
    assert len(list(store.glob("??/??/*"))) == 2

    said = json.loads(cli("purge", "two", "--yes", "--json").out)

    assert said["entries"] == 1
    cli("fsck")
    assert len(list(store.glob("??/??/*"))) == 1


def test_a_run_in_an_archive_goes_and_the_others_stay(repository: Path, cli: Cli) -> None:
    from repro.core.fold import fold_runs  # noqa: PLC0415

    others = [make_run(open_here(repository)).id for _ in range(2)]
    run = leak(repository)
    others.append(make_run(open_here(repository)).id)
    fold_runs(open_here(repository), keep=0, at_least=0, size=2)
    fold_runs(open_here(repository), keep=0, at_least=0, size=1)
    assert git(repository, "for-each-ref", "refs/repro/runs/") == ""

    cli("purge", run, "--yes")

    assert not holds(repository, SECRET)
    assert {one["id"] for one in json.loads(cli("ls", "--json").out)} == set(others)
    cli("fsck")


def test_a_pack_that_shall_be_kept_is_left_alone_and_said(repository: Path, cli: Cli) -> None:
    run = leak(repository)
    git(repository, "repack", "-adq")
    [pack] = (repository / ".git/objects/pack").glob("*.pack")
    pack.with_suffix(".keep").write_text("mine\n")

    said = cli("purge", run, "--yes", code=1).err

    assert f"{pack.name} has a `.keep`" in said
    assert holds(repository, SECRET)
    pack.with_suffix(".keep").unlink()
    assert "goes on" in cli("purge", run, "--yes").err
    assert not holds(repository, SECRET)
    cli("purge", run, "--yes", code=128)


def test_what_commits_on_top_of_its_code_hold_by_a_reflog_is_said(
    repository: Path, cli: Cli
) -> None:
    run = leak(repository)
    git(repository, "switch", "-q", "--detach", f"refs/repro/runs/{run}^")
    git(repository, "commit", "-q", "--allow-empty", "-m", "on top")
    git(repository, "switch", "-q", "main")

    said = cli("purge", run, "--yes", code=1).err

    assert "`git reflog expire --expire=now --all`" in said
    git(repository, "fsck", "--strict")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    cli("purge", run, "--yes")
    assert not holds(repository, SECRET)


def test_what_is_borrowed_from_another_repository_is_said(
    repository: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = leak(repository)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--shared", str(repository), str(clone))
    git(clone, "fetch", "-q", "origin", f"refs/repro/runs/{run}:refs/repro/runs/{run}")
    monkeypatch.chdir(clone)

    assert "git borrows objects" in cli("purge", run, "--yes", code=1).err


def test_a_purge_while_a_run_is_in_progress_is_refused(repository: Path, cli: Cli) -> None:
    run = leak(repository)
    live = begin(open_here(repository))
    cli("purge", run, "--yes", code=128)
    live.journal.close()


def test_refs_on_a_remote_go_by_lease(repository: Path, cli: Cli, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    git(repository, "remote", "add", "origin", str(bare))
    run, other = leak(repository), make_run(open_here(repository)).id
    git(repository, "push", "-q", "origin", "refs/repro/runs/*:refs/repro/runs/*")

    said = cli("purge", run, "--remote", "origin", "--yes")

    assert "its host may still give the commit" in said.err
    assert git(bare, "for-each-ref", "--format=%(refname)") == f"refs/repro/runs/{other}"
    assert not holds(repository, SECRET)
    # No fetch brings it again.
    assert f"refs/repro/trash/{run}" in git(repository, "for-each-ref")
    assert "nothing: it does not have it" in cli("purge", run, "--remote", "origin", "--yes").err


def test_an_unknown_run_or_remote_is_one_error(repository: Path, cli: Cli) -> None:
    run = leak(repository)
    assert "hint" in cli("purge", "nothing", "--yes", code=128).err
    assert "hint" in cli("purge", run, "--remote", "nowhere", "--yes", code=128).err
    assert holds(repository, SECRET)


def test_in_a_repository_with_every_kind_of_pack_and_graph(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_repository(tmp_path / "project")
    monkeypatch.chdir(root)
    run = leak(root)
    git(root, "repack", "-adbq")
    git(root, "multi-pack-index", "write")
    git(root, "commit-graph", "write", "--reachable")
    make_run(open_here(root))

    cli("purge", run, "--yes")

    assert not holds(root, SECRET)
    git(root, "fsck", "--strict")
    git(root, "log", "--all", "--oneline")
    shutil.copytree(root, tmp_path / "copy")
    git(tmp_path / "copy", "gc", "-q", "--prune=now")


def test_in_a_partial_clone_nothing_is_fetched_again_from_who_has_it_still(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path)
    giver = team.clone("giver")
    run = leak(giver)
    push_all(project_at(giver))
    root = team.clone("taker", "--filter=blob:none")
    monkeypatch.chdir(root)
    cli("pull")
    assert "is gone" in cli("purge", run, "--yes").err
    assert not holds(root, SECRET)
