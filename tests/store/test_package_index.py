"""What indexes offer: over HTTP as JSON and as HTML, and in folders."""

import socket
import threading
import time
from pathlib import Path

import pytest
from tests.support.wheels import json_page, make_index, make_wheel, serving

from repro.errors import RemoteError
from repro.model.distfiles import Target
from repro.store.package_index import PackageIndex, Release, open_index

TARGET = Target("cpython", "3.11.7", "Linux", "x86_64", "glibc 2.36")
NOTHING = {"PIP_CONFIG_FILE": "/dev/null"}


def index_at(url: str, tmp_path: Path, **environ: str) -> PackageIndex:
    settings = {**NOTHING, "PIP_INDEX_URL": url, **environ}
    return open_index(settings, tmp_path / "cache", target=TARGET, now=time.time())


def test_a_json_index_gives_versions_in_their_order(tmp_path: Path) -> None:
    page = json_page(
        {
            "foo_bar-1.10-py3-none-any.whl": {},
            "foo_bar-1.9.tar.gz": {"yanked": "broken"},
            "foo_bar-1.9-py3-none-any.whl": {"yanked": True},
            "foo_bar-2.0-py3-none-any.whl": {"requires-python": ">=3.12"},
            "foo_bar-2.1-cp311-cp311-win_amd64.whl": {},
            "another-1.0-py3-none-any.whl": {},
            "foo_bar-1.10.exe": {},
        }
    )
    with serving({"/simple/foo-bar/": page}) as (url, asked):
        found = index_at(f"{url}/simple", tmp_path).releases("Foo.Bar")

    assert found == (
        Release("1.9", is_yanked=True, has_fitting_file=True),
        Release("1.10", is_yanked=False, has_fitting_file=True),
        Release("2.0", is_yanked=False, has_fitting_file=False),
        Release("2.1", is_yanked=False, has_fitting_file=False, is_foreign=True),
    )
    assert asked == ["/simple/foo-bar/"]


def test_an_html_index_gives_the_same(tmp_path: Path) -> None:
    page = b"""<html><a href="../f/foo-1.0-py3-none-any.whl#sha256=1" data-yanked="">x</a>
    <a href="foo-1.1%2Bcpu-py3-none-any.whl" data-requires-python="&gt;=3.8">y</a></html>"""
    with serving({"/foo/": page}) as (url, _):
        found = index_at(url, tmp_path).releases("foo")

    assert found is not None
    assert [(one.version, one.is_yanked) for one in found] == [("1.0", True), ("1.1+cpu", False)]


def test_folders_are_indexes_and_find_links_too(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", [make_wheel(tmp_path / "w", "foo", "1.0")])
    make_wheel(tmp_path / "links", "foo", "2.0")
    asked = index_at(index, tmp_path, PIP_FIND_LINKS=str(tmp_path / "links"))

    found = asked.releases("foo")

    assert found is not None
    assert [one.version for one in found] == ["1.0", "2.0"]
    assert asked.releases("bar") is None


def test_no_index_knows_a_distribution(tmp_path: Path) -> None:
    with serving({}) as (url, _):
        assert index_at(url, tmp_path).releases("foo") is None


def test_an_answer_is_kept_for_an_hour(tmp_path: Path) -> None:
    with serving({"/foo/": json_page({"foo-1.0.tar.gz": {}})}) as (url, asked):
        environ = {**NOTHING, "PIP_INDEX_URL": url}
        for later in (0.0, 3000.0, 4000.0):
            index = open_index(environ, tmp_path, target=TARGET, now=time.time() + later)
            assert index.releases("foo")

    assert len(asked) == 2


def test_a_damaged_answer_that_was_kept_is_asked_again(tmp_path: Path) -> None:
    with serving({"/foo/": json_page({"foo-1.0.tar.gz": {}})}) as (url, asked):
        index_at(url, tmp_path).releases("foo")
        for kept in (tmp_path / "cache").iterdir():
            kept.write_bytes(b"[[1]]")
        found = index_at(url, tmp_path).releases("foo")

    assert found
    assert len(asked) == 2


def test_an_index_that_is_not_there_is_no_proof_of_absence(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="does not answer"):
        index_at("http://127.0.0.1:9/simple", tmp_path).releases("foo")


def test_an_index_that_never_answers_is_soon_asked_no_more(tmp_path: Path) -> None:
    connections = 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def refuse() -> None:
            nonlocal connections
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connections += 1
                connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        index = index_at(f"http://127.0.0.1:{port}/", tmp_path)
        for number in range(20):
            with pytest.raises(RemoteError, match="does not answer"):
                index.releases(f"foo{number}")
        server.shutdown(socket.SHUT_RDWR)
        thread.join()

    assert connections == 3


def test_an_index_that_is_not_there_matters_not_where_another_has_what_is_wanted(
    tmp_path: Path,
) -> None:
    index = make_index(tmp_path / "index", [make_wheel(tmp_path / "w", "foo", "1.0")])
    asked = index_at(index, tmp_path, PIP_EXTRA_INDEX_URL="http://127.0.0.1:9/")

    assert asked.releases("foo", wanted="1.0.0")
    with pytest.raises(RemoteError):
        asked.releases("foo", wanted="2.0")


def test_a_login_is_sent_and_never_shown(tmp_path: Path) -> None:
    with serving({"/foo/": json_page({"foo-1.0.tar.gz": {}})}, login="ada:s3cret") as (url, _):
        host = url.removeprefix("http://")
        assert index_at(f"http://ada:s3cret@{host}", tmp_path).releases("foo")
        with pytest.raises(RemoteError) as refused:
            index_at(f"http://ada:wr0ng@{host}", tmp_path / "b").releases("foo")

    assert "401" in refused.value.message
    assert "wr0ng" not in refused.value.message


def test_nonsense_is_an_error(tmp_path: Path) -> None:
    pages = {"/foo/": b'{"files": 3}', "/bar/": b"{"}
    with serving(pages) as (url, _):
        for name in ("foo", "bar"):
            with pytest.raises(RemoteError, match="nonsense"):
                index_at(url, tmp_path).releases(name)


def test_a_scheme_that_cannot_be_asked_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="no URL"):
        index_at("ftp://example.org/simple", tmp_path).releases("foo")


def test_certificates_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="certificates"):
        index_at("https://example.org", tmp_path, SSL_CERT_FILE=str(tmp_path / "none.pem"))
