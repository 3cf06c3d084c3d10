"""Datasets compared: every file that differs has a name, and equal folders are not read."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import git, write_files
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, open_at, write_run

from repro.core.datadiff import compare_data, diff_pages
from repro.core.diff import compare_runs, compare_with_worktree
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.tracking import Wish, add_dataset, choose_dataset, drop_dataset
from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.diff import DataChange
from repro.model.manifest import (
    Entry,
    FileEntry,
    FolderEntry,
    LinkEntry,
    Page,
    format_page,
    join_path,
    sort_entries,
    total_of,
)
from repro.model.run import Record
from repro.store.hashing import digest_bytes

Leaf = FileEntry | LinkEntry
Tree = Mapping[str, "Leaf | Tree"]


def a_file(content: str, **changes: object) -> FileEntry:
    entry = FileEntry("", digest_bytes(content.encode()), len(content))
    return entry._replace(**changes)  # type: ignore[arg-type]


class Pages:
    """The manifest pages of a tree, counting what is read."""

    def __init__(self, tree: Tree) -> None:
        self.read: list[str] = []
        self._pages: dict[str, Page] = {}
        self._add("", tree)

    def _add(self, path: str, tree: Tree) -> Page:
        entries: list[Entry] = []
        for name, inner in tree.items():
            if isinstance(inner, Mapping):
                page = self._add(join_path(path, name), inner)
                digest = digest_bytes(format_page(page))
                entries.append(FolderEntry(name, digest, *total_of(page)))
            else:
                entries.append(inner._replace(name=name))
        self._pages[path] = sort_entries(entries)
        return self._pages[path]

    def __call__(self, path: str) -> Page:
        self.read.append(path)
        return self._pages[path]


def diff_trees(before: Tree | None, after: Tree | None) -> DataChange:
    return diff_pages(
        None if before is None else Pages(before), None if after is None else Pages(after)
    )


NAMES = st.sampled_from(["a", "b", "a.b", "é", "\udcff", "a\nb", " "])
LEAVES = st.builds(
    a_file,
    st.sampled_from(["", "x", "longer"]),
    is_executable=st.booleans(),
    sha256=st.sampled_from([None, "0" * 64]),
) | st.builds(LinkEntry, st.just(""), st.sampled_from(["a", "b"]))
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3),
    lambda inner: st.dictionaries(NAMES, LEAVES | inner, max_size=3),
    max_leaves=8,
)


def flat(tree: Tree, path: str = "") -> dict[str, Leaf | None]:
    """Each file by its path, and None for each folder behind a slash."""
    found: dict[str, Leaf | None] = {}
    for name, inner in tree.items():
        where = join_path(path, name)
        if isinstance(inner, Mapping):
            found[f"{where}/"] = None
            found |= flat(inner, where)
        else:
            found[where] = inner._replace(sha256=None) if isinstance(inner, FileEntry) else inner
    return found


def only_in(one: dict[str, Leaf | None], other: dict[str, Leaf | None]) -> list[str]:
    """What one side lists that the other has nothing of, folders only where they are empty."""
    alone = [path for path in one if path not in other]
    inner = {path for path in one if any(p != path and p.startswith(path) for p in one)}
    chosen = [path for path in alone if not (path.endswith("/") and path in inner)]
    return sorted(chosen, key=os.fsencode)


def size_of(entries: dict[str, Leaf | None], paths: tuple[str, ...]) -> int:
    found = [entries[path] for path in paths]
    return sum(entry.size for entry in found if isinstance(entry, FileEntry))


@given(TREES, TREES)
def test_exactly_the_paths_that_differ_are_named(before: Tree, after: Tree) -> None:
    olds, news = flat(before), flat(after)

    change = diff_trees(before, after)

    assert list(change.added) == only_in(news, olds)
    assert list(change.removed) == only_in(olds, news)
    both = [path for path in olds if path in news and olds[path] != news[path]]
    assert list(change.changed) == sorted(both, key=os.fsencode)
    assert change.size_added == size_of(news, change.added)
    assert change.size_removed == size_of(olds, change.removed)
    assert change.size_before == size_of(olds, change.changed)
    assert change.size_after == size_of(news, change.changed)
    assert change.unlisted is None


@given(TREES)
def test_a_side_that_is_missing_lacks_every_file(tree: Tree) -> None:
    expected = only_in(flat(tree), {})

    assert list(diff_trees(None, tree).added) == expected
    assert list(diff_trees(tree, None).removed) == expected


def test_a_file_that_became_a_folder_is_removed_and_added() -> None:
    change = diff_trees({"x": a_file("old")}, {"x": {"y": a_file("longer")}})

    assert change == DataChange(added=("x/y",), removed=("x",), size_added=6, size_removed=3)


def test_an_empty_folder_is_a_difference() -> None:
    change = diff_trees({}, {"x": {"y": {}}})

    assert change == DataChange(added=("x/y/",))


def test_what_is_kept_makes_no_difference() -> None:
    change = diff_trees({"x": a_file("same")}, {"x": a_file("same", sha256="1" * 64)})

    assert change == DataChange()


def test_only_folders_that_differ_are_read() -> None:
    before = {f"d{n}": {f"{m}": a_file(f"{n} {m}") for m in range(10)} for n in range(100)}
    after = {**before, "d50": {**before["d50"], "7": a_file("changed")}}
    sides = Pages(before), Pages(after)

    change = diff_pages(*sides)

    assert change.changed == ("d50/7",)
    assert [side.read for side in sides] == [["", "d50"], ["", "d50"]]


def test_a_few_objects_that_claim_ten_million_files_are_refused_at_once() -> None:
    level: Page = tuple(FileEntry(f"{n}", "0" * 32, 1) for n in range(10))
    pages = [level]
    for _ in range(6):
        digest = digest_bytes(format_page(level))
        level = tuple(FolderEntry(f"{n}", digest, *total_of(level)) for n in range(10))
        pages.append(level)

    def page_of(path: str) -> Page:
        return pages[6 - (path.count("/") + 1 if path else 0)]

    assert total_of(level).files == 10**7
    with pytest.raises(DamagedRecordError, match="2,000,000"):
        diff_pages(None, lambda path: (FolderEntry("x", "0" * 32, *total_of(level)),))
    with pytest.raises(DamagedRecordError, match="2,000,000"):
        diff_pages(page_of, lambda path: (FileEntry("0", "0" * 32, 1),))


def test_a_path_that_no_disk_holds_is_refused() -> None:
    page = (FolderEntry("x" * 250, "0" * 32, 1, 1, 0),)

    with pytest.raises(DamagedRecordError, match="longer than any disk"):
        diff_pages(None, lambda path: page)


@pytest.fixture
def project(repository: Path) -> Project:
    """A project with the dataset `train` of two folders and an unchanged one, `labels`."""
    write_files(
        repository,
        {
            "data/train/a/1.txt": "one\n",
            "data/train/a/2.txt": "two\n",
            "data/train/b/3.txt": "three\n",
            "data/labels.csv": "id,label\n",
        },
    )
    track(repository, "data/train")
    track(repository, "data/labels.csv", name="labels")
    return open_here(repository)


def track(root: Path, path: str, **wish: object) -> None:
    project = open_here(root)
    add_dataset(project, choose_dataset(project, path, root, Wish(**wish)))  # type: ignore[arg-type]


def run(root: Path, **request: object) -> Record:
    project = open_here(root)
    return resolve_run(project, make_run(project, **request).id)  # type: ignore[arg-type]


def edit(root: Path) -> DataChange:
    """Change the files of `train`; what differs then."""
    write_files(root, {"data/train/a/1.txt": "changed\n", "data/train/c/new.txt": "new\n"})
    (root / "data/train/b/3.txt").unlink()
    return DataChange(
        added=("c/new.txt",),
        removed=("b/3.txt",),
        changed=("a/1.txt",),
        size_added=4,
        size_removed=6,
        size_before=4,
        size_after=8,
    )


ALL = DataChange(removed=("a/1.txt", "a/2.txt", "b/3.txt"), size_removed=14)


def test_two_runs_differ_by_the_files_that_changed_between_them(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    expected = edit(root)
    b = run(root)

    assert compare_runs(project, a, b).data == {"train": expected}
    assert compare_runs(project, b, b).data == {}


def test_a_run_differs_from_what_is_on_disk_now(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    assert compare_with_worktree(project, a).data == {}

    expected = edit(root)
    comparison = compare_with_worktree(project, a)

    assert comparison.data == {"train": expected}
    assert "data" in comparison.compared


def test_data_that_is_kept_only_now_is_the_same_data(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    track(root, "data/train", keep=True)
    b = run(root)

    assert [a.data["train"]["kept"], b.data["train"]["kept"]] == [False, True]
    assert compare_runs(project, a, b).data == {}
    assert compare_with_worktree(open_here(root), a).data == {}


def test_a_dataset_that_is_gone_lost_all_its_files(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    shutil.rmtree(root / "data/train")
    (root / "data/labels.csv").unlink()

    changes = compare_with_worktree(project, a).data

    assert changes == {
        "labels": DataChange(removed=("labels.csv",), size_removed=9),
        "train": ALL,
    }


def test_a_dataset_that_the_run_had_not_gained_all_its_files(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    write_files(root, {"data/new/x": "12345"})
    track(root, "data/new")
    b = run(root)
    expected = {"new": DataChange(added=("x",), size_added=5)}

    assert compare_runs(project, a, b).data == expected
    assert compare_with_worktree(open_here(root), a).data == expected


def test_a_dataset_that_moved_is_looked_for_where_the_project_has_it_now(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    (root / "data/train").rename(root / "elsewhere")
    settings = (root / "repro.yaml").read_text()
    (root / "repro.yaml").write_text(settings.replace("data/train", "elsewhere"))

    assert compare_with_worktree(open_here(root), a).data == {}


def test_a_dataset_that_was_dropped_is_looked_for_where_it_was(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    drop_dataset(project, "train")
    assert compare_with_worktree(open_here(root), a).data == {}

    expected = edit(root)

    assert compare_with_worktree(open_here(root), a).data == {"train": expected}


def test_a_record_does_not_choose_what_is_read_outside_of_the_repository(
    project: Project, tmp_path: Path
) -> None:
    outside = tmp_path / "private"
    write_files(outside, {"secret.txt": "x"})
    a = run(project.repository.root)
    facts = {**a.data["train"], "path": str(outside)}

    change = compare_with_worktree(project, replace(a, data={"theirs": facts})).data["theirs"]

    assert "outside of the repository" in str(change.unlisted)
    assert change.added == change.changed == ()


def test_comparing_keeps_no_bytes(project: Project) -> None:
    root = project.repository.root
    track(root, "data/train", keep=True)
    a = run(root)
    before = sorted(project.store.rglob("*"))
    edit(root)

    compare_with_worktree(open_here(root), a)

    assert sorted(project.store.rglob("*")) == before


def test_a_run_in_progress_is_compared_too(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    expected = edit(root)
    live = begin(project)
    try:
        b = resolve_run(project, live.id)
        changes = compare_runs(project, a, b).data
    finally:
        live.journal.close()

    assert changes == {"train": expected}


def test_datasets_of_the_same_digest_are_equal_without_their_pages(project: Project) -> None:
    a = run(project.repository.root)
    bare = write_run(open_at(project.repository.root), make_record(data=a.data))

    assert compare_data(project, a, bare) == {}


def test_pages_that_cannot_be_had_are_said_and_hide_no_other_dataset(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    edit(root)
    b = run(root)
    data = {**b.data, "labels": {**b.data["labels"], "digest": f"xxh3:{'0' * 32}"}}

    changes = compare_data(project, a, replace(b, data=data))

    assert "damaged" in str(changes["labels"].unlisted)
    assert changes["labels"].changed == ()
    assert changes["train"].changed == ("a/1.txt",)


def test_a_record_without_any_pages_still_differs(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    data = {**a.data, "train": {**a.data["train"], "digest": f"xxh3:{'0' * 32}"}}
    bare = write_run(open_at(root), make_record(data=data))

    change = compare_runs(project, a, bare).data["train"]

    assert "no manifest of the dataset `train`" in str(change.unlisted)


@pytest.mark.parametrize("odd", [None, 3, {"digest": "x"}, {"path": "data/train"}])
def test_an_entry_of_another_shape_is_said(project: Project, odd: object) -> None:
    a = run(project.repository.root)

    changes = compare_data(project, replace(a, data={"train": odd}), a, names=["train"])
    now = compare_data(project, replace(a, data={"../x": odd}), None, names=["../x"])

    assert changes["train"].unlisted
    assert now["../x"].unlisted


def test_a_dataset_that_cannot_be_read_now_is_said(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    os.mkfifo(root / "data/train/pipe")

    change = compare_with_worktree(project, a).data["train"]

    assert "pipe" in str(change.unlisted)


def test_what_is_on_disk_is_compared_with_the_lock(project: Project) -> None:
    root = project.repository.root
    assert compare_data(project, None, None) == {}

    expected = edit(root)

    assert compare_data(project, None, None) == {"train": expected}


def test_locks_of_commits_are_compared(project: Project) -> None:
    root = project.repository.root
    git(root, "add", "-A")
    git(root, "commit", "-qm", "with data")
    a = run(root)
    expected = edit(root)
    track(root, "data/train")
    git(root, "commit", "-qam", "with other data")
    heads = [git(root, "rev-parse", name) for name in ("HEAD~2", "HEAD~1", "HEAD")]

    assert compare_data(project, heads[1], heads[2]) == {"train": expected}
    assert compare_data(project, a, heads[2]) == {"train": expected}
    assert compare_data(project, heads[2], None) == {}
    assert compare_data(project, heads[0], heads[1])["train"] == DataChange(
        added=ALL.removed, size_added=ALL.size_removed
    )


def test_a_lock_that_a_commit_has_wrong_is_named_with_the_commit(project: Project) -> None:
    root = project.repository.root
    (root / "repro.lock").write_text("train: 3\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "odd")
    head = git(root, "rev-parse", "HEAD")

    with pytest.raises(InvalidInputError, match=rf"in commit {head[:10]}: `repro.lock` line 1"):
        compare_data(project, head, None)


def test_only_the_datasets_that_were_asked_for_are_compared(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    edit(root)
    write_files(root, {"data/labels.csv": "changed\n"})

    assert list(compare_data(project, a, None, names=["labels"])) == ["labels"]
    with pytest.raises(InvalidInputError, match="did you mean `labels`"):
        compare_data(project, a, None, names=["label"])


def test_a_dataset_of_one_file_is_changed_or_becomes_a_folder(project: Project) -> None:
    root = project.repository.root
    a = run(root)
    write_files(root, {"data/labels.csv": "changed\n"})
    b = run(root)
    (root / "data/labels.csv").unlink()
    write_files(root, {"data/labels.csv/part": "12"})
    c = run(root)

    assert compare_runs(project, a, b).data["labels"] == DataChange(
        changed=("labels.csv",), size_before=9, size_after=8
    )
    assert compare_runs(project, a, c).data["labels"] == DataChange(
        added=("part",), removed=("labels.csv",), size_added=2, size_removed=9
    )


def test_links_and_exec_bits_and_odd_names_are_compared(project: Project) -> None:
    root = project.repository.root
    top = root / "data/train"
    (top / "link").symlink_to("a")
    write_files(root, {"data/train/x.sh": "x", "data/train/a\nb": "x"})
    odd = os.fsencode(top) + b"/\xff"
    Path(os.fsdecode(odd)).write_bytes(b"1")
    a = run(root)
    (top / "link").unlink()
    (top / "link").symlink_to("b")
    (top / "x.sh").chmod(0o755)
    (top / "a\nb").unlink()
    Path(os.fsdecode(odd)).write_bytes(b"2")

    change = compare_with_worktree(project, a).data["train"]

    assert change.changed == ("link", "x.sh", "\udcff")
    assert change.removed == ("a\nb",)
