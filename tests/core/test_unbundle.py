"""Runs taken in from a bundle: vetted, never half, their bytes believed for nothing but sha256."""

from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.datasets import add_data
from tests.support.projects import make_run, open_here

from repro.core.bundle import bundle_runs
from repro.core.query import resolve_run
from repro.core.unbundle import PLACE, look_into, unbundle_runs
from repro.errors import DamagedRecordError, InvalidInputError
from repro.store.content import ContentStore
from repro.store.refs import REMOTES, RUNS, list_refs


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "other")


def bundled(root: Path, *ids: str, with_data: bool = False) -> Path:
    project = open_here(root)
    target = root.parent / "x.bundle"
    records = [resolve_run(project, run_id) for run_id in ids]
    bundle_runs(project, records, target, with_data=with_data, replace=True)
    return target


def everything(root: Path) -> dict[str, str]:
    return list_refs(open_here(root).repository.git, "refs/")


def test_a_run_is_the_same_where_it_is_taken_in(repository: Path, other: Path) -> None:
    run = make_run(open_here(repository), {"loss": 0.5})
    commit = git(repository, "rev-parse", RUNS + run.id)

    done = unbundle_runs(open_here(other), bundled(repository, run.id))

    assert (done.new, done.refused) == ((run.id,), ())
    assert git(other, "rev-parse", f"{REMOTES}{PLACE}/{run.id}") == commit
    assert resolve_run(open_here(other), run.id).run == run
    git(other, "fsck", "--strict")


def test_taking_it_in_again_changes_nothing(repository: Path, other: Path) -> None:
    run = make_run(open_here(repository))
    target = bundled(repository, run.id)
    unbundle_runs(open_here(other), target)
    before = everything(other)

    done = unbundle_runs(open_here(other), target)

    assert (done.new, done.moved, done.kept) == ((), (), 0)
    assert everything(other) == before


def test_the_crate_itself_leaves_nothing_behind(repository: Path, other: Path) -> None:
    run = make_run(open_here(repository))
    target = bundled(repository, run.id)
    unbundle_runs(open_here(other), target)

    crate = git(repository, "bundle", "list-heads", str(target), "refs/heads/crate").split()[0]
    assert git(other, "cat-file", "--batch-check", stdin=crate.encode()) == f"{crate} missing"


def test_kept_bytes_that_a_run_wants_go_to_the_content_store(repository: Path, other: Path) -> None:
    write_files(repository, {"data/a": "1\n", "data/b": "22\n"})
    add_data(repository, "data", keep=True)
    run = make_run(open_here(repository))
    target = bundled(repository, run.id, with_data=True)

    assert unbundle_runs(open_here(other), target, with_data=False).kept == 0
    done = unbundle_runs(open_here(other), target)

    here, there = (ContentStore(open_here(root).store) for root in (repository, other))
    assert (done.kept, done.size) == (2, 5)
    kept = {digest for digest, _ in there.entries()}
    assert kept
    assert kept <= {digest for digest, _ in here.entries()}
    for digest in kept:
        there.verify(digest)


def test_bytes_that_no_run_wants_are_not_kept(repository: Path, other: Path) -> None:
    run = make_run(open_here(repository))
    target = bundled(repository, run.id)
    foreign = repository.parent / "foreign"
    git(repository.parent, "clone", "-q", "--mirror", str(target), str(foreign))
    blob = git(foreign, "hash-object", "-w", "--stdin", stdin=b"evil")
    inner = git(foreign, "mktree", stdin=f"100644 blob {blob}\tx\n".encode())
    outer = "".join(f"040000 tree {inner}\t{name}\n" for name in ("data", "stored"))
    tree = git(foreign, "mktree", stdin=outer.encode())
    crate = git(foreign, "commit-tree", tree, "-m", "crate")
    git(foreign, "update-ref", "refs/heads/crate", crate)
    git(foreign, "bundle", "create", "-q", str(target), "--all")

    done = unbundle_runs(open_here(other), target)

    assert (done.new, done.kept) == ((run.id,), 0)
    assert list(ContentStore(open_here(other).store).entries()) == []


def test_a_bundle_that_is_cut_anywhere_changes_nothing(repository: Path, other: Path) -> None:
    run = make_run(open_here(repository), {"loss": 0.5})
    whole = bundled(repository, run.id).read_bytes()
    before = everything(other)
    cut = repository.parent / "cut.bundle"
    for length in range(0, len(whole), max(len(whole) // 12, 1)):
        cut.write_bytes(whole[:length])
        with pytest.raises((DamagedRecordError, InvalidInputError), match=r"cut\.bundle"):
            unbundle_runs(open_here(other), cut)
        assert everything(other) == before


def test_a_flipped_bit_is_found(repository: Path, other: Path) -> None:
    run = make_run(open_here(repository), {"loss": 0.5})
    whole = bytearray(bundled(repository, run.id).read_bytes())
    whole[-200] ^= 4
    bad = repository.parent / "bad.bundle"
    bad.write_bytes(whole)
    before = everything(other)

    done = unbundle_runs(open_here(other), bad)

    [refusal] = done.refused
    assert (refusal.run, refusal.hint) == (run.id, "get the file again")
    assert "the file is damaged" in refusal.reason
    assert everything(other) == before


def test_a_bad_run_is_refused_by_name_and_the_others_come(repository: Path, other: Path) -> None:
    project = open_here(repository)
    good, bad = make_run(project), make_run(project)
    target = bundled(repository, good.id)
    foreign = repository.parent / "foreign"
    git(repository.parent, "clone", "-q", "--mirror", str(target), str(foreign))
    # The record of one run under the id of another.
    commit = git(foreign, "rev-parse", RUNS + good.id)
    git(foreign, "update-ref", RUNS + bad.id, commit)
    git(foreign, "bundle", "create", "-q", str(target), "--all")

    done = unbundle_runs(open_here(other), target)

    assert done.new == (good.id,)
    assert [refusal.run for refusal in done.refused] == [bad.id]


def test_a_bundle_without_runs_says_so(repository: Path, other: Path) -> None:
    target = repository.parent / "plain.bundle"
    git(repository, "bundle", "create", "-q", str(target), "HEAD")
    with pytest.raises(InvalidInputError, match="no runs"):
        look_into(open_here(other), target)


def test_what_a_thin_bundle_of_git_needs_is_named(repository: Path, other: Path) -> None:
    run = make_run(open_here(repository))
    base = git(repository, "rev-parse", "HEAD")
    target = repository.parent / "thin.bundle"
    git(repository, "bundle", "create", "-q", str(target), f"^{base}", RUNS + run.id)
    git(other, "commit", "-q", "--allow-empty", "--amend", "-m", "another history")
    git(other, "reflog", "expire", "--expire=now", "--all")
    git(other, "gc", "-q", "--prune=now")
    with pytest.raises(InvalidInputError, match=base[:10]):
        look_into(open_here(other), target)


def test_a_bundle_of_another_object_format_is_refused(repository: Path, tmp_path: Path) -> None:
    run = make_run(open_here(repository))
    target = bundled(repository, run.id)
    sha256 = tmp_path / "sha256"
    git(tmp_path, "init", "-q", "--object-format=sha256", str(sha256))
    with pytest.raises(InvalidInputError, match="sha1"):
        look_into(open_here(sha256), target)
