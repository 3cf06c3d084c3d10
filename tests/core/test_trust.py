import json
from dataclasses import replace

import pytest
from tests.support import git, make_repository, write_files
from tests.support.datasets import make_data
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, write_run

from repro.core.curate import rename_run, set_note, tag_run
from repro.core.query import resolve_run
from repro.core.record import recover_runs
from repro.core.trust import foreign_facts, is_own

REFS = "refs/repro/*:refs/repro/*"


def test_a_run_recorded_here_is_own(repository):
    project = open_here(repository)
    run = make_run(project)

    assert is_own(project, resolve_run(project, run.id))


def test_a_run_in_progress_is_own(repository):
    project = open_here(repository)
    live = begin(project)

    assert is_own(project, resolve_run(project, live.id))
    live.journal.close()


def test_a_run_whose_process_died_is_own_when_it_is_sealed(repository):
    project = open_here(repository)
    live = begin(project)
    live.journal.close()
    recover_runs(project)

    assert is_own(project, resolve_run(project, live.id))


def test_a_run_is_own_in_a_linked_worktree(repository, tmp_path):
    run = make_run(open_here(repository))
    git(repository, "worktree", "add", "-q", str(tmp_path / "beside"))
    beside = open_here(tmp_path / "beside")

    assert is_own(beside, resolve_run(beside, run.id))


def test_a_run_recorded_in_a_linked_worktree_is_own_in_the_main_one(repository, tmp_path):
    git(repository, "worktree", "add", "-q", str(tmp_path / "beside"))
    run = make_run(open_here(tmp_path / "beside"))
    project = open_here(repository)

    assert is_own(project, resolve_run(project, run.id))


def test_tags_a_name_and_a_note_leave_a_run_own(repository):
    project = open_here(repository)
    run = make_run(project)
    tag_run(project, resolve_run(project, run.id), ["paper"])
    rename_run(project, resolve_run(project, run.id), "baseline")
    set_note(project, resolve_run(project, run.id), "as in the paper")

    assert is_own(project, resolve_run(project, run.id))


def test_a_continued_run_is_own(repository):
    project = open_here(repository)
    run = make_run(project)
    make_run(project, resume=run.id)

    assert is_own(project, resolve_run(project, run.id))


def test_a_fetched_run_is_not_own(repository, tmp_path):
    theirs = make_repository(tmp_path / "theirs")
    run = make_run(open_here(theirs))
    git(repository, "fetch", "-q", str(theirs), REFS)
    project = open_here(repository)

    assert not is_own(project, resolve_run(project, run.id))


def test_a_run_pushed_into_this_clone_is_not_own(repository, tmp_path):
    theirs = make_repository(tmp_path / "theirs")
    run = make_run(open_here(theirs))
    git(theirs, "push", "-q", str(repository), REFS)
    project = open_here(repository)

    assert not is_own(project, resolve_run(project, run.id))


def test_a_run_out_of_a_bundle_is_not_own(repository, tmp_path):
    theirs = make_repository(tmp_path / "theirs")
    run = make_run(open_here(theirs))
    git(theirs, "bundle", "create", "-q", str(tmp_path / "all.bundle"), "--all")
    git(repository, "fetch", "-q", str(tmp_path / "all.bundle"), REFS)
    project = open_here(repository)

    assert not is_own(project, resolve_run(project, run.id))


def test_ones_own_run_stays_own_when_it_is_fetched_back(repository, tmp_path):
    project = open_here(repository)
    run = make_run(project)
    git(repository, "clone", "-q", "--bare", str(repository), str(tmp_path / "bare"))
    git(repository, "push", "-q", str(tmp_path / "bare"), REFS)
    git(repository, "fetch", "-q", str(tmp_path / "bare"), REFS)

    assert is_own(project, resolve_run(project, run.id))


@pytest.mark.parametrize(
    "changes",
    [
        {"command": ("rm", "-rf", "/")},
        {"cwd": "elsewhere"},
        {"environment": {"packages": {"list": [{"name": "evil", "version": "1"}]}}},
        {"config": {"data": "elsewhere"}},
        {"data": {"train": {"path": "/etc"}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_record_put_in_the_place_of_ones_own_is_not_own(repository, changes):
    """Somebody else's commit on top of it, as an amendment looks, under the same ref."""
    project = open_here(repository)
    run = make_run(project)
    mine = resolve_run(project, run.id)
    record = make_record(id=run.id, **changes)
    git(repository, "update-ref", "-d", f"refs/repro/runs/{run.id}")
    theirs = write_run(project.repository, record)
    tree = git(repository, "rev-parse", f"{theirs.commit}^{{tree}}")
    parents = ["-p", str(mine.run.snapshot), "-p", mine.commit]
    amended = git(repository, "commit-tree", tree, *parents, "-m", "x")
    git(repository, "update-ref", f"refs/repro/runs/{run.id}", amended)

    assert not is_own(project, resolve_run(project, run.id))


@pytest.mark.parametrize(
    ("key", "value"), [("command", ["sh", "-c", "true"]), ("assigned", {"loader": "evil.so"})]
)
def test_an_amendment_that_changes_what_is_executed_alone_is_not_own(repository, key, value):
    project = open_here(repository)
    run = make_run(project)
    mine = resolve_run(project, run.id)
    facts = json.loads(git(repository, "show", f"{mine.commit}:run.json"))
    facts[key] = value
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=json.dumps(facts).encode())
    entries = git(repository, "ls-tree", mine.commit).split("\n")
    kept = [line for line in entries if not line.endswith("\trun.json")]
    listing = "\n".join([*kept, f"100644 blob {blob}\trun.json", ""])
    tree = git(repository, "mktree", stdin=listing.encode())
    parents = ["-p", str(mine.run.snapshot), "-p", mine.commit]
    amended = git(repository, "commit-tree", tree, *parents, "-m", "x")
    git(repository, "update-ref", f"refs/repro/runs/{run.id}", amended)

    assert not is_own(project, resolve_run(project, run.id))


def test_without_the_private_file_nothing_is_own(repository):
    project = open_here(repository)
    run = make_run(project)
    [place] = (repository / ".git/repro/own").iterdir()
    place.unlink()

    assert not is_own(project, resolve_run(project, run.id))


def test_the_facts_of_a_foreign_run_say_what_would_happen(repository):
    write_files(repository, {"train.py": "print('theirs')\nprint('more')\n"})
    project = make_data(repository, {"a.txt": "12345"})
    run = make_run(
        project,
        environment={
            "packages": {
                "list": [
                    {"name": "numpy", "version": "2.0"},
                    {"name": "evil", "version": "1", "origin": {"url": "git+https://x.org/evil"}},
                    {"name": "own", "version": "1", "origin": {"path": "."}},
                ]
            }
        },
    )
    git(repository, "checkout", "-q", "--", "train.py")
    record = resolve_run(project, run.id)

    facts = foreign_facts(project, replace(record, run=replace(record.run, user="Eve", host="h")))

    assert facts.command == ("python", "train.py")
    assert (facts.author, facts.host) == ("Eve", "h")
    assert facts.code == ("train.py | 3 ++-", "1 file changed, 2 insertions(+), 1 deletion(-)")
    assert facts.data == (("train", "data/train", 5),)
    assert facts.packages == (("evil", "git+https://x.org/evil"),)


def test_code_that_is_not_here_is_said_to_be_incomparable(repository):
    record = make_record(snapshot="1" * 40)

    [line] = foreign_facts(open_here(repository), record).code

    assert line.startswith("cannot be compared: ")


def test_equal_code_has_no_delta(repository):
    project = open_here(repository)
    run = make_run(project)

    assert foreign_facts(project, resolve_run(project, run.id)).code == ()


def test_code_that_only_the_record_has_is_said_to_be_there(repository, tmp_path):
    inner = make_repository(tmp_path / "inner", {"m.py": "old\n"})
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    git(repository, "commit", "-qm", "submodule")
    write_files(repository / "sub", {"m.py": "theirs\n"})
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)
    place = {"path": "vendor/x", "editable": True, "tree": "1" * 40}
    packages = {"list": [{"name": "x", "version": "1", "origin": place}]}

    facts = foreign_facts(project, replace(record, environment={"packages": packages}))

    assert facts.code[0] == "sub: a submodule, whose files the record brings"
    assert facts.packages == (("x", "the record"),)
