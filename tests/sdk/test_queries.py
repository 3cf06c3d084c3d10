import math
import pickle
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

import repro
from repro.core.project import Project
from repro.errors import FilterError, NotARepositoryError, UnknownRunError
from repro.sdk import runlist
from repro.sdk.runlist import RunList
from tests.support import git
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, write_run


@pytest.fixture
def project(repository) -> Project:
    return open_here(repository)


def record_runs(project: Project, *configs: dict) -> None:
    """A run for each config, with the loss `lr * 10` where there is an lr."""
    for number, config in enumerate(configs):
        metrics = {"loss": config["lr"] * 10} if "lr" in config else {}
        make_run(project, metrics, config=config, name=f"r{number}", tags=(f"t{number % 2}",))


def names(runs: RunList) -> list[str | None]:
    return [record.name for record in runs]


def test_runs_are_listed_newest_first(project):
    record_runs(project, {"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3})

    assert names(repro.runs()) == ["r2", "r1", "r0"]


def test_a_filter_chooses_among_params_and_metrics(project):
    record_runs(project, {"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3, "wide": True})

    assert names(repro.runs("loss < 2.5 and lr > 0.1")) == ["r1"]
    assert names(repro.runs("wide")) == ["r2"]


def test_runs_are_sorted_by_one_key_or_by_several(project):
    record_runs(project, {"lr": 0.2, "n": 1}, {"lr": 0.1, "n": 1}, {"n": 2})

    assert names(repro.runs(sort="loss")) == ["r1", "r0", "r2"]
    assert names(repro.runs(sort="-config.lr")) == ["r0", "r1", "r2"]
    assert names(repro.runs(sort=["-n", "lr"])) == ["r2", "r1", "r0"]


def test_the_limit_counts_what_fits(project):
    record_runs(project, {"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3})

    assert names(repro.runs("lr < 0.3", sort="lr", limit=1)) == ["r0"]
    assert names(repro.runs(tag="t0", limit=1)) == ["r2"]
    assert names(repro.runs(name="r0", limit=1)) == ["r0"]
    assert repro.runs(limit=0) == []
    assert repro.runs(status="failed") == []


@pytest.mark.parametrize("name", ["a' or 'a' = 'a", 'a"b', "a`b", "🦊", "a\\b"])
def test_a_name_is_compared_as_it_is(project, name):
    make_run(project, name=name)
    make_run(project, name="other")

    assert names(repro.runs(name=name)) == [name]


def test_a_wrong_filter_shows_the_place_and_what_was_meant(project):
    record_runs(project, {"dropout": 0.1})

    with pytest.raises(repro.ReproError) as caught:
        repro.runs("lr < 1 and dropuot > 0.1")

    assert isinstance(caught.value, FilterError)
    lines = str(caught.value).splitlines()
    assert "`lr`" in lines[0]
    assert lines[1].endswith("lr < 1 and dropuot > 0.1")
    assert lines[2].index("^") == lines[1].index("lr")
    assert str(caught.value).count("^") == 2


def test_a_wrong_key_to_sort_by_is_an_error(project):
    record_runs(project, {"lr": 0.1})

    with pytest.raises(FilterError, match="lrr"):
        repro.runs(sort="lrr")


def test_a_status_that_there_is_not_is_an_error_and_no_empty_list(project):
    record_runs(project, {"lr": 0.1})

    with pytest.raises(ValueError, match=r"`done` is no status: it is one of running, finished"):
        repro.runs(status="done")


@pytest.mark.parametrize(
    "wrong",
    [{"limit": "3"}, {"limit": 1.5}, {"where": None}, {"sort": [3]}, {"tag": ["a"]}, {"name": 3}],
)
def test_an_argument_of_another_type_is_an_error(project, wrong):
    record_runs(project, {"lr": 0.1})

    with pytest.raises(TypeError):
        repro.runs(**wrong)


def test_a_limit_below_zero_is_an_error_and_not_all_runs(project):
    record_runs(project, {"lr": 0.1})

    with pytest.raises(ValueError, match="None is all runs"):
        repro.runs(limit=-1)


def test_a_run_is_asked_for_by_a_text(project):
    record_runs(project, {"lr": 0.1})

    with pytest.raises(TypeError, match="`name` is a text, not Record"):
        repro.get_run(repro.runs()[0])


def test_an_error_can_be_sent_to_another_process(project):
    record_runs(project, {"lr": 0.1})

    with pytest.raises(FilterError) as wrong:
        repro.runs("losss < 1")
    sent = pickle.loads(pickle.dumps(wrong.value))

    assert (str(sent), sent.start, sent.end) == (str(wrong.value), 0, 5)
    assert sent.hint == wrong.value.hint


def test_outside_of_a_repository_that_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NotARepositoryError):
        repro.runs()


def test_in_a_repository_without_runs_there_are_none(repository):
    assert repro.runs() == []
    assert len(repro.runs()) == 0
    assert not repro.runs()


def test_a_list_of_runs_is_a_list(project):
    record_runs(project, *({"lr": 0.1 * n} for n in range(4)))
    runs = repro.runs()

    assert names(runs[1:3]) == ["r2", "r1"]
    assert isinstance(runs[1:3], RunList)
    assert names(runs[::-1]) == ["r0", "r1", "r2", "r3"]
    assert runs[-1].name == "r0"
    assert runs[0] is runs[0]
    assert runs == repro.runs()
    assert runs == list(runs)
    assert runs != runs[1:]
    assert runs[0] in runs
    assert runs.index(runs[2]) == 2
    assert runs.ids == [record.id for record in runs]
    with pytest.raises(IndexError):
        runs[4]
    with pytest.raises(TypeError):
        hash(runs)


def test_a_list_reads_no_more_records_than_are_asked_for(project, monkeypatch):
    monkeypatch.setattr(runlist, "CHUNK", 2)
    record_runs(project, *({"lr": 0.1 * n} for n in range(12)))
    runs = repro.runs()
    git(project.repository.root, "update-ref", "-d", f"refs/repro/runs/{runs.ids[5]}")

    assert runs[0].name == "r11"
    assert names(runs[6:]) == [f"r{n}" for n in range(5, -1, -1)]
    with pytest.raises(UnknownRunError, match=f"`{runs.ids[5]}` is not there any more"):
        runs[5]


def test_a_long_list_is_gone_through_in_its_order(project, monkeypatch):
    monkeypatch.setattr(runlist, "CHUNK", 2)
    record_runs(project, *({"lr": 0.1 * n} for n in range(11)))
    runs = repro.runs(sort="lr")

    assert names(runs) == [f"r{n}" for n in range(11)]
    assert [runs[n].name for n in range(10, -1, -1)] == [f"r{n}" for n in range(10, -1, -1)]
    assert names(runs[3:9:2]) == ["r3", "r5", "r7"]


def test_a_short_list_stays_as_it_was(project):
    record_runs(project, {"lr": 0.1}, {"lr": 0.2})
    runs = repro.runs()
    for run_id in runs.ids:
        git(project.repository.root, "update-ref", "-d", f"refs/repro/runs/{run_id}")

    assert names(runs) == ["r1", "r0"]
    assert repro.runs() == []


def test_a_run_that_cannot_be_read_is_warned_of_and_hides_no_other(project):
    run = make_run(project, name="good")
    head = git(project.repository.root, "rev-parse", "HEAD")
    git(project.repository.root, "update-ref", "refs/repro/runs/a2bcdefghjkm", head)

    with pytest.warns(repro.RecordingWarning, match="a2bcdefghjkm"):
        assert repro.runs().ids == [run.id]


def test_a_run_in_progress_of_this_process_is_among_them(sdk):
    run = sdk.init(config={"lr": 0.1}, name="now")
    sdk.log({"loss": 0.5}, step=0)
    sdk.log({"loss": 0.25}, step=1)

    [record] = sdk.runs("loss < 0.3 and lr = 0.1", status="running")

    assert record.id == run.id
    assert record.metrics["loss"].last == 0.25
    assert record.series["loss"].values == [0.5, 0.25]
    assert record.ended is None
    assert record.duration is None
    assert sdk.get_run("now").metrics["loss"].last == 0.25
    assert repr(record) == f"<Record {run.id} 'now' running>"


def test_a_param_that_is_infinite_is_a_number_and_found_as_one(sdk):
    run = sdk.init(config={"clip": math.inf, "bounds": {"low": [-math.inf, 0.0]}})
    run.config["patience"] = math.inf
    run.config.update({"later": {"x": math.nan}, "text": "Infinity"})
    run.finish()

    [record] = sdk.runs("clip > 1e300 and patience = inf and later.x is nan")

    assert record.config["bounds"] == {"low": [-math.inf, 0.0]}
    assert record.config["text"] == "Infinity"


def test_points_of_a_run_that_ended_meanwhile_are_read_from_its_record(sdk):
    run = sdk.init(name="now")
    sdk.log({"loss": 0.5}, step=0)
    [record] = sdk.runs()
    sdk.log({"loss": 0.25}, step=1)
    run.finish()

    assert record.series["loss"].steps == [0, 1]
    assert record.environment
    assert record.status == "running"


def test_the_points_of_a_run_in_progress_that_is_gone_are_an_error(project):
    live = begin(project)
    live.journal.log(0, 1.0, {"loss": 0.5})
    [record] = repro.runs()
    live.journal.close()
    for path in sorted(live.dir.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    live.dir.rmdir()

    with pytest.raises(UnknownRunError):
        len(record.series)
    with pytest.raises(UnknownRunError):
        record.environment  # noqa: B018  # it is read at that moment


def test_threads_may_ask_at_once(project):
    record_runs(project, {"lr": 0.1}, {"lr": 0.2})
    runs = repro.runs()
    found = []

    def ask():
        found.append((names(repro.runs()), runs[0].series["loss"].values, len(runs)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [(["r1", "r0"], [2.0], 2)] * 4


@pytest.mark.parametrize("name", ["@", "r1", "@{1}~0"])
def test_a_run_is_had_by_what_the_command_line_calls_it(project, name):
    record_runs(project, {"lr": 0.1}, {"lr": 0.2})
    if name == "@{1}~0":
        assert repro.get_run("@{1}").name == "r0"
    else:
        assert repro.get_run(name).name == "r1"
    assert repro.get_run(repro.get_run("r0").id[:6]).name == "r0"


def test_a_run_that_is_not_there_is_an_error_with_near_names(project):
    make_run(project, name="baseline")

    with pytest.raises(UnknownRunError, match="did you mean `baseline`"):
        repro.get_run("baselin")


def test_the_current_run_is_still_none_without_one(repository):
    assert repro.run is None


def test_a_record_says_what_is_known_of_its_run(project):
    run = make_run(
        project,
        {"loss": 0.5},
        steps=3,
        name="a",
        tags=("x", "y"),
        note="n",
        config={"lr": 0.1},
    )
    record = repro.get_run("a")

    assert record.id == run.id
    assert record.status == "finished"
    assert record.tags == ("x", "y")
    assert record.note == "n"
    assert record.command == ("python", "train.py")
    assert record.created == datetime.fromisoformat(run.created)
    assert record.created.tzinfo is UTC
    assert record.started <= record.ended
    assert record.duration == run.duration_s
    assert record.run == run
    assert record.config["lr"] == 0.1
    assert record.metrics["loss"].count == 3
    assert record.summary == {}
    assert record.data == {}
    assert record.verdict is None
    assert len(record.commit) == 40


def test_a_record_of_a_list_reads_the_rest_when_it_is_asked_for(project):
    environment = {"python": {"version": "3.11.4"}}
    written = write_run(project.repository, make_record(environment=environment, name="a"))
    [record] = repro.runs()

    assert record.environment == environment
    assert record.artifacts == ()
    assert record.randomness == {}
    assert record == repro.get_run("a")
    assert record.commit == written.commit


def test_a_record_whose_commit_is_gone_is_an_error_not_a_traceback(project):
    run = make_run(project, {"loss": 0.5})
    [record] = repro.runs()
    git(project.repository.root, "update-ref", "-d", f"refs/repro/runs/{run.id}")
    git(project.repository.root, "gc", "-q", "--prune=now")

    with pytest.raises(repro.ReproError):
        len(record.series)
    with pytest.raises(repro.ReproError):
        record.environment  # noqa: B018  # it is read at that moment


def test_points_are_read_once_and_only_when_asked_for(project):
    run = make_run(project, {"loss": 0.5, "acc": 1.0}, steps=3)
    [record] = repro.runs()
    assert repr(record.series) == "<Series>"
    loss = record.series["loss"]
    git(project.repository.root, "update-ref", "-d", f"refs/repro/runs/{run.id}")

    assert list(record.series) == ["acc", "loss"]
    assert loss.steps == [0, 1, 2]
    assert loss.values == [0.5, 0.5, 0.5]
    assert len(loss.times) == 3
    assert loss[0].value == 0.5
    assert loss[1:].steps == [1, 2]
    assert loss == record.series["loss"]
    assert repr(loss) == "<3 points: step 0 to 2>"
    assert repr(record.series) == "<Series of 'acc', 'loss'>"
    with pytest.raises(KeyError):
        record.series["nothing"]


def test_points_become_frames(project):
    make_run(project, {"loss": 0.5, "acc": 1.0}, steps=3)
    series = repro.get_run("@").series

    assert list(series.to_pandas().columns) == ["acc", "loss"]
    assert len(series.to_pandas(long=True)) == 6
    assert series.to_polars().columns == ["step", "acc", "loss"]
    assert len(series.to_polars(long=True)) == 6


def test_records_and_lists_can_be_sent_to_another_process(project, monkeypatch, tmp_path):
    record_runs(project, {"lr": 0.1}, {"lr": 0.2})
    runs = repro.runs()
    monkeypatch.chdir(tmp_path)

    there = pickle.loads(pickle.dumps(runs))

    assert there == runs
    assert there[0].series["loss"].values == [2.0]
    assert pickle.loads(pickle.dumps(runs[0])).artifacts == ()


def test_points_can_be_sent_to_another_process(project):
    record_runs(project, {"lr": 0.1})
    series = repro.runs()[0].series

    sent = pickle.loads(pickle.dumps(series))

    assert sent["loss"].values == series["loss"].values


def test_a_record_is_hashable_and_equal_to_itself_read_again(project):
    record_runs(project, {"lr": 0.1}, {"lr": 0.2})

    assert {*repro.runs()} == {*repro.runs()}
    assert repro.runs()[0] != repro.runs()[1]
    assert repro.runs()[0] != "r1"


def test_the_text_of_a_list_is_short(project):
    record_runs(project, *({"lr": 0.1 * n} for n in range(12)))

    lines = repr(repro.runs()).splitlines()

    assert lines[0] == "<RunList of 12 runs>"
    assert "'r11' finished" in lines[1]
    assert lines[-1] == "  … and 2 more"
    assert len(lines) == 12


def test_asking_for_runs_imports_no_library_of_frames(project):
    code = "import repro, sys; repro.runs(); print(*{'pandas', 'polars', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"
