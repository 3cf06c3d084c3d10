"""`repro compare`: runs side by side, and which params go with a metric."""

import csv
import io
import json
import math
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import begin, open_here
from tests.support.records import (
    NOW,
    a_summary,
    make_record,
    open_at,
    run_id,
    write_run,
    write_runs,
)

from repro.model.randomness import derive_hash_seed
from repro.model.times import format_time

IDS = {letter: f"{letter * 8}0000" for letter in "abcdefgh"}

pytestmark = pytest.mark.usefixtures("an_hour_later")


def write(root: Path, letter: str, loss: float, **changes):
    return write_run(open_at(root), record(letter, loss, **changes))


def record(letter: str, loss: float, **changes):
    facts = {
        "id": run_id(letter * 8), "created": format_time(NOW + ord(letter)),
        "metrics": {"loss": a_summary(loss, goal="minimize"), "f1": a_summary(0.5)},
        "config": {"lr": 0.1, "width": 64},
        "environment": {"packages": {"list": [{"name": "numpy", "version": "1.0"}]}},
        "data": {"train": {"digest": "xxh3:" + "a" * 32, "path": "d"}},
    }  # fmt: skip
    return make_record(**{**facts, **changes})


@pytest.fixture
def three(repository: Path) -> Path:
    """Three runs: the second with another lr and code, the third with other surroundings."""
    write(repository, "a", 0.5, name="first")
    write_files(repository, {"train.py": "print(2)\n", "new.py": ""})
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "second")
    write(repository, "b", 0.25, config={"lr": 0.2, "width": 64})
    git(repository, "checkout", "-q", "HEAD~1")
    write(
        repository, "c", 0.6, data={"train": {"digest": "xxh3:" + "b" * 32, "path": "d"}},
        environment={"packages": {"list": [{"name": "numpy", "version": "2.0"}]}},
    )  # fmt: skip
    return repository


def test_runs_are_columns_and_only_what_differs_is_a_row(three: Path, cli: Cli) -> None:
    assert cli("compare", "aaaa", "bbbb", "cccc").out == (
        "                  aaaaaa        bbbbbb               cccccc\n"
        "name              first         -                    -\n"
        "duration          1.5s          1.5s                 1.5s\n"
        "metrics\n"
        "  loss            0.50          0.25* (-0.25, -50%)  0.60 (+0.1, +20%)\n"
        "config\n"
        "  lr              0.1           0.2                  0.1\n"
        "code              A             B (2 files)          A\n"
        "data\n"
        "  train           aaaaaaaaaaaa  aaaaaaaaaaaa         bbbbbbbbbbbb\n"
        "environment\n"
        "  packages.numpy  1.0           1.0                  2.0\n"
        "equal: metrics (1), config (1)\n"
        "* best by its goal\n"
    )


def test_the_baseline_is_what_the_others_are_compared_with(three: Path, cli: Cli) -> None:
    text = cli("compare", "aaaa", "cccc", "--baseline", "bbbb").out

    assert text.split()[:3] == ["bbbbbb", "aaaaaa", "cccccc"]
    [loss] = [line for line in text.splitlines() if line.startswith("  loss")]
    assert " ".join(loss.split()) == "loss 0.25* 0.50 (+0.25, +100%) 0.60 (+0.35, +140%)"
    assert cli("compare", "bbbb", "aaaa", "cccc").out == text


def test_a_filter_takes_runs_newest_first(three: Path, cli: Cli) -> None:
    def ids(*words: str) -> list[str]:
        value = json.loads(cli("compare", "--json", *words).out)
        return [run["id"][0] for run in value["runs"]]

    assert ids("--where", "lr < 9") == ["c", "b", "a"]
    assert ids("--where", "lr < 0.15") == ["c", "a"]
    assert ids("bbbb", "--where", "lr < 0.15") == ["b", "c", "a"]
    assert ids("bbbb", "--where", "lr < 9", "--limit", "1") == ["b", "c"]
    ended = cli("compare", "bbbb", "--where", "lr < 9", "--limit", "1")
    assert ended.err == "… and 2 more fit: `--limit 0` compares all of them\n"


def test_all_shows_what_is_the_same_too(three: Path, cli: Cli) -> None:
    text = cli("compare", "aaaa", "bbbb", "--all").out

    assert "  width           64" in text
    assert "equal:" not in text


def test_many_runs_are_lines(three: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for letter in "defghjk":
        write(three, letter, 0.7, config={"lr": 0.3, "width": 64})
    lines = cli("compare", "--where", "lr < 9").out.splitlines()
    assert lines[0].split() == [
        "name", "duration", "loss", "lr", "code", "train", "packages.numpy",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:11]] == [letter * 6 for letter in "kjhgfedcba"]

    monkeypatch.setattr("repro.cli.render.width", lambda: 40)
    ended = cli("compare", "--where", "lr < 9")
    assert all(len(line) <= 40 for line in ended.out.splitlines()[:11])
    assert "no room for" in ended.err


def test_few_runs_in_a_narrow_terminal_lose_differences_before_rows(
    three: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.cli.render.width", lambda: 60)
    ended = cli("compare", "aaaa", "bbbb", "cccc")

    assert "\n  loss            0.50          0.25*         0.60\n" in ended.out
    assert "\n  lr " in ended.out
    assert ended.err == "… no room for the differences of metrics: `--json` has them\n"
    monkeypatch.setattr("repro.cli.render.width", lambda: 50)
    assert cli("compare", "aaaa", "bbbb", "cccc").out.startswith("        name")


def test_lines_on_a_narrow_terminal_have_a_share_of_each_part(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, letter in enumerate("abcdef"):
        metrics = {f"metric_{m:02}": a_summary(n + m + 0.25) for m in range(20)}
        write(repository, letter, 0, config={"lr": n, "width": n}, metrics=metrics)
    monkeypatch.setattr("repro.cli.render.width", lambda: 50)
    text = cli("compare", "--where", "lr < 9").out

    assert text.splitlines()[:2] == [
        "        duration  metric_00  metric_01  lr  width",
        "ffffff  1.5s           5.25       6.25   5      5",
    ]


def test_what_follows_from_a_drawn_seed_is_no_row_of_its_own(repository: Path, cli: Cli) -> None:
    for seed, letter in enumerate("abc"):
        write(
            repository, letter, 0.5,
            randomness={
                "seed": seed, "hash_seed": derive_hash_seed(seed),
                "generators": {"python": seed + 10}, "states": {"python": f"xxh3:{seed}"},
            },
        )  # fmt: skip
    text = cli("compare", "aaaa", "bbbb", "cccc").out
    rows = json.loads(cli("compare", "aaaa", "bbbb", "cccc", "--json").out)["rows"]

    assert text.split("randomness\n")[1].splitlines()[0].split() == ["seed", "0", "1", "2"]
    assert "no difference of its own: randomness (3), in `--all`\n" in text
    assert [row["key"] for row in rows] == ["seed"]
    assert "hash_seed" in cli("compare", "aaaa", "bbbb", "--all").out


def test_a_change_much_smaller_than_the_start_is_not_said_to_be_zero(
    repository: Path, cli: Cli
) -> None:
    write(repository, "a", 0.5)
    write(repository, "b", 0.49998)

    assert "(-2e-05, -0.004%)" in cli("compare", "aaaa", "bbbb").out


def test_a_great_change_of_surroundings_is_cut(three: Path, cli: Cli) -> None:
    def listed(version: str):
        names = [{"name": f"p{n:02}", "version": version} for n in range(30)]
        return {"packages": {"list": names}}

    write(three, "d", 0.5, environment=listed("1"))
    write(three, "e", 0.5, environment=listed("2"))
    text = cli("compare", "dddd", "eeee").out
    assert text.count("packages.p") == 20
    assert "  … 10 more: `--all`" in text
    assert cli("compare", "dddd", "eeee", "--all").out.count("packages.p") == 30


def test_json_has_values_differences_and_the_best(three: Path, cli: Cli) -> None:
    value = json.loads(cli("compare", "aaaa", "bbbb", "cccc", "--json").out)

    assert value["baseline"] == IDS["a"]
    assert value["runs"][0] == {
        "id": IDS["a"], "name": "first", "status": "finished",
        "created": format_time(NOW + ord("a")), "duration_s": 1.5,
    }  # fmt: skip
    rows = {(row["part"], row["key"]): row for row in value["rows"]}
    loss = rows["metrics", "loss"]
    assert (loss["values"], loss["goal"], loss["best"]) == (
        [0.5, 0.25, 0.6], "minimize", [IDS["b"]],
    )  # fmt: skip
    assert loss["differences"] == [0, -0.25, pytest.approx(0.1)]
    assert rows["code", "code"]["values"] == ["A", "B", "A"]
    assert rows["code", "code"]["files"] == [0, 2, 0]
    assert ("config", "width") not in rows
    every = json.loads(cli("compare", "aaaa", "bbbb", "--json", "--all").out)["rows"]
    [width] = [row for row in every if row["key"] == "width"]
    assert (width["values"], width["differs"]) == ([64, 64], False)


def test_csv_is_a_line_a_run_with_whole_values(three: Path, cli: Cli) -> None:
    write(
        three, "d", math.nan, name='odd, "name"\n', config={"lr": True, "x\n": [1, "a"], "n": None}
    )
    rows = list(csv.reader(io.StringIO(cli("compare", "aaaa", "dddd", "--csv").out)))

    assert rows[0] == [
        "id", "name", "status", "created", "duration_s", "metrics.loss", "config.lr",
        "config.width", "config.x\n", "config.n", "code",
    ][: len(rows[0])]  # fmt: skip
    by_title = dict(zip(rows[0], rows[2], strict=True))
    assert (by_title["id"], by_title["name"]) == (IDS["d"], 'odd, "name"\n')
    assert (by_title["metrics.loss"], by_title["config.lr"]) == ("nan", "true")
    assert (by_title["config.x\n"], by_title["config.width"]) == ('[1, "a"]', "")


def test_a_param_that_is_called_as_a_metric_is_told_from_it(three: Path, cli: Cli) -> None:
    for letter in "defgh":
        write(three, letter, 0.1, config={"loss": letter})
    write(three, "j", 0.2, config={"loss": "j"})
    titles = cli("compare", "--where", "metrics.loss < 9").out.splitlines()[0]

    assert "metrics.loss" in titles
    assert "config.loss" in titles


def test_a_size_has_its_unit_and_so_has_what_it_grew_by(repository: Path, cli: Cli) -> None:
    write(repository, "a", 0.1, metrics={"peak_bytes": a_summary(2**20)})
    write(repository, "b", 0.1, metrics={"peak_bytes": a_summary(2**20 - 2**19)})

    assert "1.0 MiB  512.0 KiB (-512.0 KiB, -50%)" in cli("compare", "aaaa", "bbbb").out


def test_two_formats_exclude_each_other(three: Path, cli: Cli) -> None:
    said = cli("compare", "aaaa", "bbbb", "--csv", "--json", code=129)

    assert "`--json` and `--csv` exclude each other" in said.err


def test_a_run_whose_code_is_lost_has_none_and_hides_no_other(three: Path, cli: Cli) -> None:
    write(three, "d", 0.1, snapshot=None)
    value = json.loads(cli("compare", "aaaa", "dddd", "bbbb", "--json").out)

    [code] = [row for row in value["rows"] if row["part"] == "code"]
    assert code["values"][0] == "A"
    assert len(code["files"]) == 3


def test_a_damaged_run_that_fits_is_a_warning_and_one_that_is_named_an_error(
    three: Path, cli: Cli
) -> None:
    bad = write(three, "d", 0.1)
    git(three, "update-ref", "-d", f"refs/repro/runs/{bad.run.id}")
    write_run(
        open_at(three),
        make_record(id=bad.run.id, config={"lr": 0.1}, created=format_time(NOW)),
        files={"environment.json": b"[]"},
    )
    ended = cli("compare", "--where", "lr < 9", "--json")
    assert len(json.loads(ended.out)["runs"]) == 3
    assert f"run `{bad.run.id}`" in ended.err
    assert "damaged" in cli("compare", "aaaa", bad.run.id, code=128).err


@pytest.mark.parametrize("words", [[], ["aaaa"], ["aaaa", "aaaa"], ["--where", "lr > 99"]])
def test_one_run_is_nothing_to_compare(three: Path, cli: Cli, words: list[str]) -> None:
    assert "there are not two runs to compare" in cli("compare", *words, code=129).err


def test_an_unknown_run_and_a_wrong_filter_are_named(three: Path, cli: Cli) -> None:
    assert "there is no run `nothing`" in cli("compare", "aaaa", "nothing", code=128).err
    assert cli("compare", "--where", "lr <", code=129).out == ""


def test_a_run_in_progress_stands_beside_the_others(three: Path, cli: Cli) -> None:
    live = begin(open_here(three, lambda: NOW + 999), config={"lr": 0.7})
    live.journal.log(0, NOW, {"loss": 0.4})
    text = cli("compare", "aaaa", live.id).out
    assert "running" in text
    assert "0.4* (-0.1, -20%)" in text
    live.journal.close()


def test_names_that_would_move_the_cursor_are_escaped(three: Path, cli: Cli) -> None:
    write(three, "d", 0.1, name="\x1b[2J", config={"\x1b[2J": "\u202e"})
    for words in ([], ["--json"]):
        text = cli("compare", "aaaa", "dddd", *words).out
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.fixture
def swept(repository: Path) -> Path:
    """Eight runs whose loss falls with lr; one has NaN, one no loss."""
    records = [
        record("j", math.nan, config={"lr": 5.0}),
        record("k", 0.0, config={"lr": 5.0}, metrics={}),
    ]
    for n, letter in enumerate("abcdefgh"):
        config = {"lr": 0.1 * (n + 1), "optimizer": "adam" if n < 4 else "sgd", "width": 64}
        if n == 2:
            del config["optimizer"]
        records.append(record(letter, 1.0 / (n + 1), config=config))
    write_runs(open_at(repository), records)
    return repository


def test_importance_names_the_params_that_go_with_a_metric(swept: Path, cli: Cli) -> None:
    ended = cli("compare", "--importance", "loss")

    assert ended.out.splitlines()[1].split()[:3] == ["lr", "-1.00", "8"]
    assert ended.out.splitlines()[2].split()[0] == "optimizer"
    assert "8 runs have `loss`; 1 more has NaN there, and is left out\n" in ended.err
    assert "no random forest: it takes 20 runs" in ended.err
    assert "1 param is the same in all of them" in ended.err


def test_importance_as_json(swept: Path, cli: Cli) -> None:
    value = json.loads(cli("compare", "--importance", "loss.min", "--json").out)

    lr, optimizer = value["params"]
    assert (lr["param"], lr["measure"], lr["strength"], lr["runs"], lr["values"]) == (
        "lr", "rank correlation", -1.0, 8, 8,
    )  # fmt: skip
    assert 0 < lr["chance"] < 0.01
    assert (optimizer["measure"], optimizer["runs"]) == ("correlation ratio", 7)
    assert (value["runs"], value["constant"]) == (8, ["width"])
    assert value["forest"] == {"score": None, "runs": 0, "why_not": "it takes 20 runs"}


def test_importance_is_of_the_runs_asked_for(swept: Path, cli: Cli) -> None:
    few = cli("compare", "--importance", "loss", "aaaa", "bbbb", "cccc", "dddd")
    assert few.out.splitlines()[1].split() == ["lr", "-1.00", "4", "n", "too", "small"]
    assert "optimizer" not in few.out
    value = json.loads(
        cli("compare", "--importance", "loss", "--where", "optimizer = adam", "--json").out
    )
    assert value["runs"] == 3


def test_importance_of_nothing_is_said(swept: Path, cli: Cli) -> None:
    ended = cli("compare", "--importance", "loss", "aaaa")
    assert (ended.out, "no param varies" in ended.err) == ("", True)
    assert "loss" in cli("compare", "--importance", "los", code=129).err
    assert cli("compare", "--importance", "loss", "--csv", code=129).out == ""


def test_importance_of_what_is_no_metric_names_metrics_alone(swept: Path, cli: Cli) -> None:
    assert "did you mean" not in cli("compare", "--importance", "nope", code=129).err
    said = cli("compare", "--importance", "los", code=129).err
    assert "no run has a metric `los`; did you mean `loss`?" in said


def test_a_damaged_run_is_a_warning_beside_the_importance(swept: Path, cli: Cli) -> None:
    write_run(open_at(swept), make_record(), files={"run.json": b"{}"})
    ended = cli("compare", "--importance", "loss")
    assert ended.out.splitlines()[1].split()[0] == "lr"
    assert ended.err.count("cannot be read") == 1


def test_importance_with_a_forest(repository: Path, cli: Cli) -> None:
    pytest.importorskip("sklearn")
    for n in range(24):
        config = {"lr": 0.1 * n, "idle": n * 7 % 5, "name": "ab"[n % 2]}
        write_run(
            open_at(repository), make_record(config=config, metrics={"loss": a_summary(2.0 * n)})
        )
    value = json.loads(cli("compare", "--importance", "loss", "--json").out)
    shares = {one["param"]: one["forest"] for one in value["params"]}
    assert shares["lr"] > 0.5 > abs(shares["idle"])
    assert value["forest"]["score"] > 0.5
    text = cli("compare", "--importance", "loss").out
    assert text == cli("compare", "--importance", "loss").out
    assert "forest" in text.splitlines()[0]
    assert "`forest`: by how much" in cli("compare", "--importance", "loss").err
