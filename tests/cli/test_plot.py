"""`repro plot`: curves in the terminal, in files, as data."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.support.cli import Cli
from tests.support.projects import end, log
from tests.support.records import NOW, make_record, open_at, run_id, write_run

from repro.cli.main import run_cli
from repro.model.series import Point, format_series, summarise
from repro.model.times import format_time


@pytest.fixture
def repro(capsys) -> Cli:
    return Cli(capsys)


@pytest.fixture
def runs(repository):
    """`a…` with loss and acc, and the newer `b…` with loss."""
    for number, (name, given, metrics) in enumerate(
        [("a" * 6, "base", ("loss", "acc")), ("b" * 6, None, ("loss",))]
    ):
        series = {
            metric: [Point(step, 1 / (step + number + 1), NOW + step) for step in range(50)]
            for metric in metrics
        }
        record = make_record(
            id=run_id(name), name=given, created=format_time(NOW + number),
            metrics=summarise(series),
        )  # fmt: skip
        write_run(open_at(repository), record, files=format_series(series))


def test_curves_of_a_metric_are_drawn_with_a_legend(repro, runs):
    done = repro("plot", "loss")

    lines = done.out.splitlines()
    assert lines[0] == "loss over step"
    assert [row.split() for row in lines[-2:]] == [
        ["A", "aaaaaa", "base", "0.02"],
        ["B", "bbbbbb", "0.019608"],
    ]
    assert not done.err


def test_each_metric_has_a_chart_with_the_runs_that_have_it(repro, runs):
    out = repro("plot", "loss", "acc").out

    first, second = out.split("\n\n")
    assert first.startswith("loss over step")
    assert second.startswith("acc over step")
    assert "bbbbbb" not in second


def test_axes_smoothing_and_window_are_as_asked(repro, runs):
    out = repro(
        "plot", "loss", "base", "-x", "time", "--smooth", "0.5", "--log-y", "--from", "10"
    ).out

    assert out.startswith("loss, smoothed by 0.5 over time since the start")
    assert re.search(r"^ +10s +20s", out, re.MULTILINE)


def test_an_svg_has_the_lines_with_the_values_behind_smooth_ones(repro, runs, repository):
    done = repro("plot", "loss", "acc", "--smooth", "0.6", "-o", "both.svg")

    root = ElementTree.parse(repository / "both.svg").getroot()
    titles = [one.text for one in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "loss, smoothed by 0.6, acc, smoothed by 0.6"
    assert titles.count("aaaaaa base") == 4
    assert done.err == "repro: both.svg: 2 runs\n"
    assert (repository / "both.svg").stat().st_mode & 0o777 == 0o644


def test_a_png_is_one(repro, runs, repository):
    pytest.importorskip("resvg_py")
    repro("plot", "loss", "-o", "LOSS.PNG")

    assert (repository / "LOSS.PNG").read_bytes().startswith(b"\x89PNG")


def test_a_file_that_is_there_is_kept_unless_forced(repro, runs, repository):
    (repository / "loss.svg").write_text("mine")

    done = repro("plot", "loss", "-o", "loss.svg", code=128)
    assert "--force" in done.err
    assert (repository / "loss.svg").read_text() == "mine"

    repro("plot", "loss", "-o", "loss.svg", "--force")
    assert (repository / "loss.svg").read_text().startswith("<svg")


def test_json_has_the_points(repro, runs):
    found = json.loads(
        repro("plot", "loss", "base", "--json", "--smooth", "0.5", "--points", "8").out
    )

    [one] = found
    assert (one["metric"], one["x"]) == ("loss", "step")
    [curve] = one["curves"]
    assert curve["run"] == run_id("aaaaaa")
    assert curve["points"][0] == [0, 1.0]
    assert curve["points"][-1] == [49, 0.02]
    assert len(curve["smooth"]) == len(curve["points"]) <= 8
    assert curve["n_points"] == 50
    assert curve["problem"] is None


def test_infinite_points_are_texts_in_json(repro, repository):
    series = {"loss": [Point(0, float("nan"), NOW), Point(1, float("-inf"), NOW)]}
    write_run(
        open_at(repository), make_record(metrics=summarise(series)), files=format_series(series)
    )

    [one] = json.loads(repro("plot", "loss", "--json").out)
    assert one["curves"][0]["points"] == [[0, "NaN"], [1, "-Infinity"]]


def test_how_many_of_how_many_runs_are_drawn_is_said(repro, runs, repository):
    for number in range(9):
        series = {"loss": [Point(0, 1.0, NOW)]}
        record = make_record(created=format_time(NOW + 9 + number), metrics=summarise(series))
        write_run(open_at(repository), record, files=format_series(series))

    done = repro("plot", "loss")
    assert "the newest 10 of 11 runs: `--limit 0` draws all" in done.err
    assert not repro("plot", "loss", "--limit", "2").err


def test_where_there_is_nothing_to_draw_that_is_said_with_1(repro, runs):
    assert "no point of `acc`" in repro("plot", "acc", "bbbbbb", code=1).err
    assert (
        "no run that fits has `acc`"
        in repro("plot", "acc", "--where", "name = 'nobody'", code=1).err
    )
    assert "no point" in repro("plot", "loss", "--from", "1e9", "-o", "x.svg", code=1).err
    reversed_ends = ("--from", "9", "--to", "3")
    assert "nothing lies from 9 to 3" in repro("plot", "loss", *reversed_ends, code=129).err
    assert not Path("x.svg").exists()


def test_a_run_that_is_damaged_hides_no_other(repro, runs, repository):
    series = {"loss": [Point(0, 1.0, NOW)]}
    record = make_record(metrics=summarise(series))
    write_run(open_at(repository), record, files={"metrics/0.csv": b"\x00"})

    done = repro("plot", "loss")
    assert "warning" in done.err
    assert "aaaaaa base" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("los",), "neither a metric nor a run is called `los`; did you mean `loss`?"),
        (("loss", "-o", "x.pdf"), "ends in neither of .svg and .png"),
        (("loss", "-o", "nowhere/x.svg"), "no folder"),
        (("loss", "--watch"), "needs a terminal"),
        (("loss", "--json", "-o", "x.svg"), "exclude each other"),
        (("loss", "--smooth", "1"), "--smooth"),
        (("loss", "--smooth", "nan"), "smooth"),
        (("loss", "-x", "los"), "no run has a metric `los`"),
        (("loss", "--points", "3"), "--points"),
    ],
)
def test_what_is_wrong_is_said(repro, runs, words, said, capsys):
    assert run_cli(["plot", *words]) in (128, 129)
    assert said in capsys.readouterr().err


def test_curves_are_drawn_again_until_all_runs_are_over(view, live, repository):
    log(live, 0, loss=4.0)
    viewer = view("plot", "loss", "--watch", "--interval", "0.05")
    viewer.expect("mine  4")
    log(live, 1, loss=2.0)
    viewer.expect("mine  2")
    end(live, repository)

    code, left = viewer.end()

    assert code == 0
    assert "loss over step" in left
    viewer.assert_given_back()


@pytest.fixture
def seeds(repository):
    """Two runs of `lr` 0.1 with losses 1 and 3, and one of 0.2 with 8, at three steps."""
    for number, (lr, value) in enumerate([(0.1, 1.0), (0.1, 3.0), (0.2, 8.0)]):
        series = {"loss": [Point(step, value, NOW + step) for step in range(3)]}
        record = make_record(config={"lr": lr, "seed": number}, metrics=summarise(series))
        write_run(open_at(repository), record, files=format_series(series))


def test_runs_that_share_a_value_are_drawn_as_one_mean_with_a_band(repro, seeds, repository):
    out = repro("plot", "loss", "--group-by", "lr").out
    repro("plot", "loss", "--group-by", "lr", "-o", "lr.svg")

    assert [row.split() for row in out.splitlines()[-2:]] == [
        ["A", "lr=0.1", "(2", "runs)", "2"],
        ["B", "lr=0.2", "(1", "run)", "8"],
    ]
    svg = (repository / "lr.svg").read_text()
    assert svg.count("fill-opacity") == 2
    assert "at the end between 1 and 3" in svg


def test_means_are_data_with_the_edges_of_their_bands(repro, seeds):
    [plot] = json.loads(repro("plot", "loss", "--mean", "--band", "std", "--json").out)
    [curve] = plot["curves"]

    assert (curve["group"], len(curve["runs"]), curve["problems"]) == ({}, 3, [])
    assert curve["points"] == [[0, 4.0], [1, 4.0], [2, 4.0]]
    assert (curve["low"][0], curve["high"][0]) == pytest.approx((4 - 13**0.5, 4 + 13**0.5))


def test_a_mean_is_of_more_than_the_ten_newest_runs(repro, repository):
    for _ in range(12):
        series = {"loss": [Point(0, 1.0, NOW)]}
        record = make_record(metrics=summarise(series))
        write_run(open_at(repository), record, files=format_series(series))

    assert "all runs (12 runs)" in repro("plot", "loss", "--mean").out
    assert "all runs (3 runs)" in repro("plot", "loss", "--mean", "--limit", "3").out


def test_nothing_to_group_by_and_a_band_of_no_mean_are_refused(repro, seeds):
    assert "no run has `nope`" in repro("plot", "loss", "--group-by", "nope", code=129).err
    assert "add `--mean`" in repro("plot", "loss", "--band", "std", code=129).err
