import pytest

from repro.core.prefixes import link_prefix


@pytest.fixture
def prefix(tmp_path):
    folder = tmp_path / "old/.venv"
    (folder / "bin").mkdir(parents=True)
    return folder


def test_an_environment_is_a_folder_of_links_that_git_ignores(tmp_path, prefix):
    tree = tmp_path / "new"
    tree.mkdir()

    assert link_prefix(tree, [str(tmp_path / "old")], str(prefix), prefix)

    assert (tree / ".venv/bin").readlink() == prefix / "bin"
    assert (tree / ".venv/.gitignore").read_text() == "*\n"


@pytest.mark.parametrize("recorded", [None, "/usr", "{root}/../out", "{root}/.git/x", "{root}/"])
def test_one_that_was_not_in_the_tree_is_not_put_there(tmp_path, prefix, recorded):
    tree = tmp_path / "new"
    tree.mkdir()
    named = recorded and recorded.format(root=tmp_path / "old")

    assert not link_prefix(tree, [str(tmp_path / "old")], named, prefix)

    assert list(tree.iterdir()) == []


def test_nothing_is_written_through_a_link_of_the_tree(tmp_path, prefix):
    tree, outside = tmp_path / "new", tmp_path / "outside"
    tree.mkdir()
    outside.mkdir()
    (tree / "sub").symlink_to(outside)

    assert not link_prefix(tree, [str(tmp_path / "old")], f"{tmp_path}/old/sub/env", prefix)

    assert list(outside.iterdir()) == []
