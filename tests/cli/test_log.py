"""`repro log`: runs one below the other."""

from pathlib import Path

import pytest
from tests.support.cli import Cli
from tests.support.runs import write_three

pytestmark = pytest.mark.usefixtures("an_hour_later")


@pytest.fixture
def three(repository: Path) -> Path:
    write_three(repository)
    return repository


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


def test_log_chooses_sorts_and_counts_as_ls(three: Path, cli: Cli) -> None:
    ended = cli("log", "--oneline", "--where", "lr < 0.25", "--sort", "-loss", "--limit", "1")
    assert ended.out == "aaaaaa first (finished): loss 0.12346\n"
    assert ended.err == "… and 1 more: `--all` lists all\n"
    assert len(cli("log", "--oneline", "--all").out.splitlines()) == 3


def test_log_of_no_run_says_so(three: Path, cli: Cli) -> None:
    ended = cli("log", "--where", "lr > 1")
    assert (ended.out, ended.err) == ("", "none of the 3 runs fits: `repro ls` lists them\n")
