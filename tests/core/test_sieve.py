import os
import time

import pytest
from tests.support import git
from tests.support.projects import make_run, open_here
from tests.support.secrets import make_secret

from repro.core.query import resolve_run
from repro.core.restore import check_out
from repro.core.undo import undo
from repro.store.objects import read_file, reading

SECRET = make_secret("github")
LEAKY = f'import os\nKEY = "{SECRET}"\n'


def record(root, **request):
    """A run, its warnings, what it left out, and a reader of its code."""
    project = open_here(root, time.time)
    run = make_run(project, **request)

    def code(path):
        with reading(project.repository) as objects:
            return read_file(objects, run.snapshot, path)

    return run, code


def left_out(run):
    return [(one.path, one.reason) for one in run.omitted]


def test_an_untracked_file_with_a_secret_is_left_out_and_named(repository):
    (repository / "a.py").write_text(LEAKY)
    (repository / "b.py").write_text("x = 1\n")
    run, code = record(repository)
    assert left_out(run) == [("a.py", "holds a secret")]
    assert (code("a.py"), code("b.py")) == (None, b"x = 1\n")
    [warning] = run.warnings
    assert warning.startswith("`a.py` is not in the record: line 2 holds a secret (GitHub token); ")
    assert SECRET not in warning


def test_a_tracked_file_with_a_new_secret_stays_as_head_has_it(repository):
    (repository / "train.py").write_text("x = 1\n")
    git(repository, "add", "train.py")
    git(repository, "commit", "-qm", "code")
    (repository / "train.py").write_text(LEAKY)
    run, code = record(repository)
    assert (left_out(run), code("train.py")) == ([("train.py", "holds a secret")], b"x = 1\n")
    [warning] = run.warnings
    assert warning.startswith("`train.py` is in the record as HEAD has it: line 2 holds a secret (")


def test_a_secret_in_a_staged_file_is_in_no_snapshot(repository):
    (repository / "train.py").write_text("x = 1\n")
    git(repository, "add", "train.py")
    git(repository, "commit", "-qm", "code")
    (repository / "train.py").write_text(LEAKY)
    (repository / "new.py").write_text(LEAKY)
    (repository / "other.py").write_text("y = 1\n")
    git(repository, "add", ".")
    run, code = record(repository)
    assert left_out(run) == [("new.py", "holds a secret"), ("train.py", "holds a secret")]
    assert [code(path) for path in ("train.py", "new.py", "other.py")] == [
        b"x = 1\n",
        None,
        b"y = 1\n",
    ]


def test_before_the_first_commit_a_staged_secret_is_left_out(tmp_path):
    root = tmp_path / "new"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a.py").write_text(LEAKY)
    (root / "b.py").write_text("x = 1\n")
    git(root, "add", ".")
    run, code = record(root)
    assert (left_out(run), code("a.py"), code("b.py")) == (
        [("a.py", "holds a secret")],
        None,
        b"x = 1\n",
    )


def test_an_edit_hidden_from_git_is_searched(repository):
    (repository / "local.py").write_text("x = 1\n")
    git(repository, "add", "local.py")
    git(repository, "commit", "-qm", "code")
    git(repository, "update-index", "--assume-unchanged", "local.py")
    (repository / "local.py").write_text(LEAKY)
    run, code = record(repository)
    assert (left_out(run), code("local.py")) == ([("local.py", "holds a secret")], b"x = 1\n")


def test_a_secret_that_head_has_already_hides_no_other_edit(repository):
    (repository / "train.py").write_text(LEAKY)
    git(repository, "add", "train.py")
    git(repository, "commit", "-qm", "oh")
    (repository / "train.py").write_text(LEAKY + "x = 1\n")
    run, code = record(repository)
    assert (left_out(run), code("train.py")) == ([], LEAKY.encode() + b"x = 1\n")


def test_the_files_of_the_user_and_the_index_stay_as_they_are(repository):
    (repository / "a.py").write_text(LEAKY)
    git(repository, "add", "a.py")
    before = git(repository, "ls-files", "-s"), (repository / "a.py").read_text()
    record(repository)
    assert (git(repository, "ls-files", "-s"), (repository / "a.py").read_text()) == before


def test_an_allowed_secret_is_recorded(repository):
    (repository / "a.py").write_text(LEAKY)
    run, _ = record(repository)
    words = run.warnings[0].partition("`git config")[2].partition("`")[0].split()
    git(repository, "config", *words)
    run, code = record(repository)
    assert (left_out(run), code("a.py")) == ([], LEAKY.encode())


def test_a_key_in_a_link_is_not_followed(repository, tmp_path):
    (tmp_path / "id_rsa").write_text(make_secret("pem"))
    (repository / "link").symlink_to(tmp_path / "id_rsa")
    run, code = record(repository)
    assert (left_out(run), code("link")) == ([], str(tmp_path / "id_rsa").encode())


def test_a_named_pipe_does_not_stop_the_run(repository):
    os.mkfifo(repository / "pipe")
    run, _ = record(repository)
    assert left_out(run) == []


def test_a_secret_in_a_repository_inside_is_left_out(repository):
    inner = repository / "lib"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "a.py").write_text(LEAKY)
    (inner / "b.py").write_text("x = 1\n")
    run, _ = record(repository)
    assert left_out(run) == [("lib/a.py", "holds a secret")]


def test_a_file_that_got_a_secret_since_it_was_clean_is_searched_again(repository):
    place = repository / "a.py"
    place.write_text("x = 1\n" + "#" * (len(LEAKY) - 7) + "\n")
    old = time.time() - 100
    os.utime(place, (old, old))
    record(repository)
    place.write_text(LEAKY)
    os.utime(place, (old, old))
    run, _ = record(repository)
    assert left_out(run) == [("a.py", "holds a secret")]


@pytest.mark.parametrize("damage", [b"x", b"\0" * 160, b"\0" * (2 << 20)])
def test_a_damaged_list_of_clean_files_hides_nothing(repository, damage):
    (repository / "b.py").write_text("x = 1\n")
    record(repository)
    (repository / ".git/repro/clean").write_bytes(damage)
    (repository / "a.py").write_text(LEAKY)
    run, _ = record(repository)
    assert left_out(run) == [("a.py", "holds a secret")]


def test_a_checkout_leaves_an_untracked_file_with_a_secret_where_it_is(repository):
    (repository / "a.py").write_text(LEAKY)
    run, _ = record(repository)
    (repository / "b.py").write_text("x = 1\n")
    project = open_here(repository)
    check_out(project, resolve_run(project, run.id), save=True)
    assert ((repository / "a.py").read_text(), (repository / "b.py").exists()) == (LEAKY, False)


def test_a_checkout_puts_a_tracked_file_with_a_secret_where_undo_finds_it(repository):
    (repository / "train.py").write_text("x = 1\n")
    git(repository, "add", "train.py")
    git(repository, "commit", "-qm", "code")
    (repository / "train.py").write_text(LEAKY)
    run, _ = record(repository)
    project = open_here(repository)
    check_out(project, resolve_run(project, run.id), save=True)
    assert (repository / "train.py").read_text() == "x = 1\n"
    undo(project)
    assert (repository / "train.py").read_text() == LEAKY
