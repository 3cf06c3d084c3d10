"""`repro rm` and `repro restore`: nothing that was removed is lost."""

import json
from pathlib import Path

import pytest
from tests.support import git
from tests.support.cli import Cli
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, open_at, run_id, write_run


def refs_of(root: Path) -> dict[str, str]:
    listed = git(root, "for-each-ref", "--format=%(refname) %(objectname)", "refs/repro/")
    return dict(line.split(" ") for line in listed.splitlines())


def test_a_removed_run_is_not_listed_and_comes_back_as_it_was(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository), {"loss": 1.0}, name="x")
    before = refs_of(repository)

    said = cli("rm", "x").err
    listed = cli("ls").out
    trash = cli("restore").out
    cli("restore", "x")

    assert said.startswith(f"repro: run {run.id[:6]} (x) is in the trash\n")
    assert listed == ""
    assert trash.split()[:3] == ["run", "name", "removed"]
    assert run.id[:6] in trash
    assert before == refs_of(repository)
    assert run.id[:6] in cli("ls").out


def test_a_removed_run_survives_a_gc_of_git(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository), {"loss": 1.0})
    cli("rm", run.id)
    git(repository, "gc", "-q", "--prune=now")

    cli("restore", run.id[:6])

    assert json.loads(cli("show", run.id, "--json").out)["metrics"]["loss"]["last"] == 1.0
    git(repository, "fsck", "--strict", "--connectivity-only")


def test_a_run_in_progress_is_not_removed_and_nor_are_the_others(
    repository: Path, cli: Cli
) -> None:
    run = make_run(open_here(repository))
    live = begin(open_here(repository))

    said = cli("rm", run.id, live.id, code=129).err

    assert f"run `{live.id}` is still in progress" in said
    assert run.id[:6] in cli("ls").out
    live.journal.close()


def test_what_a_filter_chooses_is_removed_only_with_consent(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    kept, *others = [make_run(project, status=one) for one in ("finished", "failed", "failed")]

    assert "nobody to ask" in cli("rm", "--where", "status = failed", code=1).err
    removed = json.loads(cli("rm", "--where", "status = failed", "--yes", "--json").out)

    assert {one["id"] for one in removed} == {run.id for run in others}
    assert [one["id"] for one in json.loads(cli("ls", "--json").out)] == [kept.id]
    assert cli("rm", "--where", "status = failed", "--yes").err == (
        "repro: no run fits: nothing was removed\n"
    )


def test_runs_that_came_from_a_removed_one_are_named_and_stay(repository: Path, cli: Cli) -> None:
    original = write_run(open_at(repository), make_record(id=run_id("a")))
    again = write_run(open_at(repository), make_record(id=run_id("b"), rerun_of=run_id("a")))

    said = cli("rm", original.run.id)

    assert f"{again.run.id} came from run {original.run.id[:6]}, and stay" in said.err
    cli("show", again.run.id)


def test_what_a_remote_had_goes_with_it_is_said_and_comes_back(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository))
    oid = git(repository, "rev-parse", f"refs/repro/runs/{run.id}")
    git(repository, "update-ref", f"refs/repro/remotes/origin/{run.id}", oid)
    before = refs_of(repository)

    said = cli("rm", run.id).err

    assert f"`repro purge {run.id} --remote origin` takes it away there" in said
    assert list(refs_of(repository)) == [f"refs/repro/trash/{run.id}"]
    cli("restore", run.id)
    assert before == refs_of(repository)


def test_removed_twice_with_other_records_neither_is_lost(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository), name="first")
    ref = f"refs/repro/runs/{run.id}"
    first = git(repository, "rev-parse", ref)
    cli("rm", run.id)
    record = make_record(id=run.id, name="second")
    second = write_run(open_at(repository), record).commit
    cli("rm", run.id)

    cli("restore", run.id)
    assert second == git(repository, "rev-parse", ref)
    said = cli("restore", run.id, code=128).err
    assert "another record" in said
    cli("rm", run.id)
    git(repository, "gc", "-q", "--prune=now")

    for commit in (first, second):
        git(repository, "rev-list", "--objects", "--quiet", commit)


def test_a_run_that_was_amended_meanwhile_stays_as_amended(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository))
    ref = f"refs/repro/runs/{run.id}"
    old = git(repository, "rev-parse", ref)
    cli("tag", run.id, "good")
    new = git(repository, "rev-parse", ref)
    git(repository, "update-ref", ref, old)
    cli("rm", run.id)
    git(repository, "update-ref", ref, new)

    cli("restore", run.id)

    assert {ref: new} == refs_of(repository)


def test_a_damaged_run_can_be_removed(repository: Path, cli: Cli) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=b"{")
    tree = git(repository, "mktree", stdin=f"100644 blob {blob}\trun.json\n".encode())
    commit = git(repository, "commit-tree", "-m", "x", tree)
    git(repository, "update-ref", f"refs/repro/runs/{run_id('a')}", commit)

    cli("rm", run_id("a"))

    assert list(refs_of(repository)) == [f"refs/repro/trash/{run_id('a')}"]
    cli("restore", run_id("a"))
    assert {f"refs/repro/runs/{run_id('a')}": commit} == refs_of(repository)


def test_a_name_that_is_in_the_trash_says_so(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository), name="x")
    cli("rm", "x")

    for name in ("x", run.id, run.id[:6]):
        assert f"`repro restore {run.id}`" in cli("show", name, code=128).err


def test_the_run_checked_out_last_is_said_to_be_in_the_trash(repository: Path, cli: Cli) -> None:
    make_run(open_here(repository))
    (repository / "train.py").write_text("print('other')\n")
    run = make_run(open_here(repository))
    cli("checkout", "@{1}", "--save")
    cli("checkout", run.id)
    cli("rm", run.id)

    assert f"`repro restore {run.id}`" in cli("show", "@{-1}", code=128).err
    cli("undo")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["rm"], 129),
        (["rm", "@", "--where", "lr = 1"], 129),
        (["rm", "nothing"], 128),
        (["restore", "nothing"], 128),
    ],
)
def test_a_wrong_request_is_one_error(
    repository: Path, cli: Cli, words: list[str], code: int
) -> None:
    make_run(open_here(repository))
    assert "hint" in cli(*words, code=code).err


def test_an_entry_that_is_not_ours_hides_no_other(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository))
    cli("rm", run.id)
    git(repository, "update-ref", f"refs/repro/trash/{run_id('a')}", "HEAD")

    listed = cli("restore")

    assert run.id[:6] in listed.out
    assert "is no entry of the trash" in listed.err


def test_a_run_in_an_archive_is_hidden_there_and_comes_back(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository))
    ref = f"refs/repro/runs/{run.id}"
    commit = git(repository, "rev-parse", ref)
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=f"{run.id} {commit}\n".encode())
    tree = git(repository, "mktree", stdin=f"100644 blob {blob}\truns\n".encode())
    archive = git(repository, "commit-tree", "-m", "x", "-p", commit, tree)
    git(repository, "update-ref", f"refs/repro/archive/{run_id('a')}", archive)
    git(repository, "update-ref", "-d", ref)
    cli("show", run.id)

    cli("rm", run.id)
    cli("show", run.id, code=128)
    cli("restore", run.id)

    assert commit == git(repository, "rev-parse", ref)
    cli("show", run.id)


def test_with_a_remote_a_collected_run_is_still_known_as_removed(
    repository: Path, cli: Cli
) -> None:
    run = make_run(open_here(repository), name="x")
    commit = git(repository, "rev-parse", f"refs/repro/runs/{run.id}")
    git(repository, "remote", "add", "origin", "../absent")
    cli("rm", run.id)
    cli("gc", "--yes", "--keep-trash", "0s")
    cli("gc", "--yes", "--keep-trash", "0s")

    assert list(refs_of(repository)) == [f"refs/repro/trash/{run.id}"]
    assert cli("restore").out == ""
    git(repository, "gc", "-q", "--prune=now")
    assert commit not in git(repository, "cat-file", "--batch-all-objects", "--batch-check")
    assert "`repro fetch` brings it again" in cli("restore", run.id).err
    assert refs_of(repository) == {}
