"""The page of a run, its code, and the difference of two, in a browser."""

import hashlib
import time

from tests.support import write_files
from tests.support.browsing import PHONE, goes_sideways, tab_to, violations
from tests.support.projects import begin, end, log, make_run, open_here
from tests.support.records import NOW, a_summary, make_record, open_at, write_run
from tests.support.waiting import until

from repro.core.query import resolve_run
from repro.model.run import Artifact

SCRIPT = "</pre><script>document.title = 'owned'</script>"
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = 'owned'</script></svg>"""


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def make_rich(root) -> str:
    """A run with something on each of its tabs; whoever wrote it meant harm."""
    table = "step,time,loss,a long name of a metric that goes on and on and on\n"
    table += "".join(f"{n},{NOW + n},{1 / (n + 1)},{n % 7}\n" for n in range(50))
    page = b"<script>document.title = 'owned'</script>"
    record = make_record(
        name=SCRIPT,
        note="one\ntwo",
        tags=("good", "x" * 40),
        config={"model": {"depth": 3, "path": "/very/long" * 20}, SCRIPT: SCRIPT},
        metrics={"loss": a_summary(0.02, goal="minimize", count=50)},
        environment={
            "interpreter": {"version": "3.11.7"},
            "packages": {"list": [{"name": f"p{n}", "version": "1"} for n in range(60)]},
            "hardware": {"cpu": "fast"},
        },
        artifacts=(
            Artifact("plot.svg", len(SVG), digest(SVG), "git"),
            Artifact("page.html", len(page), digest(page), "git"),
        ),
    )
    files = {
        "metrics/main.csv": table.encode(),
        "metrics/system.csv": table.encode(),
        "output.log": f"\x1b[31mred\x1b[0m {SCRIPT}\n".encode() * 300,
        "artifacts/plot.svg": SVG,
        "artifacts/page.html": page,
    }
    return write_run(open_at(root), record, files=files).run.id


TABS = (
    "output", "code", "data", "environment", "machine", "artifacts", "media", "history",
    "reproduce",
)  # fmt: skip


def addresses(root) -> list[str]:
    run = make_rich(root)
    write_files(root, {"train.py": "print('<b>')\n" * 40, "a/b.py": "def f(): return 1\n"})
    other = make_run(open_here(root), {"loss": 0.5}, name="other").id
    tabs = [f"/runs/{run}", *(f"/runs/{run}?tab={tab}" for tab in TABS)]
    return [
        *tabs, f"/runs/{other}?tab=code", f"/runs/{other}/files", f"/runs/{other}/files/train.py",
        f"/runs/{run}/artifacts/0", f"/runs/{run}/artifacts/1", f"/diff?a={run}&b={other}",
    ]  # fmt: skip


def test_all_parts_are_good_for_screen_readers_phones_and_the_dark(browse, ui, repository, keep):
    places = addresses(repository)
    server = ui(repository)
    pages = [browse(size=PHONE, is_dark=True).new_page(), browse().new_page()]
    for page in pages:
        page.goto(server.address)
    wrong: list[str] = []
    for number, place in enumerate(places):
        page = pages[number % 2]
        page.goto(server.origin + place)
        page.locator("main h1").wait_for()
        wrong += [f"{place}: {one}" for one in violations(page)]
        wrong += [f"{place} is too wide"] if goes_sideways(page) else []
        wrong += [f"{place} ran a script"] if page.title() == "owned" else []
        keep(page, f"run-{number:02}")
    assert wrong == []


def test_tabs_editors_and_the_doctor_need_no_new_page(page, ui, repository):
    run = make_run(open_here(repository), {"loss": 0.5}, name="first").id
    server = ui(repository)
    page.goto(server.address)
    page.goto(f"{server.origin}/runs/{run}")
    page.evaluate("window.isSame = true")
    assert tab_to(page, "Output")
    page.keyboard.press("Enter")
    page.wait_for_url("**tab=output")
    page.click("nav.tabs >> text=Reproduce")
    page.locator("#doctor table, #doctor .status").first.wait_for()
    page.go_back()
    page.locator(".tabs [aria-current] >> text=Output").wait_for()

    page.click("#head [aria-label='Edit the tags']")
    page.fill("#head input", "from here")
    page.keyboard.press("Enter")
    page.locator("#head .tag >> text=from here").wait_for()
    page.keyboard.press("Escape")
    page.click("#head [aria-label='Edit the note']")
    page.fill("#head textarea", "why\nso")
    page.click("#head >> text=Save")
    page.locator("#head .run-note >> text=why").wait_for()

    assert page.evaluate("window.isSame")
    found = resolve_run(open_here(repository), run).run
    assert (found.tags, found.note) == (("from here",), "why\nso")


def test_a_run_in_progress_is_followed_until_it_ends(page, ui, repository):
    project = open_here(repository, time.time)
    live = begin(project, name="going")
    log(live, 0, loss=0.5)
    output = live.dir / "output.log"
    output.write_bytes(b"line 0\n")
    server = ui(repository)
    page.goto(server.address)
    page.goto(f"{server.origin}/runs/{live.id}?tab=output")
    page.locator("#output >> text=line 0").wait_for()
    with output.open("ab") as file:
        file.write(b"".join(b"line %d\n" % n for n in range(1, 200)))
    log(live, 1, loss=0.25)
    page.locator("#output >> text=line 199").wait_for()
    is_at_the_end = (
        "(() => { const b = document.getElementById('output');"
        " return b.scrollTop + b.clientHeight >= b.scrollHeight - 40 })()"
    )
    until(lambda: page.evaluate(is_at_the_end), "the end of the output in sight")
    end(live, repository)
    page.locator("#head [data-status=finished]").wait_for()
    page.locator("#tab:not([data-live])").wait_for()


def test_without_scripts_all_of_it_is_there(browse, ui, repository):
    run = make_rich(repository)
    server = ui(repository)
    page = browse(has_script=False).new_page()
    page.goto(server.address)
    page.goto(f"{server.origin}/runs/{run}")
    page.click("nav.tabs >> text=Reproduce")
    page.click("text=Examine it")
    page.locator("#doctor .status").first.wait_for()
    assert not page.locator("button[data-copy]").first.is_visible()
