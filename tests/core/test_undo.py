"""Undo brings back what was, loses nothing done since, and survives `kill -9` anywhere."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.checkouts import check_out_run
from tests.support.projects import make_run, open_here
from tests.support.trees import read_folder, read_state

from repro.core.restore import check_out
from repro.core.saved import list_entries
from repro.core.undo import undo
from repro.errors import (
    BusyRepositoryError,
    DamagedRecordError,
    GitError,
    NewerFormatError,
    ReproError,
    WouldLoseWorkError,
)
from repro.store.worktree import open_scratch


@pytest.fixture
def run(repository: Path) -> str:
    """A run of an edited and a new file, both taken away again."""
    write_files(repository, {"train.py": "edited\n", "new.py": "new\n"})
    run_id = make_run(open_here(repository)).id
    git(repository, "stash", "-q", "-u")
    git(repository, "stash", "drop", "-q")
    return run_id


def test_nothing_to_undo_is_an_error_with_a_next_step(repository):
    with pytest.raises(ReproError) as refused:
        undo(open_here(repository))

    assert refused.value.hint is not None


def test_undo_once_per_checkout(repository, run):
    check_out_run(repository, run)
    undo(open_here(repository))

    with pytest.raises(ReproError, match="nothing to undo"):
        undo(open_here(repository))


def test_work_done_since_is_refused_then_saved_then_brought_back(repository, run):
    before = read_state(repository)
    check_out_run(repository, run)
    write_files(repository, {"train.py": "since\n", "result.txt": "since\n", "staged.txt": "s\n"})
    git(repository, "add", "staged.txt")
    since = read_state(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        undo(open_here(repository))
    assert since == read_state(repository)
    undone = undo(open_here(repository), save=True)
    now = read_state(repository)
    assert (before["files"], before["index"]) == (now["files"], now["index"])
    undo(open_here(repository))

    again = read_state(repository)
    assert refused.value.paths == ("result.txt", "staged.txt", "train.py")
    assert undone.kept == refused.value.paths
    assert [since[key] for key in ("files", "index", "head")] == [
        again[key] for key in ("files", "index", "head")
    ]


def test_bytes_written_since_that_a_filter_hides_from_git_are_work(repository):
    git(repository, "config", "filter.strip.clean", "grep -v output || true")
    write_files(repository, {".gitattributes": "*.nb filter=strip\n", "a.nb": "code\noutput 1\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "a notebook")
    write_files(repository, {"a.nb": "other code\noutput 2\n"})
    run = make_run(open_here(repository)).id
    write_files(repository, {"a.nb": "code\noutput 3\n"})
    check_out_run(repository, run)
    write_files(repository, {"a.nb": "code\noutput 4\n"})

    with pytest.raises(WouldLoseWorkError) as refused:
        undo(open_here(repository))
    undo(open_here(repository), save=True)
    before = (repository / "a.nb").read_text()
    undo(open_here(repository), save=True)

    assert refused.value.paths == ("a.nb",)
    assert before == "code\noutput 3\n"
    assert (repository / "a.nb").read_text() == "code\noutput 4\n"


def test_ignored_files_made_since_stay(repository, run):
    check_out_run(repository, run)
    (repository / ".git/info/exclude").write_text("*.log\n")
    write_files(repository, {"x.log": "since\n"})

    undo(open_here(repository))

    assert (repository / "x.log").read_text() == "since\n"


def test_a_branch_that_moved_stays_where_it_is(repository, run):
    before = read_folder(repository)
    check_out_run(repository, run)
    tree = git(repository, "rev-parse", "main^{tree}")
    moved = git(repository, "commit-tree", "-p", "main", "-m", "moved", tree)
    git(repository, "update-ref", "refs/heads/main", moved)

    undone = undo(open_here(repository))

    assert (undone.branch, undone.commit) == ("refs/heads/main", moved)
    assert "moved" in undone.notes[0]
    assert before == read_folder(repository)


def test_a_branch_that_is_gone_leaves_head_detached_where_it_was(repository, run):
    first = git(repository, "rev-parse", "main")
    check_out_run(repository, run)
    git(repository, "branch", "-q", "-D", "main")

    undone = undo(open_here(repository))

    assert (undone.branch, undone.commit) == (None, first)
    assert git(repository, "rev-parse", "HEAD") == first


def test_a_branch_in_whose_place_there_are_others_is_gone(repository, run):
    head = git(repository, "rev-parse", "HEAD")
    check_out_run(repository, run)
    git(repository, "branch", "-m", "main", "main/other")

    done = undo(open_here(repository))

    assert done.branch is None
    assert "is gone" in done.notes[0]
    assert git(repository, "rev-parse", "HEAD") == head
    assert git(repository, "status", "--porcelain") == ""


def test_commits_made_since_on_no_branch_are_kept(repository, run):
    check_out_run(repository, run)
    write_files(repository, {"work.txt": "work\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "work")
    work = git(repository, "rev-parse", "HEAD")

    done = undo(open_here(repository))
    holders = git(repository, "for-each-ref", f"--contains={work}", "--format=%(refname)")
    again = undo(open_here(repository))

    assert done.saved is not None
    assert holders == done.saved.ref
    assert again.commit == work
    assert (repository / "work.txt").read_text() == "work\n"


def test_an_undo_that_fails_keeps_nothing_but_what_it_was_to_undo(repository, run):
    check_out_run(repository, run)
    write_files(repository, {"train.py": "since\n"})
    git(repository, "config", "filter.bad.smudge", "false")
    git(repository, "config", "filter.bad.required", "true")
    (repository / ".git/info/attributes").write_text("train.py filter=bad\n")
    before = read_state(repository)

    with pytest.raises(GitError):
        undo(open_here(repository), save=True)

    assert before == read_state(repository)


def test_a_branch_taken_by_another_worktree_is_left_to_it(repository, run, tmp_path):
    check_out_run(repository, run)
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"), "main")

    undone = undo(open_here(repository))

    assert undone.branch is None
    assert "checked out" in undone.notes[0]
    assert git(repository, "status", "--porcelain") == ""


def test_each_worktree_undoes_its_own(repository, run, tmp_path):
    linked = tmp_path / "linked"
    git(repository, "worktree", "add", "-q", "-b", "side", str(linked))
    main, side = read_state(repository), read_state(linked)
    check_out_run(linked, run)
    check_out_run(repository, run)
    check_out_run(linked, git(linked, "rev-parse", "side") and run)

    undo(open_here(linked))
    assert side["files"] == read_folder(linked)
    undo(open_here(repository))

    assert main == read_state(repository)
    assert side == read_state(linked)


def test_undo_works_without_the_run(repository, run):
    before = read_state(repository)
    check_out_run(repository, run)
    git(repository, "update-ref", "-d", f"refs/repro/runs/{run}")

    undo(open_here(repository))

    assert before == read_state(repository)


def test_switching_away_by_git_first_is_fine(repository, run):
    before = read_state(repository)
    check_out_run(repository, run)
    git(repository, "switch", "-q", "-")

    undo(open_here(repository))

    assert before == read_state(repository)


def test_the_entry_is_what_the_format_says(repository, run):
    write_files(repository, {"train.py": "mine\n", "staged.py": "staged\n"})
    git(repository, "add", "staged.py")
    write_files(repository, {"staged.py": "later\n"})
    (repository / ".git/info/exclude").write_text("new.py\n")
    write_files(repository, {"new.py": "in the way\n"})
    index = (repository / ".git/index").read_bytes()
    staged = git(repository, "rev-parse", ":staged.py")
    head = git(repository, "rev-parse", "HEAD")

    check_out_run(repository, run, save=True)

    ref = "refs/repro/undo/1"
    facts = json.loads(git(repository, "show", f"{ref}:undo.json"))
    assert facts["head"] == "refs/heads/main"
    assert facts["head_oid"] == head == git(repository, "rev-parse", f"{ref}^")
    assert facts["target"] == run
    assert facts["target_commit"] == git(repository, "rev-parse", f"refs/repro/runs/{run}^")
    assert facts["removed"] == ["new.py"]
    assert git(repository, "show", f"{ref}:worktree/new.py") == "in the way"
    assert git(repository, "show", f"{ref}:worktree/staged.py") == "later"
    assert git(repository, "show", f"{ref}:staged/{staged}") == "staged"
    show = subprocess.check_output(["git", "show", f"{ref}:index"], cwd=repository)
    assert index == show
    [entry] = list_entries(open_here(repository))
    assert (entry.number, entry.worktree) == (1, None)


@pytest.mark.parametrize(
    ("facts", "error"), [("{}", DamagedRecordError), ('{"version": 2}', NewerFormatError)]
)
def test_an_entry_that_is_not_ours_is_named(repository, facts, error):
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=facts.encode())
    tree = git(repository, "mktree", stdin=f"100644 blob {blob}\tundo.json\n".encode())
    commit = git(repository, "commit-tree", "-m", "x", tree)
    git(repository, "update-ref", "refs/repro/undo/1", commit)

    with pytest.raises(error, match="refs/repro/undo/1"):
        undo(open_here(repository))


@pytest.mark.parametrize("what", ["HEAD", "HEAD^{tree}", "HEAD:train.py"])
def test_a_ref_that_names_no_entry_is_named(repository, what):
    git(repository, "update-ref", "refs/repro/undo/12", git(repository, "rev-parse", what))

    with pytest.raises(DamagedRecordError, match="refs/repro/undo/12"):
        undo(open_here(repository))


def test_a_ref_that_is_no_number_of_ours_is_not_looked_at(repository, run):
    for name in ("007", "٣", "x"):
        git(repository, "update-ref", f"refs/repro/undo/{name}", "HEAD")
    check_out_run(repository, run)

    assert undo(open_here(repository)).target == run


def test_two_restores_at_once_are_refused(repository, run):
    code = (
        "import fcntl, sys, time; f = open('.git/repro/restore/main.lock', 'w');"
        "fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    (repository / ".git/repro/restore").mkdir()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(BusyRepositoryError):
            check_out_run(repository, run)
        other.communicate()


CHECKOUT = """
import os, sys
from pathlib import Path
from repro.core.query import resolve_run
from repro.core.restore import check_out
from repro.core.undo import undo
from tests.support.projects import open_here
project = open_here(Path(sys.argv[1]))
record = resolve_run(project, sys.argv[2])
print(flush=True)
if sys.argv[3] == "checkout":
    check_out(project, record, save=True)
else:
    undo(project, save=True)
"""
N_FILES = 150


@pytest.fixture
def big(tmp_path: Path) -> tuple[Path, str]:
    """A repository where a checkout takes long enough to be killed in it."""
    files = {f"d{n % 10}/{n}.txt": f"{n}\n" * 400 for n in range(N_FILES)}
    root = make_repository(tmp_path / "big", {**files, "swap": "file\n"})
    write_files(root, {name: text + "run\n" for name, text in files.items()})
    write_files(root, {f"new/{n}.txt": "new\n" for n in range(50)})
    (root / "swap").unlink()
    write_files(root, {"swap/inner": "folder\n"})
    run = make_run(open_here(root)).id
    git(root, "reset", "-q", "--hard")
    git(root, "clean", "-fdq")
    (root / ".git/info/exclude").write_text("*.log\nnew/7.txt\n")
    write_files(root, {"d1/1.txt": "mine\n", "mine.txt": "mine\n", "x.log": "log\n"})
    write_files(root, {"d2/2.txt": "staged\n", "new/7.txt": "ignored, in the way\n"})
    git(root, "add", "d2/2.txt")
    write_files(root, {"d2/2.txt": "edited again\n"})
    return root, run


def kill_in(root: Path, run: str, verb: str, delay: float, *, group: bool) -> None:
    words = [sys.executable, "-c", CHECKOUT, str(root), run, verb]
    place = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), str(place / "src")])}
    with subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with open_scratch(open_here(root).repository):
        pass  # waits for a git that lives on


def free_locks(root: Path) -> None:
    """Remove what a git leaves that is killed while it moves a ref; a person has to, as ever."""
    for lock in [root / ".git/HEAD.lock", *(root / ".git/refs/repro").rglob("*.lock")]:
        lock.unlink(missing_ok=True)


def is_back(root: Path, before: dict[str, object]) -> bool:
    project = open_here(root)
    with open_scratch(project.repository) as scratch:
        interrupted = scratch.interrupted
    if any(entry.ref == interrupted for entry in list_entries(project)):  # there is work left
        return False
    now = read_state(root)
    return all(before[key] == now[key] for key in ("files", "index", "head"))


def undo_all(root: Path, before: dict[str, object]) -> None:
    """Undo until the state is the one from before; each step must succeed."""
    for _ in range(3):
        if is_back(root, before):
            return
        undo(open_here(root))
    now = read_state(root)
    assert before["files"] == now["files"]
    assert before["index"] == now["index"]
    assert before["head"] == now["head"]


@pytest.mark.parametrize("group", [False, True])
def test_a_killed_checkout_is_undone_to_the_byte(big, group):
    root, run = big
    before = read_state(root)
    chance = random.Random(7)  # delays need no secret

    for _ in range(10):
        kill_in(root, run, "checkout", chance.uniform(0, 0.45), group=group)
        free_locks(root)
        undo_all(root, before)
        assert git(root, "for-each-ref", "refs/heads") == before["branches"]
    git(root, "fsck", "--connectivity-only")


def test_a_killed_undo_is_undone_to_the_byte(big):
    root, run = big
    before = read_state(root)
    chance = random.Random(11)

    for n in range(10):
        check_out_run(root, run, save=True)
        kill_in(root, run, "undo", chance.uniform(0, 0.4), group=n % 2 == 0)
        free_locks(root)
        undo_until(root, before)


def undo_until(root: Path, before: dict[str, object]) -> None:
    """As `undo_all`; the saved state of a killed `undo --save` may come back in between."""
    for _ in range(4):
        if is_back(root, before):
            for ref in git(root, "for-each-ref", "--format=%(refname)", "refs/repro/undo").split():
                git(root, "update-ref", "-d", ref)
            return
        undo(open_here(root))
    raise AssertionError("undo does not come to the state from before")


def test_a_checkout_after_a_killed_one_asks_for_undo_first(big):
    root, run = big
    scratch = root / ".git/repro/restore/main"
    check_out_run(root, run, save=True)
    scratch.mkdir(parents=True)
    (scratch / "entry").write_text("refs/repro/undo/1")

    with pytest.raises(BusyRepositoryError) as refused:
        check_out(open_here(root), git(root, "rev-parse", "main"), save=True)

    assert refused.value.hint is not None
    assert "repro undo" in refused.value.hint


def test_an_undo_that_was_killed_when_nothing_was_left_to_do_is_over(big):
    root, run = big
    before = read_state(root)
    check_out_run(root, run, save=True)
    undo(open_here(root))
    scratch = root / ".git/repro/restore/main"
    scratch.mkdir(parents=True)
    (scratch / "entry").write_text("refs/repro/undo/1")  # the ref itself is gone

    check_out_run(root, run, save=True)
    undo(open_here(root))
    assert is_back(root, before)


def test_the_same_checkout_after_a_killed_one_is_done_whole(big):
    root, run = big
    before = read_state(root)["files"]
    check_out_run(root, run, save=True)
    wanted = read_state(root)["files"]
    scratch = root / ".git/repro/restore/main"
    scratch.mkdir(parents=True)
    (scratch / "entry").write_text("refs/repro/undo/1")
    (root / "train.py").write_text("half of the work of the killed one\n")

    check_out_run(root, run, save=True)

    assert wanted == read_state(root)["files"]
    undo(open_here(root))
    assert before == read_state(root)["files"]


def test_a_private_file_comes_back_private(repository, run):
    write_files(repository, {"mine.txt": "private\n"})
    (repository / "mine.txt").chmod(0o600)

    check_out_run(repository, run, save=True)
    assert not (repository / "mine.txt").exists()
    undo(open_here(repository))

    assert (repository / "mine.txt").stat().st_mode & 0o777 == 0o600
