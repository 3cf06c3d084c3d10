"""Moving a working tree, and making one beside: what git does for us, and what we keep git from."""

import os
import stat
import threading
from pathlib import Path

import pytest
from tests.store.forms import FORMS, submodule_inside
from tests.support import git, make_repository, write_files
from tests.support.projects import make_run, open_here
from tests.support.trees import read_folder, read_state, read_tree

from repro.core.beside import Beside, check_out_beside
from repro.core.query import resolve_run
from repro.errors import BusyRepositoryError, DamagedRecordError, GitError, InvalidInputError
from repro.store.busy import refuse_busy
from repro.store.git import open_repository
from repro.store.present import diff_trees, empty_tree, find_ignored
from repro.store.quarantine import open_quarantine
from repro.store.worktree import open_scratch, swap_index, worktree_name


def beside(root: Path, run: str, folder: Path) -> Beside:
    project = open_here(root)
    return check_out_beside(project, resolve_run(project, run), folder)


def edit(root: Path) -> dict[str, tuple[str, bytes]]:
    """Change, add, remove, link and mark files; what the working tree holds then."""
    write_files(root, {"train.py": "edited\n", "pkg/new.py": "new\n", "data.bin": bytes(256)})
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("pkg")
    (root / "pkg/data.bin").unlink(missing_ok=True)
    git(root, "add", "run.sh", "train.py")
    write_files(root, {"train.py": "edited again\n"})
    return read_folder(root)


@pytest.mark.parametrize("form", FORMS)
def test_beside_is_the_run_byte_for_byte_and_mode_for_mode(tmp_path, form):
    root = FORMS[form](tmp_path)
    files = edit(root)
    run = make_run(open_here(root)).id
    state = read_state(root)
    folder = tmp_path / "beside"

    done = beside(root, run, folder)

    if form in {"sparse", "sparse-index"}:  # the new worktree is not
        files["far/away.txt"] = ("file", b"outside of the cone\n")
    assert files == read_folder(folder)
    assert (done.n_files, done.differing) == (len(files), ())
    assert git(folder, "rev-parse", "HEAD") == done.commit
    assert git(folder, "status", "--porcelain") == ""
    assert state == read_state(root)
    git(root, "worktree", "remove", str(folder))
    assert not folder.exists()
    assert state == read_state(root)


def test_the_users_worktree_stays_sparse(tmp_path):
    root = FORMS["sparse"](tmp_path)
    run = make_run(open_here(root)).id
    config = (root / ".git/config").read_text()

    beside(root, run, tmp_path / "beside")
    git(root, "checkout", "-q", "HEAD")

    assert not (root / "far").exists()
    assert config == (root / ".git/config").read_text()


def test_a_setting_for_sparse_that_all_worktrees_share(tmp_path):
    root = FORMS["files"](tmp_path)
    git(root, "config", "core.sparseCheckout", "true")
    (root / ".git/info/sparse-checkout").write_text("/pkg/\n")
    git(root, "read-tree", "-mu", "HEAD")
    run = make_run(open_here(root)).id

    beside(root, run, tmp_path / "beside")

    assert read_tree(root, "HEAD") == read_folder(tmp_path / "beside")
    assert sorted(read_folder(root)) == ["pkg/data.bin", "pkg/model.py"]


def test_a_folder_that_is_empty_is_taken(repository, tmp_path):
    run = make_run(open_here(repository)).id
    (tmp_path / "empty").mkdir()

    assert beside(repository, run, tmp_path / "empty").n_files == 1


@pytest.mark.parametrize("kind", ["full", "file", "broken-link", "below-a-file", "git-folder"])
def test_a_place_that_is_taken_is_refused(repository, tmp_path, kind):
    run = make_run(open_here(repository)).id
    write_files(tmp_path, {"full/precious.txt": "mine\n", "file": "mine\n"})
    (tmp_path / "broken-link").symlink_to("nowhere")
    places = {"below-a-file": tmp_path / "file/x", "git-folder": repository / ".git/x"}
    place = places.get(kind, tmp_path / kind)

    with pytest.raises(InvalidInputError) as refused:
        beside(repository, run, place)

    assert str(place) in refused.value.message
    assert (tmp_path / "full/precious.txt").read_text() == "mine\n"
    assert git(repository, "worktree", "list", "--porcelain").count("worktree ") == 1


def test_a_worktree_whose_folder_is_gone_names_the_way_out(repository, tmp_path):
    run = make_run(open_here(repository)).id
    beside(repository, run, tmp_path / "gone")
    (tmp_path / "gone").rename(tmp_path / "moved")

    with pytest.raises(GitError) as refused:
        beside(repository, run, tmp_path / "gone")

    assert "git worktree prune" in str(refused.value.hint)


def test_submodules_are_filled_from_the_record(tmp_path):
    root = submodule_inside(tmp_path)
    write_files(root, {"lib/lib.py": "X = 2\n", "lib/deep/new.py": "new\n"})
    (root / "lib/run.sh").write_text("#!/bin/sh\n")
    (root / "lib/run.sh").chmod(0o755)
    inner = make_repository(root / "tools/inner", {"tool.py": "tool\n"})
    write_files(inner, {"tool.py": "edited\n"})
    files = read_folder(root)
    run = make_run(open_here(root)).id

    done = beside(root, run, tmp_path / "beside")

    assert files == read_folder(tmp_path / "beside")
    assert (done.submodules, done.empty) == (("lib", "tools/inner"), ())
    assert done.n_files == len(files)
    git(root, "worktree", "remove", "--force", str(tmp_path / "beside"))


def test_a_submodule_that_its_remote_has_is_left_empty_and_named(tmp_path):
    root = submodule_inside(tmp_path)
    run = make_run(open_here(root)).id

    done = beside(root, run, tmp_path / "beside")

    assert (done.submodules, done.empty) == ((), ("lib",))
    assert git(tmp_path / "beside", "status", "--porcelain") == ""


def test_attributes_outside_a_submodule_do_not_reach_into_it(tmp_path):
    root = submodule_inside(tmp_path)
    write_files(root, {".gitattributes": "* text eol=crlf\n"})
    write_files(root / "lib", {"lib.py": "1\n2\n"})
    run = make_run(open_here(root)).id

    beside(root, run, tmp_path / "beside")

    assert (tmp_path / "beside/lib/lib.py").read_bytes() == b"1\n2\n"


def forge(root: Path, run: str, files: dict[str, str], *, link: str | None = None) -> None:
    """Put `files` below `submodules/` of the record; a link into its code."""
    ref = f"refs/repro/runs/{run}"
    tree = git(root, "rev-parse", f"{ref}^{{tree}}")
    env_index = root / ".git/forged"
    lines = []
    for name, text in files.items():
        blob = git(root, "hash-object", "-w", "--stdin", stdin=text.encode())
        lines.append((name, blob))
    inner = nest(root, lines)
    entries = git(root, "ls-tree", tree) + f"\n040000 tree {inner}\tsubmodules\n"
    forged = git(root, "mktree", stdin=entries.encode())
    assert not env_index.exists()
    commit = git(root, "commit-tree", "-p", f"{ref}^", "-m", "forged", forged)
    git(root, "update-ref", ref, commit)
    assert link is None or git(root, "ls-tree", f"{ref}^", link)


def nest(root: Path, files: list[tuple[str, str]]) -> str:
    folders: dict[str, list[tuple[str, str]]] = {}
    lines = []
    for name, blob in files:
        head, _, rest = name.partition("/")
        if rest:
            folders.setdefault(head, []).append((rest, blob))
        else:
            lines.append(f"100644 blob {blob}\t{name}")
    lines += [f"040000 tree {nest(root, inside)}\t{name}" for name, inside in folders.items()]
    return git(root, "mktree", stdin="".join(f"{line}\n" for line in lines).encode())


@pytest.mark.parametrize("path", ["../evil/x", ".git/hooks/x", "a/.GIT/x", "a/../../evil/x"])
def test_a_record_that_leads_elsewhere_writes_nothing(repository, tmp_path, path):
    run = make_run(open_here(repository)).id
    forge(repository, run, {path: "evil\n"})

    with pytest.raises(DamagedRecordError):
        beside(repository, run, tmp_path / "beside")

    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "beside").exists()


def test_a_record_that_leads_through_a_link_writes_nothing_behind_it(repository, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (repository / "a").symlink_to(tmp_path / "elsewhere")
    run = make_run(open_here(repository)).id
    forge(repository, run, {"a/x/evil.txt": "evil\n"}, link="a")

    with pytest.raises(DamagedRecordError):
        beside(repository, run, tmp_path / "beside")

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_trees_are_compared_path_by_path(repository):
    repo = open_repository(repository, os.environ)
    old = git(repository, "rev-parse", "HEAD^{tree}")
    (repository / "train.py").chmod(0o755)
    write_files(repository, {"a\nb": "1"})
    git(repository, "add", "-A")
    new = git(repository, "write-tree")

    changes = diff_trees(repo.git, old, new)

    assert [(c.path, c.old and c.old.mode, c.new and c.new.mode) for c in changes] == [
        ("a\nb", None, "100644"),
        ("train.py", "100644", "100755"),
    ]
    assert diff_trees(repo.git, empty_tree(repo.git), empty_tree(repo.git)) == ()


def test_what_another_tree_ignores(repository):
    write_files(repository, {".gitignore": "*.log\ndata/\n", "pkg/.gitignore": "!keep.log\n"})
    git(repository, "add", "-A")
    tree = git(repository, "write-tree")
    git(repository, "rm", "-q", "-f", "--cached", ".gitignore", "pkg/.gitignore")
    repo = open_repository(repository, os.environ)
    paths = ["a.log", "data/x/y", "pkg/keep.log", "pkg/b.log", "-rf", "a\nb.log"]

    with open_quarantine(repo) as quarantine:
        found = find_ignored(repo, quarantine, tree, paths)

    assert found == {"a.log", "data/x/y", "pkg/b.log", "a\nb.log"}


def test_the_index_is_swapped_under_gits_own_lock(repository):
    repo = open_repository(repository, os.environ)
    index, source = repository / ".git/index", repository / ".git/new-index"
    source.write_bytes(index.read_bytes())
    index.chmod(0o640)
    (repository / ".git/index.lock").touch()

    with pytest.raises(BusyRepositoryError):
        swap_index(repo, source)
    (repository / ".git/index.lock").unlink()
    swap_index(repo, source)

    assert stat.S_IMODE(index.stat().st_mode) == 0o640
    assert not (repository / ".git/index.lock").exists()


def test_a_lock_that_is_held_for_a_moment_is_waited_for(repository):
    repo = open_repository(repository, os.environ)
    lock, source = repository / ".git/index.lock", repository / ".git/new-index"
    source.write_bytes((repository / ".git/index").read_bytes())
    inode = source.stat().st_ino

    def hold() -> None:
        lock.touch()
        threading.Timer(0.2, lock.unlink).start()

    hold()
    swap_index(repo, source)
    hold()
    with open_scratch(repo):
        pass

    assert (repository / ".git/index").stat().st_ino == inode


def test_a_lock_of_our_own_that_was_left_is_removed_and_no_other(repository):
    repo = open_repository(repository, os.environ)
    folder = repo.private / "restore/main"
    folder.mkdir(parents=True)
    (folder / "index").write_text("index")
    lock = repository / ".git/index.lock"
    os.link(folder / "index", lock)

    with open_scratch(repo):
        assert not lock.exists()
    lock.write_text("git's")
    with pytest.raises(BusyRepositoryError), open_scratch(repo):
        pass

    assert lock.read_text() == "git's"
    lock.unlink()


def test_worktrees_are_told_apart(repository, tmp_path):
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))

    assert worktree_name(open_repository(repository, os.environ)) is None
    assert worktree_name(open_repository(tmp_path / "linked", os.environ)) == "linked"


def test_a_quiet_repository_is_not_busy(repository):
    refuse_busy(open_repository(repository, os.environ))
