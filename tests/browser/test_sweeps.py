"""The page of a sweep as somebody looks at it."""

import re

from playwright.sync_api import expect
from tests.support.browsing import PHONE, stays_within, violations
from tests.support.projects import open_here
from tests.support.sweeps import ask, make_sweep, tell

from repro.core.sweep.book import LocalBook
from repro.model.space import Categorical
from repro.model.sweep import Entry


def test_a_sweep_shows_its_best_so_far_and_what_matters(browse, ui, repository, keep):
    project = open_here(repository)
    space = {"lr": Categorical((0.1, 0.2, 0.4)), "opt": Categorical(("sgd", "adam"))}
    at = make_sweep(project, space=space, metric="loss", name="tune")
    entries: list[Entry] = []
    for number, lr in enumerate([0.1, 0.2, 0.4] * 2):
        run = f"{'abcdef'[number]}aaaaaaa0000"
        params = {"lr": lr, "opt": ("sgd", "adam")[number // 3]}
        entries += [ask(number, run, params=params), tell(number, run, lr + number)]
    LocalBook(project, at.sweep.id).write(lambda _: entries)
    server = ui(repository)

    page = browse().new_page()
    page.goto(server.address)
    page.goto(f"{server.origin}/sweeps")
    assert violations(page) == []
    page.get_by_role("link", name=at.sweep.id[:6]).click()
    expect(page.locator("#history")).to_have_attribute("data-drawn", "6")
    expect(page.locator(".parcoords .lines path")).to_have_count(6)
    expect(page.locator("#importance table")).to_be_visible()
    assert violations(page) == []
    keep(page, "sweep")
    page.get_by_role("row", name=re.compile("^2 ")).hover()
    expect(page.locator(".parcoords .lines path.lit")).to_have_count(1)

    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    stays_within(page)  # once charts are drawn anew
    assert violations(page) == []
    keep(page, "sweep-phone-dark")
