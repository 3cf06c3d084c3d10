"""Pages in a record: written once, shared with earlier ones, never believed unchecked."""

import os
import tracemalloc
from pathlib import Path

import pytest
from tests.support import git
from tests.support.manifests import X, folder_entry

from repro.errors import DamagedRecordError
from repro.model.manifest import (
    FileEntry,
    FolderEntry,
    LinkEntry,
    format_page,
    format_vouchers,
    sort_entries,
)
from repro.store.git import Repository, open_repository
from repro.store.hashing import digest_bytes
from repro.store.objects import reading
from repro.store.pages import (
    CheckedPages,
    RecordedPages,
    iter_pages,
    pages_as_files,
)
from repro.store.quarantine import Existing

ODD = "a \n\udcff.:~"


def make_pages(**changes):
    """A dataset of three folders; `changes` are other bytes for the file in the deepest one."""
    deep = (FileEntry(ODD, changes.get("digest", "1" * 32), 5, is_executable=True),)
    empty = ()
    other = (FileEntry("x", "2" * 32, 7, sha256=changes.get("sha256")),)
    middle = sort_entries([folder_entry(ODD, deep), LinkEntry("up", "../other/x")])
    top = sort_entries(
        [
            folder_entry("middle", middle),
            folder_entry("other", other),
            folder_entry("empty", empty),
            FileEntry(".page", "3" * 32, 1),
        ]
    )
    return {
        "": top,
        "middle": middle,
        f"middle/{ODD}": deep,
        "other": other,
        "empty": empty,
    }


def digest_of(pages):
    return digest_bytes(format_page(pages[""]))


@pytest.fixture
def opened(repository: Path) -> Repository:
    return open_repository(repository, os.environ)


def store(root, files):
    """The tree of files and trees, written with plain git."""
    git(root, "read-tree", "--empty")
    for path, content in files.items():
        if isinstance(content, Existing):
            git(root, "read-tree", f"--prefix={path}", content.oid)
        else:
            oid = git(root, "hash-object", "-w", "--stdin", stdin=content)
            git(root, "update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
    return git(root, "write-tree")


def record(root, pages):
    """The tree of a record with these pages at `data/x`; and that of the pages."""
    found = pages_as_files("data/x", digest_of(pages), pages.__getitem__, None)
    tree = store(root, found)
    return git(root, "rev-parse", f"{tree}:data/x")


def recorded(objects, root, pages):
    return RecordedPages(objects, record(root, pages), digest=digest_of(pages), is_file=False)


def test_pages_come_back_from_a_git_tree(repository, opened):
    pages = make_pages(sha256="4" * 64)

    with reading(opened) as objects:
        assert pages == dict(iter_pages(recorded(objects, repository, pages)))


def test_plain_git_shows_pages_and_vouchers_as_text(repository):
    pages = make_pages(sha256="4" * 64)
    tree = record(repository, pages)

    assert git(repository, "show", f"{tree}:other/.page") == f"file {'2' * 32} 7 x"
    assert git(repository, "show", f"{tree}:other/.sha256") == f"{'4' * 64}  x"
    listed = git(repository, "ls-tree", "-r", "--name-only", tree).splitlines()
    assert listed == [
        ".page",
        "empty/.page",
        "middle/.page",
        "middle/a %0A%FF.%3A%7E/.page",
        "other/.page",
        "other/.sha256",
    ]


def test_git_finds_no_fault_in_the_tree_of_any_dataset(repository):
    names = [
        ".gitmodules",
        ".gitattributes",
        "...",
        " ",
        "%2Egit",
        "CON",
        "a" * 255,
        "\udcff" * 255,
    ]
    inner = (FileEntry("x", X, 1),)
    pages = {"": sort_entries(folder_entry(name, inner) for name in names)}
    pages.update(dict.fromkeys(names, inner))
    tree = record(repository, pages)
    commit = git(repository, "commit-tree", "-m", "x", tree)
    git(repository, "update-ref", "refs/repro/runs/x", commit)

    assert git(repository, "fsck", "--strict", "--no-dangling") == ""


def test_an_equal_dataset_is_named_and_not_written_again(repository, opened):
    pages = make_pages()
    with reading(opened) as objects:
        held = recorded(objects, repository, pages)

        files = pages_as_files("data/x", digest_of(pages), pages.__getitem__, held)

        assert {"data/x": Existing("040000", held.tree_of(""))} == files


def test_a_changed_file_writes_the_pages_above_it_and_no_others(repository, opened):
    before, after = make_pages(), make_pages(digest="9" * 32)
    with reading(opened) as objects:
        held = recorded(objects, repository, before)

        files = pages_as_files("data/x", digest_of(after), after.__getitem__, held)

        written = {path for path, content in files.items() if isinstance(content, bytes)}
        odd = "a %0A%FF.%3A%7E"
        assert {"data/x/.page", "data/x/middle/.page", f"data/x/middle/{odd}/.page"} == written
        shared = {path for path, content in files.items() if isinstance(content, Existing)}
        assert {"data/x/other", "data/x/empty"} == shared
        tree = git(repository, "rev-parse", f"{store(repository, files)}:data/x")
        again = RecordedPages(objects, tree, digest=digest_of(after), is_file=False)
        assert after == dict(iter_pages(again))


def test_a_file_in_the_place_of_a_folder_shares_nothing_with_it(repository, opened):
    before = make_pages()
    after = {"": (FileEntry("empty", X, 1), FileEntry("middle", X, 1))}
    with reading(opened) as objects:
        held = recorded(objects, repository, before)
        assert {"data/x/.page": format_page(after[""])} == pages_as_files(
            "data/x", digest_of(after), after.__getitem__, held
        )

        held = recorded(objects, repository, after)
        files = pages_as_files("data/x", digest_of(before), before.__getitem__, held)
        assert not [one for one in files.values() if isinstance(one, Existing)]


def test_a_dataset_of_one_file_is_a_page_of_its_name(repository, opened):
    page = (FileEntry("labels.csv", X, 5, sha256="1" * 64),)
    files = pages_as_files("data/labels", X, lambda _: page, None)
    tree = git(repository, "rev-parse", f"{store(repository, files)}:data/labels")

    with reading(opened) as objects:
        assert page == RecordedPages(objects, tree, digest=X, is_file=True)("")
        with pytest.raises(DamagedRecordError):
            RecordedPages(objects, tree, digest=X, is_file=False)("")


@pytest.mark.parametrize("path", ["", "other", "middle"])
def test_pages_that_change_while_they_are_written_are_refused(path):
    pages = make_pages()
    digest = digest_of(pages)
    pages[path] = (*pages[path], FileEntry("zzz", X, 1))

    with pytest.raises(DamagedRecordError, match="changed while it was being recorded"):
        pages_as_files("data/x", digest, pages.__getitem__, None)


def tamper(root, tree, path, content):
    """The tree with other content at `path`, or without it."""
    git(root, "read-tree", tree)
    git(root, "rm", "-q", "-r", "--cached", "--ignore-unmatch", path)
    if isinstance(content, bytes):
        oid = git(root, "hash-object", "-w", "--stdin", stdin=content)
        git(root, "update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
    elif content == "folder":
        inner = git(root, "mktree", stdin=b"")
        git(root, "read-tree", f"--prefix={path}/x", tree)
        assert inner
    return git(root, "write-tree")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".page", b"x"),
        (".page", None),
        (".page", "folder"),
        ("other/.page", b"file " + b"2" * 32 + b" 8 x\n"),
        ("other/.page", b""),
        ("other/.page", None),
        ("other", None),
        ("other", b"file"),
        ("other/.sha256", b"0" * 64 + b"  y\n"),
        ("other/.sha256", "folder"),
        ("middle/.page", b"link ../../../etc/passwd x\n"),
    ],
)
def test_a_record_that_was_tampered_with_is_refused(repository, opened, path, content):
    pages = make_pages(sha256="4" * 64)
    tree = tamper(repository, record(repository, pages), path, content)

    with reading(opened) as objects:
        read = RecordedPages(objects, tree, digest=digest_of(pages), is_file=False)
        with pytest.raises(DamagedRecordError):
            list(iter_pages(read))


def test_an_error_shows_no_control_characters_of_a_record():
    inner = ()
    name = "\x1b[2J\u202e"
    top = (folder_entry(name, inner),)
    pages = {"": top, name: (FileEntry("x", X, 1),)}

    def read(path):
        return format_page(pages[path]), format_vouchers(pages[path])

    checked = CheckedPages(read, digest=digest_of(pages), is_file=False)
    checked("")
    with pytest.raises(DamagedRecordError) as caught:
        checked(name)
    assert "\x1b" not in caught.value.message
    assert "\u202e" not in caught.value.message


def test_a_page_that_nothing_names_is_refused(repository, opened):
    pages = make_pages()

    with reading(opened) as objects:
        read = recorded(objects, repository, pages)
        for path in ("other", "nowhere"):
            with pytest.raises(DamagedRecordError, match="its page is missing"):
                read(path)


def test_twelve_objects_that_claim_ten_to_the_ten_files_are_refused_at_once(repository, opened):
    """Each of eleven folders holds the next ten times: 10^10 files, in 24 small objects."""
    page = (FileEntry("f", X, 1),)
    tree = store(repository, {".page": format_page(page)})
    for _ in range(10):
        page = tuple(folder_entry(f"{number}", page) for number in range(10))
        oid = git(repository, "hash-object", "-w", "--stdin", stdin=format_page(page))
        lines = [f"100644 blob {oid}\t.page"]
        lines += [f"040000 tree {tree}\t{number}" for number in range(10)]
        tree = git(repository, "mktree", stdin="\n".join(lines).encode() + b"\n")
    tracemalloc.start()

    with reading(opened) as objects:
        digest = digest_bytes(format_page(page))
        read = RecordedPages(objects, tree, digest=digest, is_file=False)
        with pytest.raises(DamagedRecordError, match=r"claims to hold more than 1,000,000,000"):
            list(iter_pages(read))

    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_folders_are_given_before_those_inside_and_in_order():
    pages = make_pages()

    assert ["", "empty", "middle", f"middle/{ODD}", "other"] == [
        path for path, _ in iter_pages(pages.__getitem__)
    ]
    assert isinstance(pages[""][1], FolderEntry)
