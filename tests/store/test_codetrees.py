import pytest
from tests.support import git, write_files
from tests.support.projects import make_run, open_here

from repro.store.codetrees import FILE, find_same_code, order_by_date
from repro.store.refs import RunRefs


@pytest.fixture
def runs(repository):
    """Two runs of one code and one of another, with the repository."""
    project = open_here(repository)
    first = make_run(project)
    write_files(repository, {"train.py": "2\n"})
    others = [make_run(project) for _ in range(2)]
    return project.repository, first.id, [run.id for run in others]


def tree_of(root, run):
    return git(root, "rev-parse", f"refs/repro/runs/{run}^1^{{tree}}")


def test_the_runs_of_a_tree_are_found_clean_or_not(runs):
    repository, first, others = runs
    commits = RunRefs(repository).commits

    assert find_same_code(repository, commits, tree_of(repository.root, first)) == [first]
    found = find_same_code(repository, commits, tree_of(repository.root, others[0]))
    assert found == sorted(others)
    assert find_same_code(repository, commits, "0" * 40) == []


@pytest.mark.parametrize("junk", [b"", b"\xff\n", b"abc", b"0" * 40 + b" " + b"1" * 39])
def test_the_file_is_only_a_cache(runs, junk):
    repository, first, _ = runs
    commits = RunRefs(repository).commits
    tree = tree_of(repository.root, first)
    path = repository.private / FILE
    path.write_bytes(junk)

    for _ in range(2):
        assert find_same_code(repository, commits, tree) == [first]
    assert path.read_bytes().startswith(junk)
    path.unlink()
    path.mkdir()
    assert find_same_code(repository, commits, tree) == [first]


def test_what_is_known_is_not_asked_again(runs):
    repository, first, _ = runs
    tree = tree_of(repository.root, first)
    find_same_code(repository, RunRefs(repository).commits, tree)
    size = (repository.private / FILE).stat().st_size

    find_same_code(repository, RunRefs(repository).commits, tree)

    assert (repository.private / FILE).stat().st_size == size == 3 * 82


def test_a_commit_that_is_gone_is_passed_over(runs):
    repository, first, _ = runs
    commits = {**RunRefs(repository).commits, "gone": "1" * 40}

    assert find_same_code(repository, commits, tree_of(repository.root, first)) == [first]


def test_the_newest_commits_come_first(runs):
    repository, _, _ = runs
    commits = RunRefs(repository).commits
    dates = {
        commit: int(git(repository.root, "show", "-s", "--format=%ct", commit))
        for commit in commits.values()
    }

    newest = order_by_date(repository, list(commits.values()))

    assert [dates[commit] for commit in newest] == sorted(dates.values(), reverse=True)
