"""Source text as HTML."""

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.model.text import escape
from repro.web import highlight as module
from repro.web.highlight import highlight


def plain(lines) -> list[str]:
    return [unescape(re.sub("<[^>]*>", "", line)) for line in lines]


def test_words_have_the_class_of_their_kind():
    [line] = highlight('def f(): return "x" + 1  # why\n', "a.py")

    assert '<span class="t-k">def</span>' in line
    assert '<span class="t-s">&#34;x&#34;</span>' in line
    assert '<span class="t-c"># why</span>' in line


@pytest.mark.parametrize("path", ["a.py", "a.md", "a.json", "Dockerfile", "a.yaml", "a.html", "a"])
@settings(max_examples=25)
@given(
    text=st.text(
        alphabet=st.sampled_from("ab<>&\"'#\n\r\t\\`{}[]():\x1b\udcff\u2028 1-"), max_size=80
    )
)
def test_every_line_stays_as_it_is(path, text):
    wanted = [
        "\t".join(escape(part) for part in line.split("\t"))
        for line in text.removesuffix("\n").split("\n")
    ]

    assert plain(highlight(text, path)) == wanted


def test_a_very_long_line_has_no_colours():
    assert "<span" not in highlight(f"def f(): pass\n{'x' * 5000}\n", "a.py")[0]


def test_a_text_that_takes_too_long_stays_plain_from_there_on(monkeypatch):
    monkeypatch.setattr(module, "_LONGEST_S", -1.0)

    assert highlight("def f(): pass\n", "a.py") == ["def f(): pass"]
