"""The code of a run, folder by folder and file by file."""

import os

import pytest
from tests.support import git, write_files
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, open_at, write_run
from tests.support.webpages import TRAVERSALS, assert_inert, in_path, text_of

from repro.core import codetree

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"


@pytest.fixture
def recorded(repository):
    """A run of code with a bit of everything."""
    write_files(
        repository,
        {
            "src/net.py": "def f():\n\treturn '<script>alert(1)</script>'\n",
            "plot.png": PNG,
            "weights.bin": b"\0\1\2",
            "empty.txt": "",
            "evil.svg": "<svg onload='alert(1)'/>",
            "odd #?%&/na me<b>.txt": "here",
            "new\nline.txt": "two lines",
        },
    )
    (repository / "link").symlink_to("/etc/passwd")
    (repository / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"caf\xe9")
    return make_run(open_here(repository)).id


def test_no_path_leads_out_of_the_code(recorded, repository, browse):
    client = browse(repository)
    shapes = ("/runs/{run}/files/{path}", "/runs/{path}", "/runs/{path}/files")
    for address in (shape.format(run=recorded, path=p) for shape in shapes for p in TRAVERSALS):
        answer = client.get(address)

        assert answer.status_code == 404, address
        assert "root:" not in answer.text
        assert_inert(answer.text)


def test_a_folder_lists_folders_first_and_leads_on(recorded, repository, browse):
    page = browse(repository).get(f"/runs/{recorded}/files")

    assert page.status_code == 200
    assert_inert(page.text)
    words = text_of(page.text)
    assert words.index("src/") < words.index("empty.txt")
    assert f'href="/runs/{recorded}/files/src"' in page.text


def test_a_file_of_any_name_is_found_by_its_link(recorded, repository, browse):
    client = browse(repository)
    for name in (b"odd #?%&/na me<b>.txt", b"new\nline.txt", b"caf\xe9.txt", b"src/net.py"):
        names = name.split(b"/")
        above = "".join(f"/{in_path(one)}" for one in names[:-1])
        link = f"/runs/{recorded}/files{above}/{in_path(names[-1])}"

        assert f'href="{link}"' in client.get(f"/runs/{recorded}/files{above}").text
        assert client.get(link).status_code == 200


def test_a_text_has_numbered_lines_that_are_only_text(recorded, repository, browse):
    page = browse(repository).get(f"/runs/{recorded}/files/src/net.py")

    assert_inert(page.text)
    assert 'id="L2"' in page.text
    assert '<span class="t-k">def</span>' in page.text
    assert "\t" in page.text
    assert "'<script>alert(1)</script>'" in text_of(page.text)


def test_a_byte_that_is_no_utf8_is_seen(recorded, repository, browse):
    assert "caf\\xe9" in browse(repository).get(f"/runs/{recorded}/files/caf%E9.txt").text


def test_a_link_says_where_it_leads_and_is_not_followed(recorded, repository, browse):
    client = browse(repository)

    assert "A link to /etc/passwd" in text_of(client.get(f"/runs/{recorded}/files/link").text)
    assert client.get(f"/runs/{recorded}/files/link/x").status_code == 404


def test_bytes_are_saved_and_only_pictures_shown(recorded, repository, browse):
    client = browse(repository)
    for name, kind in (("evil.svg", None), ("src/net.py", None), ("plot.png", "image/png")):
        answer = client.get(f"/runs/{recorded}/files/{name}?raw=1")

        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] == (kind or "application/octet-stream")
        is_shown = answer.headers["content-disposition"].startswith("inline")
        assert is_shown == (kind is not None)
    assert "A binary file." in client.get(f"/runs/{recorded}/files/weights.bin").text
    assert "An empty file." in client.get(f"/runs/{recorded}/files/empty.txt").text


def test_a_large_file_is_saved_whole_and_not_shown(repository, browse):
    data = b"x = 1\n" * 100_000
    write_files(repository, {"large.py": data})
    run = make_run(open_here(repository)).id
    client = browse(repository)

    assert "are not shown" in client.get(f"/runs/{run}/files/large.py").text
    assert client.get(f"/runs/{run}/files/large.py?raw=1").content == data


def test_a_large_folder_has_pages(repository, browse, monkeypatch):
    monkeypatch.setattr(codetree, "A_PAGE", 10)
    write_files(repository, {f"many/{n:03}": "" for n in range(25)})
    run = make_run(open_here(repository)).id
    client = browse(repository)
    last = client.get(f"/runs/{run}/files/many?page=3").text

    assert ">024<" in last
    assert ">019<" not in last
    assert client.get(f"/runs/{run}/files/many?page=99").text == last.replace("page=3", "page=99")
    assert "3 pages, 25 entries" in last


def test_names_that_only_a_hostile_tree_has_are_never_found(repository, browse):
    """Such a tree comes by a plain `git fetch`, which does not look."""
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=b"evil")
    raw = b"100644 ..\0" + bytes.fromhex(blob) + b"100644 .git\0" + bytes.fromhex(blob)
    tree = git(repository, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=raw)
    commit = git(repository, "commit-tree", tree, "-m", "evil")
    git(repository, "update-ref", "HEAD", commit)
    run = write_run(open_at(repository), make_record()).run.id
    client = browse(repository)

    assert "2 entries" in client.get(f"/runs/{run}/files").text
    for name in ("%2e%2e", ".git", "%2e%67it"):
        assert client.get(f"/runs/{run}/files/{name}").status_code == 404


def test_code_that_is_not_here_is_an_error_with_a_hint(repository, browse):
    run = write_run(open_at(repository), make_record()).run.id
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    (repository / ".git/objects" / tree[:2] / tree[2:]).unlink()
    answer = browse(repository).get(f"/runs/{run}/files")

    assert "Traceback" not in answer.text
    assert "git fsck" in answer.text
