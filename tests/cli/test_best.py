"""`repro best`: the run with the best value of a metric."""

import json
import math
from pathlib import Path

import pytest
from tests.support.cli import Cli
from tests.support.records import NOW, a_summary, make_record, open_at, run_id, write_run

from repro.model.times import format_time

pytestmark = pytest.mark.usefixtures("an_hour_later")


def write(root: Path, letter: str, value: float | None, **changes):
    """A run whose id starts with `letter`, a second newer than that of the letter before."""
    goal = changes.pop("goal", "minimize")
    low = changes.pop("low", value)
    metrics = {"f1": a_summary(0.5)}
    if value is not None:
        metrics["val_loss"] = a_summary(value, goal=goal, min=low)
    facts = {
        "id": run_id(letter * 8), "created": format_time(NOW + ord(letter)),
        "config": {"lr": 1e-5 * ord(letter), "dropout": 0.2, "model": {"width": 64}},
    }  # fmt: skip
    return write_run(open_at(root), make_record(metrics=metrics, **{**facts, **changes}))


@pytest.fixture
def five(repository: Path) -> Path:
    """Five runs, of which `c` is best, `d` has NaN and `e` no value."""
    write(repository, "a", 0.3, name="first")
    write(repository, "b", 0.2, config={"lr": 0.5})
    write(repository, "c", 0.1, name="third\x1b", tags=("t",), low=0.09)
    write(repository, "d", math.nan, low=None)
    write(repository, "e", None)
    return repository


def test_the_best_run_is_shown_with_what_it_was_given(five: Path, cli: Cli) -> None:
    assert cli("best", "val_loss").out == (
        "run            cccccc (third\\x1b)\n"
        "val_loss       0.1, the smallest of 3 runs\n"
        "status         finished in 1.5s, 58 minutes ago\n"
        "command        python train.py\n"
        "tags           t\n"
        "config\n"
        "  lr           0.00099\n"
        "  dropout      0.2\n"
        "  model.width  64\n"
        "metrics\n"
        "  f1           0.5\n"
    )


def test_the_best_n_are_a_table_best_first(five: Path, cli: Cli) -> None:
    lines = cli("best", "val_loss", "-n", "2").out.splitlines()

    assert lines[0].split()[:3] == ["id", "name", "val_loss"]
    assert [line.split()[0] for line in lines[1:]] == ["cccccc", "bbbbbb"]
    broken = "repro: passed over 1 run with NaN or an infinity as `val_loss`\n"
    assert cli("best", "val_loss", "-n", "2").err == f"… of 3 runs\n{broken}"
    assert cli("best", "val_loss", "-n", "1").err == (
        f"config: lr=0.00099, dropout=0.2, model.width=64\n… of 3 runs\n{broken}"
    )
    assert cli("best", "val_loss", "-n", "2", "--where", "name is not null").err == (
        "same in all 2: dropout=0.2, model.width=64\n"
    )
    assert len(cli("best", "val_loss", "-n", "0").out.splitlines()) == 4


def test_a_filter_leaves_runs_out(five: Path, cli: Cli) -> None:
    def best(*words: str) -> str:
        return cli("best", *words, "--porcelain").out

    assert best("val_loss") == "cccccccc0000\t0.1\n"
    assert best("val_loss", "--where", "lr > 0.4") == "bbbbbbbb0000\t0.2\n"
    assert best("val_loss", "--where", "lr < 1e-3 and dropout > 0.1") == "cccccccc0000\t0.1\n"
    assert best("f1", "--max", "--where", "duration < 4h and name = first") == (
        "aaaaaaaa0000\t0.5\n"
    )


def test_a_flag_wins_over_the_goal_and_nan_and_missing_never_win(five: Path, cli: Cli) -> None:
    assert cli("best", "val_loss", "--max", "--porcelain", "-n", "0").out.split()[::2] == [
        "aaaaaaaa0000", "bbbbbbbb0000", "cccccccc0000",
    ]  # fmt: skip


def test_of_equal_runs_the_newest_is_best(five: Path, cli: Cli) -> None:
    assert cli("best", "f1", "--min", "--porcelain").out == "eeeeeeee0000\t0.5\n"
    assert cli("best", "f1", "--max", "--porcelain").out == "eeeeeeee0000\t0.5\n"


def test_the_best_ever_reached_is_another_question(five: Path, cli: Cli) -> None:
    write(five, "f", 0.5, low=0.01)

    assert cli("best", "val_loss", "--porcelain").out == "cccccccc0000\t0.1\n"
    assert cli("best", "val_loss.min", "--porcelain").out == "ffffffff0000\t0.01\n"
    assert cli("best", "metrics.val_loss.min", "--porcelain").out == "ffffffff0000\t0.01\n"
    assert cli("best", "duration", "--max", "--porcelain").out == "ffffffff0000\t1.5\n"


def test_a_run_that_was_pruned_is_never_best(five: Path, cli: Cli) -> None:
    write(five, "f", 0.01, status="killed", signal="SIGTERM", pruned=True)

    best = cli("best", "val_loss", "--porcelain")
    assert best.out == "cccccccc0000\t0.1\n"
    assert "repro: passed over 1 run that was pruned\n" in best.err
    assert cli("ls", "--where", "pruned", "--porcelain").out.startswith("ffffffff0000\tkilled")
    assert "killed, pruned, by SIGTERM" in cli("show", "ffff").out


def test_a_metric_wins_over_a_param_of_its_name(repository: Path, cli: Cli) -> None:
    write(repository, "a", 0.3, config={"val_loss": 5})

    assert cli("best", "val_loss", "--porcelain").out == "aaaaaaaa0000\t0.3\n"
    assert cli("best", "config.val_loss", "--max", "--porcelain").out == "aaaaaaaa0000\t5\n"


def test_a_value_reads_as_it_does_in_a_table(repository: Path, cli: Cli) -> None:
    for letter, seconds in (("a", 61.0), ("b", 7620.0)):
        write(repository, letter, 0.1, duration_s=seconds, summary={"peak_bytes": 3 * 2**19})

    fastest = cli("best", "duration", "--min").out
    assert "duration       1m 01s, the smallest of 2 runs" in fastest
    largest = cli("best", "summary.peak_bytes", "--max").out
    assert "1.5 MiB, the largest of 2 runs" in largest


@pytest.mark.parametrize("both", [("--min", "--max"), ("--json", "--porcelain")])
def test_what_contradicts_is_an_error(five: Path, cli: Cli, both: tuple[str, str]) -> None:
    said = cli("best", "val_loss", *both, code=129)

    assert f"`{both[0]}` and `{both[1]}` exclude each other" in said.err


def test_what_is_better_is_never_guessed(five: Path, cli: Cli) -> None:
    ended = cli("best", "f1", code=129)
    assert "nobody said whether `f1` is to be small or large" in ended.err
    assert "`--min` or `--max`" in ended.err

    write(five, "f", 0.7, goal="maximize")
    ended = cli("best", "val_loss", code=129)
    assert "the runs disagree whether `val_loss` is to be small or large" in ended.err
    assert "`--min` or `--max`" in ended.err
    # Runs that are left out have no say.
    assert cli("best", "val_loss", "--where", "name = first", "--porcelain").out == (
        "aaaaaaaa0000\t0.3\n"
    )
    assert cli("best", "duration", code=129).out == ""


def test_where_no_run_fits_the_answer_is_1(five: Path, cli: Cli) -> None:
    for words in ([], ["--json"], ["--porcelain"], ["-n", "3"]):
        ended = cli("best", "val_loss", "--min", "--where", "lr > 99", *words, code=1)
        assert ended.out == ""
        assert ended.err == "none of the 5 runs fits and has a finite number as `val_loss`\n"
    assert "fits" in cli("best", "val_loss", "--where", "lr > 99", code=1).err
    assert cli("best", "val_loss", "--min", "-n", "3", "--json", "--where", "lr > 9", code=1).out
    assert cli("best", "name", "--max", code=1).out == ""


def test_a_repository_without_runs_is_a_hint(repository: Path, cli: Cli) -> None:
    ended = cli("best", "val_loss", "--min", code=1)
    assert ended.err == "no runs yet: `repro run -- CMD` records one\n"


def test_json_is_the_run_and_an_array_with_n(five: Path, cli: Cli) -> None:
    one = json.loads(cli("best", "val_loss", "--json").out)
    assert (one["id"], one["metrics"]["val_loss"]["last"]) == ("cccccccc0000", 0.1)
    two = json.loads(cli("best", "val_loss", "--json", "-n", "2").out)
    assert [run["id"] for run in two] == ["cccccccc0000", "bbbbbbbb0000"]


def test_an_unknown_metric_and_a_wrong_filter_are_named(five: Path, cli: Cli) -> None:
    assert "val_loss" in cli("best", "val_los", "--min", code=129).err
    assert "lr <" in cli("best", "val_loss", "--where", "lr <", code=129).err


@pytest.mark.parametrize("goal", ["--min", "--max"])
def test_what_is_not_finite_is_never_best_and_counted(
    repository: Path, cli: Cli, goal: str
) -> None:
    for letter, value in (("a", math.inf), ("b", -math.inf), ("c", 0.0), ("d", math.nan)):
        write_run(
            open_at(repository),
            make_record(
                id=run_id(letter * 8), metrics={"val/los s.min": a_summary(value)},
                created=format_time(NOW),
            ),
        )  # fmt: skip

    for words in (["-n", "0"], []):
        ended = cli("best", "val/los s.min", goal, "--porcelain", *words)
        assert ended.out == "cccccccc0000\t0.0\n"
        said = "repro: passed over 3 runs with NaN or an infinity as `val/los s.min`\n"
        assert ended.err == said
    none = cli("best", "val/los s.min", goal, "--where", "id != cccccccc0000", code=1)
    assert none.err.splitlines()[-1] == (
        "none of the 4 runs fits and has a finite number as `val/los s.min`"
    )


def test_a_damaged_run_is_a_warning_and_hides_no_other(five: Path, cli: Cli) -> None:
    write_run(open_at(five), make_record(), files={"run.json": b"{}"})
    ended = cli("best", "val_loss", "--porcelain")
    assert ended.out == "cccccccc0000\t0.1\n"
    assert ended.err.count("cannot be read") == 1
