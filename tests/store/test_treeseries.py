"""Many trees, told as what changes from one to the next."""

import pytest
from tests.support import git, write_files
from tests.support.records import open_at

from repro.errors import UsageError
from repro.store import treeseries
from repro.store.treeseries import count_differing_files, find_trees, list_tree_changes


def write_tree(root, files) -> str:
    git(root, "rm", "-rqf", "--cached", "--ignore-unmatch", ".")
    for path in root.iterdir():
        if path.is_file():
            path.unlink()
    write_files(root, files)
    git(root, "add", "-A")
    return git(root, "write-tree")


def blob(root, text: str) -> str:
    return git(root, "hash-object", "--stdin", stdin=text.encode())


def series(root, trees, *pathspecs, cwd=None):
    missing = []
    found = list_tree_changes(
        open_at(root).git, trees, pathspecs=pathspecs, cwd=cwd, on_missing=missing.append
    )
    return [(tree, dict(changes)) for tree, changes in found], missing


def test_each_tree_is_told_from_the_one_before(repository, monkeypatch):
    one = write_tree(repository, {"a.py": "1", "b c\n.py": "2"})
    two = write_tree(repository, {"a.py": "3", "d/e.py": "4"})
    (repository / "a.py").unlink()
    (repository / "a.py").symlink_to("d/e.py")
    git(repository, "add", "-A")
    three = git(repository, "write-tree")

    expected = [
        (one, {"a.py": blob(repository, "1"), "b c\n.py": blob(repository, "2")}),
        (two, {"a.py": blob(repository, "3"), "b c\n.py": None, "d/e.py": blob(repository, "4")}),
        (three, {"a.py": None}),
    ]
    assert series(repository, [one, two, three]) == (expected, [])
    monkeypatch.setattr(treeseries, "_BATCH", 1)
    assert series(repository, [one, two, three]) == (expected, [])


def test_no_tree_is_no_question(repository):
    assert series(repository, []) == ([], [])


def test_pathspecs_choose_as_git_reads_them(repository):
    tree = write_tree(repository, {"a.py": "1", "b.txt": "2", "d/e.py": "3"})

    def chosen(*words, cwd=None):
        return set(series(repository, [tree], *words, cwd=cwd)[0][0][1])

    assert chosen("*.py") == {"a.py", "d/e.py"}
    assert chosen(":(exclude)*.py") == {"b.txt"}
    assert chosen("e.py", cwd=repository / "d") == {"d/e.py"}
    assert chosen("-x") == set()
    with pytest.raises(UsageError, match="a pathspec is wrong"):
        chosen(":(nonsense)x")


def test_a_tree_that_cannot_be_read_hides_no_other(repository):
    trees = [write_tree(repository, {"a": str(n), "d/b": str(n)}) for n in range(4)]
    lost = git(repository, "rev-parse", f"{trees[1]}:d")
    (repository / f".git/objects/{lost[:2]}/{lost[2:]}").unlink()
    found, missing = series(repository, trees)

    assert missing == [trees[1]]
    assert [tree for tree, _ in found] == [trees[0], trees[2], trees[3]]
    assert found[1][1] == {"a": blob(repository, "2"), "d/b": blob(repository, "2")}


def test_commits_have_trees_and_what_is_none_is_left_out(repository):
    head, tree = git(repository, "rev-parse", "HEAD", "HEAD^{tree}").split("\n")
    opened = open_at(repository)

    assert find_trees(opened.git, [head, "1" * 40]) == {head: tree}
    assert find_trees(opened.git, []) == {}


def test_files_that_differ_are_counted_from_one_tree(repository):
    first, second, third = (
        write_tree(repository, files)
        for files in ({"a": "1", "b": "1"}, {"a": "2", "b": "1"}, {"c": "1", "d/e": "1"})
    )
    git_here = open_at(repository).git

    counted = count_differing_files(git_here, first, [first, second, third])
    assert counted == {first: 0, second: 1, third: 4}
    assert count_differing_files(git_here, first, [first]) == {first: 0}
    lost = git(repository, "rev-parse", f"{third}:d")
    (repository / f".git/objects/{lost[:2]}/{lost[2:]}").unlink()
    counted = count_differing_files(git_here, first, [second, third])
    assert counted == {first: 0, second: 1, third: None}
