"""In place: exactly the run, nothing lost, and HEAD where `git switch -` finds back from."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.store.forms import FORMS, submodule_inside
from tests.support import git, write_files
from tests.support.projects import NOW, make_run, open_here
from tests.support.trees import read_folder, read_state, read_tree

from repro.core.beside import check_out_beside
from repro.core.query import resolve_run
from repro.core.restore import Restored, check_out
from repro.core.undo import undo
from repro.errors import (
    BusyRepositoryError,
    DamagedRecordError,
    GitError,
    StorageError,
    UnsupportedRepositoryError,
    WouldLoseWorkError,
)


def record(root: Path, **request) -> str:
    return make_run(open_here(root), **request).id


def check_out_run(root: Path, run: str, *, save: bool = False) -> Restored:
    project = open_here(root)
    return check_out(project, resolve_run(project, run), save=save)


def assert_is_run(root: Path, run: str) -> None:
    snapshot = git(root, "rev-parse", f"refs/repro/runs/{run}^")
    assert snapshot == git(root, "rev-parse", "HEAD")
    assert git(root, "status", "--porcelain", "--untracked-files=no") == ""
    assert git(root, "write-tree") == git(root, "rev-parse", "HEAD^{tree}")


def assert_sound(root: Path) -> None:
    git(root, "fsck", "--strict", "--connectivity-only")
    private = Path(git(root, "rev-parse", "--git-common-dir")) / "repro"
    assert not [path for path in (root / private / "restore").glob("*") if path.is_dir()]
    assert not list(Path(git(root, "rev-parse", "--absolute-git-dir")).glob("*.lock"))


@pytest.fixture
def locked() -> Iterator[Callable[[Path], None]]:
    """Makes a folder that not even root can change anything in."""
    folders = []

    def lock(folder: Path) -> None:
        if os.geteuid():
            folder.chmod(0o555)
        elif subprocess.run(["chattr", "+i", folder], capture_output=True, check=False).returncode:
            pytest.skip("nothing stops root here")
        folders.append(folder)

    yield lock
    for folder in folders:
        if os.geteuid():
            folder.chmod(0o755)
        else:
            subprocess.run(["chattr", "-i", folder], check=True)


@pytest.fixture
def dirty(repository: Path) -> str:
    """A run with edited, staged, new, binary, executable and linked files, then taken away."""
    write_files(
        repository,
        {
            "kept.txt": "kept\n",
            "gone.txt": "deleted in the run\n",
            "pkg/model.py": "WIDTH = 3\n",
            ".gitignore": "*.log\nout/\n",
        },
    )
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "second")
    write_files(
        repository,
        {
            "train.py": "print('edited')\n",
            "new.py": "new\n",
            "data.bin": bytes(range(256)),
            "pkg/deep/er.py": "deeper\n",
        },
    )
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "link").symlink_to("pkg")
    (repository / "gone.txt").unlink()
    git(repository, "add", "pkg", "run.sh")
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    git(repository, "stash", "drop", "-q")
    return run


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


def test_an_inner_repository_in_the_way_is_refused_even_with_save(repository):
    write_files(repository, {"x": "1"})
    run = record(repository)
    (repository / "x").unlink()
    (repository / "x").mkdir()
    git(repository / "x", "init", "-q")
    write_files(repository / "x", {"y": "mine\n"})
    before = read_state(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(repository, run, save=True)

    assert refused.value.paths == ("x",)
    assert before == read_state(repository)


def merge(root: Path) -> None:
    git(root, "merge", "-q", "--no-ff", "--no-commit", "side")


def cherry_pick(root: Path) -> None:
    conflict(root, "cherry-pick", "other")


def revert(root: Path) -> None:
    conflict(root, "revert", "--no-edit", "HEAD~1")


def rebase(root: Path) -> None:
    conflict(root, "rebase", "other")


def apply_rebase(root: Path) -> None:
    conflict(root, "rebase", "--apply", "other")


def am(root: Path) -> None:
    patch = git(root, "format-patch", "-1", "--stdout", "other")
    conflict(root, "am", "-q", stdin=patch.encode() + b"\n")


def bisect(root: Path) -> None:
    git(root, "bisect", "start", "HEAD", "HEAD~1")


def conflict(root: Path, *args: str, stdin: bytes | None = None) -> None:
    with pytest.raises(AssertionError):
        git(root, *args, stdin=stdin)


@pytest.mark.parametrize("start", [merge, cherry_pick, revert, rebase, apply_rebase, am, bisect])
def test_in_the_middle_of_something_it_is_refused(repository, start):
    run = record(repository)
    check_out_run(repository, run)
    git(repository, "switch", "-q", "main")
    for branch, content in (("side", "s"), ("other", "o")):
        git(repository, "checkout", "-q", "-b", branch, "main")
        write_files(repository, {f"{branch}.txt": content, "train.py": content * (branch > "r")})
        if branch == "other":
            write_files(repository, {"train.py": "other\n"})
        else:
            git(repository, "checkout", "-q", "--", "train.py")
        git(repository, "add", "-A")
        git(repository, "commit", "-q", "-m", branch)
    git(repository, "checkout", "-q", "main")
    for text in ("mine\n", "mine again\n"):
        write_files(repository, {"train.py": text})
        git(repository, "commit", "-q", "-a", "-m", text)
    start(repository)
    before = read_state(repository)

    for save in (False, True):
        with pytest.raises(BusyRepositoryError):
            check_out_run(repository, run, save=save)
        with pytest.raises(BusyRepositoryError):
            undo(open_here(repository), save=save)

    assert before == read_state(repository)


def test_a_held_index_lock_is_refused(repository, dirty):
    (repository / ".git/index.lock").touch()
    before = read_state(repository)

    with pytest.raises(BusyRepositoryError):
        check_out_run(repository, dirty)

    assert before == read_state(repository)
    (repository / ".git/index.lock").unlink()


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


def test_a_filter_that_fails_half_way_leaves_everything_as_it_was(repository):
    write_files(
        repository, {".gitattributes": "z/* filter=bad\n", "a": "1", "z/b": "2", "c/d": "3"}
    )
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    write_files(repository, {"train.py": "mine\n"})
    git(repository, "config", "core.autocrlf", "true")
    git(repository, "config", "filter.bad.smudge", "false")
    git(repository, "config", "filter.bad.required", "true")
    before = read_state(repository)

    with pytest.raises(GitError):
        check_out_run(repository, run, save=True)

    assert before == read_state(repository)
    assert_sound(repository)


def test_a_failure_half_way_takes_nothing_that_was_written_meanwhile(repository):
    write_files(repository, {"notes.txt": "first\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "notes")
    write_files(repository, {".gitattributes": "z/* filter=bad\n", "a": "1", "z/b": "2"})
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    git(repository, "config", "filter.bad.smudge", "echo later > notes.txt; false")
    git(repository, "config", "filter.bad.required", "true")

    with pytest.raises(GitError):
        check_out_run(repository, run)

    assert (repository / "notes.txt").read_text() == "later\n"
    assert not (repository / "a").exists()
    assert not (repository / ".gitattributes").exists()


@pytest.mark.parametrize(("path", "code"), [("train.py", " M"), ("new.py", "??")])
def test_what_is_written_while_a_checkout_begins_is_refused_and_stays(repository, path, code):
    write_files(repository, {"train.py": "of the run\n", "new.py": "of the run\n"})
    run = record(repository)
    git(repository, "stash", "-q", "-u")

    def clock() -> float:  # read when the present state is already known
        write_files(repository, {path: "written meanwhile\n"})
        return NOW

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out(open_here(repository, clock), resolve_run(open_here(repository), run))

    assert refused.value.paths == (path,)
    assert (repository / path).read_text() == "written meanwhile\n"
    assert git(repository, "status", "--porcelain") == f"{code} {path}"
    assert git(repository, "for-each-ref", "refs/repro/undo") == ""
    assert_sound(repository)


@pytest.mark.parametrize("was", ["edited", "new", "gone"])
def test_a_folder_that_cannot_be_written_leaves_everything_as_it_was(repository, locked, was):
    write_files(repository, {"a.txt": "1\n", "in/a.txt": "1\n", "in/b.txt": "1\n", "z.txt": "1\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "a folder")
    write_files(repository, {"a.txt": "2\n", "z.txt": "2\n"})
    path = repository / "in/new.txt" if was == "new" else repository / "in/b.txt"
    if was == "gone":
        path.unlink()
    else:
        path.write_text("2\n")
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    locked(repository / "in")
    before = read_state(repository)

    with pytest.raises(StorageError, match=path.name):
        check_out_run(repository, run)

    assert before == read_state(repository)
    assert_sound(repository)


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
