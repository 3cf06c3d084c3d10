import base64
import hashlib
import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.support.records import a_summary, make_record
from tests.support.reports import Parsed, make_curves, make_report_of

from repro.model.blocks import Cell, Code, Image, Page, Paragraph, Patch, Quote, Section, Table
from repro.model.diff import FileChange
from repro.model.report import CodeChange
from repro.model.reporthtml import write_html
from repro.model.reportlayout import lay_out_report
from repro.model.text import escape

BAD = "<script>alert(1)</script>\x1b[31m\u202e\"'&<img src=x onerror=y>"


_TAGS = Counter(
    {
        **dict.fromkeys(("html", "head", "title", "style", "body", "main", "h1", "h2"), 1),
        **dict.fromkeys(("nav", "ul", "li", "a", "section", "p", "code", "div"), 1),
        **dict.fromkeys(("table", "caption", "thead", "tbody"), 1),
        **dict.fromkeys(("tr", "th", "pre"), 2),
        "meta": 4,
    }
)


def page_of(*blocks) -> str:
    return write_html(Page(title=("t",), sections=[Section("S", blocks)]))


def report_with(text: str):
    """A report in which everything that a record says is `text`."""
    runs = [
        make_record(
            name=text, note=text, tags=(text,), command=(text,), cwd=text, branch=text,
            base="b" * 40, snapshot=letter * 40, dirty=True, warnings=(text,), status="failed",
            signal=text, config={text: text, "lr": lr, text + "2": 1},
            metrics={text: a_summary(lr, goal="minimize")}, summary={text: lr},
            environment={"hardware": {"cpu": text}, "x": {text: lr}},
            data={text: {"digest": text + letter, "path": text}},
        )
        for letter, lr in (("a", 0.1), ("b", 0.2))
    ]  # fmt: skip
    change = CodeChange(
        letter="B", before="a" * 40, after="b" * 40, files=(FileChange(text, "M"),),
        lines=("@@ -1 +1 @@", "+" + text), is_cut=True,
    )  # fmt: skip
    return make_report_of(
        runs, title=text, where=text, sort=(text,), codes=(change,), problems=(text,),
        curves=(make_curves(text, runs, [1.0, float("nan"), float("inf"), 0.5]),),
        command=("repro", "report", text),
    )  # fmt: skip


def html_of(text: str) -> str:
    return write_html(lay_out_report(report_with(text), patch_chars=10_000))


def test_nothing_is_executed_and_nothing_comes_from_elsewhere():
    text = html_of(BAD)
    page = Parsed(text)

    assert {"script", "img", "link", "iframe", "object"}.isdisjoint(page.tags)
    names = {name for name, _ in page.attributes}
    assert not any(name.startswith("on") for name in names)
    assert {"src", "srcset", "style", "xlink:href"}.isdisjoint(names)
    targets = [value for name, value in page.attributes if name == "href"]
    assert targets
    assert all(value.startswith("#") for value in targets)
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_policy_lets_in_the_one_style_sheet_and_nothing_else():
    text = html_of("x")
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text
    assert "url(" not in style
    assert "@import" not in style


@given(st.text(max_size=30), st.sampled_from(["<", '"', "'", "&lt;", "-->", "</code>"]))
def test_a_text_reads_as_it_was_written_in_every_place(text, mark):
    shown = f"x{mark}{text}"
    table = Table(caption=shown, heads=[Cell((Code(shown),))], rows=[[Cell((shown,))]])

    page = Parsed(page_of(Paragraph((shown, Code(shown))), table, Quote([shown]), Patch([shown])))

    assert Counter(page.tags) == _TAGS
    assert page.text.count(escape(shown)) == 7
    assert ("aria-label", escape(shown)) in page.attributes


def test_headings_go_down_step_by_step_and_each_section_is_linked():
    page = Parsed(html_of("x"))
    headings = [tag for tag in page.tags if re.fullmatch(r"h\d", tag)]
    ids = [value for name, value in page.attributes if name == "id"]

    assert headings == ["h1"] + ["h2"] * (len(headings) - 1)
    assert [v[1:] for name, v in page.attributes if name == "href"] == ids
    assert len(ids) == len(set(ids)) == len(headings) - 1


def test_tables_say_what_they_show_and_what_heads_a_row():
    table = Table(
        caption="Runs",
        heads=[Cell(("run",)), Cell((Code("loss"),))],
        rows=[[Cell(("a",), colour=0), Cell(("0.5",), is_best=True)]],
        right=frozenset({1}),
    )

    text = page_of(table)

    assert "<caption>Runs</caption>" in text
    assert '<th scope="col" class="n">loss</th>' in text
    assert re.search(r'<th scope="row"><svg class="sample".*?</svg>a</th>', text)
    assert '<td class="n"><b>0.5</b></td>' in text


def test_only_long_words_may_be_broken_on_paper():
    table = Table(
        caption="Runs",
        heads=[Cell(("seed",)), Cell(("a" * 30,)), Cell(("short words that are many",))],
        rows=[[Cell(("7",)), Cell((Code("b" * 17),)), Cell(("c",))]],
        right=frozenset({1}),
    )

    text = page_of(table)

    assert '<th scope="col">seed</th>' in text
    assert f'<th scope="col" class="n long">{"a" * 30}</th>' in text
    assert text.count("long") == text.count(".long") + 2
    assert '<th scope="col">short words that are many</th>' in text


def test_a_small_picture_is_as_large_as_its_pixels_can_be_seen():
    def picture(width: int, height: int) -> str:
        size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + size
        return page_of(Image(("a",), "image/png", data))

    assert '<img alt="a" class="pixels" width="160" height="80" src="data:' in picture(10, 5)
    assert '<img alt="a" src="data:' in picture(400, 300)


def test_lines_of_a_patch_that_came_or_went_are_marked_within_hunks_only():
    lines = [
        "diff --git a/x b/x",
        "--- a/x",
        "+++ b/x",
        "@@ -1,2 +1 @@",
        " same",
        "--- old",
        "+new",
    ]

    page = Parsed(page_of(Patch(lines)))

    marked = [pair for pair in page.texts if pair[0] in ("ins", "del")]
    assert marked == [("del", "--- old"), ("ins", "+new")]


def test_a_wide_table_is_printed_on_paper_that_lies():
    def table(n_columns: int) -> Table:
        return Table(caption="c", heads=[Cell(("h",))] * n_columns, rows=[])

    assert '<main class="wide">' in page_of(table(12))
    assert "<main>" in page_of(table(11))


def test_a_table_with_more_columns_than_fit_on_paper_comes_in_parts_that_do():
    def table(n_columns: int, word: str) -> Table:
        row = [Cell((f"{word}{place}",)) for place in range(n_columns)]
        return Table(caption="c", heads=row, rows=[row], right=frozenset({n_columns - 1}))

    parts = Parsed(page_of(table(28, "w")))
    heads = [text for tag, text in parts.texts if tag == "th" and text.startswith("w")]

    assert [text for tag, text in parts.texts if tag == "caption"] == ["c (1 of 2)", "c (2 of 2)"]
    assert Counter(heads) == {"w0": 4, **{f"w{place}": 1 for place in range(1, 28)}}
    assert page_of(table(28, "w")).count(' class="n"') == 2
    assert "<table>" in page_of(table(20, "w"))
    assert '<table class="tight">' in page_of(table(20, "fourteen_chars"))
    assert '<table class="tight">' in page_of(table(11, "fourteen_chars"))
    assert "<table>" in page_of(table(5, "fourteen_chars"))
