"""Manifests: one text for each value, and nothing else is taken for one."""

import os
import re

import pytest
from hypothesis import given
from tests.support.manifests import (
    BAD_VOUCHERS,
    HARM,
    OUTER_LINKS,
    S,
    X,
    as_reader,
    folder_entry,
    names,
    pages,
)

from repro.errors import DamagedRecordError
from repro.model.manifest import (
    LARGEST_SIZE,
    MOST,
    FileEntry,
    FolderEntry,
    LinkEntry,
    by_name,
    decode_name,
    depth_of,
    encode_name,
    format_page,
    format_section,
    format_vouchers,
    is_inner_link,
    join_path,
    parse_manifest,
    parse_page,
    sort_entries,
    total_of,
)
from repro.model.text import UNSAFE
from repro.store.hashing import digest_bytes
from repro.store.pages import CheckedPages


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@given(names)
def test_every_name_comes_back_from_its_code(name):
    text = encode_name(name)

    assert name == decode_name(text)
    assert not re.search(UNSAFE, text)
    assert not set(text) & set("\0/\\\n\r:~")
    assert not text.startswith(".")


@given(pages)
def test_every_page_comes_back_from_its_text(page):
    text, vouchers = format_page(page), format_vouchers(page)

    assert page == parse_page(text, vouchers, where="x")
    assert text.count(b"\n") == len(page)


@given(pages, pages)
def test_two_pages_have_one_text_only_if_they_are_one(one, other):
    texts = [(format_page(page), format_vouchers(page)) for page in (one, other)]

    assert (one == other) == (texts[0] == texts[1])


@given(pages)
def test_a_page_is_sorted_by_the_bytes_of_its_names(page):
    raw = [os.fsencode(entry.name) for entry in page]

    assert raw == sorted(raw)
    assert page == sort_entries(reversed(page))


def test_the_order_is_that_of_bytes_and_not_of_characters_or_codes():
    found = ["\U00010000", "\ue000", "b", "B", ".z", "~", "\udcff", "é", "a b", "a"]
    page = sort_entries(FileEntry(name, X, 1) for name in found)

    wanted = [".z", "B", "a", "a b", "b", "~", "é", "\ue000", "\U00010000", "\udcff"]
    assert wanted == [entry.name for entry in page]
    assert page == parse_page(format_page(page), where="x")


def test_an_empty_page_has_no_text():
    assert format_page(()) == b""
    assert parse_page(b"", where="x") == ()


@pytest.mark.parametrize("harm", HARM)
def test_a_hostile_page_is_refused_by_name(harm):
    with pytest.raises(DamagedRecordError, match="the manifest of `train` is damaged"):
        parse_page(as_bytes(HARM[harm]), where="train")


@pytest.mark.parametrize("harm", BAD_VOUCHERS)
def test_vouchers_that_are_not_those_of_the_page_are_refused(harm):
    page = format_page([FileEntry("a", X, 1), LinkEntry("l", "a")])

    with pytest.raises(DamagedRecordError, match="is damaged"):
        parse_page(page, as_bytes(BAD_VOUCHERS[harm]), where="train")


def test_vouchers_out_of_order_are_refused():
    page = format_page([FileEntry("a", X, 1), FileEntry("b", X, 1)])

    assert parse_page(page, f"{S}  a\n{S}  b\n".encode(), where="x")
    with pytest.raises(DamagedRecordError):
        parse_page(page, f"{S}  b\n{S}  a\n".encode(), where="x")


def test_vouchers_may_be_those_of_some_files():
    page = (FileEntry("a", X, 1), FileEntry("b", X, 1, sha256=S))

    assert page == parse_page(format_page(page), f"{S}  b\n".encode(), where="x")


def test_an_error_shows_no_control_characters_of_the_page():
    with pytest.raises(DamagedRecordError) as caught:
        parse_page(f"\x1b[2J{X}\n".encode(), where="a\x1b[2Jb")

    assert "\x1b" not in caught.value.message


def test_names_that_differ_in_case_only_are_accepted_as_recorded():
    page = (FileEntry("A", X, 1), FileEntry("a", X, 2))

    assert page == parse_page(format_page(page), where="x")


def test_a_page_cut_at_any_byte_is_refused_or_is_another_page():
    page = sort_entries(
        [
            FileEntry("a", X, 10),
            FileEntry("b\n", "1" * 32, 200, is_executable=True),
            FolderEntry("c", "2" * 32, 30, 4, 5000),
            LinkEntry("d", "c/x y"),
        ]
    )
    text = format_page(page)
    digest = digest_bytes(text)

    for size in range(len(text)):
        cut = text[:size]
        assert digest_bytes(cut) != digest
        try:
            shorter = parse_page(cut, where="x")
        except DamagedRecordError:
            continue
        assert page[: len(shorter)] == shorter


def test_a_page_with_any_byte_changed_is_refused_or_has_another_digest():
    text = format_page([FileEntry("a", X, 10), FolderEntry("b", X, 1, 0, 2), LinkEntry("c", "a")])
    digest = digest_bytes(text)

    for place in range(len(text)):
        for bit in range(8):
            changed = bytearray(text)
            changed[place] ^= 1 << bit
            try:
                parse_page(bytes(changed), where="x")
            except DamagedRecordError:
                continue
            assert digest_bytes(bytes(changed)) != digest


def test_the_largest_numbers_are_taken_and_one_more_is_not():
    page = (FileEntry("a", X, LARGEST_SIZE),)
    assert page == parse_page(format_page(page), where="x")

    with pytest.raises(DamagedRecordError):
        parse_page(format_page([FileEntry("a", X, LARGEST_SIZE + 1)]), where="x")


def test_a_total_counts_links_as_files_and_each_folder():
    page = (
        FileEntry("a", X, 10),
        LinkEntry("b", "a"),
        FolderEntry("c", X, 3, 2, 100),
        FolderEntry("d", X, 0, 0, 0),
    )

    assert (5, 4, 110) == total_of(page)


@pytest.mark.parametrize("target", OUTER_LINKS)
def test_a_link_that_leaves_the_dataset_is_not_inner(target):
    assert not is_inner_link(target, 0)


@pytest.mark.parametrize(
    ("target", "depth"),
    [("a", 0), ("a/b", 0), ("./a", 0), ("..", 1), ("../a", 1), ("../../a", 2), (".", 0), ("a/", 0)],
)
def test_a_link_that_stays_in_the_dataset_is_inner(target, depth):
    assert is_inner_link(target, depth)
    assert not target.startswith("..") or not is_inner_link(target, depth - 1)


def checked(found, top):
    return CheckedPages(as_reader(found), digest=digest_bytes(format_page(top)), is_file=False)


@pytest.mark.parametrize(
    "wrong", [{"files": 2}, {"files": 0}, {"folders": 1}, {"size": 11}, {"digest": X}]
)
def test_a_folder_that_is_not_what_its_parent_says_is_refused(wrong):
    inner = (FileEntry("a", X, 10),)
    claim = folder_entry("b", inner)._replace(**wrong)
    read = checked({"": (claim,), "b": inner}, (claim,))

    assert (claim,) == read("")
    with pytest.raises(DamagedRecordError, match="manifest of `b` is damaged"):
        read("b")


def test_a_page_that_lists_itself_is_refused_for_its_count_grows():
    """With xxh3 a page that holds its own digest can be made; with its own count it cannot."""
    page = (FolderEntry("a", X, 1, 0, 0),)
    read = CheckedPages(as_reader({"": page, "a": page}), digest=X, is_file=False)
    read._claims["a"] = page[0]._replace(digest=digest_bytes(format_page(page)))

    with pytest.raises(DamagedRecordError):
        read("a")


def test_a_top_page_that_the_record_does_not_name_is_refused():
    with pytest.raises(DamagedRecordError, match="not the one that the record names"):
        CheckedPages(as_reader({"": ()}), digest=X, is_file=False)("")


@pytest.mark.parametrize(
    "page",
    [
        (),
        (FileEntry("a", "1" * 32, 1),),
        (FileEntry("a", X, 1), FileEntry("b", X, 1)),
        (LinkEntry("a", "b"),),
        (FolderEntry("a", X, 0, 0, 0),),
    ],
)
def test_the_page_of_one_file_that_is_something_else_is_refused(page):
    with pytest.raises(DamagedRecordError):
        CheckedPages(as_reader({"": page}), digest=X, is_file=True)("")


@pytest.mark.parametrize("target", OUTER_LINKS)
def test_a_recorded_link_that_leaves_the_dataset_is_refused(target):
    page = (LinkEntry("a", target),)

    with pytest.raises(DamagedRecordError, match="leads out of the dataset"):
        checked({"": page}, page)("")


def test_a_recorded_link_may_climb_as_high_as_the_top():
    inner = (LinkEntry("up", "../a"),)
    top = (FileEntry("a", X, 1), folder_entry("b", inner))
    assert inner == (lambda read: read("") and read("b"))(checked({"": top, "b": inner}, top))

    inner = (LinkEntry("up", "../../a"),)
    top = (FileEntry("a", X, 1), folder_entry("b", inner))
    read = checked({"": top, "b": inner}, top)
    read("")
    with pytest.raises(DamagedRecordError, match="leads out"):
        read("b")


@pytest.mark.parametrize("what", ["files", "folders"])
def test_a_few_small_pages_that_claim_more_than_any_disk_holds_are_refused_at_once(what):
    """Twelve pages, each with ten names for the one below: 10^11 files or folders."""
    page = (FileEntry("f", X, 1),) if what == "files" else ()
    found = [page]
    for _ in range(11):
        page = tuple(
            folder_entry(f"{number}", page)._replace(name=f"{number}") for number in range(10)
        )
        found.append(page)
    by_depth = list(reversed(found))

    def read(path):
        page = by_depth[depth_of(path)]
        return format_page(page), b""

    assert max(total_of(by_depth[0])[:2]) > MOST
    with pytest.raises(DamagedRecordError, match="more than 1,000,000,000 files"):
        CheckedPages(read, digest=digest_bytes(format_page(by_depth[0])), is_file=False)("")


def whole_of(pages):
    """All pages of a dataset as one file."""
    return b"".join(
        format_section(path, format_page(page), format_vouchers(page))
        for path, page in pages.items()
    )


def test_the_file_of_all_pages_comes_back_as_pages():
    inner = (FileEntry("x\n y", X, 1, sha256=S),)
    odd = "a\n\udcff b"
    found = {
        "": (folder_entry(odd, inner), folder_entry("empty", ())),
        odd: inner,
        "empty": (),
    }

    data = whole_of(found)

    assert {
        path: (format_page(page), format_vouchers(page)) for path, page in found.items()
    } == parse_manifest(data, where="x")


def test_the_file_of_all_pages_cut_anywhere_is_refused_or_lacks_a_page():
    inner = (FileEntry("a", X, 1, sha256=S),)
    top = (folder_entry("b", inner),)
    data = whole_of({"": top, "b": inner})
    whole = parse_manifest(data, where="x")

    for size in range(len(data)):
        try:
            found = parse_manifest(data[:size], where="x")
        except DamagedRecordError:
            continue
        assert found != whole
        assert found.items() <= whole.items()


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"folder 0 0 ",
        b"folder -1 0 a\n",
        b"folder 0 01 a\n",
        b"folder 99999999999999999999 0 a\n",
        b"folder 9999999999999999999 0 a\n",
        b"folder 1 0 a\n",
        b"folder 0 0\n",
        b"folder 0 0 a\nfolder 0 0 a\n",
        b"folder 0 0 a\nfolder 0 0 %61\n",
        b"folder 0 0 " + b"a" * 100_000,
        b"page 0 0 a\n",
        bytes(50),
    ],
)
def test_what_is_no_file_of_pages_is_refused(data):
    with pytest.raises(DamagedRecordError, match="the manifest of `x` is damaged"):
        parse_manifest(data, where="x")


def test_paths_are_joined_and_counted_from_the_top():
    assert ("a", "a/b") == (join_path("", "a"), join_path("a", "b"))
    assert (0, 1, 2) == (depth_of(""), depth_of("a"), depth_of("a/b"))
    assert by_name((FileEntry("a", X, 1),))["a"].size == 1
