"""`repro report`: one file of some runs."""

import json
import stat
from pathlib import Path

import pytest
from tests.support import write_files
from tests.support.cli import Cli
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, open_at, write_run
from tests.support.reports import Parsed


@pytest.fixture
def two(repository: Path) -> Path:
    """Two runs, the second with another code and a name to be careful with."""
    project = open_here(repository)
    make_run(project, {"loss": 1.0}, steps=3, name="first", config={"lr": 0.1})
    write_files(repository, {"train.py": "other\n"})
    make_run(project, {"loss": 0.5}, steps=3, name="<script>`|", config={"lr": 0.2})
    return repository


def test_the_ending_of_the_file_says_the_format(two, cli: Cli):
    for name in ("r.html", "r.md", "r.json"):
        done = cli("report", "first", "<script>`|", "-o", name)
        assert done.out == ""
        assert f"repro: {name}: 2 runs, " in done.err

    page = Parsed((two / "r.html").read_text())
    assert "script" not in page.tags
    assert "<script>`|" in page.text
    assert (two / "r.md").read_text().startswith("# Report of 2 runs\n")
    assert json.loads((two / "r.json").read_text())["metrics"] == ["loss"]
    assert stat.S_IMODE((two / "r.html").stat().st_mode) == 0o644


def test_without_a_file_it_is_markdown_or_what_was_asked_for(two, cli: Cli):
    assert cli("report", "first").out.startswith("# Report of run `first`\n")
    assert cli("report", "first", "-o", "-").out.startswith("# Report")
    assert cli("report", "first", "--format", "html").out.startswith("<!doctype html>\n")
    assert json.loads(cli("report", "first", "--json").out)["title"] == ""


def test_a_report_says_how_to_make_it_again_whatever_runs_follow(two, cli: Cli):
    words = ["--where", "lr > 0", "--sort", "-lr", "--limit", "1", "-m", "loss", "--title", "a b"]

    facts = json.loads(cli("report", *words, "--json").out)
    make_run(open_here(two), {"loss": 0.5}, config={"lr": 9}, name="newest")
    again = json.loads(cli(*facts["command"][1:]).out)

    assert facts["command"][2] == facts["runs"][0]["id"]
    assert [one["name"] for one in facts["runs"]] == ["<script>`|"]
    chosen = {"made": None, "where": None, "left": None}
    assert {**again, **chosen} == {**facts, **chosen}


def test_the_command_that_makes_a_file_again_replaces_it(two, cli: Cli):
    cli("report", "first", "--format", "json", "-o", "facts.txt")
    facts = json.loads((two / "facts.txt").read_text())
    (two / "facts.txt").write_text("changed")

    cli(*facts["command"][1:])

    assert json.loads((two / "facts.txt").read_text())["command"] == facts["command"]


def test_more_runs_that_fit_are_said_to(two, cli: Cli):
    done = cli("report", "--limit", "1")

    assert "… and 1 more fit: `--limit 0` takes all of them" in done.err
    assert "1 run, the newest first; 1 more fit." in done.out


def test_a_file_that_is_there_is_replaced_by_force_only(two, cli: Cli):
    (two / "r.md").write_text("mine")

    refused = cli("report", "-o", "r.md", code=128)

    assert "`r.md` is there already\nhint: `--force` replaces it" in refused.err
    assert (two / "r.md").read_text() == "mine"
    cli("report", "-o", "r.md", "--force")
    assert (two / "r.md").read_text().startswith("# Report")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-o", "r.txt"], 129, "the ending of `r.txt` says no format"),
        (["-o", "no/r.md"], 128, "there is no folder for `no/r.md`"),
        (["-o", "x" * 300 + ".md"], 128, "no file can be called"),
        (["-o", ".git", "--format", "md"], 128, "`.git` is no file that could be replaced"),
        (["--format", "html", "--json"], 129, "`--json` and `--format` exclude each other"),
        (["--where", "lr > 5"], 129, "no run fits `lr > 5`"),
        (["--where", "lr >"], 129, "the filter ends where a value should follow"),
        (["-m", "los"], 128, "none of these runs has a metric `los`; did you mean `loss`?"),
        (["nobody"], 128, "there is no run `nobody`"),
    ],
)
def test_what_cannot_be_done_is_said(two, cli: Cli, words, code, said):
    assert said in cli("report", *words, code=code).err


def test_a_run_that_cannot_be_read_is_named_and_hides_no_other(two, cli: Cli):
    write_run(open_at(two), make_record(), files={"run.json": b"{"})

    done = cli("report")

    assert done.err.startswith("repro: warning: run `")
    assert "What could not be read:" in done.out
    assert "`first`" in done.out
