"""Whatever fails behind the page is an answer: worded, with strict headers, and no traceback."""

import logging

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.support.projects import make_run, open_here
from tests.support.web import PORT, TOKEN

from repro.errors import MissingDataError, NewerFormatError
from repro.web.app import make_app
from repro.web.guard import POLICY
from repro.web.inert import attach
from repro.web.pulse import Pulse
from repro.web.routes import ROUTES
from repro.web.site import Site


def _fail(error: Exception):
    def page(request):
        raise error

    return page


def _break_off(error: Exception):
    def page(request):
        def blocks():
            yield b"the beginning"
            raise error

        return attach(blocks(), "x.bin", 100)

    return page


@pytest.fixture
def failing(repository, monkeypatch):
    """A client of a site with one more page, `/failing`."""

    def make(page) -> TestClient:
        monkeypatch.setattr("repro.web.app.ROUTES", [Route("/failing", page), *ROUTES])
        project = open_here(repository)
        site = Site(project=project, port=PORT, token=TOKEN, pulse=Pulse(project))
        client = TestClient(make_app(site), base_url=f"http://127.0.0.1:{PORT}")
        client.headers["accept"] = "text/html"
        client.cookies.set(f"repro-{PORT}", TOKEN)
        return client

    return make


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OSError(28, "No space left on device"), 507, "no space left"),
        (PermissionError(13, "Permission denied", "x"), 507, "permission denied"),
        (FileNotFoundError(2, "No such file or directory", "/there/x"), 500, "/there/x"),
        (ValueError("an oversight of ours"), 500, "this is a bug in repro"),
        (RecursionError("deep"), 500, "this is a bug in repro"),
        (NewerFormatError("format 99"), 422, "format 99"),
        (MissingDataError("bytes are not here", paths=("x",)), 404, "bytes are not here"),
    ],
)  # fmt: skip
def test_every_failure_is_a_page_like_the_others(failing, error, status, said):
    answer = failing(_fail(error)).get("/failing")

    assert answer.status_code == status
    assert said in answer.text
    assert '<header class="top">' in answer.text
    assert "Traceback" not in answer.text
    assert "oversight" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY


def test_a_bug_is_shown_whole_where_the_server_runs(failing, caplog):
    failing(_fail(ValueError("an oversight of ours"))).get("/failing")

    assert "an oversight of ours" in caplog.text
    assert "this is a bug in repro" in caplog.text


@pytest.mark.parametrize("error", [MissingDataError("gone\x1b[31m", paths=()), OSError(5, "I/O")])
def test_an_answer_that_breaks_off_is_said_in_one_line_and_is_no_whole_one(failing, caplog, error):
    caplog.set_level(logging.WARNING)
    answer = failing(_break_off(error)).get("/failing")

    assert answer.content == b"the beginning"  # of a hundred bytes
    [line] = caplog.messages
    assert line.startswith("repro: an answer broke off: ")
    assert "\x1b" not in line


def test_a_refusal_says_what_is_allowed(repository, browse):
    client = browse(repository)
    answer = client.get("/curate/tags")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_a_repository_that_is_gone_is_said(repository, browse, tmp_path):
    make_run(open_here(repository))
    client = browse(repository)
    repository.rename(tmp_path / "moved")
    for path in ("/", "/sweeps", "/compare?q=name%3Dx", "/diff?a=x&b=y", "/api/complete?q=l"):
        answer = client.get(path)
        assert answer.status_code < 600
        assert "bug in repro" not in answer.text, path


def test_to_ask_for_the_head_of_any_page_ends(repository, browse):
    run = make_run(open_here(repository))
    client = browse(repository)
    for path in ("/", "/live", f"/runs/{run.id}", f"/runs/{run.id}/output", "/static/page.js"):
        answer = client.head(path)

        assert (answer.status_code, answer.content) == (200, b""), path
