"""Words as metrics and runs, and which runs are drawn where none is named."""

import time

import pytest
from tests.support.projects import begin, end, log, open_here
from tests.support.records import NOW, a_summary, make_record, open_at, run_id, write_runs

from repro.core.plotting import USUAL, PlotWish, choose_plotted
from repro.errors import FilterError, UnknownRunError, UsageError
from repro.model.times import format_time


@pytest.fixture
def choose(repository):
    """Three runs `a…`, `b…` and `c…`, of which the newest has another metric; a way to choose."""
    records = [
        make_record(
            id=run_id(name * 6),
            name=given,
            status=status,
            created=format_time(NOW + number),
            config={"lr": lr, "width": 64},
            metrics={metric: a_summary(1.0)},
        )
        for number, (name, given, status, lr, metric) in enumerate(
            [
                ("a", "base", "finished", 0.1, "loss"),
                ("b", None, "running", 0.2, "loss"),
                ("c", "loss", "failed", 0.3, "val/acc"),
            ]
        )
    ]
    write_runs(open_at(repository), records)
    project = open_here(repository)

    def choose(*words, **wish):
        found = choose_plotted(project, PlotWish(words=words, **wish))
        return found.metrics, [record.run.id[:1] for record in found.records], found

    return choose


def test_a_word_that_names_a_metric_is_one_and_any_other_is_a_run(choose):
    assert choose("loss", "base")[:2] == (("loss",), ["a"])
    assert choose("@", "metrics.loss", "base", "val/acc", "base")[:2] == (
        ("loss", "val/acc"),
        ["c", "a"],
    )


def test_with_metrics_by_option_all_words_are_runs(choose):
    assert choose("loss", metrics=("val/acc",))[:2] == (("val/acc",), ["c"])


def test_without_a_run_the_newest_that_have_the_metric_are_drawn_the_oldest_first(choose):
    assert choose("loss")[:2] == (("loss",), ["a", "b"])
    assert choose("loss", "val/acc", limit=2)[1] == ["b", "c"]
    assert choose("loss", limit=1)[1:2] == (["b"],)
    assert choose("loss", limit=1)[2].n_fitting == 2
    assert choose("loss", limit=0)[1] == ["a", "b"]
    assert choose("loss", where="lr < 0.15")[1] == ["a"]


def test_where_there_are_many_the_newest_ten_are(repository):
    records = [
        make_record(created=format_time(NOW + n), metrics={"loss": a_summary(1.0)})
        for n in range(USUAL + 2)
    ]
    write_runs(open_at(repository), records)

    found = choose_plotted(open_here(repository), PlotWish(words=["loss"]))

    assert [one.run.id for one in found.records] == [one.run.id for one in records[2:]]
    assert found.n_fitting == USUAL + 2


def test_labels_tell_runs_apart(choose):
    found = choose("loss", "val/acc")[2]

    assert sorted(found.labels.values()) == ["aaaaaa base", "bbbbbb lr=0.2", "cccccc loss"]


def test_what_is_drawn_is_over_once_no_run_is_in_progress(choose):
    assert not choose("loss")[2].is_over
    assert choose("loss", "base")[2].is_over


def test_a_metric_that_is_waited_for_may_come_while_a_run_is_in_progress(repository):
    project = open_here(repository, time.time)
    wish = PlotWish(metrics=["loss"], may_come=True)
    with pytest.raises(UsageError, match="no run has a metric"):
        choose_plotted(project, wish)

    live = begin(project)
    waiting = choose_plotted(project, wish)
    log(live, 0, loss=1.0)
    there = choose_plotted(project, wish)
    end(live, repository)
    over = choose_plotted(project, wish)

    assert (waiting.metrics, waiting.records, waiting.is_over) == (("loss",), [], False)
    assert ([one.run.id for one in there.records], there.is_over) == ([live.id], False)
    assert over.is_over


@pytest.mark.parametrize(
    ("words", "wish", "error", "message"),
    [
        (["los"], {}, UnknownRunError, "neither a metric nor a run is called `los`; did you mean"),
        (["loss", "x\x1b[2J"], {}, UnknownRunError, r"called `x\\x1b"),
        ([], {}, UsageError, "which metric"),
        (["base"], {}, UsageError, "which metric"),
        (["base"], {"metrics": ["acc"]}, UsageError, "no run has a metric `acc`.*`val/acc`"),
        (["nobody"], {"metrics": ["loss"]}, UnknownRunError, "there is no run `nobody`"),
        (["loss"], {"x": "los"}, UsageError, "no run has a metric `los`; did you mean `loss`"),
        (["loss", "base"], {"limit": 2}, UsageError, "--limit"),
        (["loss", "base"], {"where": "lr < 1"}, UsageError, "--where"),
        (["loss"], {"where": "lr <"}, FilterError, None),
    ],
)
def test_what_is_meant_by_nothing_is_said(choose, words, wish, error, message):
    with pytest.raises(error, match=message):
        choose(*words, **wish)


def test_in_a_repository_without_metrics_it_is_said_how_there_are_some(repository):
    with pytest.raises(UnknownRunError, match="no run has a metric yet"):
        choose_plotted(open_here(repository), PlotWish())
