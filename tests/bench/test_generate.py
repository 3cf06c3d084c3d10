"""The generator of large repositories makes what any repro reads."""

from pathlib import Path

from repro.store.objects import reading
from repro.store.refs import RunRefs
from repro.store.runs import read_record, read_series
from tests.bench.generate import build, make_base, make_record, write_runs
from tests.support import git

N = 30


def test_each_generated_run_reads_back_as_it_was_made(tmp_path: Path) -> None:
    repository, base = make_base(tmp_path / "many")
    made = {(record := make_record(number, base)).run.id: record for number in range(N)}
    write_runs(repository, made.values(), base=base)

    commits = RunRefs(repository).commits
    with reading(repository) as objects:
        read = {run_id: read_record(objects, commit) for run_id, commit in commits.items()}
        last = read_series(objects, commits[record.run.id])["val_loss"][-1]

    assert {run_id: (one.run, repr(one.config)) for run_id, one in read.items()} == {
        run_id: (one.run, repr(one.config)) for run_id, one in made.items()
    }
    assert all(len(one.metrics) in (19, 20) for one in read.values())
    assert last[:2] == (99, record.metrics["val_loss"].last)


def test_a_generated_repository_is_sound_for_git_with_all_refs_packed(tmp_path: Path) -> None:
    repository = build(tmp_path / "many", N, n_values=6)
    root = repository.root

    git(root, "fsck", "--strict")
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main"
    assert not (repository.common_dir / "refs/repro").exists()
    assert len(RunRefs(repository).commits) == N


def test_runs_are_added_beside_those_that_are_there(tmp_path: Path) -> None:
    repository, base = make_base(tmp_path / "many")
    for start in (0, N):
        records = [make_record(number, base) for number in range(start, start + N)]
        write_runs(repository, records, base=base)

    assert len(RunRefs(repository).commits) == 2 * N
