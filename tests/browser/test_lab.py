"""The lab itself: a browser that is watched."""

from pathlib import Path

import pytest
from tests.support.browsing import PHONE, goes_sideways, tab_to, violations, walk
from tests.support.projects import make_run, open_here


@pytest.fixture
def page_of(tmp_path: Path):
    def write(html: str) -> str:
        path = tmp_path / "page.html"
        path.write_text(f'<!doctype html><html lang="en"><title>A page</title>{html}</html>')
        return path.as_uri()

    return write


@pytest.mark.parametrize(
    ("html", "trouble"),
    [
        ("<script>throw new Error('broken')</script>", "script: broken"),
        ("<script>console.error('bad')</script>", "console: bad"),
        ('<img src="missing.png" alt="">', "failed: file:"),
        ('<img src="http://example.invalid/x.png" alt="">', "asked another host: http://example"),
    ],
)
def test_trouble_in_a_page_is_noticed(page, page_of, troubles, html, trouble):
    page.goto(page_of(html))
    for _ in range(600):
        if any(one.startswith(trouble) for one in troubles):
            break
        page.wait_for_timeout(100)  # events are heard of only meanwhile
    assert any(one.startswith(trouble) for one in troubles)
    troubles.clear()


def test_what_a_screen_reader_misses_is_found_under_our_policy(page, ui, repository):
    make_run(open_here(repository))
    page.goto(ui(repository).address)
    assert violations(page) == []

    page.evaluate("document.querySelector('html').removeAttribute('lang')")
    assert [one.partition(":")[0] for one in violations(page)] == ["html-has-lang"]


def test_a_page_that_is_too_wide_is_noticed(browse, page_of):
    page = browse(size=PHONE).new_page()
    page.goto(page_of('<div style="width: 500px">wide</div>'))
    assert goes_sideways(page) > 100


def test_the_keyboard_is_walked_to_the_end(page, page_of):
    page.goto(page_of('<a href="#">one</a><button>two</button><p>no</p><input aria-label="three">'))
    assert [one["text"] for one in walk(page)] == ["one", "two", "three"]
    assert tab_to(page, "two")["tag"] == "button"


def test_ten_thousand_runs_are_there_to_be_looked_at(page, many_ui):
    page.goto(many_ui.address)
    page.get_by_role("row").nth(1).wait_for()
    assert "10,020" in page.locator("#main").inner_text()
