import random
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.datasets import make_data
from tests.support.projects import begin, log, make_run, open_here
from tests.support.records import a_summary, make_record, open_at, run_id, write_run, write_runs
from tests.support.secrets import make_secret

from repro.core.query import resolve_run
from repro.core.report import ReportWish, choose_metrics, make_report, report_json
from repro.core.verify import store_verdict, verify_runs
from repro.errors import (
    DamagedRecordError,
    FilterError,
    InvalidInputError,
    UnknownRunError,
    UsageError,
)
from repro.model.reporthtml import write_html
from repro.model.reportlayout import lay_out_report
from repro.model.reportmarkdown import MOST, write_markdown
from repro.model.run import Status


def report_of(root: Path, *names: str, **wish):
    return make_report(open_here(root), ReportWish(names=names, **wish))


def test_runs_that_were_named_come_first_and_those_that_fit_newest_first(repository):
    project = open_here(repository)
    ids = [make_run(project, {"loss": loss}, name=f"r{loss}").id for loss in (3, 2, 1)]

    named = report_of(repository, "r2", where="loss <= 2")
    every = report_of(repository, limit=2)
    sorted_ = report_of(repository, where="loss > 0", sort=("loss",), baseline="r3")

    assert [one.run.id for one in named.runs] == [ids[1], ids[2]]
    assert [one.run.id for one in every.runs] == [ids[2], ids[1]]
    assert every.n_left == 1
    assert [one.run.id for one in sorted_.runs] == [ids[0], ids[2], ids[1]]


def test_a_report_of_nothing_is_refused(repository):
    with pytest.raises(UsageError, match="there is no run to look at"):
        report_of(repository)
    make_run(open_here(repository), {"loss": 1.0})
    with pytest.raises(UsageError, match="no run fits `loss > 5`"):
        report_of(repository, where="loss > 5")
    with pytest.raises(FilterError):
        report_of(repository, where="nothing > 5")
    with pytest.raises(UnknownRunError):
        report_of(repository, "nobody")


def test_metrics_with_a_goal_come_first_and_are_drawn():
    metrics = {name: a_summary(1.0) for name in "abcdefgh"}
    goal = {"z": a_summary(1.0, goal="minimize")}
    runs = [make_record(metrics=metrics | goal), make_record(metrics={"h": a_summary(2.0)})]

    usual = choose_metrics(runs)
    asked = choose_metrics(runs, ["metrics.b", "a", "b"])
    none = choose_metrics(runs[1:])

    assert (usual.shown, usual.drawn, usual.n_known) == (("z", "h", "a", "b", "c", "d"), ("z",), 9)
    assert (asked.shown, asked.drawn) == (("b", "a"), ("b", "a"))
    assert (none.shown, none.drawn) == (("h",), ("h",))
    with pytest.raises(InvalidInputError, match=r"no.*metric `loss`|metric `loss`"):
        choose_metrics(runs, ["loss"])


def test_metrics_that_only_count_come_last_and_what_a_sweep_searches_by_first():
    epoch = a_summary(9.0, first=0.0, min=0.0, mean=4.5, count=10)
    values = {"epoch": epoch, "acc": a_summary(0.5), "val": a_summary(0.2)}
    runs = [make_record(metrics=values)]

    assert choose_metrics(runs).shown == ("acc", "val", "epoch")
    assert choose_metrics(runs, searched=["val"]).shown == ("val", "acc", "epoch")
    with_goal = [make_record(metrics={**values, "acc": a_summary(0.5, goal="maximize")})]
    assert choose_metrics(with_goal, searched=["val"]).drawn == ("val", "acc")


def test_code_is_told_by_what_was_not_committed_and_by_what_others_have(repository):
    project = open_here(repository)
    write_files(repository, {"train.py": "one\n"})
    first = make_run(project)
    write_files(repository, {"train.py": "two\n", "new.py": "x\n"})
    make_run(project, name="other")
    make_run(project, name="same")

    report = report_of(repository, first.id, "other", "same")

    mine, other = report.codes
    assert mine.is_of_baseline
    assert [(one.status, one.path) for one in mine.files] == [("M", "train.py")]
    assert "+one" in mine.lines
    assert (other.letter, other.problem, other.is_cut) == ("B", None, False)
    assert [(one.status, one.path) for one in other.files] == [("A", "new.py"), ("M", "train.py")]
    assert other.lines[-2:] == ("-one", "+two")


def test_a_secret_in_a_patch_is_marked(repository):
    secret = make_secret("github", 1)
    write_files(repository, {"train.py": f'token = "{secret}"\n'})
    git(repository, "commit", "-qam", "leak")
    first = make_run(open_here(repository))
    write_files(repository, {"train.py": "safe\n"})
    make_run(open_here(repository), name="safe")

    [change] = report_of(repository, first.id, "safe").codes

    assert "+safe" in change.lines
    assert any("<redacted:" in line for line in change.lines)
    assert secret not in "\n".join(change.lines)


def test_a_long_patch_is_cut_and_more_codes_than_fit_are_named(repository):
    project = open_here(repository)
    first = make_run(project)
    names = []
    for number in range(13):
        write_files(repository, {"train.py": f"line {number}\n" * 1_000 + "x" * 5_000})
        names.append(make_run(project).id)

    report = report_of(repository, first.id, *names)

    assert [change.is_cut for change in report.codes[:12]] == [True] * 12
    assert [one.problem for one in report.codes[12:]] == ["one of too many codes to show"]
    assert sum(len(line) + 1 for change in report.codes for line in change.lines) <= 48_000


def test_data_that_differs_is_told_file_by_file_for_the_runs_that_have_it(repository):
    first = make_run(make_data(repository, {"a": "1", "b": "2"}))
    project = make_data(repository, {"a": "other", "c": "3"})
    others = tuple(make_run(project).id for _ in range(2))

    [told] = report_of(repository, first.id, *others).data

    assert (told.name, told.runs) == ("train", others)
    assert (told.change.added, told.change.changed) == (("c",), ("a",))


def test_verdicts_of_reruns_that_nobody_named_are_in_it(repository):
    project = open_here(repository)
    original = make_run(project, {"loss": 1.0})
    rerun = make_run(project, {"loss": 1.0}, rerun_of=original.id)
    verdict = verify_runs(
        project, resolve_run(project, original.id), resolve_run(project, rerun.id)
    )
    store_verdict(project, rerun.id, verdict)

    report = report_of(repository, original.id)

    assert [one.outcome.value for one in report.verdicts] == ["identical"]
    assert {original.id, rerun.id} <= report.short.keys()


def test_params_are_weighed_over_eight_runs(repository):
    runs = [
        make_record(config={"lr": lr}, metrics={"loss": a_summary(lr * 2.0)}) for lr in range(8)
    ]
    written = [one.run.id for one in write_runs(open_at(repository), runs)]

    report = report_of(repository, *written)

    assert report.weights is not None
    assert (report.weights.metric, report.weights.n_runs) == ("loss", 8)
    assert [(one.key, one.strength) for one in report.weights.influences] == [("lr", 1.0)]
    assert report_of(repository, *written[:7]).weights is None


def test_a_run_in_progress_shows_what_it_logged_so_far(repository):
    live = begin(open_here(repository), name="mine")
    log(live, 0, loss=1.0)
    log(live, 1, loss=0.5)

    report = report_of(repository, "mine")

    assert report.runs[0].run.status is Status.RUNNING
    assert list(report.curves[0].curves[0].ys) == [1.0, 0.5]
    live.journal.close()


def test_a_damaged_run_is_a_problem_where_it_fits_and_an_error_where_it_was_named(repository):
    good = make_run(open_here(repository), {"loss": 1.0})
    broken = {"run.json": b"{"}
    write_run(open_at(repository), make_record(id=run_id("bad")), files=broken)
    points = {"metrics/0.csv": b"step,time,loss\nx,y,z\n"}
    record = make_record(id=run_id("hacf"), metrics={"loss": a_summary(1.0)})
    write_run(open_at(repository), record, files=points)

    report = report_of(repository)

    assert {one.run.id for one in report.runs} == {good.id, run_id("hacf")}
    assert any("bad0" in problem for problem in report.problems)
    assert any("the points of hacf0" in problem for problem in report.problems)
    with pytest.raises(DamagedRecordError):
        report_of(repository, run_id("bad"))


def test_a_run_without_metrics_is_reported(repository):
    written = write_run(open_at(repository), make_record())

    report = report_of(repository, written.run.id)
    text = write_markdown(lay_out_report(report, patch_chars=1000))

    assert (report.metrics, report.curves, report.codes) == ((), (), ())
    assert "## Curves" not in text
    assert f"repro rerun {written.run.id} --verify" in text


@pytest.fixture
def twenty(repository: Path) -> Path:
    """Twenty runs of 10,000 steps with five metrics that go up and down at random."""
    rng = random.Random(1)
    names = ["loss", "val/loss", "f1", "grad", "speed"]
    lines = [f"step,time,{','.join(names)}"]
    for step in range(10_000):
        values = ",".join(repr(rng.random() * 10 ** (step % 5)) for _ in names)
        lines.append(f"{step},{1.7e9 + step},{values}")
    runs = [
        make_record(
            name=f"run-{number}",
            config={f"param_{key}": rng.random() for key in range(40)},
            metrics={name: a_summary(rng.random(), count=10_000) for name in names},
            environment={"packages": {"list": [{"name": "numpy", "version": f"2.{number}"}]}},
        )
        for number in range(20)
    ]
    table = ("\n".join(lines) + "\n").encode()
    write_runs(open_at(repository), runs, files={"metrics/0.csv": table})
    return repository


def test_twenty_runs_of_ten_thousand_steps_stay_small(twenty):
    report = report_of(twenty, metrics=("loss", "val/loss", "f1", "grad", "speed"))

    html = write_html(lay_out_report(report, patch_chars=48_000)).encode()
    markdown = write_markdown(lay_out_report(report, patch_chars=20_000))

    assert len(html) < 300_000 - 48_000 * 1.5  # long patches would have room beside it
    assert len(markdown) < MOST
    assert html.count(b"<figure") == 5
    assert {curve.n_points for one in report.curves for curve in one.curves} == {10_000}


def test_all_of_it_is_there_as_data(repository):
    project = open_here(repository)
    first = make_run(project, {"loss": 1.0}, steps=3)
    write_files(repository, {"train.py": "two\n"})
    make_run(project, {"loss": 2.0}, name="other")

    facts = report_json(report_of(repository, first.id, "other", title="T"))

    assert facts["title"] == "T"
    assert facts["baseline"] == first.id
    curves = facts["curves"]
    assert curves[0]["runs"][0]["steps"] == [0, 1, 2]
    assert facts["code"][0]["files"] == [{"path": "train.py", "status": "M"}]
    assert {row["part"] for row in facts["rows"]} >= {"metrics", "code"}
    assert facts["verdicts"] == facts["problems"] == facts["data"] == []
