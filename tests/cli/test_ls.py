"""`repro ls` and `repro log`: tables, lines for programs, JSON."""

import csv
import io
import json
from pathlib import Path

import pytest
from tests.support.cli import Cli
from tests.support.projects import begin, open_here
from tests.support.records import NOW, a_summary, make_record, open_at, run_id, write_run
from tests.support.runs import write_groups, write_three

from repro.cli.log import log
from repro.cli.ls import ls
from repro.model.times import format_time

pytestmark = pytest.mark.usefixtures("an_hour_later")


@pytest.fixture
def three(repository: Path) -> Path:
    write_three(repository)
    return repository


def test_the_table_shows_what_differs_first_then_metrics(three: Path, cli: Cli) -> None:
    assert cli("ls").out == (
        "id      name      status    created         duration   lr     loss\n"
        "cccccc  b\\x1b[2J  failed    59 minutes ago    3m 21s  0.3        3\n"
        "bbbbbb  -         finished  59 minutes ago    1m 41s  0.2    1e-07\n"
        "aaaaaa  first     finished  1 hour ago          1.0s  0.1  0.12346\n"
    )


def test_params_that_are_the_same_in_all_are_one_line_apart(three: Path, cli: Cli) -> None:
    assert cli("ls").err == "same in all 3: model.width=64\n"
    assert cli("ls", "--limit", "1").err.startswith("config: lr=0.3, model.width=64\n")


def test_the_best_of_a_metric_is_marked_where_it_has_a_goal(repository: Path, cli: Cli) -> None:
    write_three(repository, goal="minimize")
    lines = cli("ls").out.splitlines()
    assert [line.endswith("*") for line in lines] == [False, False, True, False]
    assert lines[2].endswith("  0.2    1e-07*")
    assert lines[3].endswith("  0.1  0.12346")


def test_on_a_terminal_the_best_and_the_failed_are_coloured(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_three(repository, goal="minimize")
    monkeypatch.setattr("repro.cli.render.has_colour", lambda: True)
    lines = cli("ls").out.splitlines()
    assert lines[2].endswith("  \x1b[32m1e-07\x1b[0m")
    assert "  \x1b[31mfailed\x1b[0m    59 minutes" in lines[1]
    assert "*" not in "".join(lines)


def test_a_run_that_was_pruned_says_so_and_is_not_red(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(open_at(repository), make_record(status="killed", pruned=True))
    monkeypatch.setattr("repro.cli.render.has_colour", lambda: True)
    assert "  killed, pruned  " in cli("ls").out


def test_a_run_in_progress_has_lasted_until_now(repository: Path, cli: Cli) -> None:
    live = begin(open_here(repository, clock=lambda: NOW), config={"lr": 0.1})
    live.journal.log(7, NOW, {"loss": 0.5})
    titles, line = cli("ls", "--live").out.splitlines()
    live.journal.close()
    assert titles.split() == ["id", "status", "created", "duration", "step", "loss"]
    assert line.split()[1:] == ["running", "1", "hour", "ago", "1h", "00m", "7", "0.5"]


def test_the_step_of_a_run_in_progress_says_of_how_many(repository: Path, cli: Cli) -> None:
    live = begin(open_here(repository, clock=lambda: NOW), config={"max_steps": 1000})
    live.journal.log(340, NOW, {"loss": 0.5})
    line = cli("ls", "--live", "--columns", "step").out.splitlines()[1]
    live.journal.close()
    assert line.endswith("  340/1000")


def test_chosen_columns_are_shown_as_asked(three: Path, cli: Cli) -> None:
    assert cli("ls", "--columns", "model.width,loss.max,tags", "--limit", "1").out == (
        "id      model.width  loss.max  tags\ncccccc           64         3  t, t2\n"
    )


def test_what_is_added_is_no_constant_any_more_and_cut_as_the_others(
    three: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("ls", "--columns", "+model.width").err == ""
    assert cli("ls", "--columns", "-created").err == "same in all 3: model.width=64\n"
    monkeypatch.setattr("repro.cli.render.width", lambda: 60)
    ended = cli("ls", "--columns", "+branch")
    assert all(len(line) <= 60 for line in ended.out.splitlines())
    assert ended.err.startswith("… no room for ")


def test_a_name_as_long_as_a_page_is_cut(repository: Path, cli: Cli) -> None:
    opened = open_at(repository)
    for value in (1, 2):
        write_run(opened, make_record(config={"x" * 10_000: value, "y" * 10_000: 0}))
    ended = cli("ls")
    assert max(map(len, ended.out.splitlines())) < 150
    assert len(ended.err) < 150


def test_csv_on_a_terminal_has_nothing_that_it_obeys(
    three: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.cli.render.width", lambda: 80)
    assert "\x1b" not in cli("ls", "--csv").out


def test_no_run_in_progress_is_said(three: Path, cli: Cli) -> None:
    said = "none of the 3 runs is in progress: `repro ls` lists them\n"
    assert cli("ls", "--live").err == said


def test_columns_are_added_and_taken_away(three: Path, cli: Cli) -> None:
    def titles(columns: str) -> list[str]:
        return cli("ls", "--columns", columns).out.splitlines()[0].split()

    assert titles("-name,-status,-created") == ["id", "duration", "lr", "loss"]
    assert titles("+branch,-created")[:5] == ["id", "name", "status", "duration", "branch"]
    assert titles("config.*") == ["id", "config.lr", "config.model.width"]
    assert titles("*.max,id") == ["id", "loss.max"]


def test_the_environment_of_runs_has_columns_too(repository: Path, cli: Cli) -> None:
    opened = open_at(repository)
    for name, numpy in [("a", "2.1.0"), ("b", None)]:
        packages = {} if numpy is None else {"numpy": numpy}
        write_run(opened, make_record(name=name, environment={"packages": packages}))
    key = "env.packages.numpy"
    assert cli("ls", "--format", f"%(name) %({key})").out == "b \na 2.1.0\n"
    assert cli("ls", "--columns", f"name,{key}").out.splitlines()[2].endswith("  a     2.1.0")
    assert cli("ls", "--group-by", key).out.splitlines()[1].split() == ["2.1.0", "1"]


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
    assert (nothing.out, nothing.err) == ("", "none of the 3 runs fits: `repro ls` lists them\n")


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
    said = cli("ls", "--limit", "1", "--where", "lr < 0.25").err.splitlines()
    assert said[-1] == "… and 1 more: `--all` lists all"
    assert "more" not in cli("ls", "--limit", "0").err
    assert "more" not in cli("ls", "--limit", "1", "--all").err


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


def test_a_narrow_terminal_has_room_for_params_beside_many_metrics(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_at(repository)
    for number in (1, 2):
        write_run(
            opened,
            make_record(
                config={"long": "x" * 70 + str(number), "lr": 0.1 * number, "width": number},
                metrics={f"metric_{n:02}": a_summary(n + number) for n in range(12)},
            ),
        )
    monkeypatch.setattr("repro.cli.render.width", lambda: 80)
    ended = cli("ls")

    titles = ended.out.splitlines()[0].split()
    assert {"lr", "metric_00", "metric_01"} < set(titles)
    assert ended.err.startswith("… no room for long, ")
    assert all(len(line) <= 80 for line in ended.out.splitlines())


def test_a_narrow_terminal_has_room_for_what_runs_are_sorted_by(
    three: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.cli.render.width", lambda: 72)
    title = cli("ls", "--sort", "-lr", "--where", "loss.min > 0").out.splitlines()[0]

    assert title.split()[:6] == ["id", "name", "status", "created", "lr", "loss.min"]


@pytest.mark.parametrize(
    "words",
    [
        ["--sort", "nothing"],
        ["--columns", "nothing"],
        ["--columns", "no*thing"],
        ["--limit", "-1"],
        ["--status", "x"],
        ["x"],
        ["--where", "lr = nan"],
        ["--where", "nothing = 1"],
        ["--group-by", "nothing"],
        ["--group-by", ""],
        ["--group-by", "step"],
        ["--json", "--csv"],
        ["--porcelain", "--jsonl"],
        ["-z", "--json"],
        ["--format", "%(id)", "--porcelain"],
        ["--format", "%(nothing)"],
        ["--format", "%(id"],
        ["--columns", "lr", "--json"],
        ["--columns", "lr", "--group-by", "lr"],
        ["--columns", "loss.min", "--group-by", "lr"],
        ["--columns", "loss", "--group-by", "lr", "--json"],
        ["--group-by", "lr", "--porcelain"],
        ["--group-by", "lr", "--sort", "duration"],
    ],
)
def test_a_wrong_option_is_one_error_with_code_129(three: Path, cli: Cli, words: list[str]) -> None:
    ended = cli("ls", *words, code=129)
    assert ended.out == ""
    assert "hint" in ended.err


def test_wide_characters_keep_the_columns_straight(repository: Path, cli: Cli) -> None:
    opened = open_at(repository)
    write_run(opened, make_record(name="日本", created=format_time(NOW)))
    write_run(opened, make_record(name="abcd", created=format_time(NOW)))
    lines = cli("ls").out.splitlines()
    assert any("  日本  finished" in line for line in lines)
    assert any("  abcd  finished" in line for line in lines)


def test_a_filter_and_orders_are_passed_on(three: Path, cli: Cli) -> None:
    def order(*words: str) -> str:
        return cli("ls", "--format", "%(name)", *words).out

    assert order("--where", "lr > 0.15 and status = finished") == "\n"
    assert order("--where", "name is not null", "--sort", "lr") == "first\nb\\x1b[2J\n"
    assert order("--sort", "model.width", "--sort", "-lr", "--limit", "1") == "b\\x1b[2J\n"


def test_a_wrong_filter_comes_with_its_place(three: Path, cli: Cli) -> None:
    ended = cli("ls", "--where", "lrr < 1", "--json", code=129)
    assert json.loads(ended.err)["error"] == "filter"


def test_json_lines_are_the_runs_of_the_array(three: Path, cli: Cli) -> None:
    lines = cli("ls", "--jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == json.loads(cli("ls", "--json").out)


def test_csv_has_all_params_and_metrics_exactly(three: Path, cli: Cli) -> None:
    rows = list(csv.reader(io.StringIO(cli("ls", "--csv").out, newline="")))
    assert rows[0] == [
        "id", "name", "status", "created", "duration", "tags", "config.lr", "config.model.width",
        "metrics.loss",
    ]  # fmt: skip
    assert rows[3] == [
        "aaaaaaaa0000", "first", "finished", "2025-11-24T16:00:00.000000Z", "1.0", "t, t0", "0.1",
        "64", "0.123456",
    ]  # fmt: skip
    assert rows[1][1] == "b\x1b[2J"


def test_csv_quotes_what_would_end_a_cell(repository: Path, cli: Cli) -> None:
    config = {"text": 'a,"b"\nc', "list": [1, "x"], "null": None, "inf": float("inf")}
    write_run(open_at(repository), make_record(config=config))
    ended = cli("ls", "--csv", "--columns", "config.*,branch")
    rows = list(csv.reader(io.StringIO(ended.out, newline="")))
    assert dict(zip(*rows, strict=True)) == {
        "config.text": 'a,"b"\nc', "config.list": '[1, "x"]', "config.null": "null",
        "config.inf": "inf", "branch": "",
    }  # fmt: skip
    assert ended.out.count("\r\n") == 2


def test_a_line_is_laid_out_as_asked(three: Path, cli: Cli) -> None:
    template = "%(id:short)%09%(config.lr:.2f) %(branch)%(metrics.loss.max:>8)%%"
    ended = cli("ls", "--format", template, "--limit", "1")
    assert ended.out == "cccccc\t0.30      3.0%\n"
    assert cli("ls", "--format", "%(id)", "-z", "--limit", "1").out == "cccccccc0000\0"


def test_groups_have_means_deviations_and_counts(repository: Path, cli: Cli) -> None:
    write_groups(repository)
    assert cli("ls", "--group-by", "lr,optimizer").out == (
        " lr  optimizer  runs             loss        f1\n"
        "0.1  adam          3  0.20 ± 0.14 (2)*  0.9 ± 0\n"
        "0.2  adam          1                1         -\n"
        "  -  adam          1                -         -\n"
    )


def test_groups_as_json_name_their_runs(repository: Path, cli: Cli) -> None:
    write_groups(repository)
    value = json.loads(cli("ls", "--group-by", "lr", "--json", "--sort", "-loss").out)
    assert [group["group"] for group in value] == [{"lr": 0.2}, {"lr": 0.1}, {}]
    assert value[0]["metrics"]["loss"] == {
        "mean": 1.0, "std": None, "min": 1.0, "max": 1.0, "count": 1
    }  # fmt: skip
    assert value[1]["runs"] == [run_id("a3"), run_id("a2"), run_id("a1")]


def test_groups_as_csv_are_exact(repository: Path, cli: Cli) -> None:
    write_groups(repository)
    lines = cli("ls", "--group-by", "lr", "--csv", "--where", "lr = 0.2").out.split("\r\n")
    assert lines[0].startswith("lr,runs,metrics.loss.mean,metrics.loss.std,metrics.loss.min,")
    assert lines[1] == "0.2,1,1.0,,1.0,1.0,1"


def test_the_metrics_of_groups_are_chosen(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_groups(repository)

    def titles(*words: str) -> list[str]:
        return cli("ls", "--group-by", "lr", *words).out.splitlines()[0].split()

    assert titles("--columns", "f1") == ["lr", "runs", "f1"]
    assert titles("--columns", "-f1") == ["lr", "runs", "loss"]
    assert titles("--columns", "f1", "--csv")[0].startswith("lr,runs,metrics.f1.mean,")
    monkeypatch.setattr("repro.cli.render.width", lambda: 16)
    assert "`--columns` shows them" in cli("ls", "--group-by", "lr").err
    assert titles("--columns", "f1") == ["lr", "runs", "f1"]


def test_what_runs_are_grouped_by_is_told_from_its_mean(repository: Path, cli: Cli) -> None:
    write_groups(repository)
    titles = cli("ls", "--group-by", "loss").out.splitlines()[0].split()
    assert titles == ["metrics.loss", "runs", "loss", "f1"]


def test_more_groups_than_shown_are_said(repository: Path, cli: Cli) -> None:
    write_groups(repository)
    ended = cli("ls", "--group-by", "lr", "--limit", "1", "--sort", "-runs")
    assert ended.out.splitlines()[1].split()[:2] == ["0.1", "3"]
    assert ended.err == "… and 2 more groups: `--all` lists all\n"
    assert "and 1 more group:" in cli("ls", "--group-by", "lr", "--limit", "2").err


@pytest.mark.parametrize("how", ["--jsonl", "--csv", "--porcelain"])
def test_many_runs_are_read_in_pieces(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    write_groups(repository)
    whole = cli("ls", how, "--all").out
    monkeypatch.setattr("repro.core.chosen._PIECE", 2)
    monkeypatch.setattr("repro.cli.selection.MOST", 1)
    assert cli("ls", how, "--all").out == whole
    assert whole.count("c10000000000") == 1


def test_a_program_that_gets_the_usual_number_of_runs_is_told_of_the_others(
    three: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for verb in (ls, log):
        [limit] = (one for one in verb.params if one.name == "limit")
        monkeypatch.setattr(limit, "default", 2)

    for how in ("--json", "--jsonl", "--csv", "--porcelain", "-z", "--format=%(id)"):
        assert cli("ls", how).err == "repro: 2 of 3 runs: `--all` lists all\n"
    assert cli("log", "--json").err == "repro: 2 of 3 runs: `--all` lists all\n"
    assert cli("ls", "--group-by", "lr", "--json").err == (
        "repro: 2 of 3 groups: `--all` lists all\n"
    )
    for words in (["--all"], ["--limit", "2"], ["--limit", "0"], ["--where", "lr > 0.1"]):
        assert cli("ls", "--json", *words).err == ""
