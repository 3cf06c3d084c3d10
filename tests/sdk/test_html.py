import re
from html.parser import HTMLParser

import pytest

import repro
from repro.sdk.html import record_html, runs_html
from tests.support.projects import make_run, open_here
from tests.support.records import a_summary, make_record

NOW = 1_764_100_000.0
BAD = "<script>alert(1)</script>\x1b[31m\u202e\"'&"


class Page(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def shown(records, n_runs=None) -> Page:
    return Page(runs_html(records, n_runs or len(records), NOW))


def test_params_that_differ_stand_first_and_constants_below():
    records = [
        make_record(config={"lr": lr, "epochs": 10}, metrics={"loss": a_summary(lr)})
        for lr in (0.1, 0.2)
    ]

    page = shown(records)

    head = page.texts[: page.texts.index(records[0].run.id)]
    assert head[-2:] == ["lr", "loss"]
    assert "same in all: epochs=10" in page.texts


def test_a_table_shows_how_many_more_there_are():
    assert "… and 1,234 more runs" in shown([make_record()], 1235).texts
    assert "no runs" in shown([]).texts


def test_a_table_of_very_many_metrics_stays_a_table():
    record = make_record(metrics={f"m{n}": a_summary(1.0) for n in range(100)})

    page = shown([record])

    assert page.tags.count("th") == 40
    assert any(re.match(r"… and \d+ more columns", text) for text in page.texts)


def test_the_best_value_of_a_metric_with_a_goal_is_bold():
    records = [
        make_record(metrics={"loss": a_summary(value, goal="minimize")}) for value in (2.0, 1.0)
    ]

    assert runs_html(records, 2, NOW).count("<b>") == 1


@pytest.mark.parametrize("render", [record_html, lambda record: runs_html([record], 1, NOW)])
def test_nothing_of_a_record_becomes_markup(render):
    odd = {BAD: BAD}
    record = make_record(
        name=BAD, note=BAD, tags=(BAD,), command=(BAD,), config=odd, summary=odd,
        metrics={BAD: a_summary(float("nan"), min=None, max=None, mean=None)}, data={BAD: odd},
    )  # fmt: skip

    text = render(record)

    page = Page(text)
    assert page.open == []
    assert {*page.tags} <= {
        "div", "table", "thead", "tbody", "tr", "th", "td", "p", "b", "code",
    }  # fmt: skip
    assert page.attributes <= {"style"}
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "://" not in text


def test_a_record_shows_its_facts_and_values():
    record = make_record(
        name="base", note="n", tags=("a", "b"), config={"opt": {"lr": 0.1}},
        metrics={"loss": a_summary(0.5)}, summary={"s": 1}, data={"train": {"files": 3}},
    )  # fmt: skip

    texts = Page(record_html(record)).texts

    for text in (record.run.id, " (base)", "finished", "a, b", "opt.lr", "0.1", "loss", "s"):
        assert text in texts
    assert "train.files" in texts


def test_a_notebook_gets_the_table_of_a_list_and_of_a_record(repository):
    project = open_here(repository)
    for number in range(3):
        make_run(project, {"loss": 0.5}, config={"lr": number}, name=f"r{number}")

    assert Page(repro.runs()._repr_html_()).tags.count("tr") == 4
    assert "r2" in repro.runs()._repr_html_()
    assert "lr" in Page(repro.get_run("r1")._repr_html_()).texts
