"""What no page does alone: many runs from table to curves, runs that come and die, a report."""

import os
import re
import signal
import subprocess
import sys

from playwright.sync_api import expect
from tests.support.browsing import (
    PHONE,
    goes_sideways,
    tab_to,
    violations,
    walk,
)
from tests.support.cli import REPRO, repro
from tests.support.projects import make_run, open_here


def test_of_ten_thousand_runs_some_are_found_compared_and_shared(browse, many_ui, keep):
    page = browse().new_page()
    page.goto(many_ui.address)
    rows = page.locator("table.runs tbody tr")
    expect(rows.first).to_be_visible()
    keep(page, "10k-runs")

    page.fill("#q", "lr > 0.01 and dropout < 0.1")
    page.keyboard.press("Enter")
    expect(page.locator(".count")).to_contain_text("of 10,020 runs fit")
    page.locator("a[data-sort='metrics.val_loss']").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("val_loss")
    values = page.locator("table.runs tbody tr td.best, table.runs tbody tr").all_inner_texts()
    assert len(values) >= 50
    shown = rows.evaluate_all("(all) => all.map((row) => row.dataset.run)")

    page.fill("#q", "tag = long")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(20)
    page.check("#pick-all")
    page.click("#compare")
    curve = "figure[data-metric=loss] .scatterlayer path.js-line"
    expect(page.locator(curve)).to_have_count(20)
    keep(page, "10k-compare")

    other = browse(size=PHONE, is_dark=True).new_page()
    other.goto(many_ui.address)
    other.goto(page.url)
    expect(other.locator(curve)).to_have_count(20)
    assert goes_sideways(other) == 0
    page.go_back()
    expect(rows).to_have_count(20)
    page.go_back()
    expect(rows.first).to_have_attribute("data-run", shown[0])
    assert rows.evaluate_all("(all) => all.map((row) => row.dataset.run)") == shown


def test_a_run_killed_while_watched_is_lost_and_a_new_one_appears_by_itself(page, ui, repository):
    run = subprocess.Popen(
        [*REPRO, "run", "-n", "doomed", "--", sys.executable, "-c", "import time; time.sleep(600)"],
        cwd=repository, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        page.goto(ui(repository).address)
        doomed = page.locator("table.runs tbody tr", has_text="doomed")
        expect(doomed.locator(".status")).to_have_text("running")
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    expect(doomed.locator(".status")).to_have_text("lost")
    make_run(open_here(repository), name="newcomer")
    expect(page.locator("table.runs tbody tr", has_text="newcomer")).to_be_visible()
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1


def test_by_keyboard_alone_one_gets_from_the_table_to_a_run_and_to_a_difference(
    page, ui, repository
):
    project = open_here(repository)
    for number in range(3):
        make_run(project, {"loss": 0.1 * number}, name=f"run {number}", config={"lr": number})
    page.goto(ui(repository).address)
    expect(page.locator("table.runs tbody tr")).to_have_count(3)
    places = walk(page)
    assert places[0]["text"] == "Skip to the content"
    assert [one for one in places if not one["isSeen"] or not one["isMarked"]] == []

    short = page.locator("a.run").first.inner_text()
    page.reload()
    tab_to(page, f"Choose {short}")
    page.keyboard.press("Space")
    tab_to(page, "Choose ")
    page.keyboard.press("Space")
    tab_to(page, "#diff")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/diff"))
    expect(page.locator("#main")).to_contain_text("lr")
    page.go_back()
    tab_to(page, "#run-" + page.locator("table.runs tbody tr").first.get_attribute("data-run"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/runs/"))


def test_a_report_is_read_from_disk_without_network_or_script_and_prints(
    browse, ui, repository, keep
):
    project = open_here(repository)
    for number in range(3):
        make_run(project, {"loss": 0.1 * number}, steps=40, name=f"run {number}", config={"lr": 1})
    done = repro("report", "-o", "report.html", cwd=repository)
    assert done.returncode == 0, done.stderr

    page = browse(has_script=False, offline=True).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((repository / "report.html").as_uri())
    expect(page.locator("svg").first).to_be_visible()
    for number in range(3):
        expect(page.locator("body")).to_contain_text(f"run {number}")
    keep(page, "report")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    keep(page, "report-phone")
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 8
    assert [one for one in asked if not one.startswith(("file:", "data:"))] == []

    readable = browse(size=PHONE, offline=True).new_page()
    readable.goto((repository / "report.html").as_uri())
    assert goes_sideways(readable) == 0
    assert violations(readable) == []
