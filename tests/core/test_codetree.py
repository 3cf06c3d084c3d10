"""The code of a run, looked up in git alone."""

import pytest
from tests.support import git, write_files
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, open_at, write_run

from repro.core import codetree
from repro.core.codetree import CodeFile, CodeFolder, look_up_code, open_code_file
from repro.core.query import resolve_run
from repro.errors import DamagedRecordError


@pytest.fixture
def look(repository):
    """Looks names up in the code of a run of the working tree."""
    write_files(repository, {"b/inner.txt": "here", "a.txt": "", "Z.py": "z"})
    (repository / "tool").write_text("#!/bin/sh\n")
    (repository / "tool").chmod(0o755)
    (repository / "link").symlink_to("a.txt")
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)
    return lambda *names, **page: look_up_code(project, record, names, **page)


def test_folders_come_first_then_names_whatever_their_case(look):
    found = look()

    assert isinstance(found, CodeFolder)
    shown = [(one.name, one.kind) for one in found.entries if one.name != "train.py"]
    assert shown == [
        ("b", "folder"), ("a.txt", "file"), ("link", "link"), ("tool", "program"), ("Z.py", "file"),
    ]  # fmt: skip
    assert found.entries[0].size is None
    assert found.entries[1].size == 0


def test_a_link_is_what_it_names_and_leads_nowhere(look):
    assert look("link").data == b"a.txt"
    assert look("link", "x") is None


def test_a_name_that_no_sound_tree_has_is_not_there(look):
    for names in (("",), (".",), ("..",), (".git",), ("b", "..", "a.txt"), ("a\0",), ("b",) * 300):
        assert look(*names) is None, names


def test_a_page_beyond_the_last_one_is_the_last_one(look, monkeypatch):
    monkeypatch.setattr(codetree, "A_PAGE", 2)
    last = look(page=10**9)

    assert last.page == last.pages
    assert last.pages == -(-last.total // 2)
    assert look(page=-1) == look(page=1)


def test_a_file_that_is_too_large_to_be_shown_has_its_size_and_can_be_read(repository, monkeypatch):
    monkeypatch.setattr(codetree, "LARGEST_TEXT", 3)
    write_files(repository, {"large.txt": "four"})
    project = open_here(repository)
    found = look_up_code(project, resolve_run(project, make_run(project).id), ["large.txt"])

    assert isinstance(found, CodeFile)
    assert (found.data, found.entry.size) == (None, 4)
    assert b"".join(open_code_file(project, found.entry)) == b"four"


def test_a_tree_that_is_gone_is_a_damaged_record(repository):
    record = write_run(open_at(repository), make_record())
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    (repository / ".git/objects" / tree[:2] / tree[2:]).unlink()

    with pytest.raises(DamagedRecordError):
        look_up_code(open_here(repository), record, [])
