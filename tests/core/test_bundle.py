"""Bundles: read by git alone, whole or not there at all, and refused where they could not be."""

import json
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.datasets import add_data
from tests.support.projects import begin, make_run, open_here

from repro.core.bundle import CRATE, bundle_runs
from repro.core.query import resolve_run
from repro.errors import InvalidInputError, MissingDataError, UsageError


def bundled(root: Path, *ids: str, **options: bool) -> Path:
    project = open_here(root)
    target = root.parent / "x.bundle"
    records = [resolve_run(project, run_id) for run_id in ids]
    bundle_runs(project, records, target, **options)  # type: ignore[arg-type]  # by name
    return target


def cloned(target: Path) -> Path:
    out = target.parent / "out"
    git(target.parent, "clone", "-q", str(target), str(out))
    return out


def test_git_alone_clones_the_crate_of_a_run(repository: Path) -> None:
    write_files(repository, {"train.py": "print(1)\n", "new.py": "new\n"})
    run = make_run(open_here(repository), {"loss": 0.5})

    out = cloned(bundled(repository, run.id))

    assert (out / f"runs/{run.id}/code/new.py").read_text() == "new\n"
    record = json.loads((out / f"runs/{run.id}/record/run.json").read_bytes())
    assert record["id"] == run.id
    graph = json.loads((out / "ro-crate-metadata.json").read_bytes())["@graph"]
    assert f"#run-{run.id}" in {entity["@id"] for entity in graph}
    for entity in graph:
        if entity.get("@type") == "File":
            assert (out / entity["@id"]).is_file(), entity


def test_the_runs_themselves_are_in_it_with_the_history_of_their_code(repository: Path) -> None:
    run = make_run(open_here(repository))
    target = bundled(repository, run.id)

    empty = repository.parent / "empty"
    git(repository.parent, "init", "-q", str(empty))
    git(empty, "fetch", "-q", str(target), "refs/repro/*:refs/repro/*")

    commit = git(repository, "rev-parse", f"refs/repro/runs/{run.id}")
    assert git(empty, "rev-parse", f"refs/repro/runs/{run.id}") == commit
    assert git(empty, "fsck", "--strict", "--no-dangling") == ""


def test_the_same_runs_give_the_same_crate(repository: Path) -> None:
    run = make_run(open_here(repository), {"loss": 0.5})
    first = bundled(repository, run.id)
    heads = [git(repository, "bundle", "list-heads", str(first), CRATE)]
    bundled(repository, run.id, replace=True)
    heads.append(git(repository, "bundle", "list-heads", str(first), CRATE))
    assert heads[0] == heads[1]


def test_data_are_in_it_only_when_asked(repository: Path) -> None:
    write_files(repository, {"data/a b": "1\n", "data/deep/c": "2\n"})
    add_data(repository, "data", keep=True)
    run = make_run(open_here(repository))

    assert not (cloned(bundled(repository, run.id)) / "data").exists()
    git(repository.parent, "init", "-q", "gone")
    target = bundled(repository, run.id, replace=True, with_data=True)
    other = target.parent / "other"
    git(target.parent, "clone", "-q", str(target), str(other))
    assert (other / "data/data/a b").read_text() == "1\n"
    assert (other / "data/data/deep/c").read_text() == "2\n"


def test_data_that_are_gone_are_named_and_no_file_is_made(repository: Path) -> None:
    write_files(repository, {"data/a": "1\n"})
    add_data(repository, "data", keep=False)
    run = make_run(open_here(repository))
    (repository / "data/a").write_text("changed\n")

    with pytest.raises(MissingDataError, match=run.id):
        bundled(repository, run.id, with_data=True)
    assert list(repository.parent.glob("*.bundle*")) == []


def test_a_file_that_is_there_is_replaced_only_on_request(repository: Path) -> None:
    run = make_run(open_here(repository))
    target = repository.parent / "x.bundle"
    target.write_text("mine")

    with pytest.raises(InvalidInputError, match="is there already"):
        bundled(repository, run.id)
    assert target.read_text() == "mine"
    bundled(repository, run.id, replace=True)
    assert target.read_bytes().startswith(b"# v2 git bundle\n")


def test_a_run_in_progress_is_refused(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    with pytest.raises(UsageError, match="in progress"):
        bundled(repository, live.id)
    live.journal.close()


def test_a_shallow_clone_says_what_it_lacks(repository: Path) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")
    shallow = repository.parent / "shallow"
    git(repository.parent, "clone", "-q", "--depth", "1", repository.as_uri(), str(shallow))
    run = make_run(open_here(shallow))
    with pytest.raises(InvalidInputError, match="shallow"):
        bundled(shallow, run.id)
