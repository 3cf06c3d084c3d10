"""In place: exactly the run, nothing lost, and HEAD where `git switch -` finds back from."""

import os

import pytest
from tests.support import git, write_files
from tests.support.checkouts import assert_is_run, assert_sound, check_out_run, record
from tests.support.projects import open_here
from tests.support.trees import read_folder, read_state, read_tree

from repro.core.restore import check_out
from repro.core.undo import undo
from repro.errors import (
    DamagedRecordError,
    WouldLoseWorkError,
)


def test_checkout_gives_exactly_the_files_of_the_run(repository, dirty):
    done = check_out_run(repository, dirty)

    assert read_tree(repository, "HEAD") == read_folder(repository)
    assert_is_run(repository, dirty)
    assert (done.run, done.differing, done.kept, done.left) == (dirty, (), (), ())
    assert_sound(repository)


def test_switch_goes_back_to_the_branch(repository, dirty):
    before = read_folder(repository)

    check_out_run(repository, dirty)
    git(repository, "switch", "-q", "-")

    assert git(repository, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert read_folder(repository) == before
    assert git(repository, "status", "--porcelain") == ""


def test_undo_brings_everything_back(repository, dirty):
    before = read_state(repository)

    check_out_run(repository, dirty)
    undone = undo(open_here(repository))

    assert before == read_state(repository)
    assert (undone.branch, undone.target) == ("refs/heads/main", dirty)
    assert_sound(repository)


def test_no_file_is_written_when_the_working_tree_is_the_run_already(repository):
    write_files(repository, {"train.py": "edited\n", "new.py": "new\n"})
    run = record(repository)
    before = {path: os.lstat(repository / path) for path in read_folder(repository)}

    done = check_out_run(repository, run)

    assert before == {path: os.lstat(repository / path) for path in read_folder(repository)}
    assert done.n_files == 0
    assert_is_run(repository, run)
    assert git(repository, "diff-files", "--name-only") == ""


def test_checkout_of_where_we_are_changes_nothing(repository):
    run = record(repository)
    check_out_run(repository, run)
    before = read_state(repository)

    done = check_out_run(repository, run)

    assert before == read_state(repository)
    assert done.entry is None


def test_a_clean_run_detaches_head_at_its_base(repository):
    run = record(repository)
    index = (repository / ".git/index").read_bytes()

    done = check_out_run(repository, run)

    assert (git(repository, "rev-parse", "main"), 0) == (done.commit, done.n_files)
    assert git(repository, "branch", "--show-current") == ""
    assert index == (repository / ".git/index").read_bytes()


WORK: dict[str, tuple[dict[str, str], list[tuple[str, ...]]]] = {
    "edited": ({"kept.txt": "mine\n"}, []),
    "untracked": ({"mine.txt": "mine\n"}, []),
    "untracked-in-the-way": ({"new.py": "mine\n"}, []),
    "staged": ({"kept.txt": "mine\n"}, [("add", "-A")]),
    "intent-to-add": ({"mine.txt": "mine\n"}, [("add", "-N", "mine.txt")]),
    "ignored-in-the-way": ({".git/info/exclude": "data.bin\n", "data.bin": "mine\n"}, []),
    "assume-unchanged": (
        {"kept.txt": "mine\n"},
        [("update-index", "--assume-unchanged", "kept.txt")],
    ),
    "skip-worktree": ({"kept.txt": "mine\n"}, [("update-index", "--skip-worktree", "kept.txt")]),
    "folder-where-a-file-goes": ({"data.bin/inner.txt": "mine\n"}, []),
    "ignored-folder-where-a-file-goes": (
        {".git/info/exclude": "data.bin/\n", "data.bin/inner.txt": "mine\n", "data.bin/b": "2"},
        [],
    ),
    "ignored-file-where-a-folder-goes": ({".git/info/exclude": "pkg/deep\n", "pkg/deep": "1"}, []),
    "newline": ({"a\nb.txt": "mine\n"}, []),
    "leading-dash": ({"-rf": "mine\n", "--help/x": "1"}, []),
    "not-utf-8": ({os.fsdecode(b"caf\xe9.txt"): "mine\n"}, []),
}


@pytest.mark.parametrize("kind", WORK)
def test_work_is_refused_then_saved_then_brought_back(repository, dirty, kind):
    files, commands = WORK[kind]
    write_files(repository, files)
    for command in commands:
        git(repository, *command)
    before = read_state(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(repository, dirty)
    assert before == read_state(repository)
    names = sorted(name for name in files if not name.startswith(".git/"))
    assert names == list(refused.value.paths)

    done = check_out_run(repository, dirty, save=True)
    assert read_tree(repository, "HEAD") == read_folder(repository)
    assert_is_run(repository, dirty)
    assert names == list(done.kept)

    undo(open_here(repository))
    assert before == read_state(repository)
    assert_sound(repository)


def test_a_tracked_secret_takes_the_place_of_an_untracked_one_only_when_saved(repository):
    write_files(repository, {".env": "KEY=run\n", "big.bin": "run\n"})
    git(repository, "add", "-A")
    run = record(repository)
    git(repository, "rm", "-q", "-f", "--cached", ".env", "big.bin")
    write_files(repository, {".env": "KEY=mine\n", "big.bin": bytes(11 << 20)})
    before = read_state(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(repository, run)
    check_out_run(repository, run, save=True)
    assert (repository / ".env").read_text() == "KEY=run\n"
    undo(open_here(repository))

    assert refused.value.paths == (".env", "big.bin")
    assert before == read_state(repository)


def test_content_that_only_the_index_holds_is_work(repository, dirty):
    write_files(repository, {"kept.txt": "staged only\n"})
    git(repository, "add", "kept.txt")
    staged = git(repository, "rev-parse", ":kept.txt")
    write_files(repository, {"kept.txt": "kept\n"})
    before = read_state(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(repository, dirty)
    check_out_run(repository, dirty, save=True)
    git(repository, "gc", "-q", "--prune=now")
    undo(open_here(repository))

    assert refused.value.paths == ("kept.txt",)
    assert before == read_state(repository)
    assert git(repository, "cat-file", "blob", staged) == "staged only"


def test_conflicts_without_a_merge_are_work_and_come_back(repository, dirty):
    blobs = [git(repository, "hash-object", "-w", "--stdin", stdin=text) for text in (b"1", b"2")]
    lines = [f"100644 {oid} {stage}\tkept.txt\n" for stage, oid in enumerate(blobs, 2)]
    git(repository, "update-index", "--force-remove", "kept.txt")
    git(repository, "update-index", "--index-info", stdin="".join(lines).encode())
    before = read_state(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(repository, dirty)
    check_out_run(repository, dirty, save=True)
    assert_is_run(repository, dirty)
    git(repository, "gc", "-q", "--prune=now")
    undo(open_here(repository))

    assert refused.value.paths == ("kept.txt",)
    assert before == read_state(repository)
    assert git(repository, "cat-file", "blob", blobs[0]) == "1"


def test_deleted_files_are_no_work(repository, dirty):
    (repository / "kept.txt").unlink()
    before = read_state(repository)

    check_out_run(repository, dirty)
    assert_is_run(repository, dirty)
    undo(open_here(repository))

    assert before == read_state(repository)


def test_what_the_run_holds_too_is_no_work(repository, dirty):
    write_files(repository, {"new.py": "new\n", "train.py": "print('edited')\n"})
    before = read_state(repository)

    check_out_run(repository, dirty)
    assert_is_run(repository, dirty)
    undo(open_here(repository))

    assert before == read_state(repository)


def test_ignored_and_left_out_files_stay(repository, dirty):
    left = {"x.log": "log\n", "out/model.pt": "weights\n", ".env": "KEY=1\n", "pkg/y.log": "log"}
    write_files(repository, left)
    before = read_state(repository)

    done = check_out_run(repository, dirty)
    found = read_folder(repository)
    assert set(left) <= set(found)
    assert done.left == (".env",)
    undo(open_here(repository))

    assert before == read_state(repository)


def test_what_the_run_ignores_stays(repository):
    run = record(repository)
    write_files(repository, {".gitignore": "data/\n", "data/a.bin": "1", "data/b.bin": "2"})
    git(repository, "add", ".gitignore")
    git(repository, "commit", "-q", "-m", "ignore the data")
    second = record(repository, name="second")
    before = read_state(repository)

    check_out_run(repository, run)
    assert (repository / "data/a.bin").read_text() == "1"
    check_out_run(repository, second)
    check_out_run(repository, run)
    for _ in range(3):
        undo(open_here(repository))

    assert before == read_state(repository)


def test_declared_outputs_stay_on_both_ways(repository):
    run = record(repository)
    write_files(repository, {"repro.yaml": "artifacts: [models/*.pt]\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "declare")
    write_files(repository, {"models/a.pt": "weights\n"})
    before = read_state(repository)

    done = check_out_run(repository, run)
    assert done.left == ("models/a.pt",)
    undo(open_here(repository))

    assert before == read_state(repository)


SWAPS = {
    "file-to-folder": ({"x": "1"}, {"x/y": "2", "x/z/w": "3"}),
    "folder-to-file": ({"x/y": "1", "x/z": "2"}, {"x": "3"}),
}


@pytest.mark.parametrize("kind", SWAPS)
def test_a_file_and_a_folder_take_each_others_place(repository, kind):
    old, new = SWAPS[kind]
    write_files(repository, old)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "old")
    git(repository, "rm", "-rq", *old)
    write_files(repository, new)
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    before = read_state(repository)

    check_out_run(repository, run)
    assert read_tree(repository, "HEAD") == read_folder(repository)
    undo(open_here(repository))

    assert before == read_state(repository)


def test_a_link_where_the_run_has_a_folder(repository, tmp_path):
    write_files(repository, {"x/y": "1"})
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    write_files(tmp_path / "elsewhere", {"y": "precious\n"})
    (repository / ".git/info/exclude").write_text("/x\n")
    (repository / "x").symlink_to(tmp_path / "elsewhere")
    before = read_state(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(repository, run)
    check_out_run(repository, run, save=True)
    assert read_tree(repository, "HEAD") == read_folder(repository)
    undo(open_here(repository))

    assert refused.value.paths == ("x",)
    assert before == read_state(repository)
    assert (tmp_path / "elsewhere/y").read_text() == "precious\n"


def test_another_code_state_is_restored_by_its_commit(repository, dirty):
    first = git(repository, "rev-parse", "HEAD~1")

    done = check_out(open_here(repository), first)

    assert (done.run, done.title, done.commit) == (None, "first", first)
    assert read_tree(repository, first) == read_folder(repository)


def test_a_commit_that_is_not_here_is_damage(repository):
    with pytest.raises(DamagedRecordError):
        check_out(open_here(repository), "f" * 40)


def test_flags_of_files_that_stay_are_kept(repository, dirty):
    git(repository, "update-index", "--assume-unchanged", "kept.txt")

    check_out_run(repository, dirty)

    assert git(repository, "ls-files", "-v", "kept.txt") == "h kept.txt"


def test_executable_bits_alone_are_work(repository, dirty):
    (repository / "kept.txt").chmod(0o755)
    before = read_state(repository)

    with pytest.raises(WouldLoseWorkError):
        check_out_run(repository, dirty)
    check_out_run(repository, dirty, save=True)
    assert read_tree(repository, "HEAD") == read_folder(repository)
    undo(open_here(repository))

    assert before == read_state(repository)
