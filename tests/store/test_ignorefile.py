"""A dataset gets a line in .gitignore that means just it, unless git has no need of one."""

import os

import pytest
from tests.support import git, make_repository, write_files
from tests.support.records import open_at

from repro.errors import InvalidInputError
from repro.store.ignorefile import ignore_path

NAMES = [
    "data",
    "data/train",
    "*",
    "a*b",
    "what?",
    "[ab]",
    "back\\slash",
    "end\\",
    "!not",
    "#no comment",
    ":(top)",
    ":x",
    "-q",
    "two  spaces  ",
    " first",
    "tab\t",
    "a\rb",
    "größe 🎉",
    "byte\udcff",
    "a b/c d ",
    '"quoted"',
]


def ignored(root):
    return git(root, "status", "--porcelain", "-z", "--ignored", "-uall")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_folder", [True, False])
def test_git_ignores_it_and_nothing_else(repository, name, is_folder):
    opened = open_at(repository)
    file = f"{name}/file" if is_folder else name
    others = [
        "ab",
        "aXb",
        "whatX",
        "backslash",
        "not",
        "elsewhere/data/train/x",
        "two  spaces",
        "q",
    ]
    write_files(repository, {os.fsdecode(os.fsencode(file)): "x", **dict.fromkeys(others, "y")})

    assert ignore_path(opened, name, is_folder=is_folder)

    found = opened.git.paths("ls-files", "-z", "--others", "--ignored", "--exclude-standard")
    assert found == [file]
    assert not ignore_path(opened, name, is_folder=is_folder)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "/data/\n"),
        ("", "/data/\n"),
        ("*.pyc\n", "*.pyc\n/data/\n"),
        ("*.pyc", "*.pyc\n/data/\n"),
        ("*.pyc\r\n# c\r\n", "*.pyc\r\n# c\r\n/data/\r\n"),
        ("a\r\n*.pyc", "a\r\n*.pyc\r\n/data/\r\n"),
        ("\ufeff# c\n", "\ufeff# c\n/data/\n"),
    ],
)
def test_the_line_goes_to_the_end_and_line_ends_stay(repository, before, after):
    if before is not None:
        write_files(repository, {".gitignore": before})

    assert ignore_path(open_at(repository), "data", is_folder=True)

    assert (repository / ".gitignore").read_bytes() == after.encode()


def test_what_git_ignores_already_gets_no_line(repository):
    write_files(repository, {"data/.gitignore": "*\n", "data/x": "", "runs/x": ""})
    (repository / ".git/info").mkdir(exist_ok=True)
    (repository / ".git/info/exclude").write_text("runs\n")

    assert not ignore_path(open_at(repository), "data/x", is_folder=False)
    assert not ignore_path(open_at(repository), "runs", is_folder=True)
    assert not (repository / ".gitignore").exists()


def test_what_git_tracks_gets_no_line(repository):
    write_files(repository, {"data/a": "", "[x]/a": "", "x/a": ""})
    git(repository, "add", "data/a", ":(literal)[x]/a")

    assert not ignore_path(open_at(repository), "data", is_folder=True)
    assert not ignore_path(open_at(repository), "data/a", is_folder=False)
    assert not ignore_path(open_at(repository), "[x]", is_folder=True)
    assert not ignore_path(open_at(repository), "train.py", is_folder=False)
    assert not (repository / ".gitignore").exists()
    assert ignore_path(open_at(repository), "x", is_folder=True)


@pytest.mark.parametrize("path", ["new\nline", "end\r", "..", "../x", ".", "", "/", "/elsewhere/x"])
def test_what_no_line_can_name_gets_none(repository, path):
    assert not ignore_path(open_at(repository), path, is_folder=True)
    assert not (repository / ".gitignore").exists()


def test_an_absolute_path_in_the_repository_is_named_from_its_root(repository):
    assert ignore_path(open_at(repository), str(repository / "data/./x"), is_folder=True)

    assert (repository / ".gitignore").read_text() == "/data/x/\n"


def test_a_link_to_a_folder_is_ignored_as_the_file_it_is_to_git(repository, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (repository / "data").symlink_to(tmp_path / "elsewhere")
    write_files(tmp_path, {"elsewhere/x": ""})

    assert ignore_path(open_at(repository), "data", is_folder=True)
    assert not ignore_path(open_at(repository), "data/x", is_folder=False)

    assert (repository / ".gitignore").read_text() == "/data\n"
    assert b"!! data" in ignored(repository).encode()


def test_what_is_in_a_submodule_gets_no_line(repository, tmp_path):
    other = make_repository(tmp_path / "other")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub")
    write_files(repository, {"sub/data/x": ""})

    assert not ignore_path(open_at(repository), "sub/data", is_folder=True)
    assert not (repository / ".gitignore").exists()


def test_a_line_that_a_deeper_file_takes_back_is_written_once(repository):
    write_files(repository, {"data/.gitignore": "!x\n", "data/x": ""})

    assert ignore_path(open_at(repository), "data/x", is_folder=False)
    assert not ignore_path(open_at(repository), "data/x", is_folder=False)
    assert (repository / ".gitignore").read_text() == "/data/x\n"


def test_the_mode_stays_and_a_new_file_has_the_usual_one(repository):
    assert ignore_path(open_at(repository), "a", is_folder=True)
    mask = os.umask(0o022)
    os.umask(mask)
    assert (repository / ".gitignore").stat().st_mode & 0o777 == 0o666 & ~mask
    (repository / ".gitignore").chmod(0o600)

    assert ignore_path(open_at(repository), "b", is_folder=True)

    assert (repository / ".gitignore").stat().st_mode & 0o777 == 0o600


def test_a_linked_file_which_git_does_not_follow_stays_as_it_is(repository, tmp_path):
    (tmp_path / "shared").write_text("*.pyc\n")
    (repository / ".gitignore").symlink_to(tmp_path / "shared")

    assert not ignore_path(open_at(repository), "data", is_folder=True)
    assert (tmp_path / "shared").read_text() == "*.pyc\n"


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused_and_not_waited_for(repository, make):
    make(repository / ".gitignore")

    with pytest.raises(InvalidInputError, match=r"`\.gitignore` is not a file"):
        ignore_path(open_at(repository), "data", is_folder=True)


def test_a_file_too_large_to_read_whole_stays_as_it_is(repository):
    large = b"# c\n" * 2**22 + b"# d\n"
    write_files(repository, {".gitignore": large})

    assert not ignore_path(open_at(repository), "data", is_folder=True)
    assert (repository / ".gitignore").read_bytes() == large
