"""A look at a folder: what is in it, what cannot be, and a signature of it all."""

import os
import socket
import threading
from contextlib import contextmanager

import pytest

from repro.errors import InvalidInputError
from repro.model.manifest import FileEntry, format_page, parse_page
from repro.store.scan import list_folder, sign


@pytest.fixture
def top(tmp_path):
    (tmp_path / "top").mkdir()
    return tmp_path / "top"


@contextmanager
def opened(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def look(path, *, where="", depth=0, follow=None):
    with opened(path) as fd:
        return list_folder(fd, where=where, depth=depth, follow=follow)


def test_files_folders_and_inner_links_are_told_apart_and_sorted(top):
    for name in ("b", "a"):
        (top / name).write_bytes(b"12")
    (top / "z").mkdir()
    (top / "y").mkdir()
    (top / "link").symlink_to("z/gone")

    listing = look(top)

    assert [("a", None), ("b", None), ("link", "z/gone")] == [
        (raw[0], raw[6]) for raw in listing.found
    ]
    assert ["y", "z"] == listing.folders
    assert (4, []) == (listing.size, listing.left_out)


def test_an_empty_folder_is_a_listing_too(top):
    listing = look(top)

    assert ([], [], []) == (listing.found, listing.folders, listing.left_out)


UNFIT = [
    b".git",
    b".GIT",
    b".Git.",
    b".git ",
    b"git~1",
    b"GIT~1",
    b".git::$INDEX_ALLOCATION",
    ".g\u200cit".encode(),
    b"a\\.git",
    b"..\\x",
    b".. ",
    b"..  ",
    "..\u200c".encode(),
]


@pytest.mark.parametrize("name", UNFIT)
def test_a_name_that_no_record_may_hold_is_left_out_and_named(top, name):
    (top / os.fsdecode(name)).mkdir()
    (top / "a").write_bytes(b"")

    listing = look(top)

    assert [os.fsdecode(name)] == listing.left_out
    assert ["a"] == [raw[0] for raw in listing.found]
    assert [] == listing.folders


@pytest.mark.parametrize(
    "name",
    [
        *(bytes([code]) for code in range(1, 256) if code not in b"./"),
        *(b"." + bytes([code]) for code in range(1, 256) if code not in b"./"),
        *(b".." + bytes([code]) for code in range(1, 256) if code not in b"/"),
        b"...",
        b".gitignore",
        b"agit~1",
        b"x.git",
        "\u200c".encode(),
        "\u200c\u200c".encode(),
        "\u200c.".encode(),
        "é".encode() * 127,
        b"%2E%2E",
    ],
    ids=repr,
)
def test_a_name_that_is_not_left_out_is_one_that_a_page_may_hold(top, name):
    (top / os.fsdecode(name)).write_bytes(b"")

    listing = look(top)

    for raw in listing.found:
        page = (FileEntry(raw[0], "0" * 32, 0),)
        assert page == parse_page(format_page(page), where="x")
    assert len(listing.found) + len(listing.left_out) == 1


def make_socket(path):
    with opened(path.parent) as folder, socket.socket(socket.AF_UNIX) as one:
        os.fchdir(folder)  # the name of a socket may have no more than 107 bytes
        one.bind(path.name)


def make_device(path):
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.parametrize(
    ("make", "kind"),
    [(os.mkfifo, "a named pipe"), (make_socket, "a socket"), (make_device, "a device")],
    ids=["fifo", "socket", "device"],
)
def test_what_no_dataset_can_hold_is_refused_by_its_path_and_kind(top, make, kind):
    make(top / "odd\x1b")

    with pytest.raises(InvalidInputError, match=rf"`b/odd\\x1b` is {kind}, which no dataset"):
        look(top, where="b", depth=1)


def test_a_link_out_is_refused_with_what_it_leads_to(top):
    (top / "x").symlink_to("/etc/passwd")

    with pytest.raises(InvalidInputError, match="`x` is a link to `/etc/passwd`, out of the") as no:
        look(top)

    assert "--follow" in str(no.value.hint)


@pytest.mark.parametrize(("depth", "is_inner"), [(0, False), (1, True)])
def test_a_link_upwards_is_inner_as_far_as_the_top(top, depth, is_inner):
    (top / "x").symlink_to("../y")

    if is_inner:
        assert "../y" == look(top, depth=depth).found[0][6]
    else:
        with pytest.raises(InvalidInputError):
            look(top, depth=depth)


def test_a_link_out_that_is_followed_is_what_it_leads_to(top):
    (top / "in").mkdir()
    (top / "out").mkdir()
    (top / "file").write_bytes(b"123")
    (top / "in/f").symlink_to("../file")
    (top / "in/d").symlink_to(top / "out")
    followed: list[str] = []

    listing = look(top / "in", follow=followed.append)

    assert [("f", 3, None)] == [(raw[0], raw[2], raw[6]) for raw in listing.found]
    assert ["d"] == listing.folders
    assert ["d", "f"] == followed


def test_a_link_out_that_leads_nowhere_is_refused_though_it_may_be_followed(top):
    (top / "x").symlink_to("/gone")

    with pytest.raises(InvalidInputError, match="`x` is a link to `/gone`: No such file"):
        look(top, follow=lambda path: None)


def test_a_loop_of_links_outside_is_refused_as_a_loop(top):
    (top / "in").mkdir()
    (top / "one").symlink_to("two")
    (top / "two").symlink_to("one")
    (top / "in/x").symlink_to("../one")

    with pytest.raises(InvalidInputError, match=r"`x` is a link to `\.\./one`: a loop"):
        look(top / "in", follow=lambda path: None)


def touch(path):
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda top: (top / "a").write_bytes(b"22"),
        lambda top: touch(top / "a"),
        lambda top: (top / "a").chmod(0o755),
        lambda top: (top / "a").rename(top / "b"),
        lambda top: (top / "a").unlink(),
        lambda top: (top / "new").write_bytes(b""),
        lambda top: (top / "d").rmdir(),
        lambda top: (top / "e").mkdir(),
    ],
    ids=["edit", "touch", "chmod", "rename", "remove", "add", "rmdir", "mkdir"],
)
def test_the_signature_is_another_one_after_any_change(top, change):
    (top / "a").write_bytes(b"1")
    (top / "d").mkdir()
    before = look(top).signature
    assert before == look(top).signature

    change(top)

    assert before != look(top).signature


def test_another_file_of_the_same_size_and_times_has_another_signature(top):
    (top / "a").write_bytes(b"1")
    listing = look(top)
    [raw] = listing.found
    other = (*raw[:5], raw[5] + 1, raw[6])

    assert listing.signature == sign([raw], [])
    assert listing.signature != sign([other], [])
    assert listing.signature != sign([raw], ["d"])
    assert listing.signature != sign([raw], ["\udcff"])


def test_a_name_that_is_not_utf_8_has_a_signature_too(top):
    (top / os.fsdecode(b"\xff")).write_bytes(b"")

    assert ["\udcff"] == [raw[0] for raw in look(top).found]
    assert look(top).signature == look(top).signature


def test_a_folder_whose_names_come_and_go_is_listed_or_refused_and_nothing_else_escapes(top):
    stop = threading.Event()
    path = top / "x"

    def flip():
        while not stop.is_set():
            path.symlink_to("y")
            (top / "new").write_bytes(b"")
            (top / "new").replace(path)
            path.unlink()

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        for _ in range(3000):
            assert {raw[0] for raw in look(top).found} <= {"x", "new"}
    finally:
        stop.set()
        thread.join()
