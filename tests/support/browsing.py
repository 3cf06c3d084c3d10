"""A browser that looks at our pages: what it complains of, what it shows, and how it is steered."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.support.waiting import until

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGS = (
    "--no-sandbox",  # of root, who runs the tests in containers, it refuses to be had
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
LAPTOP = (1400, 900)
PHONE = (360, 740)
PATIENCE_MS = 60_000  # machines of continuous integration are slow, and do other things
_HOSTS = ("127.0.0.1", "localhost", "")
_SLOW = "was preloaded using link preload but not used within a few seconds"  # on a busy machine
_LEFT = "net::ERR_ABORTED"  # the page itself does not want the answer any more

# Which rules of axe-core count: all of WCAG 2.2 A and AA, and what it calls best practice.
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def find_chromium() -> str | None:
    """The program of the browser; None where there is none."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def started(playwright: Playwright, program: str, home: Path) -> Iterator[Browser]:
    """A headless browser with the flags that it has by default, and a home of its own."""
    environ = {**os.environ, "HOME": str(home)}
    browser = playwright.chromium.launch(executable_path=program, args=list(ARGS), env=environ)
    yield browser
    browser.close()


def open_context(
    browser: Browser,
    troubles: list[str],
    *,
    size: tuple[int, int] = LAPTOP,
    is_dark: bool = False,
    has_script: bool = True,
    **more: Any,
) -> BrowserContext:
    """A browser as somebody else has it: without cookies, every page of it watched.

    Args:
        troubles: Gets what is wrong: errors of scripts and on the console, requests that fail or
            go to another host.
        size: Width and height in CSS pixels.
        more: What else playwright's `new_context` takes.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if is_dark else "light",
        java_script_enabled=has_script,
        reduced_motion="reduce",
        **more,
    )
    context.set_default_timeout(PATIENCE_MS)
    context.on("page", lambda page: _watch(page, troubles))
    return context


def _watch(page: Page, troubles: list[str]) -> None:
    def said(message: Any) -> None:
        if message.type in ("error", "warning") and _SLOW not in message.text:
            troubles.append(f"console: {message.text} ({message.location.get('url', '')})")

    def asked(request: Any) -> None:
        if urlsplit(request.url).hostname not in (*_HOSTS, None):
            troubles.append(f"asked another host: {request.url}")

    def failed(request: Any) -> None:
        if request.failure != _LEFT:
            troubles.append(f"failed: {request.url}: {request.failure}")

    page.on("console", said)
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    page.on("request", asked)
    page.on("requestfailed", failed)


def violations(page: Page) -> list[str]:
    """What axe-core has against a page as it is now: the rule, why, and where."""
    session = page.context.new_cdp_session(page)
    # Not by `page.evaluate`, which a strict Content-Security-Policy forbids.
    _evaluate(session, AXE_FILE_PATH.read_text(encoding="utf-8"))
    tags = ", ".join(f"'{rule}'" for rule in _RULES)
    wish = f"{{runOnly: [{tags}], resultTypes: ['violations']}}"  # of the others few nodes each
    found = _evaluate(session, f"axe.run({wish}).then((r) => r.violations)")
    session.detach()
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node['html'][:160]}"
        for one in found
        for node in one["nodes"]
    ]


def _evaluate(session: Any, script: str) -> Any:
    wish = {"expression": script, "awaitPromise": True, "returnByValue": True}
    answer = session.send("Runtime.evaluate", wish)
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return answer["result"].get("value")


def goes_sideways(page: Page) -> int:
    """By how many pixels a page is wider than its window."""
    root = "document.scrollingElement"
    return int(page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


def stays_within(page: Page) -> None:
    """Wait until a page is no wider than its window, for what it draws comes after the rest."""
    # Not by `page.wait_for_function`, which a strict Content-Security-Policy forbids.
    until(lambda: goes_sideways(page) <= 0, "a page that is no wider than its window")


_FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const box = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  const text = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent
    || one.title || one.name || "";
  return {
    tag: one.tagName.toLowerCase(),
    id: one.id,
    text: text.trim().replace(/\\s+/g, " ").slice(0, 80),
    isSeen: box.width > 0 && box.height > 0,
    isMarked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
      || style.boxShadow !== "none",
  };
}"""


def focused(page: Page) -> dict[str, Any] | None:
    """What has the focus: `tag`, `id`, `text`, `isSeen`, `isMarked`; None if nothing has."""
    found = page.evaluate(_FOCUSED)
    return dict(found) if found else None


def walk(page: Page, most: int = 200) -> list[dict[str, Any]]:
    """All that Tab leads to, in order, from the top of a page to its end."""
    page.evaluate("document.activeElement?.blur?.()")
    places: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        place = focused(page)
        if place is None:
            break
        places.append(place)
    return places


def tab_to(page: Page, text: str, most: int = 200) -> dict[str, Any]:
    """Press Tab until something with `text` in it has the focus; that.

    Args:
        text: Part of its name, or `#` and its id.
    """
    for _ in range(most):
        page.keyboard.press("Tab")
        place = focused(page)
        if place and (place["id"] == text[1:] if text[0] == "#" else text in place["text"]):
            return place
    raise AssertionError(f"Tab does not lead to {text!r}")


def shoot(page: Page, folder: Path, name: str) -> None:
    """Keep a picture of the whole page."""
    with suppress(FileExistsError):
        folder.mkdir(parents=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
