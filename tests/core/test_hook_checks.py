"""The checks of a commit, on what is staged."""

import os
from dataclasses import replace

import pytest
from tests.support import git, make_repository, write_files
from tests.support.datasets import commit_all, make_data
from tests.support.projects import ticking

from repro.core.hooks.pinned import find_unpinned
from repro.core.hooks.settings import find_invalid_settings, read_staged_settings
from repro.core.hooks.sizes import find_large_files
from repro.core.project import Project
from repro.errors import InvalidInputError
from repro.store.git import open_repository
from repro.store.settings import Settings
from repro.store.staged import list_changed, list_index, with_index_of_hook

LARGE = "snapshot: {max_file: 1KiB}\n"


def at(root, **environ):
    """The project as a hook sees it: by what is staged."""
    repository = with_index_of_hook(open_repository(root, os.environ), environ, root)
    project = Project(repository, Settings(), environ, ticking(), os.urandom)
    try:
        return replace(project, settings=read_staged_settings(project) or Settings())
    except InvalidInputError:
        return project


def found(findings):
    return [finding.what for finding in findings]


def stage(root, files):
    write_files(root, files)
    git(root, "add", "-A")


class TestLargeFiles:
    def test_a_staged_file_over_the_limit_is_named(self, repository):
        stage(repository, {"repro.yaml": LARGE, "big file.bin": b"x" * 1025, "fits": b"x" * 1024})

        [finding] = find_large_files(at(repository))

        assert finding.what.startswith("`big file.bin` is 1.0 KiB, more than `snapshot.max_file`")
        assert "repro data add 'big file.bin'" in finding.hint

    def test_what_is_not_staged_or_was_committed_before_is_not_named(self, repository):
        stage(repository, {"repro.yaml": LARGE, "old.bin": b"x" * 2000})
        git(repository, "commit", "-qm", "big")
        write_files(repository, {"new.bin": b"x" * 2000})

        assert find_large_files(at(repository)) == ()
        assert len(find_large_files(at(repository), ["old.bin", "new.bin"])) == 1

    def test_a_first_commit_is_looked_at_whole(self, tmp_path):
        root = tmp_path / "new"
        root.mkdir()
        git(root, "init", "-q")
        stage(root, {"repro.yaml": LARGE, "big.bin": b"x" * 2000})

        assert len(find_large_files(at(root))) == 1

    def test_links_submodules_and_deleted_files_have_no_size(self, repository, tmp_path):
        stage(repository, {"repro.yaml": LARGE, "big.bin": b"x" * 2000})
        git(repository, "commit", "-qm", "big")
        other = make_repository(tmp_path / "other")
        git(repository, "-c", "protocol.file.allow=always", "submodule", "add", str(other), "sub")
        (repository / "link").symlink_to("x" * 2000)
        (repository / "big.bin").unlink()
        git(repository, "add", "-A")

        assert find_large_files(at(repository)) == ()


class TestIndex:
    def test_the_index_that_git_names_counts(self, repository):
        stage(repository, {"one": "1\n"})
        other = repository / ".git/other"
        git(repository, "read-tree", f"--index-output={other}", "HEAD")

        assert [file.path for file in list_changed(at(repository).repository.git)] == ["one"]
        project = at(repository, GIT_INDEX_FILE=".git/other")
        assert list_changed(project.repository.git) == []

    def test_names_are_no_patterns_and_may_be_odd(self, repository):
        names = ["*.py", "a\nb", os.fsdecode(b"\xff"), ":(top)x"]
        stage(repository, dict.fromkeys(names, "1\n"))

        assert set(list_index(at(repository).repository.git, names)) == set(names)

    def test_thousands_of_names_are_asked_for_in_pieces(self, repository):
        names = [f"file-{n:04d}" for n in range(450)]
        stage(repository, dict.fromkeys(names, "1\n"))

        assert list(list_index(at(repository).repository.git, names)) == names


class TestSettings:
    def test_without_settings_nothing_is_wrong(self, repository):
        assert find_invalid_settings(at(repository)) == ()

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            ({"repro.yaml": "data: [\n"}, "`repro.yaml` line 2"),
            ({"repro.yaml": "store: x\nmetrix: a\n"}, "`repro.yaml` line 2: unknown key `metrix`"),
            ({"repro.yaml": "config: [p.yaml]\n", "p.yaml": "a: 1\nb: [\n"}, "`p.yaml` line 3"),
            ({"repro.yaml": "config: [p.json]\n", "p.json": '{"a": }'}, "`p.json` is not JSON"),
            ({"repro.yaml": "config: [p.toml]\n", "p.toml": "a = \n"}, "`p.toml` is not TOML"),
            ({"repro.yaml": "config: [p.yaml]\n"}, "there is no params file `p.yaml`"),
            ({"repro.yaml": "config: [p.py]\n", "p.py": "x"}, "`p.py` is not a kind of params"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line_with_its_place(self, repository, files, said):
        stage(repository, files)

        [what] = found(find_invalid_settings(at(repository)))

        assert what.startswith(said)
        assert "\n" not in what

    def test_what_is_staged_counts_not_what_lies_there(self, repository):
        stage(repository, {"repro.yaml": "config: [p.yaml]\n", "p.yaml": "a: 1\n"})
        write_files(repository, {"repro.yaml": "nonsense", "p.yaml": "["})
        assert find_invalid_settings(at(repository)) == ()

        git(repository, "add", "-A")
        write_files(repository, {"repro.yaml": "config: [p.yaml]\n"})
        assert len(find_invalid_settings(at(repository))) == 1

    def test_a_params_file_that_git_ignores_is_read_where_it_lies(self, repository):
        stage(repository, {"repro.yaml": "config: [p.yaml]\n", ".gitignore": "p.yaml\n"})
        write_files(repository, {"p.yaml": "a: [\n"})

        assert found(find_invalid_settings(at(repository)))[0].startswith("`p.yaml` line 2")


class TestLock:
    def test_a_dataset_as_it_is_pinned_is_fine(self, repository):
        make_data(repository)
        git(repository, "add", "-A")

        assert find_unpinned(at(repository)) == ()

    def test_a_dataset_that_changed_is_named_with_the_command(self, repository):
        make_data(repository)
        commit_all(repository)
        write_files(repository, {"data/train/one.bin": "changed\n"})

        [finding] = find_unpinned(at(repository))

        assert finding.what == "dataset `train` changed, and `repro.lock` does not say so"
        assert finding.hint == "`repro data add train`, then `git add repro.lock`"

    def test_a_lock_that_is_not_staged_is_named(self, repository):
        make_data(repository)
        commit_all(repository)
        write_files(repository, {"data/train/one.bin": "changed\n"})
        make_data(repository, {"one.bin": "changed\n"})

        [finding] = find_unpinned(at(repository))

        assert finding.hint == "`git add repro.lock`"

    def test_a_dataset_that_was_never_pinned_is_named(self, repository):
        stage(repository, {"repro.yaml": "data: {train: data}\n", "data/a": "1\n"})

        assert found(find_unpinned(at(repository))) == [
            "dataset `train` is not pinned by `repro.lock`"
        ]

    def test_a_dataset_that_is_not_here_stops_nobody(self, repository):
        make_data(repository)
        commit_all(repository)
        for path in sorted((repository / "data").rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        (repository / "data").rmdir()

        assert find_unpinned(at(repository)) == ()

    def test_a_conflict_in_the_lock_is_said(self, repository):
        make_data(repository)
        write_files(repository, {"repro.lock": "<<<<<<< ours\n=======\n>>>>>>> theirs\n"})
        git(repository, "add", "-A")

        assert found(find_unpinned(at(repository))) == [
            "`repro.lock` line 1: a merge left a conflict here"
        ]
