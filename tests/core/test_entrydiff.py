"""Two manifests side by side: every path that differs, folders first, and no more."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from tests.support.manifests import folder_entry

from repro.core.entrydiff import EntryChange, iter_changes
from repro.model.manifest import (
    Entry,
    FileEntry,
    FolderEntry,
    LinkEntry,
    Page,
    join_path,
    sort_entries,
)

Tree = Mapping[str, "FileEntry | LinkEntry | Tree"]

ONE = FileEntry("", "1" * 32, 1)
TWO = FileEntry("", "2" * 32, 1)
LINK = LinkEntry("", "x")


class Pages:
    """The pages of a tree; remembers which were asked for."""

    def __init__(self, tree: Tree) -> None:
        self.asked: list[str] = []
        self.pages: dict[str, Page] = {}
        self._add("", tree)

    def _add(self, path: str, tree: Tree) -> Page:
        entries: list[Entry] = []
        for name, inner in tree.items():
            if isinstance(inner, Mapping):
                entries.append(folder_entry(name, self._add(join_path(path, name), inner)))
            else:
                entries.append(inner._replace(name=name))
        self.pages[path] = sort_entries(entries)
        return self.pages[path]

    def __call__(self, path: str) -> Page:
        self.asked.append(path)
        return self.pages[path]

    def flat(self) -> dict[str, Entry]:
        """Every entry by its path."""
        return {
            join_path(path, entry.name): entry
            for path, page in self.pages.items()
            for entry in page
        }


LEAVES = st.sampled_from([ONE, TWO, LINK, ONE._replace(sha256="0" * 64)])
NAMES = st.sampled_from(["a", "b", "a.b", "a b", "é", "\udcff", "a\nb", "~"])
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=4),
    lambda inner: st.dictionaries(NAMES, LEAVES | inner, max_size=4),
    max_leaves=12,
)


def plain(entry: Entry | None) -> Entry | None:
    """An entry without what it is not compared by."""
    if isinstance(entry, FileEntry):
        return entry._replace(sha256=None)
    return FolderEntry(entry.name, "", 0, 0, 0) if isinstance(entry, FolderEntry) else entry


@given(st.none() | TREES, st.none() | TREES)
def test_every_path_that_differs_is_given_once(before, after):
    old, new = (None if tree is None else Pages(tree) for tree in (before, after))

    changes = list(iter_changes(old, new))

    olds, news = ({} if pages is None else pages.flat() for pages in (old, new))
    expected = {path for path in {*olds, *news} if plain(olds.get(path)) != plain(news.get(path))}
    assert expected == {change.path for change in changes}
    assert len(expected) == len(changes)
    assert all(
        (change.old, change.new) == (olds.get(change.path), news.get(change.path))
        for change in changes
    )


@given(TREES, TREES)
def test_a_folder_comes_before_what_is_in_it(before, after):
    seen: set[str] = set()
    for change in iter_changes(Pages(before), Pages(after)):
        assert not any(path.startswith(f"{change.path}/") for path in seen)
        seen.add(change.path)


@given(TREES)
def test_a_manifest_does_not_differ_from_itself(tree):
    assert list(iter_changes(Pages(tree), Pages(tree))) == []


@given(TREES, TREES)
def test_the_other_way_round_the_sides_are_swapped(before, after):
    there = {change.path: change for change in iter_changes(Pages(before), Pages(after))}
    back = {change.path: change for change in iter_changes(Pages(after), Pages(before))}

    assert there == {path: EntryChange(path, one.new, one.old) for path, one in back.items()}


def test_folders_that_are_equal_are_not_read():
    before = Pages({"same": {"x": ONE, "in": {"y": ONE}}, "other": {"x": ONE}})
    after = Pages({"same": {"x": ONE, "in": {"y": ONE}}, "other": {"x": TWO}})

    assert [change.path for change in iter_changes(before, after)] == ["other/x"]
    assert [["", "other"], ["", "other"]] == [before.asked, after.asked]


def test_a_mode_is_a_change_and_being_kept_is_none():
    before = Pages({"a": ONE, "b": ONE})
    after = Pages({"a": ONE._replace(sha256="0" * 64), "b": ONE._replace(is_executable=True)})

    assert [change.path for change in iter_changes(before, after)] == ["b"]


def test_an_empty_folder_is_a_change():
    assert [change.path for change in iter_changes(Pages({}), Pages({"a": {"b": {}}}))] == [
        "a",
        "a/b",
    ]


def test_a_file_that_became_a_folder_is_one_change_and_those_inside():
    changes = list(iter_changes(Pages({"a": ONE}), Pages({"a": {"b": TWO}})))

    assert [(change.path, type(change.old), type(change.new)) for change in changes] == [
        ("a", FileEntry, FolderEntry),
        ("a/b", type(None), FileEntry),
    ]
