import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.projects import make_run, open_here

from repro.cli import render


def on_a_terminal(*words: str, **env: str) -> str:
    """What a command line shows on a terminal."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "repro", *words],
        env={**clean, "TERM": "xterm", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 1 << 16):
            shown += part
    except OSError:  # Linux says so when the last writer has closed a terminal
        pass
    finally:
        os.close(ours)
    assert process.wait() == 0
    return shown.decode()


def test_columns_are_aligned():
    text = render.table([["a", "1"], ["bbb", ""]], ["name", "n"])

    assert text == "name  n\na     1\nbbb"


def test_wide_and_combining_characters_count_as_a_terminal_counts_them():
    text = render.table([["日本", "1"], ["e\u0301", "2"]], ["name", "n"])

    assert text == "name  n\n日本  1\ne\u0301     2"


def test_cells_cannot_play_tricks_on_the_terminal():
    assert render.columns([["\x1b[2J", "a\nb"]]) == "\\x1b[2J  a\\nb"


def test_rows_may_lack_cells():
    assert render.columns([["a"], ["b", "c"]]) == "a\nb  c"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), '"NaN"'),
        (float("inf"), '"Infinity"'),
        (-float("inf"), '"-Infinity"'),
        (0.1, "0.1"),
        ("é", '"é"'),
        ("\udcff", '"\\udcff"'),
        ("\x1b\x7f\x9b2J\u202e\U000e0041", '"\\u001b\\u007f\\u009b2J\\u202e\\udb40\\udc41"'),
    ],
)
def test_json_holds_what_json_lacks(value, text, capsys):
    render.data_json(value)

    assert capsys.readouterr().out == f"{text}\n"


def test_json_keeps_the_order_of_keys(capsys):
    render.data_json({"b": [{"z": 1, "a": (2.0,)}], "a": None})

    out = capsys.readouterr().out
    assert list(json.loads(out)) == ["b", "a"]
    assert list(json.loads(out)["b"][0]) == ["z", "a"]


def test_a_long_text_on_a_terminal_goes_through_the_pager_of_git(repository: Path):
    make_run(open_here(repository), name="baseline")

    shown = on_a_terminal("log", GIT_PAGER="sed 's/^/paged: /'")

    assert shown.startswith("paged: ")
    assert "baseline" in shown


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (["--no-pager"], {"GIT_PAGER": "sed 's/^/paged: /'"}),
        ([], {"GIT_PAGER": "cat"}),
        ([], {"GIT_PAGER": ""}),
        ([], {"GIT_PAGER": "no-such-pager-at-all"}),
        ([], {"GIT_PAGER": "'unclosed"}),
    ],
)
def test_there_is_no_pager_where_none_is_wanted_or_had(words, env, repository):
    make_run(open_here(repository), name="baseline")

    shown = on_a_terminal(*words, "log", **env)

    assert "paged: " not in shown
    assert "baseline" in shown


def test_colours_are_for_terminals_that_want_them(repository):
    make_run(open_here(repository), name="baseline")

    assert "\x1b[" in on_a_terminal("log", GIT_PAGER="cat")
    assert "\x1b[" not in on_a_terminal("log", GIT_PAGER="cat", NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal("log", GIT_PAGER="cat", TERM="dumb")


def test_columns_are_aligned_to_the_right_where_asked() -> None:
    rows = [["a", "n", "b"], ["x", "10", "y"], ["long", "5", ""]]
    assert render.columns(rows, right={1}) == "a      n  b\nx     10  y\nlong   5"


def test_a_coloured_cell_takes_its_own_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "has_colour", lambda: True)
    text = render.columns(
        [["a", "1"], ["b", "22"]], right={1}, colours={(1, 0): "red", (0, 1): "green"}
    )
    assert text == "a   \x1b[32m1\x1b[0m\n\x1b[31mb\x1b[0m  22"


def test_an_array_that_is_printed_piece_by_piece_is_that_of_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = [{"a": [1, {"b": float("nan")}], "c": "x\ny\x1b"}, 2, []]
    render.data_json(values)
    whole = capsys.readouterr().out
    render.json_array(iter(values))
    assert capsys.readouterr().out == whole
    render.json_array([])
    assert capsys.readouterr().out == "[]\n"


def test_json_lines_are_one_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    render.json_lines([{"a": "x\ny"}, [1, 2]])
    assert capsys.readouterr().out == '{"a": "x\\ny"}\n[1, 2]\n'


def test_what_is_printed_and_what_is_said_stay_in_order_where_both_end_in_one_place():
    code = "from repro.cli.render import note, out; out('one'); note('two'); out('three')"
    environ = {key: text for key, text in os.environ.items() if key != "PYTHONUNBUFFERED"}

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "one\ntwo\nthree\n"


def test_notes_go_to_what_draws_on_the_terminal_as_long_as_it_does(capsys):
    said: list[str] = []

    with render.notes_by(said.append):
        render.note("above")
    render.note("behind")

    assert said == ["above"]
    assert capsys.readouterr().err == "behind\n"
