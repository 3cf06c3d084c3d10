from pathlib import Path

import pytest
from tests.support.projects import begin, make_run, open_here
from tests.support.records import a_summary, make_record, write_run, write_runs

from repro.core import suggest
from repro.core.project import Project
from repro.core.query import list_runs
from repro.core.suggest import (
    MOST,
    complete_at,
    suggest_filters,
    suggest_metrics,
    suggest_names,
    suggest_params,
    suggest_runs,
    suggest_tags,
)
from repro.errors import ReproError
from repro.store import index_refresh


@pytest.fixture
def project(repository: Path) -> Project:
    return open_here(repository)


def write(project, **changes):
    return write_run(project.repository, make_record(**changes)).run


def test_runs_are_suggested_by_name_and_by_short_id(project):
    run = make_run(project, name="baseline")
    make_run(project, name="other")

    assert suggest_runs(project, "base") == [("baseline", "name")]
    assert (run.id[:6], "run") in suggest_runs(project, run.id[:2])
    assert suggest_runs(project, "nothing") == []


def test_a_name_that_many_runs_have_is_suggested_once(project):
    make_run(project, name="a")
    make_run(project, name="a")

    assert suggest_runs(project, "a").count(("a", "name")) == 1


def test_of_very_many_runs_only_the_newest_are_suggested(project, repository):
    records = [make_record(name=f"n{number:03}") for number in range(MOST + 5)]
    runs = [one.run for one in write_runs(project.repository, records)]

    found = suggest_runs(project, "")

    names = [text for text, what in found if what == "name"]
    ids = [text for text, what in found if what == "run"]
    assert names == [f"n{number:03}" for number in range(MOST)]
    assert len(ids) == MOST
    assert runs[-1].id.startswith(ids[0])
    assert not any(runs[0].id.startswith(short) for short in ids)


def test_params_metrics_and_tags_are_suggested_by_what_they_start_with(project):
    write(
        project,
        config={"lr": 1, "opt": {"lr": 2}},
        metrics={"loss": a_summary(1), "val/loss": a_summary(1)},
        tags=("v1", "w"),
    )

    assert suggest_params(project, "opt") == [("opt.lr", "param")]
    assert suggest_metrics(project, "") == [("loss", "metric"), ("val/loss", "metric")]
    assert suggest_tags(project, "v") == [("v1", "tag")]
    assert ("val/loss", "metrics") in suggest_names(project, "v")
    assert ("status", "field") in suggest_names(project, "sta")


def test_filters_go_on_with_the_names_and_tags_of_the_runs(project):
    write(project, config={"lr": 1}, tags=("v1",))

    assert ("lr < 1 and lr", "config") in suggest_filters(project, "lr < 1 and l")
    assert suggest_filters(project, "tag = v") == [("tag = v1", "value")]


def test_a_run_in_progress_is_suggested_with_what_it_logs(project):
    live = begin(project, name="now", config={"lr": 0.1})
    live.journal.log(0, 1.0, {"loss": 0.5})

    assert suggest_runs(project, "no") == [("now", "name")]
    assert suggest_params(project, "") == [("lr", "param")]
    assert suggest_metrics(project, "l") == [("loss", "metric")]
    live.journal.close()


def test_without_runs_nothing_is_suggested(project):
    for ask in (suggest_runs, suggest_tags, suggest_metrics, suggest_params):
        assert ask(project, "") == []


@pytest.mark.parametrize("prefix", ["\udcff", "\0", "%", "_", "'", "x" * 10_000])
def test_whatever_is_typed_is_taken_as_it_is(project, prefix):
    make_run(project, name="plain", tags=("t",))

    for ask in (suggest_runs, suggest_tags, suggest_names, suggest_filters):
        assert ask(project, prefix) == []


def test_nobody_waits_for_a_large_index_to_be_made_between_two_keys(project, monkeypatch):
    monkeypatch.setattr(index_refresh, "_MANY", 1)
    monkeypatch.setattr(suggest, "MOST_NEW", 1)
    for name in ("one", "two", "three"):
        make_run(project, name=name)

    with pytest.raises(ReproError):
        suggest_runs(project, "o")  # no id starts with an o

    list_runs(project)
    assert suggest_runs(project, "o") == [("one", "name")]


def completed(project, text):
    """The text with each of its completions in it; the cursor is at the bar."""
    begun, _, rest = text.partition("|")
    found = complete_at(project, begun + rest, len(begun))
    return [begun[: one.start] + one.text + rest for one in found]


def test_what_is_before_the_cursor_is_completed_in_quotes_where_it_needs_some(project):
    write(
        project, name="it's one", user="Ada L", host="engine",
        config={"batch size": 1, "optimizer": "adam", "note": "and", "lr": 1},
        metrics={"lr": a_summary(1.0)},
    )  # fmt: skip
    write(project, config={"optimizer": "sgd"}, environment={"os": "linux 6"}, tags=("a b",))

    assert completed(project, "config.bat| = 1") == ["config.`batch size` = 1"]
    assert completed(project, "bat|") == ["`batch size`"]
    assert completed(project, "`bat|") == ["`batch size`"]
    assert completed(project, "optimizer = a|") == ["optimizer = adam"]
    assert completed(project, "optimizer = 's|") == ["optimizer = 'sgd'"]
    assert completed(project, "not optimizer in (sgd, |)") == [
        "not optimizer in (sgd, adam)", "not optimizer in (sgd, sgd)"
    ]  # fmt: skip
    assert completed(project, "config.note = |") == ["config.note = 'and'"]
    assert completed(project, "name = |") == ["name = 'it''s one'"]
    assert completed(project, "user = Ad| and lr < 1") == [
        "user = Ada and lr < 1", "user = 'Ada L' and lr < 1"
    ]  # fmt: skip
    assert completed(project, "env.os = |") == ["env.os = 'linux 6'"]
    assert completed(project, "tag = a|") == ["tag = 'a b'"]
    assert {"config.lr", "metrics.lr"} <= set(completed(project, "l|"))
    assert completed(project, 'lr = "|') == completed(project, "host ; |") == []
    assert [one.start for one in complete_at(project, "host = eng", 10)] == [7]
    assert complete_at(project, "ho", -5) == complete_at(project, "", 0) != []
