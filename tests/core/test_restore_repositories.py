"""In place, in repositories of every form and with settings of every kind."""

import shutil

import pytest
from tests.store.forms import FORMS, submodule_inside
from tests.support import git, write_files
from tests.support.checkouts import assert_is_run, check_out_run, record
from tests.support.projects import open_here
from tests.support.trees import read_folder, read_state

from repro.core.beside import check_out_beside
from repro.core.query import resolve_run
from repro.core.restore import check_out
from repro.core.undo import undo
from repro.errors import (
    UnsupportedRepositoryError,
    WouldLoseWorkError,
)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_repository_is_restored_and_undone(tmp_path, form):
    root = FORMS[form](tmp_path)
    write_files(root, {"train.py": "print('edited')\n", "pkg/new.py": "new\n"})
    run = record(root)
    git(root, "checkout", "-q", "--", ".")
    (root / "pkg/new.py").unlink()
    write_files(root, {"pkg/model.py": "WIDTH = 9\n", "pkg/mine.py": "mine\n", "a.log": "log\n"})
    git(root, "add", "pkg/mine.py")
    before = read_state(root)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(root, run)
    assert refused.value.paths == ("pkg/mine.py", "pkg/model.py")
    check_out_run(root, run, save=True)
    assert_is_run(root, run)
    assert (root / "train.py").read_text() == "print('edited')\n"
    assert (root / "pkg/new.py").read_text() == "new\n"
    undo(open_here(root))

    after = read_state(root)
    if form == "split-index":  # comes back as one file
        assert git(root, "ls-files", "-s") != ""
        before.pop("index"), after.pop("index")
    assert before == after
    git(root, "status")
    git(root, "fsck", "--connectivity-only")


@pytest.mark.parametrize("content", ["edited\n", "outside of the cone\n"])
def test_files_outside_the_cone_come_back(tmp_path, content):
    root = FORMS["sparse"](tmp_path)
    run = record(root)
    write_files(root, {"far/away.txt": content, "far/new.txt": "new\n"})
    before = read_state(root)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(root, run)
    check_out_run(root, run, save=True)
    assert_is_run(root, run)
    undo(open_here(root))

    edited = ("far/away.txt",) if content == "edited\n" else ()
    assert refused.value.paths == (*edited, "far/new.txt")
    assert before == read_state(root)


SETTINGS = {
    "index.version": "4",
    "core.untrackedCache": "true",
    "core.splitIndex": "true",
    "core.autocrlf": "true",
    "core.fileMode": "false",
    "core.logAllRefUpdates": "false",
    "checkout.workers": "2",
    "submodule.recurse": "true",
    "core.preloadIndex": "false",
    "index.threads": "2",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_the_user_do_no_harm(repository, dirty, name):
    git(repository, "config", name, SETTINGS[name])
    git(repository, "update-index", "--force-write-index", "--refresh")
    git(repository, "status")
    write_files(repository, {"kept.txt": "mine\n", "mine.txt": "mine\n"})
    before = read_state(repository)

    check_out_run(repository, dirty, save=True)
    assert_is_run(repository, dirty)
    undo(open_here(repository))

    after = read_state(repository)
    if name == "core.splitIndex":  # comes back as one file
        before.pop("index"), after.pop("index")
    assert before == after


def test_a_path_with_the_separator_of_lists_in_it(tmp_path, repository, monkeypatch):
    monkeypatch.setattr("repro.store.quarantine.MEMORY", tmp_path / "nowhere")
    root = tmp_path / 'a:b "c"\\d'
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write_files(root, {"train.py": "1\n"})
    run = record(root)
    write_files(root, {"train.py": "2\n"})
    before = read_state(root)

    check_out_run(root, run, save=True)
    undo(open_here(root))

    assert before == read_state(root)


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_large_files_of_lfs_come_back_whole(repository, tmp_path):
    git(repository, "lfs", "install", "--local")
    git(repository, "lfs", "track", "*.bin")
    write_files(repository, {"a.bin": b"committed" * 999})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "with lfs")
    write_files(repository, {"a.bin": b"run" * 999, "b.bin": b"new" * 999})
    files = read_folder(repository)
    run = record(repository)
    git(repository, "checkout", "-q", "--", "a.bin")
    (repository / "b.bin").unlink()
    write_files(repository, {"a.bin": b"mine" * 999})
    before = read_state(repository)
    shutil.rmtree(repository / ".git/lfs/objects")

    project = open_here(repository)
    check_out_beside(project, resolve_run(project, run), tmp_path / "beside")
    assert files == read_folder(tmp_path / "beside")
    done = check_out_run(repository, run, save=True)
    assert files == read_folder(repository)
    assert done.differing == ()
    shutil.rmtree(repository / ".git/lfs/objects")
    undo(open_here(repository))

    assert before == read_state(repository)


def test_before_the_first_commit(tmp_path, repository):
    root = tmp_path / "unborn"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write_files(root, {"train.py": "1\n"})
    run = record(root)
    write_files(root, {"train.py": "2\n", "other.py": "3\n"})
    git(root, "add", "other.py")
    before = read_state(root)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(root, run)
    check_out_run(root, run, save=True)
    assert_is_run(root, run)
    assert read_folder(root) == {"train.py": ("file", b"1\n")}
    undo(open_here(root))

    assert refused.value.paths == ("other.py", "train.py")
    assert before == read_state(root)


def test_before_the_first_commit_without_any_file(tmp_path, repository):
    root = tmp_path / "unborn"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write_files(root, {"train.py": "1\n"})
    run = record(root)
    (root / "train.py").unlink()
    before = read_state(root)

    check_out_run(root, run)
    assert read_folder(root) == {"train.py": ("file", b"1\n")}
    undo(open_here(root))

    assert before == read_state(root)


def test_from_a_detached_head(repository, dirty):
    git(repository, "checkout", "-q", "--detach")
    first = git(repository, "rev-parse", "HEAD")
    before = read_state(repository)

    check_out_run(repository, dirty)
    git(repository, "switch", "-q", "--detach", "-")
    assert first == git(repository, "rev-parse", "HEAD")
    check_out_run(repository, dirty)
    undo(open_here(repository))

    assert before["head"] == read_state(repository)["head"]
    assert before["files"] == read_state(repository)["files"]


def test_hooks_never_run(repository, dirty):
    for name in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit"):
        hook = repository / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\ntouch ../ran ./ran\n")
        hook.chmod(0o755)

    check_out_run(repository, dirty)
    undo(open_here(repository))
    project = open_here(repository)
    check_out_beside(project, resolve_run(project, dirty), repository.parent / "beside")

    assert not (repository.parent / "beside/ran").exists()
    assert not (repository / "ran").exists()
    assert not (repository.parent / "ran").exists()


def test_no_signature_is_checked_to_name_a_commit(repository):
    program = repository.parent / "gpg"
    program.write_text('#!/bin/sh\ntouch "$0-ran"\n')
    program.chmod(0o755)
    git(repository, "config", "gpg.program", str(program))
    git(repository, "config", "log.showSignature", "true")
    header, body = git(repository, "cat-file", "commit", "HEAD").split("\n\n", 1)
    mark = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----"
    signed = f"{header}\n{mark}\n\n{body}\n".encode()
    commit = git(repository, "hash-object", "-w", "-t", "commit", "--stdin", stdin=signed)

    done = check_out(open_here(repository), commit)

    assert done.title == "first"
    assert not program.with_name("gpg-ran").exists()


def test_filters_run(repository):
    git(repository, "config", "filter.shout.clean", "tr A-Z a-z")
    git(repository, "config", "filter.shout.smudge", "tr a-z A-Z")
    write_files(repository, {".gitattributes": "*.txt filter=shout\n*.crlf text eol=crlf\n"})
    write_files(repository, {"a.txt": "LOUD\n", "b.crlf": "1\r\n2\r\n"})
    run = record(repository)
    git(repository, "stash", "-q", "-u")

    done = check_out_run(repository, run)

    assert (repository / "a.txt").read_text() == "LOUD\n"
    assert (repository / "b.crlf").read_bytes() == b"1\r\n2\r\n"
    assert done.differing == ()


def test_bytes_that_a_filter_hides_from_git_come_back(repository):
    git(repository, "config", "filter.strip.clean", "grep -v output || true")
    write_files(repository, {".gitattributes": "*.nb filter=strip\n", "a.nb": "code\noutput 1\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "a notebook")
    write_files(repository, {"a.nb": "other code\noutput 2\n"})
    run = record(repository)
    git(repository, "checkout", "-q", "--", "a.nb")
    write_files(repository, {"a.nb": "code\noutput 3\n"})
    git(repository, "add", "a.nb")
    assert git(repository, "status", "--porcelain") == ""
    before = read_state(repository)

    check_out_run(repository, run)
    assert (repository / "a.nb").read_text() == "other code\n"
    write_files(repository, {"a.nb": "other code\noutput 4\n"})
    with pytest.raises(WouldLoseWorkError) as refused:
        undo(open_here(repository))
    undo(open_here(repository), save=True)
    after = read_state(repository)
    undo(open_here(repository), save=True)

    assert refused.value.paths == ("a.nb",)
    assert (before["files"], before["index"]) == (after["files"], after["index"])
    assert (repository / "a.nb").read_text() == "other code\noutput 4\n"


def test_a_submodule_as_the_run_had_it_is_left_alone(tmp_path):
    root = submodule_inside(tmp_path)
    write_files(root, {"train.py": "edited\n"})
    run = record(root)
    git(root, "checkout", "-q", "--", "train.py")

    check_out_run(root, run)

    assert (root / "lib/lib.py").read_text() == "X = 1\n"
    assert git(root, "status", "--porcelain") == ""


@pytest.mark.parametrize("when", ["recorded", "now"])
def test_a_submodule_with_other_content_is_refused(tmp_path, when):
    root = submodule_inside(tmp_path)
    if when == "recorded":
        write_files(root, {"lib/lib.py": "X = 2\n", "lib/new.py": "new\n"})
    run = record(root)
    if when == "recorded":
        git(root / "lib", "stash", "-q", "-u")
    else:
        write_files(root, {"lib/lib.py": "X = 2\n"})
    before = read_state(root)

    with pytest.raises(UnsupportedRepositoryError) as refused:
        check_out_run(root, run, save=True)

    assert "`lib`" in refused.value.message
    assert before == read_state(root)


def test_a_submodule_with_the_recorded_changes_is_accepted(tmp_path):
    root = submodule_inside(tmp_path)
    write_files(root, {"lib/lib.py": "X = 2\n", "lib/new.py": "new\n"})
    run = record(root)

    done = check_out_run(root, run)

    assert (done.n_files, (root / "lib/lib.py").read_text()) == (0, "X = 2\n")


def test_a_submodule_at_another_commit_is_refused(tmp_path):
    root = submodule_inside(tmp_path)
    run = record(root)
    write_files(root, {"lib/lib.py": "X = 2\n"})
    git(root / "lib", "commit", "-q", "-a", "-m", "moved")

    with pytest.raises(UnsupportedRepositoryError):
        check_out_run(root, run, save=True)


def test_an_empty_submodule_is_named(tmp_path):
    root = submodule_inside(tmp_path)
    run = record(root)
    git(tmp_path, "clone", "-q", str(root), "clone")
    git(tmp_path / "clone", "fetch", "-q", "origin", "refs/repro/*:refs/repro/*")

    done = check_out_run(tmp_path / "clone", run)

    assert done.empty == ("lib",)
