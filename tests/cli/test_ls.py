"""`repro ls` and `repro log`: tables, lines for programs, JSON."""

import json
from pathlib import Path

import pytest
from tests.support.cli import Cli
from tests.support.records import NOW, a_summary, make_record, open_at, run_id, write_run

from repro.model.times import format_time


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("REPRO_NOW", str(NOW + 3600))
    return Cli(capsys)


@pytest.fixture
def three(repository: Path) -> Path:
    """A repository with three runs, of which the newest failed."""
    opened = open_at(repository)
    for number, (name, status, lr, loss) in enumerate(
        [
            ("first", "finished", 0.1, 0.123456),
            (None, "finished", 0.2, 1e-7),
            ("b\x1b[2J", "failed", 0.3, 3.0),
        ]
    ):
        record = make_record(
            id=run_id("abc"[number] * 8), name=name, status=status, tags=("t", f"t{number}"),
            created=format_time(NOW + number), duration_s=1.0 + 100 * number,
            config={"lr": lr, "model": {"width": 64}}, metrics={"loss": a_summary(loss)},
        )  # fmt: skip
        write_run(opened, record)
    return repository


def test_the_table_shows_what_differs_first_then_metrics(three: Path, cli: Cli) -> None:
    assert cli("ls").out == (
        "id      name      status    created         duration  lr   loss\n"
        "cccccc  b\\x1b[2J  failed    59 minutes ago  3m 21s    0.3  3\n"
        "bbbbbb  -         finished  59 minutes ago  1m 41s    0.2  1e-07\n"
        "aaaaaa  first     finished  1 hour ago      1.0s      0.1  0.12346\n"
    )


def test_chosen_columns_are_shown_as_asked(three: Path, cli: Cli) -> None:
    assert cli("ls", "--columns", "model.width,loss.max,tags", "--limit", "1").out == (
        "id      model.width  loss.max  tags\ncccccc  64           3         t, t2\n"
    )


def test_sorting_is_over_all_runs_before_the_limit(three: Path, cli: Cli) -> None:
    def order(*words: str) -> list[str]:
        return [line[:1] for line in cli("ls", "--porcelain", *words).out.splitlines()]

    assert order("--sort", "loss") == ["b", "a", "c"]
    assert order("--sort", "-loss") == ["c", "a", "b"]
    assert order("--sort", "-lr", "--limit", "1") == ["c"]
    assert order("--sort", "created") == ["a", "b", "c"]
    assert order() == ["c", "b", "a"]


def test_status_and_tag_choose(three: Path, cli: Cli) -> None:
    assert cli("ls", "--status", "failed", "--porcelain").out.startswith("ccc")
    assert cli("ls", "--tag", "t1", "--porcelain").out.startswith("bbb")
    nothing = cli("ls", "--tag", "absent")
    assert (nothing.out, nothing.err) == ("", "none of the 3 runs fits\n")


def test_lines_for_programs_hold_still(three: Path, cli: Cli) -> None:
    line = "cccccccc0000\tfailed\t2025-11-24T16:00:02.000000Z\t201.0\tb\\x1b[2J\tt,t2"
    assert cli("ls", "--porcelain", "--limit", "1").out == line + "\n"
    assert cli("ls", "-z", "--limit", "1").out == line + "\0"


def test_json_is_an_array_newest_first(three: Path, cli: Cli) -> None:
    value = json.loads(cli("ls", "--json").out)
    assert ["cccccccc0000", "bbbbbbbb0000", "aaaaaaaa0000"] == [run["id"] for run in value]
    assert value[0]["config"] == {"lr": 0.3, "model": {"width": 64}}
    assert value[0]["metrics"]["loss"]["last"] == 3.0
    assert value[0]["name"] == "b\x1b[2J"


def test_more_runs_than_shown_are_said(three: Path, cli: Cli) -> None:
    assert cli("ls", "--limit", "2").err == "… and 1 more: `repro ls --limit 0` lists all\n"
    assert cli("ls", "--limit", "0").err == ""


def test_no_runs_are_a_hint_and_no_error(repository: Path, cli: Cli) -> None:
    ended = cli("ls")
    assert (ended.out, ended.err) == ("", "no runs yet: `repro run -- CMD` records one\n")
    assert cli("ls", "--json").out == "[]\n"
    assert not (repository / ".git/repro").exists()


def test_a_damaged_run_is_one_line_and_hides_no_other(three: Path, cli: Cli) -> None:
    bad = write_run(open_at(three), make_record(), files={"run.json": b"{}"}).run.id
    ended = cli("ls", "--porcelain")
    assert len(ended.out.splitlines()) == 3
    [line] = ended.err.splitlines()
    assert line.startswith(f"repro: warning: run `{bad}` cannot be read: ")


def test_a_narrow_terminal_gets_fewer_columns(
    three: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.cli.render.width", lambda: 64)
    ended = cli("ls")
    assert all(len(line) <= 64 for line in ended.out.splitlines())
    assert "loss" in ended.out.splitlines()[0]
    assert "no room for" in ended.err


@pytest.mark.parametrize(
    "words",
    [["--sort", "nothing"], ["--columns", "nothing"], ["--limit", "-1"], ["--status", "x"], ["x"]],
)
def test_a_wrong_option_is_one_error_with_code_129(three: Path, cli: Cli, words: list[str]) -> None:
    ended = cli("ls", *words, code=129)
    assert ended.out == ""
    assert "hint: " in ended.err


def test_log_shows_runs_one_below_the_other(three: Path, cli: Cli) -> None:
    text = cli("log", "--limit", "1").out
    assert text.startswith(
        "run cccccc (b\\x1b[2J)\nStatus:  failed in 3m 21s\nDate:    2025-11-24 16:00:02 UTC\n"
    )
    assert "Command: python train.py\n" in text
    assert "Tags:    t, t2\nMetrics: loss 3\n" in text


def test_log_in_one_line_a_run(three: Path, cli: Cli) -> None:
    assert cli("log", "--oneline").out.splitlines()[2] == "aaaaaa first (finished): loss 0.12346"


def test_log_as_json_is_as_ls(three: Path, cli: Cli) -> None:
    assert cli("log", "--json").out == cli("ls", "--json").out


def test_wide_characters_keep_the_columns_straight(repository: Path, cli: Cli) -> None:
    opened = open_at(repository)
    write_run(opened, make_record(name="日本", created=format_time(NOW)))
    write_run(opened, make_record(name="abcd", created=format_time(NOW)))
    lines = cli("ls").out.splitlines()
    assert any("  日本  finished" in line for line in lines)
    assert any("  abcd  finished" in line for line in lines)
