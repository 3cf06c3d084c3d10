"""A script that calls init, log and finish leaves a complete record."""

import errno
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest

from repro.errors import (
    DataLossError,
    InvalidInputError,
    NotARepositoryError,
    StorageError,
    UnknownRunError,
    UsageError,
)
from repro.model.run import Status
from repro.sdk.notices import RecordingWarning
from repro.store import journal
from tests.sdk.scripts import points, record, records, run, steps
from tests.support import git, write_files
from tests.support.cli import repro


def test_what_was_logged_is_in_the_record(sdk: ModuleType, repository: Path) -> None:
    with sdk.init(
        {"lr": 1e-3, "model": {"width": 3}}, name="base", tags=["v2"], note="try"
    ) as open_run:
        for step in range(3):
            sdk.log({"loss": 1 / (step + 1), "acc": {"top1": step}}, step=step)
        open_run.config.model.depth = 4
        open_run.summary["best"] = 0.5

    found = record(repository)
    assert found.run.status is Status.FINISHED
    assert (found.run.name, found.run.tags, found.run.note) == ("base", ("v2",), "try")
    assert found.config["model"] == {"width": 3, "depth": 4}
    assert found.summary == {"best": 0.5}
    assert sorted(found.metrics) == ["acc/top1", "loss"]
    assert steps(repository, "loss") == {0: 1.0, 1: 0.5, 2: 1 / 3}


def test_module_functions_speak_of_the_current_run(sdk: ModuleType, repository: Path) -> None:
    assert sdk.run is None
    open_run = sdk.init()
    sdk.config.lr = 0.1
    sdk.log({"loss": 3.0})
    sdk.summary["note"] = "x"

    assert sdk.run is open_run
    assert sdk.summary["loss"] == 3.0
    sdk.finish()
    assert sdk.run is None
    assert record(repository).config["lr"] == 0.1


def test_a_signal_handler_may_log_whatever_it_interrupts(sdk: ModuleType, repository: Path) -> None:
    class Step:
        def __index__(self) -> int:
            signal.raise_signal(signal.SIGUSR1)
            return 7

    sdk.init()
    before = signal.signal(signal.SIGUSR1, lambda *_: sdk.log({"inside": 1.0}))
    try:
        sdk.log({"loss": 3.0}, step=Step())
    finally:
        signal.signal(signal.SIGUSR1, before)
    sdk.finish()

    assert (steps(repository, "loss"), steps(repository, "inside")) == ({7: 3.0}, {0: 1.0})


@pytest.mark.parametrize("name", ["log", "define_metric", "log_artifact"])
def test_before_init_a_call_says_what_to_do(sdk: ModuleType, name: str) -> None:
    with pytest.raises(UsageError, match="no run yet") as caught:
        getattr(sdk, name)("x")
    assert caught.value.hint == "call `repro.init()` first"


@pytest.mark.parametrize("name", ["config", "summary"])
def test_before_init_there_is_no(sdk: ModuleType, name: str) -> None:
    with pytest.raises(UsageError, match="no run yet"):
        getattr(sdk, name)


def test_after_finish_nothing_can_be_logged(sdk: ModuleType) -> None:
    open_run = sdk.init()
    open_run.finish()
    open_run.finish()

    with pytest.raises(UsageError, match="closed"):
        open_run.log({"x": 1.0})


def test_steps_count_from_the_highest_so_far(sdk: ModuleType, repository: Path) -> None:
    sdk.init()
    sdk.log({"a": 1.0})
    sdk.log({"a": 2.0}, step=10)
    sdk.log({"a": 3.0}, step=-3)
    sdk.log({"a": 4.0}, commit=False)
    sdk.log({"b": 5.0})
    sdk.log({"a": 6.0})
    sdk.finish()

    assert steps(repository, "a") == {0: 1.0, 10: 2.0, -3: 3.0, 11: 4.0, 12: 6.0}
    assert steps(repository, "b") == {11: 5.0}


def test_a_later_point_for_a_step_wins(sdk: ModuleType, repository: Path) -> None:
    sdk.init()
    sdk.log({"a": 1.0}, step=5)
    sdk.log({"a": 2.0}, step=5)
    sdk.finish()

    assert steps(repository, "a") == {5: 2.0}


def test_what_is_no_number_is_refused_and_nothing_of_it_recorded(
    sdk: ModuleType, repository: Path
) -> None:
    sdk.init()
    for bad in (
        {"a": 1.0, "b": None},
        {"a": 1.0, "b": "x"},
        {"a": 1.0, "b": 10**400},
        {"": 1.0},
        [1.0],
    ):
        with pytest.raises((TypeError, ValueError)):
            sdk.log(bad)
    with pytest.raises(TypeError):
        sdk.log({"a": 1.0}, step=1.5)
    sdk.finish()

    assert record(repository).metrics == {}


def test_nan_infinities_and_large_numbers_are_kept(sdk: ModuleType, repository: Path) -> None:
    sdk.init()
    values = {
        "nan": float("nan"),
        "inf": float("inf"),
        "huge": 1.7e308,
        "more": 1.7e308,
        "int": 2**70,
    }
    sdk.log(values)
    sdk.log(values)
    sdk.finish()

    found = record(repository).metrics
    assert repr({name: found[name].last for name in values}) == repr(
        {n: float(v) for n, v in values.items()}
    )


def test_20k_keys_in_one_call_work(sdk: ModuleType, repository: Path) -> None:
    sdk.init()
    sdk.log({f"key{number}": 1.0 for number in range(20_000)})
    sdk.finish()

    assert len(record(repository).metrics) == 20_000


def test_a_second_init_finishes_the_first_run(
    sdk: ModuleType, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sdk.init(name="first")
    sdk.init(name="second")
    sdk.finish()

    assert [found.run.name for found in records(repository)] == ["second", "first"]
    assert f"finishing run `{first.id}` first" in capsys.readouterr().err


def test_an_exception_in_the_block_makes_the_run_failed(sdk: ModuleType, repository: Path) -> None:
    with pytest.raises(ZeroDivisionError), sdk.init():
        raise ZeroDivisionError

    assert (record(repository).run.status, record(repository).run.exit_code) == (Status.FAILED, 1)


def test_resuming_continues_the_run(sdk: ModuleType, repository: Path) -> None:
    first = sdk.init({"lr": 1, "n": 1}, name="long")
    sdk.log({"loss": 1.0})
    sdk.log({"loss": 2.0})
    sdk.finish()
    again = sdk.init({"lr": 2}, resume=first.id[:6])
    sdk.log({"loss": 3.0})
    sdk.finish()

    assert again.id == first.id
    found = record(repository)
    assert steps(repository, "loss") == {0: 1.0, 1: 2.0, 2: 3.0}
    assert (found.run.name, len(found.run.attempts)) == ("long", 2)
    assert (found.config["lr"], found.config["n"]) == (2, 1)


def test_resuming_what_is_not_there_is_an_error_unless_it_is_only_allowed(sdk: ModuleType) -> None:
    with pytest.raises(UnknownRunError):
        sdk.init(resume="nosuchrun")
    with pytest.warns(RecordingWarning, match="this is a new one"):
        sdk.init(id="nosuchrun", resume="allow")


def test_an_artifact_is_kept_by_its_path_in_the_repository(
    sdk: ModuleType, repository: Path
) -> None:
    write_files(repository, {"out/model.pt": b"\0weights", "out/deep/a.txt": "a", "out/b.txt": "b"})
    elsewhere = repository.parent / "elsewhere.bin"
    elsewhere.write_bytes(b"x")
    sdk.init()

    [kept] = sdk.log_artifact("out/model.pt")
    sdk.log_artifact(elsewhere)
    sdk.log_artifact("out/b.txt", name="renamed.txt", type="dataset")
    sdk.log_artifact("out", name="all")
    sdk.finish()

    assert (kept.path, kept.size, kept.where) == ("out/model.pt", 8, "git")
    paths = [artifact.path for artifact in record(repository).artifacts]
    assert paths == [
        "all/b.txt",
        "all/deep/a.txt",
        "all/model.pt",
        "elsewhere.bin",
        "out/model.pt",
        "renamed.txt",
    ]
    ref = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/runs")
    assert git(repository, "show", f"{ref}:artifacts/renamed.txt") == "b"


def test_the_folder_one_stands_in_is_kept_without_its_git_folder(
    sdk: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(repository, {"out/a.txt": "a", "out/deep/b.txt": "b", "out/deep/.git/x": "x"})
    sdk.init()

    monkeypatch.chdir(repository / "out")
    here = sdk.log_artifact(".")
    monkeypatch.chdir(repository / "out" / "deep")
    above = sdk.log_artifact("..")

    assert [kept.path for kept in here] == ["out/a.txt", "out/deep/b.txt"]
    assert here == above


@pytest.mark.parametrize(
    ("path", "name"), [("missing.pt", None), ("train.py", "../out"), ("train.py", "/abs")]
)
def test_an_artifact_no_record_can_hold_is_refused(
    sdk: ModuleType, path: str, name: str | None
) -> None:
    sdk.init()

    with pytest.raises(InvalidInputError):
        sdk.log_artifact(path, name=name)


def test_the_goal_of_a_metric_is_recorded(sdk: ModuleType, repository: Path) -> None:
    sdk.init()
    sdk.define_metric("loss", goal="minimize")
    sdk.define_metric("acc", summary="max", step_metric="epoch")
    sdk.log({"loss": 1.0, "acc": 1.0, "other": 1.0})
    with pytest.raises(ValueError, match="goal"):
        sdk.define_metric("x", goal="lower")
    with pytest.raises(ValueError, match="'median'"):
        sdk.define_metric("x", summary="median")
    sdk.finish()

    goals = {name: metric.goal for name, metric in record(repository).metrics.items()}
    assert goals == {"loss": "minimize", "acc": "maximize", "other": None}


def test_name_note_and_tags_can_be_set_later(sdk: ModuleType, repository: Path) -> None:
    open_run = sdk.init(tags=["a"])
    open_run.name = "later"
    open_run.notes = "why"
    open_run.tags += ("b",)
    sdk.finish()

    found = record(repository).run
    assert (found.name, found.note, found.tags) == ("later", "why", ("a", "b"))


def test_words_of_wandb_are_kept_as_tags_or_ignored_with_one_warning(
    sdk: ModuleType, repository: Path
) -> None:
    with pytest.warns(RecordingWarning) as caught:
        sdk.init(
            project="p",
            entity="e",
            group="g",
            job_type="train",
            save_code=True,
            reinit=True,
            mode="offline",
        )
    sdk.finish()

    assert [str(one.message) for one in caught] == ["repro: init() has no use for entity, project"]
    assert record(repository).run.tags == ("group:g", "job-type:train")


@pytest.mark.parametrize("arguments", [{"nmae": "x"}, {"name": 3}, {"tags": "v2"}, {"config": 3}])
def test_a_wrong_argument_is_refused(sdk: ModuleType, arguments: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        sdk.init(**arguments)
    assert sdk.run is None


def test_disabled_every_call_works_and_nothing_is_written(
    sdk: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_MODE", "disabled")
    with sdk.init({"lr": 1}, name="x") as open_run:
        sdk.log({"image": object()})
        sdk.config.lr = 2
        sdk.summary["x"] = 3
        sdk.define_metric("x", goal="minimize")
        sdk.log_artifact("no such file")
        open_run.tags = ["a"]
        open_run.sync()
        assert sdk.config.lr == 2
        assert (open_run.name, open_run.tags) == ("x", ("a",))

    assert not (repository / ".git" / "repro").exists()
    assert git(repository, "for-each-ref", "refs/repro") == ""


def test_an_unknown_mode_is_refused(sdk: ModuleType) -> None:
    with pytest.raises(ValueError, match="mode"):
        sdk.init(mode="of")


def test_outside_of_a_repository_init_says_so(
    sdk: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NotARepositoryError):
        sdk.init()


def test_the_repository_of_the_script_is_found_from_elsewhere(
    repository: Path, tmp_path: Path
) -> None:
    write_files(repository, {"train.py": "import repro\nrepro.init()\nrepro.log({'a': 1})\n"})
    git(tmp_path, "--version")
    run(
        tmp_path,
        "import runpy; sys.modules['__main__'].__file__ = sys.argv[1]; runpy.run_path(sys.argv[1])",
        str(repository / "train.py"),
    )

    assert steps(repository, "a") == {0: 1.0}


def test_a_private_folder_that_cannot_be_written_lets_training_go_on(
    sdk: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / ".git" / "repro").write_text("in the way")

    with pytest.warns(RecordingWarning, match="nothing of this run is recorded"):
        open_run = sdk.init({"lr": 1})
    sdk.log({"a": 1.0})
    assert open_run.config.lr == 1
    sdk.finish()

    monkeypatch.setenv("REPRO_STRICT", "1")
    with pytest.raises(StorageError, match="repro"):
        sdk.init()


def test_files_of_a_run_that_cannot_be_recorded_outlive_the_program(
    repository: Path, tmp_path: Path
) -> None:
    (repository / ".git" / "repro").write_text("in the way")
    code = """
        def leave(**words):
            with open(repro.init(**words).dir + "/model.pt", "w") as file:
                file.write("weights")
            repro.finish()
        leave()
        leave(mode="disabled")
    """
    (tmp_path / "temporary").mkdir()

    ended = run(repository, code, TMPDIR=str(tmp_path / "temporary"))

    [kept] = (tmp_path / "temporary").rglob("model.pt")
    assert kept.read_text() == "weights"
    assert f"files of this run stay in `{kept.parent}`" in ended.stderr


def test_points_of_a_program_whose_journal_cannot_be_opened_are_counted_and_said(
    repository: Path,
) -> None:
    program = """
import resource, repro
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # as a full disk: no byte is written
run = repro.init({"lr": 1})
repro.log({"loss": 0.5, "acc": {"top1": 0.1, "top5": 0.2}})
repro.log({"loss": 0.4})
print("lr is", run.config.lr, "lost", run.lost_points)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
"""
    write_files(repository, {"train.py": program})
    ended = repro("run", "--", sys.executable, "train.py", cwd=repository)

    assert "lr is 1 lost 4" in ended.stdout
    assert "nothing of this run is recorded" in ended.stderr
    assert "4 points of run" in ended.stderr
    found = record(repository).run
    assert (found.status, found.lost_points) == (Status.FINISHED, 4)


def test_a_record_that_cannot_be_written_is_written_by_the_next_command(
    sdk: ModuleType, repository: Path
) -> None:
    open_run = sdk.init()
    sdk.log({"a": 1.0})
    lock = repository / ".git" / "objects" / "pack"
    moved = lock.rename(lock.with_name("moved"))
    lock.write_text("in the way")

    with pytest.warns(RecordingWarning, match="not sealed"):
        sdk.finish()
    lock.unlink()
    moved.rename(lock)

    found = record(repository)
    assert (found.run.id, found.run.status) == (open_run.id, Status.FINISHED)


def fail_to_write(fd: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_finish_says_exactly_how_many_points_are_lost(
    sdk: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk.init()
    sdk.log({"a": 1.0, "b": 2.0}, step=0)
    monkeypatch.setattr(journal, "_write", fail_to_write)

    with pytest.warns(RecordingWarning, match="No space left"):
        sdk.log({"a": 1.0, "b": 2.0})
    sdk.log({"a": 1.0})
    with pytest.warns(RecordingWarning, match="3 points and 1 other records of run"):
        sdk.finish()

    assert record(repository).metrics["a"].count == 1


def test_in_strict_mode_lost_points_are_an_error(
    sdk: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_STRICT", "1")
    open_run = sdk.init()
    sdk.log({"a": 1.0})
    monkeypatch.setattr(journal, "_write", fail_to_write)

    with pytest.warns(RecordingWarning), pytest.raises(StorageError, match="No space left"):
        sdk.log({"a": 2.0})
    with pytest.raises(DataLossError) as caught:
        open_run.finish()

    assert caught.value.lost == 1
    assert record(repository).metrics["a"].count == 1


def test_runs_lists_the_newest_first(sdk: ModuleType, repository: Path) -> None:
    for name, tag in (("a", "x"), ("b", "y"), ("a", "y")):
        sdk.init(name=name, tags=[tag])
        sdk.finish()

    assert [found.run.name for found in sdk.runs()] == ["a", "b", "a"]
    assert [found.run.tags for found in sdk.runs(name="a", limit=1)] == [("y",)]
    assert len(sdk.runs(tag="y")) == 2
    assert sdk.runs(status="failed") == []
    assert len(sdk.runs(limit=2)) == 2


def test_the_users_repository_is_as_it_was(sdk: ModuleType, repository: Path) -> None:
    write_files(repository, {"new.py": "1\n"})

    def state() -> list[object]:
        return [
            (repository / ".git/index").read_bytes(),
            git(repository, "status", "--porcelain"),
            git(repository, "branch", "-a"),
            git(repository, "stash", "list"),
        ]

    before = state()
    with sdk.init():
        sdk.log({"a": 1.0})

    assert state() == before


def test_points_read_back_with_their_times(sdk: ModuleType, repository: Path) -> None:
    with sdk.init():
        sdk.log({"a": 1.0})

    found = record(repository)
    [point] = points(repository, found)["a"]
    assert found.run.started <= (found.run.ended or "")
    assert point.time > 1.7e9


def test_no_warning_is_shown_for_a_plain_run(repository: Path) -> None:
    done = run(repository, "repro.init(); repro.log({'a': 1})")

    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "finished" in done.stderr
    assert os.listdir(repository / ".git/repro/live") == []
