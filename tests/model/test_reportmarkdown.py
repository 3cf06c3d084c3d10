import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.model.test_reporthtml import BAD, report_with
from tests.support.records import a_summary, make_record
from tests.support.reports import Parsed, make_report_of

from repro.model.blocks import Cell, Code, Fold, Page, Paragraph, Patch, Plot, Quote, Section, Table
from repro.model.reportlayout import lay_out_report
from repro.model.reportmarkdown import MOST, draw_together, write_markdown
from repro.model.text import escape

_ODD = st.text(st.sampled_from("`|\\<>&@#*_[]()~!$ \n-a1"), max_size=12)
_CODE = {"code", "pre", "summary"}


def rendered(text: str) -> Parsed:
    """The page as a reader of GitHub's Markdown gives it."""
    return Parsed(MarkdownIt("commonmark").enable("table").render(text))


def page_of(*blocks) -> str:
    return write_markdown(Page(title=("t",), sections=[Section("S", blocks)]))


def test_what_a_record_says_is_code_and_nothing_else():
    report = replace(report_with(BAD + " @ada #12 [x](javascript:y) **b** `c` | d"), title="")

    page = rendered(write_markdown(lay_out_report(report, patch_chars=10_000)))

    prose = "".join(text for tag, text in page.texts if tag not in _CODE)
    assert {"script", "img", "a", "em"}.isdisjoint(page.tags)
    assert "ada" in page.text
    assert "ada" not in prose
    assert "#" not in prose


@given(st.one_of(_ODD, st.text(max_size=12)))
def test_a_text_reads_as_it_was_written_in_every_place(text):
    table = Table(
        caption="c",
        heads=[Cell(("h",)), Cell((Code(text),))],
        rows=[[Cell((Code(text),)), Cell(("1", Code(text)), is_best=True)]],
    )
    shown = Code(text)

    page = rendered(page_of(Paragraph((shown,)), table, Fold((shown,), [Quote([text])])))

    assert page.tags.count("td") == page.tags.count("th") == 2
    codes = [said for tag, said in page.texts if tag == "code"]
    if escape(text).strip():
        assert codes[0] == escape(text)
        assert codes.count(escape(text)) >= 4


@pytest.mark.parametrize("text", ["a|b", "a\\|b", "`", " a ", "a`b|c\\"])
def test_a_code_of_a_cell_keeps_pipes_backslashes_and_backticks(text):
    table = Table(caption="c", heads=[Cell(("h",))], rows=[[Cell((Code(text),))]])

    page = rendered(page_of(table))

    assert ("code", text) in page.texts or text == "".join(
        said for tag, said in page.texts if tag == "code"
    )


def test_a_title_of_the_user_is_no_markup():
    text = write_markdown(Page(title=("*Fix* <b> #12 @ada $x$",)))

    page = rendered(text)

    assert page.text.strip() == "*Fix* <b> #12 @ada $x$"
    assert "#12" not in text
    assert "@ada" not in text


def test_a_fence_is_longer_than_any_within():
    page = rendered(page_of(Patch(["+```", "+````"])))

    assert ("code", "+```\n+````\n") in page.texts


@pytest.mark.parametrize("name", ["run", "`|" * 30])
def test_a_page_of_many_runs_fits_into_a_comment(name):
    runs = [
        make_record(
            name=f"{name}{number}",
            note="words " * 50,
            config={f"p{key}": number * key for key in range(30)},
            metrics={f"m{key}": a_summary(0.1 * number) for key in range(6)},
        )
        for number in range(300)
    ]

    text = write_markdown(lay_out_report(make_report_of(runs), patch_chars=20_000))

    assert 5_000 < len(text) <= MOST
    assert "repro report -o report.html" in text or "more rows" in text


def test_a_page_whose_head_alone_is_too_long_is_cut():
    text = write_markdown(Page(title=("t",), head=[Paragraph(("words " * 100,))]), most=300)

    assert len(text) <= 300


def test_curves_have_the_same_scale_and_end_where_they_end():
    long = Plot("a", [0, 1, 2, 3], [0.0, 1.0, 2.0, 3.0], 0)
    short = Plot("b", [0, 1], [3.0, float("nan")], 1)

    assert draw_together([long, short]) == {0: "▁▃▆█", 1: "█"}
    assert draw_together([Plot("c", [5], [1.0], 2)]) == {2: "▄"}
    assert draw_together([Plot("c", [], [], 2)]) == {}


def test_no_line_ends_the_page_of_a_fold():
    text = page_of(Fold(("t",), [Quote(["</details>", "```"])]))

    assert re.search(r"````text\n</details>\n```\n````", text)
