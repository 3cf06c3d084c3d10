"""The compare page as somebody uses it."""

import re
import time

import pytest
from playwright.sync_api import expect
from tests.support.browsing import PHONE, goes_sideways, violations
from tests.support.projects import begin, end, log, make_run, open_here
from tests.support.records import a_summary, make_record, write_runs
from tests.support.waiting import until

CHART = "figure.chart[data-metric=loss] .plot"


@pytest.fixture
def runs(repository):
    """Twelve runs with two params, of 40 steps each."""
    project = open_here(repository)
    made = []
    for n in range(12):
        live = begin(project, name=f"run-{n}", config={"lr": 10.0 ** (-n / 3), "opt": "ab"[n % 2]})
        live.journal.append({"k": "define", "t": 1.0, "n": "loss", "goal": "minimize"})
        for step in range(40):
            values = {"loss": n + 40.0 / (step + 1), "acc": step / 40}
            live.journal.log(step, project.clock(), values)
        end(live, repository)
        made.append(live.run.id)
    return made


def points(page, selector=CHART):
    """How many points a chart shows, once it is drawn."""
    chart = page.locator(selector)
    expect(chart).to_have_attribute("data-drawn", re.compile(r"\d+"))
    return int(chart.get_attribute("data-drawn"))


def drag(page, box, start, stop):
    """Drag between two places, as shares of a box."""
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, stop)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def test_a_view_of_curves_and_ranges_is_made_by_mouse_and_shared_by_its_address(
    browse, ui, repository, runs, keep
):
    server = ui(repository)
    page = browse().new_page()
    page.goto(server.address)
    page.goto(f"{server.origin}/compare?q=")
    assert points(page) == 12 * 40
    rows = page.locator("table.beside tbody tr:visible")
    expect(rows).to_have_count(12)
    expect(page.locator(".parcoords .lines path")).to_have_count(12)
    keep(page, "compare")

    page.locator(CHART).scroll_into_view_if_needed()
    drag(page, page.locator(CHART).bounding_box(), (0.4, 0.4), (0.7, 0.5))
    expect(page).to_have_url(re.compile(r"low=\d+.*high=\d+"))
    expect(page.locator(CHART)).not_to_have_attribute("data-drawn", str(12 * 40))
    zoomed = points(page)
    page.get_by_role("button", name="Show the curves of run-3").click()
    expect(page).to_have_url(re.compile(f"hide={runs[3]}"))
    page.get_by_label("smoothing").fill("0.6")
    expect(page).to_have_url(re.compile("smooth=0.6"))

    axis = page.locator(".parcoords .hit[data-axis='metrics.loss']")
    axis.scroll_into_view_if_needed()
    drag(page, axis.bounding_box(), (0.5, 0.99), (0.5, 0.5))
    expect(page.locator("#chosen-count")).to_have_text(re.compile("^6 of 12 runs"))
    expect(rows).to_have_count(6)
    expect(page.locator(".parcoords .lines path.outside")).to_have_count(6)
    keep(page, "compare-brushed")
    page.get_by_text("Axes, order and ranges").click()
    page.get_by_label("lr from").fill("0.1")
    page.get_by_label("lr from").press("Enter")
    expect(page.locator("#chosen-count")).to_have_text(re.compile("^4 of 12 runs"))
    page.get_by_role("button", name="Move opt to the left").click()
    expect(page).to_have_url(re.compile(r"axis=config\.opt&axis=config\.lr"))

    other = browse(is_dark=True).new_page()
    other.goto(server.address)
    other.goto(page.url)
    assert points(other) == zoomed
    expect(other.get_by_label("smoothing")).to_have_value("0.6")
    hidden = other.get_by_role("button", name="Show the curves of run-3")
    expect(hidden).to_have_attribute("aria-pressed", "false")
    expect(other.locator("#chosen-count")).to_have_text(re.compile("^4 of 12 runs"))
    link = other.get_by_role("link", name="Runs in these ranges").get_attribute("href")
    assert "config.lr%20%3E%3D%200.1" in link
    keep(other, "compare-dark")
    other.get_by_role("button", name="Whole range").click()
    expect(other.locator(CHART)).to_have_attribute("data-drawn", str(12 * 40))
    other.get_by_role("button", name="Clear the ranges").click()
    expect(other.locator("table.beside tbody tr:visible")).to_have_count(12)
    other.get_by_label("to", exact=True).fill("3")
    other.get_by_label("from", exact=True).fill("9")
    expect(other.get_by_role("alert")).to_contain_text("nothing lies from 9 to 3")
    other.evaluate("window.isTheSame = true")
    other.go_back()
    expect(other.get_by_label("from", exact=True)).to_have_value(re.compile(r"^\d\d"))
    expect(other.locator(CHART)).to_have_attribute("data-drawn", str(zoomed))
    assert other.evaluate("window.isTheSame")

    plot = other.locator("#scatter .plot")
    plot.scroll_into_view_if_needed()
    drag(other, plot.bounding_box(), (0.5, 0.1), (0.95, 0.9))
    expect(other.locator("#chosen-count")).to_have_text(re.compile("^[1-9] of 12 runs"))
    link = other.get_by_role("link", name="Compare these alone").get_attribute("href")
    assert 0 < link.count("run=") < 10


def test_means_of_groups_are_chosen_drawn_with_bands_and_left_by_going_back(
    page, ui, repository, runs, keep
):
    server = ui(repository)
    page.goto(server.address)
    page.goto(f"{server.origin}/compare?q=")
    assert points(page) == 12 * 40

    page.locator("select[name=group]").select_option("means by opt")
    expect(page).to_have_url(re.compile("group=config.opt"))
    assert points(page) == 2 * 40
    bands = page.locator(f"{CHART} .scatterlayer .trace .js-fill")
    expect(bands).to_have_count(2)
    expect(page.get_by_label("Groups whose means are drawn")).to_contain_text("opt=a 6 runs")
    keep(page, "compare-means")
    page.get_by_role("button", name="Show the curves of run-3").click()
    expect(page).to_have_url(re.compile(f"hide={runs[3]}"))
    page.locator("select[name=band]").select_option("standard deviation")
    expect(page).to_have_url(re.compile("band=std"))
    expect(page.locator("#importance table")).to_be_visible()  # no longer dimmed
    assert violations(page) == []

    page.go_back()
    page.go_back()
    assert points(page) == 12 * 40

    hidden = "".join(f"&hide={run}" for run in runs[::2])
    page.goto(f"{server.origin}/compare?q=&group=config.opt{hidden}")
    assert points(page) == 40  # of the one group that is left, in its own colour
    line = page.locator(f"{CHART} .scatterlayer .js-line").last
    dot = page.locator(".legend.groups .dot[data-colour='1']")
    colours = [
        line.evaluate("one => getComputedStyle(one).stroke"),
        dot.evaluate("one => getComputedStyle(one).backgroundColor"),
    ]
    assert colours[0] == colours[1]


def test_a_range_that_reaches_the_place_of_runs_without_a_value_has_them_in_its_filter(
    page, ui, repository
):
    project = open_here(repository)
    write_runs(
        project.repository,
        [
            make_record(config=config, metrics={"loss": a_summary(n)})
            for n, config in enumerate([{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3}, {}, {}])
        ],
    )
    server = ui(repository)
    page.goto(server.address)
    page.goto(f"{server.origin}/compare?q=")
    axis = page.locator(".parcoords .hit[data-axis='config.lr']")
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    chosen = page.locator("#chosen-count")
    link = page.get_by_role("link", name="Runs in these ranges")

    drag(page, box, (0.5, 0.99), (0.5, 0.93))
    expect(chosen).to_have_text(re.compile("^2 of 5 runs"))
    expect(link).to_have_attribute("href", "/?q=(config.lr%20is%20null)")

    drag(page, box, (0.5, 0.99), (0.5, 0.7))
    expect(chosen).to_have_text(re.compile("^3 of 5 runs"))
    page.reload()
    expect(chosen).to_have_text(re.compile("^3 of 5 runs"))
    link.click()
    expect(page.locator("tr[data-run]")).to_have_count(3)

    page.go_back()
    page.get_by_text("Axes, order and ranges").click()
    page.get_by_label("lr: runs without a value").uncheck()
    expect(chosen).to_have_text(re.compile("^1 of 5 runs"))


def test_the_curve_of_a_run_in_progress_grows_and_odd_values_are_marked(page, ui, repository):
    make_run(open_here(repository), {"loss": 1.0}, steps=4)
    live = begin(open_here(repository, time.time), name="now")
    log(live, 0, loss=1.0)
    server = ui(repository)
    page.goto(server.address)
    page.goto(f"{server.origin}/compare?q=")
    assert points(page) == 5

    log(live, 1, loss="NaN")
    expect(page.locator(CHART)).to_have_attribute("data-drawn", "6")
    expect(page.locator("figure.chart .remark")).to_contain_text("NaN, ▲ ▼ infinite: now")
    log(live, 2, loss="Infinity")
    end(live, repository)
    expect(page.locator(CHART)).to_have_attribute("data-drawn", "7")
    expect(page.locator("#legend .status")).to_have_count(0)


def test_a_point_that_comes_while_curves_are_on_their_way_is_drawn_too(page, ui, repository):
    live = begin(open_here(repository, time.time), name="now")
    log(live, 0, loss=1.0)
    server = ui(repository)
    page.goto(server.address)
    held = []
    page.route("**/api/curves?*", lambda route: held.append((route, route.fetch())), times=1)
    page.goto(f"{server.origin}/compare?q=", wait_until="domcontentloaded")
    until(lambda: page.wait_for_timeout(50) or held, "the wish for curves")
    with page.expect_event("console", lambda said: said.text == "changed"):
        page.evaluate("document.addEventListener('repro:change', () => console.log('changed'))")
        log(live, 1, loss=0.5)
    route, response = held[0]
    route.fulfill(response=response)
    expect(page.locator(CHART)).to_have_attribute("data-drawn", "2")
    end(live, repository)


def test_it_is_good_for_readers_on_a_phone_and_without_script(
    browse, troubles, ui, repository, runs, keep
):
    server = ui(repository)
    page = browse(size=PHONE).new_page()
    page.goto(server.address)
    page.goto(f"{server.origin}/compare?q=")
    points(page)
    expect(page.locator("#importance table")).to_be_visible()
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    assert violations(page) == []
    assert goes_sideways(page) == 0
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = false; })")
    keep(page, "compare-phone")

    plain = browse(has_script=False).new_page()
    plain.goto(server.address)
    plain.goto(f"{server.origin}/compare?run={runs[0]}&run={runs[1]}")
    picture = plain.get_by_alt_text("Curves of loss")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    plain.get_by_label("log y").check()
    plain.get_by_role("button", name="Draw").click()
    expect(plain.get_by_alt_text("Curves of loss")).to_have_attribute("src", re.compile("logy=1"))
    # Who runs no script is told so by refusing those that the page fetches ahead.
    troubles[:] = [one for one in troubles if not one.endswith(": csp")]
