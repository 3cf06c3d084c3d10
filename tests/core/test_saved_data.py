"""Undo brings datasets back exactly, loses nothing done since, and believes no entry blindly."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import git, write_files
from tests.support.datasets import add_data, commit_all, entry_of, flip_bit, make_data
from tests.support.projects import make_run, open_here
from tests.support.restores import bring, everything, make_once, read_all

from repro.core.moving import DataMoves
from repro.core.needed import find_needed
from repro.core.saved import list_entries
from repro.core.saved_data import encode_moves, plan_undo, read_saved_data
from repro.core.undo import undo
from repro.errors import DamagedRecordError, MissingDataError, ReproError, WouldLoseWorkError
from repro.model.canonical import format_json
from repro.model.moves import FileState, FolderState, Move
from repro.store.git import Identity
from repro.store.quarantine import CommitSpec, Existing, open_quarantine, publish, write_commits
from repro.store.refs import UNDO, RefUpdate

FILES: dict[str, str | bytes] = {"a/one": "one\n", "four": "four\n", "in/deep/er": "deeper\n"}
S = "0" * 64
HARM = [
    "../x",
    "..",
    "a/../../x",
    "/etc/x",
    ".git/hooks/post-checkout",
    "a/.GIT/config",
    "a//b",
    "./a",
    "a\0b",
    "x" * 256,
    "x/" * 2100 + "x",
]


@pytest.fixture
def top(repository: Path, shelf: Path) -> Path:
    """A dataset with a run `one`, changed by hand in several ways since."""
    make_once(shelf, "project", repository, lambda: _make(repository))
    return repository / "data/train"


def _make(root: Path) -> None:
    make_data(root, FILES)
    commit_all(root)
    make_run(open_here(root), name="one")
    top = root / "data/train"
    (top / "a/one").unlink()
    write_files(top, {"a/one/mine": "mine\n", "four": "mine too\n", "new/x": "x\n"})
    shutil.rmtree(top / "in")
    (top / "in").write_text("a file\n")


def entry_parts(root: Path) -> tuple[object, ...]:
    """What two states have in common that differ in what repro itself keeps."""
    state = everything(root)
    return state["files"], state["head"], state["index"], state["unfinished"]


def test_work_done_since_is_refused_and_nothing_changes(repository, top):
    bring(repository, "one", save=True)
    write_files(top, {"a/one": "since\n", "in/deep/er": "since\n"})
    before = everything(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        undo(open_here(repository))

    assert before == everything(repository)
    assert sorted(refused.value.paths) == ["data/train/a/one", "data/train/in/deep/er"]


def test_work_done_since_can_be_saved_and_comes_back_with_the_next_undo(repository, top):
    first = entry_parts(repository)
    bring(repository, "one", save=True)
    write_files(top, {"a/one": "since\n", "in/deep/er": "since\n", "fresh/x": "fresh\n"})
    (top / "a/one").chmod(0o600)
    second = entry_parts(repository)

    undone = undo(open_here(repository), save=True)
    assert sorted(undone.kept) == ["data/train/a/one", "data/train/in/deep/er"]
    assert (top / "fresh/x").read_text() == "fresh\n"
    shutil.rmtree(top / "fresh")
    assert first == entry_parts(repository)
    write_files(top, {"fresh/x": "fresh\n"})
    undo(open_here(repository))

    assert second == entry_parts(repository)


def test_what_was_put_into_a_folder_that_was_a_file_is_work(repository, top):
    bring(repository, "one", save=True)
    write_files(top, {"in/deep/mine": "since\n", "in/also/mine": "since\n"})
    before = everything(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        undo(open_here(repository))
    assert before == everything(repository)
    assert sorted(refused.value.paths) == ["data/train/in/also/mine", "data/train/in/deep/mine"]

    undo(open_here(repository), save=True)
    assert (top / "in").read_text() == "a file\n"
    undo(open_here(repository))
    assert before["files"] == everything(repository)["files"]


def test_what_cannot_be_saved_stops_the_undo_before_anything_is_done(repository, top):
    bring(repository, "one", save=True)
    write_files(top, {"in/.git/config": "mine\n"})
    before = everything(repository)

    with pytest.raises(WouldLoseWorkError, match="cannot save"):
        undo(open_here(repository), save=True)

    assert before == everything(repository)


def test_what_was_put_into_a_folder_that_goes_stays_with_it(repository):
    make_data(repository, FILES)
    run = make_run(open_here(repository)).id
    shutil.rmtree(repository / "data")
    bring(repository, run)
    write_files(repository, {"data/train/in/mine": "mine\n"})

    undo(open_here(repository))

    assert [path for path in read_all(repository / "data") if path.endswith(("er", "ne"))] == [
        "train/in/mine"
    ]


@pytest.mark.parametrize("content", [b"mine too\n", b"a file\n"])
def test_bytes_that_the_store_lost_are_named_and_nothing_changes(repository, top, content):
    bring(repository, "one", save=True)
    entry_of(repository, content).unlink()
    before = everything(repository)

    with pytest.raises(MissingDataError) as refused:
        undo(open_here(repository), save=True)

    assert before == everything(repository)
    assert list(refused.value.paths) == [
        "data/train/four" if content == b"mine too\n" else "data/train/in"
    ]
    assert "`refs/repro/undo/1`" in refused.value.message


def test_bytes_that_are_damaged_in_the_store_are_named_and_nothing_changes(repository, top):
    bring(repository, "one", save=True)
    flip_bit(entry_of(repository, b"mine too\n"))
    before = everything(repository)

    with pytest.raises(DamagedRecordError, match="`data/train/four`"):
        undo(open_here(repository), save=True)

    assert before == everything(repository)


def test_what_an_undo_would_need_is_never_given_up(repository, top):
    bring(repository, "one", save=True)
    undo(open_here(repository), save=True)

    needed = find_needed(open_here(repository))

    for content in (b"mine too\n", b"a file\n", b"mine\n", b"one\n", b"four\n"):
        assert entry_of(repository, content).name.encode() in needed


def test_an_undo_is_exact_after_git_pruned_what_no_ref_holds(repository, top):
    before = entry_parts(repository)
    bring(repository, "one", save=True)
    git(repository, "gc", "-q", "--prune=now")

    undo(open_here(repository))

    assert before == entry_parts(repository)


def test_data_that_git_tracks_since_comes_back_as_it_was(repository, top):
    before = everything(repository)["files"]
    bring(repository, "one", save=True)
    git(repository, "switch", "-q", "-c", "tracked")
    git(repository, "add", "-f", "data/train")
    git(repository, "commit", "-q", "-m", "data in git")

    undo(open_here(repository))

    assert before == everything(repository)["files"]
    assert git(repository, "show", "tracked:data/train/four") == "four"


def make_entry(root: Path, files: Mapping[str, bytes]) -> None:
    """Lay files over those of the newest undo entry."""
    project = open_here(root)
    [entry, *_] = list_entries(project)
    held = {
        name: git(root, "show", f"{entry.commit}:{name}").encode() + b"\n" for name in ["undo.json"]
    }
    spec = CommitSpec(
        message="x",
        when=0,
        author=Identity("Eve", "eve@example.org"),
        parents=[git(root, "rev-parse", "HEAD")],
        files={
            **held,
            "index": (root / ".git/index").read_bytes(),
            "worktree": Existing("040000", entry.tree),
            **files,
        },
    )
    with open_quarantine(project.repository) as quarantine:
        [commit] = write_commits(quarantine, [spec])
        ref = RefUpdate(f"{UNDO}{entry.number + 1}", new=commit)
        publish(quarantine, tips=[commit], exclude=[], refs=[ref])


def facts(path: object = "data/train", **more: object) -> bytes:
    return format_json({"path": path, "kind": "folder", "made": 0, **more})


def encoded(path: str, line: str = "") -> bytes:
    raw = "".join(f"%{byte:02X}" if byte in b"./\0" else chr(byte) for byte in path.encode())
    return (line or f"file {S} 1 ").encode() + raw.replace("%2F", "/").encode() + b"\n"


@pytest.mark.parametrize("part", ["before", "after"])
def test_an_entry_that_leads_elsewhere_is_refused(repository, top, part):
    bring(repository, "one", save=True)
    (repository.parent / "x").write_text("canary\n")
    for path in HARM:
        make_entry(repository, {"data/t/dataset.json": facts(), f"data/t/{part}": encoded(path)})
        before = everything(repository)

        with pytest.raises(DamagedRecordError):
            undo(open_here(repository), save=True)

        assert before == everything(repository)
    assert (repository.parent / "x").read_text() == "canary\n"


def test_an_entry_of_another_shape_is_refused(repository, top):
    bring(repository, "one", save=True)
    paths = (None, 1, "", "/etc", "../x", ".git/hooks", "a\0b")
    for said in (b"", b"null\n", b"[]\n", b"{", *map(facts, paths)):
        make_entry(repository, {"data/t/dataset.json": said, "data/t/before": encoded("a")})
        before = everything(repository)

        with pytest.raises(DamagedRecordError):
            undo(open_here(repository), save=True)

        assert before == everything(repository)


def test_folders_that_an_entry_says_are_new_are_removed_only_if_they_are_empty(repository, top):
    bring(repository, "one", save=True)
    write_files(repository, {"other/mine": "mine\n", ".git/info/exclude": "/other\n"})
    for made in (None, -3, 10**30, "2", True, 1.5):
        said = facts("other/deep/data", made=made)
        make_entry(repository, {"data/t/dataset.json": said, "data/t/after": b"dir \n"})
        (repository / "other/deep/data").mkdir(parents=True, exist_ok=True)

        undo(open_here(repository))

        assert (repository / "other/mine").read_text() == "mine\n"


def test_the_states_of_as_many_files_as_a_dataset_has_are_read(repository, top):
    bring(repository, "one", save=True)
    lines = [f"file {S} 1 {number:0250}\n" for number in range(220_000)]
    text = "".join(lines).encode()
    assert len(text) > 64 << 20
    make_entry(repository, {"data/t/dataset.json": facts(), "data/t/after": text})
    project = open_here(repository)
    [newest, *_] = list_entries(project)

    [saved] = read_saved_data(project, newest.commit)

    assert len(saved.after) == len(lines)


def test_a_link_with_a_nul_is_one_error(repository, top):
    bring(repository, "one", save=True)
    data = {"data/t/dataset.json": facts(), "data/t/before": b"link a%00b four\n"}
    make_entry(repository, data)
    before = everything(repository)

    with pytest.raises(ReproError):
        undo(open_here(repository), save=True)

    assert before == everything(repository)


def test_no_entry_says_nothing_of_datasets(repository):
    write_files(repository, {"train.py": "edited\n"})
    run = make_run(open_here(repository)).id
    git(repository, "checkout", "-q", "--", "train.py")
    bring(repository, run)
    project = open_here(repository)

    [entry] = list_entries(project)

    assert read_saved_data(project, entry.commit) == []


NAMES = st.sampled_from(["train", "a/b", "..", ".git", "x\ny", "caf\udce9", "é", "%2E"])


@given(names=st.lists(NAMES, unique=True, max_size=4))
def test_datasets_of_any_name_have_files_of_their_own(names):
    plans = [
        DataMoves(
            name=name,
            root=Path("/nowhere"),
            path="data",
            is_file=False,
            moves=(Move("a", FileState("0" * 64, 1, False), FolderState()),),
            looks={},
        )
        for name in names
    ]

    files = encode_moves(plans)

    assert len(files) == 3 * len(names)
    for path in files:
        assert len(path.split("/")) == 3
        assert not {"", ".", "..", ".git"} & set(path.split("/"))


def test_nothing_is_planned_for_what_is_as_it_was(repository, top):
    project = open_here(repository)
    bring(repository, "one", save=True)
    [entry] = list_entries(project)
    saved = read_saved_data(project, entry.commit)

    undo(project)

    assert plan_undo(project, saved) == []
    assert [one.name for one in saved] == ["train"]


def test_an_unchanged_dataset_is_not_in_the_entry(repository, top):
    shutil.rmtree(top)
    write_files(top, FILES)
    write_files(repository, {"data/other/x": "x\n"})
    add_data(repository, "data/other")
    run = make_run(open_here(repository)).id
    (top / "four").unlink()
    project = open_here(repository)

    bring(repository, run)

    [entry] = list_entries(project)
    assert [one.name for one in read_saved_data(project, entry.commit)] == ["train"]
