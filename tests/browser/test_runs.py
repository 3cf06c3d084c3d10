"""The runs page in a browser: quick, by keyboard alone, and nobody's words are lost."""

import re
import time

import pytest
from playwright.sync_api import expect
from tests.support.browsing import PHONE, focused, goes_sideways, violations
from tests.support.projects import make_run, open_here
from tests.support.records import a_summary, make_record, open_at, write_runs

from repro.core.query import list_runs, resolve_run


@pytest.fixture
def runs(repository):
    """Sixty of them, the newest first."""
    records = [
        make_record(
            name=f"run-{n:02}",
            config={"lr": n / 100, "optimizer": ("adam", "sgd")[n % 2]},
            metrics={"loss": a_summary(1 / (n + 1), goal="minimize", min=n / 1000)},
        )
        for n in range(60)
    ]
    return [one.run.id for one in reversed(write_runs(open_at(repository), records))]


def names(page):
    return page.locator("#table td.name .text").all_inner_texts()


def test_a_filter_is_typed_with_help_and_the_view_is_shared_with_a_phone(
    browse, ui, repository, runs, keep
):
    server = ui(repository)
    page = browse().new_page()
    page.goto(server.address)
    page.keyboard.press("/")
    page.keyboard.type("optim")
    expect(page.locator("#words li")).to_have_text(["optimizerparam"])
    page.keyboard.press("Tab")
    page.keyboard.type(" = ad")  # the word came with a space
    expect(page.locator("#words li")).to_have_text([re.compile("^adam")])
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#q", "aria-activedescendant") == "word-0"
    page.keyboard.press("Enter")
    assert page.input_value("#q") == "optimizer = adam "
    expect(page.locator("#found")).to_have_text("30 of 60 runs")

    page.keyboard.type("and nope < 1")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong .carets")).to_have_text(" " * 21 + "^^^^", use_inner_text=True)
    assert page.get_attribute("#q", "aria-invalid") == "true"
    assert len(names(page)) == 30
    expect(page.locator("#before")).to_be_visible()

    page.fill("#q", "optimizer = adam")
    page.locator("thead").get_by_role("link", name="loss").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("loss")
    assert page.locator("#wrong p").count() == 0
    assert names(page)[:2] == ["run-58", "run-56"]

    other = browse(size=PHONE, is_dark=True).new_page()
    expect(page).to_have_url(re.compile("sort=metrics.loss"))
    other.goto(f"{page.url}&token={server.token}")
    assert names(other) == names(page)
    other.locator(f"#pick-{runs[1]}").check()
    expect(other.locator("#n-chosen")).to_be_visible()
    assert goes_sideways(other) <= 0
    keep(other, "runs-phone")

    page.go_back()
    expect(page.locator("th[aria-sort]")).to_have_count(0)
    assert page.input_value("#q") == "optimizer = adam"

    page.fill("#q", "lr > 0")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text("59 of 60 runs")
    page.fill("#q", "nope <<")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong p").first).to_be_visible()
    page.go_back()  # with the box still focused
    expect(page.locator("#q")).to_have_value("optimizer = adam")
    expect(page.locator("#wrong p")).to_have_count(0)
    expect(page.locator("#before")).to_be_hidden()


def test_columns_are_chosen_and_put_in_order_and_all_that_opens_is_read_aloud_well(
    page, ui, repository
):
    write_runs(open_at(repository), [make_record(config={"lr": n, "b": n}) for n in range(2)])
    page.goto(ui(repository).address)
    page.get_by_role("button", name="Columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    page.keyboard.type("bran")
    dialog.get_by_role("checkbox", name="branch").check()
    dialog.get_by_role("checkbox", name="lr").uncheck()
    dialog.get_by_role("button", name="Move branch up").click()
    assert violations(page) == []
    dialog.get_by_role("button", name="Show these").click()
    heads = page.locator("thead tr:last-child th")
    expect(heads.nth(5)).to_have_text("branch")
    assert [one.strip() for one in heads.all_inner_texts()[3:]] == [
        "created", "duration", "branch", "b", "tags", "note"
    ]  # fmt: skip
    assert focused(page)["id"] == "choose-columns"

    page.keyboard.press("j")
    page.keyboard.press("t")
    page.keyboard.type("half")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.fill("#q", "l")
    page.locator("#words li").first.wait_for()
    assert violations(page) == []


def test_by_keyboard_alone_runs_are_chosen_tagged_noted_and_thrown_away(
    page, ui, repository, runs, keep
):
    page.goto(ui(repository).address)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#n-chosen")).to_have_text("2 chosen")
    assert focused(page)["id"] == f"run-{runs[1]}"
    expect(page).to_have_url(re.compile(f"sel={runs[0]},{runs[1]}$"))

    page.keyboard.press("t")
    page.keyboard.type("good")
    page.keyboard.press("Enter")
    expect(page.locator(".editor .tag")).to_have_text("good×")
    keep(page, "runs-editing")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.keyboard.type("two\nlines")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".editor")).to_have_count(0)
    run = resolve_run(open_here(repository), runs[1]).run
    assert (run.tags, run.note) == (("good",), "two\nlines")

    page.keyboard.press("]")
    expect(page.locator("#n-chosen")).to_have_text("2 chosen, 2 not on this page")
    page.locator("#trash").press("Enter")
    page.get_by_role("button", name="Move to the trash").press("Enter")
    expect(page.locator("#said")).to_contain_text("Moved 2 runs to the trash.")
    expect(page.locator("#n-chosen")).to_be_hidden()
    assert list_runs(open_here(repository)).total == 58
    page.locator("#said").get_by_role("button", name="Undo").press("Enter")
    expect(page.locator(".count")).to_contain_text("60 runs")


def test_what_somebody_writes_is_not_taken_away_by_what_happens(page, ui, repository, runs):
    page.goto(ui(repository).address)
    page.locator(f"#run-{runs[2]}").focus()
    page.keyboard.press("e")
    page.keyboard.type("half a no")
    with page.expect_event("console", lambda said: said.text == "changed"):
        page.evaluate("document.addEventListener('repro:change', () => console.log('changed'))")
        make_run(open_here(repository, time.time), name="newcomer")
    assert page.input_value(".editor textarea") == "half a no"
    page.locator("thead").get_by_role("link", name="loss").click()
    expect(page.locator("#said")).to_contain_text("First save or cancel")
    assert page.input_value(".editor textarea") == "half a no"

    page.keyboard.press("Escape")
    expect(page.locator("#table td.name .text").first).to_have_text("newcomer")
    assert resolve_run(open_here(repository), runs[2]).run.note is None
