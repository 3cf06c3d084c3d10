"""The snapshot is the working tree, whatever the working tree is; the user's index is untouched."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from tests.store.forms import FORMS, plain, submodule_inside
from tests.support import git, make_repository, write_files

from repro.errors import GitError, NotARepositoryError, UnsupportedRepositoryError
from repro.model.globs import matcher
from repro.store.git import Identity, Repository, open_repository
from repro.store.leftout import Limits
from repro.store.quarantine import (
    CommitSpec,
    Existing,
    open_quarantine,
    publish,
    write_commits,
)
from repro.store.refs import RefUpdate
from repro.store.snapshot import Snapshot, take_snapshot

ADA = Identity("Ada", "ada@example.org")


def limits(
    max_file: int = 1 << 20, max_total: int = 10 << 20, exclude: tuple[str, ...] = ()
) -> Limits:
    return Limits(
        max_file=max_file,
        max_total=max_total,
        is_excluded=matcher(exclude),
        is_secret=lambda path: path.endswith(".env"),
        is_produced=matcher(["produced/*"]),
    )


def opened(root: Path) -> Repository:
    return open_repository(root, os.environ)


def snap(root: Path, bounds: Limits | None = None) -> Snapshot:
    """Take a snapshot and publish it under a ref, so that plain git can read it afterwards."""
    repository = opened(root)
    with open_quarantine(repository) as quarantine:
        taken = take_snapshot(repository, quarantine, bounds or limits())
        folders = {f"submodules/{p}": Existing("040000", t) for p, t in taken.submodules.items()}
        base = [taken.working.base] if taken.working.base else []
        specs = [
            CommitSpec(message="s", when=1e9, author=ADA, parents=base, tree=taken.tree),
            CommitSpec(message="r", when=1e9, author=ADA, parents=[0], files=folders),
        ]
        tips = write_commits(quarantine, specs)
        update = RefUpdate(f"refs/repro/test/{tips[1]}", new=tips[1])
        publish(quarantine, tips=tips, exclude=base, refs=[update])
    git(root, "fsck", "--strict", "--connectivity-only")
    return taken


def content(root: Path, tree: str) -> dict[str, tuple[str, bytes]]:
    """Mode and bytes of every file in a tree, as git stores them."""
    found = {}
    for line in git(root, "ls-tree", "-r", "-z", tree).split("\0"):
        if line:
            words, name = line.split("\t", 1)
            mode, kind, oid = words.split()
            data = git(root, "cat-file", "blob", oid) if kind == "blob" else oid
            found[name] = (mode, data.encode(errors="surrogateescape"))
    return found


def fingerprint(root: Path) -> dict[str, object]:
    """Everything of the user's that a recording must leave as it is."""
    git_dir = opened(root).git_dir
    index = git_dir / "index"
    reflog = git_dir / "logs" / "HEAD"
    return {
        "index": index.read_bytes() if index.exists() else None,
        "HEAD": (git_dir / "HEAD").read_bytes(),
        "reflog": reflog.read_bytes() if reflog.exists() else None,
        "status": git(root, "-c", "core.fsmonitor=false", "--no-optional-locks", "status", "-z"),
        "branches": git(root, "branch", "-a"),
        "stash": git(root, "stash", "list"),
    }


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_repository_gives_the_files_on_disk(form: str, tmp_path: Path) -> None:
    root = FORMS[form](tmp_path)
    write_files(root, {"train.py": "print('edited')\n", "new/file.txt": "untracked\n", "a.log": ""})
    git(root, "add", "train.py")
    write_files(root, {"train.py": "print('edited twice')\n", "pkg/data.bin": b"\0\1\2"})
    before = fingerprint(root)

    taken = snap(root)

    found = content(root, taken.tree)
    assert found["train.py"][1] == b"print('edited twice')"
    assert found["new/file.txt"][1] == b"untracked"
    assert found["pkg/data.bin"][1] == b"\0\1\2"
    assert "far/away.txt" in found
    assert "a.log" not in found
    assert fingerprint(root) == before


@pytest.mark.parametrize("form", FORMS)
def test_a_clean_working_tree_is_its_base(form: str, tmp_path: Path) -> None:
    root = FORMS[form](tmp_path)

    taken = snap(root)

    assert taken.tree == git(root, "rev-parse", "HEAD^{tree}")
    assert taken.index is None


def test_before_the_first_commit(tmp_path: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write_files(root, {"a.py": "1\n"})

    taken = snap(root)

    assert taken.working.base is None
    assert set(content(root, taken.tree)) == {"a.py"}


def test_an_empty_repository_has_the_empty_tree(tmp_path: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")

    assert content(root, snap(root).tree) == {}


def test_modes_links_and_deletions(repository: Path) -> None:
    write_files(repository, {"run.sh": "#!/bin/sh\n", "gone.txt": "x", "dir/a": "1", "file": "2"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "more")
    (repository / "run.sh").chmod(0o755)
    (repository / "gone.txt").unlink()
    (repository / "link").symlink_to("train.py")
    (repository / "outside").symlink_to("/etc/hostname")
    (repository / "dir" / "a").unlink()
    (repository / "dir").rmdir()
    write_files(repository, {"dir": "now a file"})
    (repository / "file").unlink()
    write_files(repository, {"file/inner": "now a folder"})

    found = content(repository, snap(repository).tree)

    assert {name: mode for name, (mode, _) in found.items()} == {
        "dir": "100644",
        "file/inner": "100644",
        "link": "120000",
        "outside": "120000",
        "run.sh": "100755",
        "train.py": "100644",
    }
    assert found["outside"][1] == b"/etc/hostname"


def test_odd_names(repository: Path) -> None:
    names = ["-rf", "with space", "new\nline", 'quo"te', "tab\t", "back\\slash", "ünï", ":(top)x"]
    write_files(repository, dict.fromkeys(names, "x"))
    (repository / os.fsdecode(b"not-utf8-\xff")).write_bytes(b"x")

    found = content(repository, snap(repository).tree)

    assert set(names) | {os.fsdecode(b"not-utf8-\xff"), "train.py"} == set(found)


def test_a_same_size_edit_in_the_second_of_the_index_write_is_seen(repository: Path) -> None:
    for attempt in range(5):
        write_files(repository, {"train.py": f"print('a{attempt}')\n"})
        git(repository, "add", "train.py")
        write_files(repository, {"train.py": f"print('b{attempt}')\n"})

        found = content(repository, snap(repository).tree)

        assert found["train.py"][1] == f"print('b{attempt}')".encode()


def test_hidden_edits_are_seen(repository: Path) -> None:
    write_files(repository, {"skipped.py": "1\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "more")
    git(repository, "update-index", "--assume-unchanged", "train.py")
    git(repository, "update-index", "--skip-worktree", "skipped.py")
    write_files(repository, {"train.py": "assumed\n", "skipped.py": "2 changed\n"})

    found = content(repository, snap(repository).tree)

    assert found["train.py"][1] == b"assumed"
    assert found["skipped.py"][1] == b"2 changed"


def test_a_file_made_again_outside_of_the_sparse_cone_is_seen(tmp_path: Path) -> None:
    root = FORMS["sparse"](tmp_path)
    write_files(root, {"far/away.txt": "made again\n", "far/new.txt": "untracked\n"})

    found = content(root, snap(root).tree)

    assert found["far/away.txt"][1] == b"made again"
    assert found["far/new.txt"][1] == b"untracked"


def test_intent_to_add_and_removed_from_the_index_only(repository: Path) -> None:
    write_files(repository, {"soon.py": "soon\n", "kept.py": "kept\n"})
    git(repository, "add", "kept.py")
    git(repository, "commit", "-q", "-m", "more")
    git(repository, "add", "-N", "soon.py")
    git(repository, "rm", "-q", "--cached", "kept.py")

    found = content(repository, snap(repository).tree)

    assert found["soon.py"][1] == b"soon"
    assert found["kept.py"][1] == b"kept"


def test_nested_ignore_files_with_exceptions(repository: Path) -> None:
    write_files(
        repository,
        {
            ".gitignore": "*.log\n",
            "sub/.gitignore": "!keep.log\n",
            "sub/keep.log": "kept",
            "sub/drop.log": "dropped",
        },
    )

    found = content(repository, snap(repository).tree)

    assert "sub/keep.log" in found
    assert "sub/drop.log" not in found


def test_filters_run_as_git_runs_them(repository: Path) -> None:
    git(repository, "config", "filter.up.clean", "tr a-z A-Z")
    git(repository, "config", "core.autocrlf", "true")
    git(repository, "config", "core.safecrlf", "true")
    write_files(
        repository,
        {".gitattributes": "*.up filter=up\n", "x.up": "text\n", "mixed.txt": b"a\r\nb\n"},
    )

    found = content(repository, snap(repository).tree)

    assert found["x.up"][1] == b"TEXT"
    assert found["mixed.txt"][1] == b"a\nb"


def test_a_required_filter_that_fails_is_an_error_that_names_the_file(repository: Path) -> None:
    git(repository, "config", "filter.bad.clean", "false")
    git(repository, "config", "filter.bad.required", "true")
    write_files(repository, {".gitattributes": "*.bad filter=bad\n", "x.bad": "text\n"})

    with pytest.raises(GitError, match=r"x\.bad"):
        snap(repository)


def test_conflicts_are_recorded_as_the_files_stand(repository: Path) -> None:
    git(repository, "switch", "-q", "-c", "other")
    write_files(repository, {"train.py": "theirs\n"})
    git(repository, "commit", "-q", "-a", "-m", "theirs")
    git(repository, "switch", "-q", "main")
    write_files(repository, {"train.py": "ours\n"})
    git(repository, "commit", "-q", "-a", "-m", "ours")
    opened(repository).git.run("merge", "other", ok=(1,))
    before = fingerprint(repository)

    found = content(repository, snap(repository).tree)

    assert b"<<<<<<<" in found["train.py"][1]
    assert fingerprint(repository) == before


def test_in_the_middle_of_a_rebase(repository: Path) -> None:
    git(repository, "switch", "-q", "-c", "other")
    write_files(repository, {"train.py": "theirs\n"})
    git(repository, "commit", "-q", "-a", "-m", "theirs")
    git(repository, "switch", "-q", "main")
    write_files(repository, {"train.py": "ours\n"})
    git(repository, "commit", "-q", "-a", "-m", "ours")
    opened(repository).git.run("rebase", "other", ok=(1,))
    before = fingerprint(repository)

    taken = snap(repository)

    assert taken.working.branch is None
    assert fingerprint(repository) == before
    assert (repository / ".git" / "rebase-merge").exists()


def test_sockets_and_pipes_are_passed_over(repository: Path) -> None:
    os.mkfifo(repository / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(repository / "sock"))

        found = content(repository, snap(repository).tree)

    assert set(found) == {"train.py"}


def test_large_secret_excluded_and_produced_files_are_left_out_and_listed(repository: Path) -> None:
    write_files(
        repository,
        {
            "big.bin": b"x" * 2000,
            ".env": "TOKEN=1",
            "model.ckpt": "x",
            "small.txt": "x",
            "produced/model.pt": "x",
        },
    )

    taken = snap(repository, limits(max_file=1000, exclude=("*.ckpt",)))

    assert set(content(repository, taken.tree)) == {"small.txt", "train.py"}
    assert [(item.path, item.size, item.reason) for item in taken.omitted] == [
        (".env", 7, "looks secret"),
        ("big.bin", 2000, "too large"),
        ("model.ckpt", 1, "excluded"),
    ]


def test_past_the_total_the_largest_files_are_left_out(repository: Path) -> None:
    write_files(repository, {"a": b"x" * 900, "b": b"x" * 500, "c": b"x" * 10})

    taken = snap(repository, limits(max_total=600))

    assert set(content(repository, taken.tree)) == {"b", "c", "train.py"}
    assert [(item.path, item.reason) for item in taken.omitted] == [("a", "total too large")]


def test_tracked_files_are_kept_whatever_their_size_or_name(repository: Path) -> None:
    write_files(repository, {".env": "TOKEN=1", "big.bin": b"x" * 2000})
    git(repository, "add", "-f", "-A")
    git(repository, "commit", "-q", "-m", "more")
    write_files(repository, {"big.bin": b"y" * 3000})

    taken = snap(repository, limits(max_file=1000))

    assert set(content(repository, taken.tree)) == {".env", "big.bin", "train.py"}
    assert taken.omitted == ()


def test_a_tree_with_nothing_but_omitted_files_is_clean(repository: Path) -> None:
    write_files(repository, {".env": "TOKEN=1"})

    taken = snap(repository)

    assert taken.tree == git(repository, "rev-parse", "HEAD^{tree}")


def test_a_clean_submodule_that_its_remote_has_is_a_link(tmp_path: Path) -> None:
    root = submodule_inside(tmp_path)

    taken = snap(root)

    assert taken.submodules == {}
    assert taken.tree == git(root, "rev-parse", "HEAD^{tree}")


def test_a_dirty_submodule_is_kept_whole_with_its_untracked_files(tmp_path: Path) -> None:
    root = submodule_inside(tmp_path)
    write_files(root, {"lib/lib.py": "X = 2\n", "lib/new.py": "NEW\n"})
    before = fingerprint(root / "lib")

    taken = snap(root)

    assert {name: data for name, (_, data) in content(root, taken.submodules["lib"]).items()} == {
        "lib.py": b"X = 2",
        "new.py": b"NEW",
    }
    assert fingerprint(root / "lib") == before


def test_an_unpushed_commit_of_a_submodule_is_kept_whole(tmp_path: Path) -> None:
    root = submodule_inside(tmp_path)
    write_files(root, {"lib/lib.py": "X = 3\n"})
    git(root / "lib", "commit", "-q", "-a", "-m", "not pushed")

    taken = snap(root)

    assert content(root, taken.submodules["lib"])["lib.py"][1] == b"X = 3"


def test_a_repository_inside_the_repository_is_kept_whole(repository: Path) -> None:
    make_repository(repository / "vendor", {"v.py": "V = 1\n"})
    write_files(repository, {"vendor/new.py": "NEW\n"})
    inner = repository / "vendor" / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    write_files(inner, {"i.py": "I\n"})

    taken = snap(repository)

    assert set(content(repository, taken.submodules["vendor"])) == {"v.py", "new.py", "inner/i.py"}


def test_a_clone_inside_the_repository_that_its_remote_has_is_named(
    repository: Path, tmp_path: Path
) -> None:
    make_repository(tmp_path / "theirs", {"v.py": "V = 1\n"})
    git(repository, "clone", "-q", str(tmp_path / "theirs"), "vendor")

    taken = snap(repository)

    assert taken.submodules == {}
    assert [(one.path, one.reason) for one in taken.omitted] == [("vendor", "clone of a remote")]


@pytest.fixture
def modes(tmp_path: Path) -> None:
    """Skip where a process may read what the modes forbid, as root may."""
    (tmp_path / "probe").touch(mode=0)
    if os.access(tmp_path / "probe", os.R_OK):
        pytest.skip("modes do not bind this process")


@pytest.mark.usefixtures("modes")
def test_what_is_untracked_and_may_not_be_read_is_listed(repository: Path) -> None:
    write_files(repository, {"closed/x": "x", "locked/y": "y", "new.py": "N\n", "z": "z"})
    (repository / "z").chmod(0)
    (repository / "closed").chmod(0)
    (repository / "locked").chmod(0o600)

    taken = snap(repository)

    (repository / "closed").chmod(0o700)
    (repository / "locked").chmod(0o700)
    assert set(content(repository, taken.tree)) == {"train.py", "new.py"}
    assert [(one.path, one.reason) for one in taken.omitted] == [
        ("closed/", "unreadable"),
        ("locked/y", "unreadable"),
        ("z", "unreadable"),
    ]


@pytest.mark.usefixtures("modes")
@pytest.mark.parametrize("closed", ["src", "src/a.py"])
def test_what_is_tracked_and_may_not_be_read_is_an_error_that_names_it(
    tmp_path: Path, closed: str
) -> None:
    root = make_repository(tmp_path / "r", {"src/a.py": "A\n"})
    write_files(root, {"src/a.py": "B\n"})
    git(root, "add", "-A")
    (root / closed).chmod(0)

    with pytest.raises(GitError, match=r"cannot (be )?read") as raised:
        snap(root)

    (root / closed).chmod(0o700)
    assert "src/a.py" in raised.value.message


def test_a_broken_repository_inside_is_left_out_and_listed(repository: Path) -> None:
    make_repository(repository / "vendor", {"v.py": "V = 1\n"})
    shutil.rmtree(repository / "vendor" / ".git" / "objects")
    (repository / "vendor" / ".git" / "objects").mkdir()
    (repository / "other").mkdir()
    git(repository / "other", "init", "-q", "--object-format=sha256")
    write_files(repository, {"other/o.py": "O = 1\n", "new.py": "N = 1\n"})

    taken = snap(repository)

    assert content(repository, taken.tree)["new.py"][1] == b"N = 1"
    assert [(one.path, one.reason) for one in taken.omitted] == [
        ("other", "unreadable"),
        ("vendor", "unreadable"),
    ]


def test_patterns_reach_into_a_repository_inside(repository: Path) -> None:
    make_repository(repository / "vendor", {"v.py": "V = 1\n"})
    write_files(repository, {"vendor/big/a.bin": "A", "vendor/new.py": "N\n"})

    taken = snap(repository, limits(exclude=("vendor/big/*",)))

    assert set(content(repository, taken.submodules["vendor"])) == {"v.py", "new.py"}
    assert [(one.path, one.reason) for one in taken.omitted] == [("vendor/big/a.bin", "excluded")]


def test_a_name_that_git_takes_into_no_tree_is_listed(repository: Path) -> None:
    write_files(repository, {"git~1": "x", "sub/.GIT/config": "yy", "new.py": "N\n"})

    taken = snap(repository)

    assert set(content(repository, taken.tree)) == {"train.py", "new.py"}
    assert [(one.path, one.size, one.reason) for one in taken.omitted] == [
        ("git~1", 1, "refused by git"),
        ("sub/.GIT/config", 2, "refused by git"),
    ]


def test_with_a_split_index_nothing_new_stands_in_the_git_folder(repository: Path) -> None:
    git(repository, "config", "core.splitIndex", "true")
    git(repository, "update-index", "--split-index")
    write_files(repository, {"new.py": "N\n"})
    before = sorted(os.listdir(repository / ".git"))

    with open_quarantine(opened(repository)) as quarantine:
        take_snapshot(opened(repository), quarantine, limits())

    assert sorted({*os.listdir(repository / ".git")} - {"repro"}) == before


def test_a_path_with_odd_line_separators_is_a_path(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "a\u2028b\x0cc\x85d")

    assert opened(root).root == root


def test_the_repository_of_somebody_else_comes_with_gits_own_way_out(repository: Path) -> None:
    try:
        for path in (repository, repository / ".git"):
            os.chown(path, 65534, 65534)
    except PermissionError:
        pytest.skip("only root can give a file away")

    with pytest.raises(UnsupportedRepositoryError, match="dubious ownership") as raised:
        opened(repository)

    assert "git config --global --add safe.directory" in str(raised.value.hint)


def test_a_translated_git_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "locales" / "de_DE.UTF-8"
    made.parent.mkdir()
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("no locales to make")
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(made)], capture_output=True)
    monkeypatch.setenv("LOCPATH", str(made.parent))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")

    with pytest.raises(NotARepositoryError, match="is not in a git repository"):
        opened(tmp_path)


def test_a_folder_that_is_gone_is_said_and_not_a_missing_git(repository: Path) -> None:
    here = opened(repository)
    shutil.rmtree(repository)

    with pytest.raises(GitError, match="is gone"):
        here.git.run("version")


def test_a_bare_repository_is_refused_by_name(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare.git")

    with pytest.raises(NotARepositoryError, match="bare repository"):
        opened(tmp_path / "bare.git")


def test_no_repository_is_refused_with_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(NotARepositoryError) as raised:
        opened(tmp_path)

    assert "git init" in str(raised.value.hint)


def test_a_repository_that_git_does_not_know_is_refused_in_one_line(tmp_path: Path) -> None:
    root = plain(tmp_path)
    git(root, "config", "core.repositoryformatversion", "1")
    git(root, "config", "extensions.refstorage", "unheardof")

    with pytest.raises(UnsupportedRepositoryError, match="refstorage") as raised:
        opened(root)

    assert "\n" not in raised.value.message


def test_git_variables_of_a_hook_do_not_lead_astray(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))

    assert opened(repository).root == repository
