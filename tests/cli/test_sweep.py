"""`repro sweep` and its verbs."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import REPRO, Cli
from tests.support.projects import open_here
from tests.support.records import a_summary, make_record, run_id, write_run
from tests.support.sweeps import ask, make_sweep, tell
from tests.support.terminals import Viewer
from tests.support.waiting import until

from repro.core.sweep.book import LocalBook
from repro.core.sweep.known import find_sweep
from repro.model.space import Categorical, Uniform
from repro.model.sweep import SweepAt, TrialState
from repro.model.sweepspec import EarlyStop, Method

TRAIN = """\
import os, sys, time
import repro

given = dict(word.lstrip("-").split("=") for word in sys.argv[1:])
with repro.init() as run:
    run.log({"loss": float(given["lr"]) ** 2})
    if "WAIT" in os.environ:
        time.sleep(60)
"""
TWO = ("-p", "lr=0.1,0.2", "--metric", "loss", "--min")


@pytest.fixture
def code(repository: Path, own_python: None) -> Path:
    write_files(repository, {"train.py": TRAIN})
    return repository


@pytest.fixture
def swept(repository: Path) -> SweepAt:
    """Three trials of four: `a` is best and slow, `b` fast, the third one failed."""
    project = open_here(repository)
    space = {"lr": Uniform(0.0, 1.0), "opt": Categorical(("sgd", "adam"))}
    at = make_sweep(
        project, method=Method.RANDOM, space=space, metric="loss", run_cap=4, name="wide"
    )
    entries = []
    for number, (letter, value, duration) in enumerate(
        [("a", 0.1, 90.0), ("b", 0.2, 9.0), ("c", None, 1.0)]
    ):
        run = run_id(letter * 8)
        params = {"lr": number / 10, "opt": "sgd"}
        state = TrialState.FAILED if value is None else TrialState.FINISHED
        entries.append(ask(number, run, params=params))
        entries.append(tell(number, run, value, state=state, duration_s=duration))
        metrics = {} if value is None else {"loss": a_summary(value), "f1": a_summary(0.5)}
        facts = {"id": run, "config": params, "sweep": at.sweep.id, "duration_s": duration}
        write_run(project.repository, make_record(metrics=metrics, **facts))
    return LocalBook(project, at.sweep.id).write(lambda _: entries)


def test_sweeps_are_listed_with_how_far_and_how_good_they_are(swept: SweepAt, cli: Cli) -> None:
    lines = cli("sweep", "ls").out.splitlines()

    assert lines[0].split() == ["id", "name", "status", "trials", "best", "method", "created"]
    assert lines[1].startswith(
        f"{swept.sweep.id[:6]}  wide  interrupted  3/4, 1 failed  loss 0.1  random"
    )
    [shown] = json.loads(cli("sweep", "ls", "--json").out)
    assert shown["best"] == {"trial": 0, "run": "aaaaaaaa0000", "value": 0.1}
    assert cli("sweep", "ls", "--porcelain").out == f"{swept.sweep.id}\twide\tinterrupted\t3\t4\n"


def test_without_a_sweep_the_list_says_how_to_start_one(repository: Path, cli: Cli) -> None:
    assert cli("sweep", "ls").err == (
        "no sweeps yet: `repro sweep -p lr=0.1,0.01 -- CMD` starts one\n"
    )
    assert cli("sweep", "ls", "--json").out == "[]\n"


def test_a_sweep_is_shown_with_its_trials_the_best_ones_first(swept: SweepAt, cli: Cli) -> None:
    shown = cli("sweep", "show", "wide").out

    assert "trials   3/4, 1 failed\n" in shown
    assert "metric   loss, minimize\n" in shown
    assert "  opt    sgd, adam\n" in shown
    table = shown[shown.index("trial  run") :].splitlines()
    assert [line.split()[:3] for line in table[1:4]] == [
        ["0", "aaaaaa", "finished"], ["1", "bbbbbb", "finished"], ["2", "cccccc", "failed"],
    ]  # fmt: skip
    assert "… and 2 more: `-n 0` shows all" in cli("sweep", "show", "@", "-n", "1").err


def test_the_best_trial_under_a_bound_is_one_command(swept: SweepAt, cli: Cli) -> None:
    assert cli("sweep", "best", "@").out == (
        "best trial  0\n"
        "run         aaaaaa\n"
        "loss        0.1, the smallest of 2 trials\n"
        "time        1m 30s\n"
        "params\n"
        "  lr        0\n"
        "  opt       sgd\n"
        "metrics\n"
        "  f1        0.5\n"
    )
    bounded = cli("sweep", "best", "@", "--where", "duration < 60s", "--porcelain").out
    assert bounded == "1\tbbbbbbbb0000\t0.2\n"
    assert cli("sweep", "best", "@", "--where", "duration < 1s", code=1).err == (
        "none of the 2 finished trials fits\n"
        "hint: their `loss` is 0.1 to 0.2, and they took 9.0s to 1m 30s\n"
    )
    assert [
        one["trial"] for one in json.loads(cli("sweep", "best", "@", "-n", "0", "--json").out)
    ] == [0, 1]


def test_trials_whose_runs_are_not_here_are_ranked_but_fit_no_filter(
    swept: SweepAt, repository: Path, cli: Cli
) -> None:
    git(repository, "update-ref", "-d", "refs/repro/runs/aaaaaaaa0000")

    assert cli("sweep", "best", "@", "--porcelain").out == "0\taaaaaaaa0000\t0.1\n"
    found = cli("sweep", "best", "@", "--where", "duration < 1h", "--porcelain")
    assert found.out == "1\tbbbbbbbb0000\t0.2\n"
    assert "the runs of 1 of 2 trials are not here" in found.err
    assert "`repro pull` brings" in cli("sweep", "best", "@", "--checkout", code=128).err


def test_the_code_of_the_best_trial_comes_back_beside(
    swept: SweepAt, repository: Path, cli: Cli
) -> None:
    done = cli("sweep", "best", "@", "--checkout", "-w", "../best", "--json")

    assert json.loads(done.out)["run"] == "aaaaaaaa0000"
    assert (repository.parent / "best").is_dir()
    assert "add `--checkout`" in cli("sweep", "best", "@", "-w", "x", code=129).err
    assert "add `--checkout`" in cli("sweep", "best", "@", "--data", code=129).err


def test_a_stop_is_in_the_ledger_and_said_once(swept: SweepAt, repository: Path, cli: Cli) -> None:
    assert "no trial of it was running" in cli("sweep", "stop", "wide").err
    cli("sweep", "stop", "wide")

    at = find_sweep(open_here(repository), "wide")
    assert at.progress.stopped is not None
    assert len(at.ledger.entries) == len(swept.ledger.entries) + 1
    assert json.loads(cli("sweep", "ls", "--json").out)[0]["status"] == "stopped"


def test_a_sweep_of_somebody_else_asks_before_it_goes_on(
    swept: SweepAt, repository: Path, cli: Cli
) -> None:
    [own] = (repository / ".git/repro/own").iterdir()
    own.unlink()

    refused = cli("sweep", "resume", "wide", code=1)

    assert "`--yes` agrees to run the trials of this sweep" in refused.err
    assert "train.py" in refused.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-p", "lr=0.1,0.2"], 129, "no command to run"),
        (["-n", "3", "--", "true"], 129, "no params to search"),
        (["-p", "lr=1,2", "-p", "lr=3", "--", "true"], 129, "`-p lr=…` is given twice"),
        (["-p", "lr=uniform(0,1)", "--", "true"], 129, "`random` has no end of its own"),
        (["-p", "lr=1,2", "--metric", "loss", "--", "true"], 129, "nobody said whether `loss`"),
        (["-p", "lr=1,2", "--min", "--", "true"], 129, "there is a goal, and no metric"),
        (["-p", "lr=1,2", "--early", "hyperband:0x", "--", "true"], 129, "`hyperband:3` lets each"),
        (["-p", "lr=1,2", "--early", "medain", "--", "true"], 129, "is no way to stop trials"),
        (["-p", "lr=1,2", "--min", "--max", "--", "true"], 129, "exclude each other"),
        (["-p", "lr=uniform(1,0)", "-n", "2", "--", "true"], 129, "lr=uniform(1,0)"),
        (["-p", "lr=uniform(0,1)", "--method", "grid", "--", "true"], 128, "continuous"),
        (["-p", "lr=1,2", "-j", "0", "--", "true"], 129, "'-j'"),
        (["-p", "lr=1,2", "--timeout", "nan", "--", "true"], 129, "not a time above 0"),
        (["-p", "lr=1,2", "--gpus", "0,,1", "--", "true"], 129, "no list of GPUs"),
        (["-p", "lr=1,2", "-l", "partition=gpu", "--", "true"], 129, "`local` takes nothing"),
        (["-p", "lr=1,2", "--launcher", "slurm", "-l", "x", "--", "true"], 129, "KEY=VALUE"),
        (["-p", "lr=1,2", "--name", " ", "--", "true"], 128, "name"),
        (["-p", "lr=1,2", "--", "run", "${lrr}"], 128, "`${lrr}`"),
        (["shwo"], 129, "did you mean `repro sweep show`?"),
        (["k3f9zq"], 129, "`repro sweep show k3f9zq` shows a sweep"),
        (["nothing.yaml", "--", "true"], 128, "nothing.yaml"),
        (["a" * 5000, "--", "true"], 128, "aaa`: File name too long"),
        (["/dev/null", "--", "true"], 128, "`/dev/null` is not a file"),
        (["show", "zzzz"], 128, "no sweep `zzzz`"),
    ],
)  # fmt: skip
def test_a_line_that_makes_no_sweep_says_why_and_makes_none(
    repository: Path, cli: Cli, words: list[str], code: int, said: str
) -> None:
    failed = cli("sweep", *words, code=code)

    assert said in failed.err
    assert "Traceback" not in failed.err
    assert git(repository, "for-each-ref", "refs/repro/sweeps") == ""


def test_a_dry_run_shows_the_first_trials_and_makes_nothing(code: Path, cli: Cli) -> None:
    words = ["sweep", *TWO, "-p", "opt=a,b", "--dry-run"]
    done = cli(*words, "--", "python", "train.py", "${args}")

    assert done.out.splitlines()[:3] == ["trial  lr   opt", "0      0.1  a", "1      0.1  b"]
    assert "command  python train.py --lr=0.1 --opt=a\n" in done.out
    assert "4 trials, by grid" in done.err
    plan = json.loads(cli(*words, "--json", "--", "python", "train.py").out)
    assert [one["params"] for one in plan["trials"]][3] == {"lr": 0.2, "opt": "b"}
    assert git(code, "for-each-ref", "refs/repro") == ""


def test_a_dry_run_shows_no_secret_and_misses_a_variable_that_is_not_there(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_TOKEN", "hunter2")
    words = ("sweep", "-p", "lr=1", "--dry-run")

    done = cli(*words, "--", "true", "--token=${envvar:HUB_TOKEN}", "${args}")

    assert "--lr=1" in done.out
    assert "hunter2" not in done.out + done.err
    assert "no such variable" in cli(*words, "--", "true", "${envvar:HUB_TOKE}", code=128).err


def test_options_of_the_line_win_over_the_file(code: Path, cli: Cli) -> None:
    write_files(
        code,
        {
            "sweep.yaml": "program: train.py\nmethod: random\nrun_cap: 9\n"
            "metric: {name: loss, goal: minimize}\n"
            "early_terminate: {type: hyperband, min_iter: 9, eta: 2}\n"
            "parameters:\n  lr: {min: 0.0, max: 1.0}\n  depth: {value: 3}\n"
        },
    )

    line = ("-n", "5", "-p", "lr=0.5", "--seed", "7", "--early", "hyperband:4")
    made = cli("sweep", "sweep.yaml", *line, "--create")

    spec = find_sweep(open_here(code), made.out.strip()).sweep.spec
    assert (spec.run_cap, spec.seed, spec.metric) == (5, 7, "loss")
    assert list(spec.space) == ["lr", "depth"]
    assert spec.early == EarlyStop(kind="hyperband", min_iter=4, eta=2)
    refused = cli("sweep", "sweep.yaml", "--method", "grid", code=128).err
    assert "the sweep of `sweep.yaml`: a grid cannot try every value of `lr`" in refused
    assert "train.py" in spec.command
    assert "resume" in made.err


@pytest.mark.parametrize("metric", ["", "metric: {name: loss, target: 0.1}\n"])
def test_goal_and_target_of_the_files_metric_are_not_those_of_another_one(
    code: Path, cli: Cli, metric: str
) -> None:
    write_files(
        code, {"sweep.yaml": f"program: train.py\n{metric}parameters: {{lr: {{value: 1}}}}\n"}
    )
    words = ("sweep", "sweep.yaml", "--metric")

    assert "nobody said whether `acc` is to be small or large" in cli(*words, "acc", code=129).err
    made = cli(*words, "acc", "--max", "--create").out.strip()
    spec = find_sweep(open_here(code), made).sweep.spec
    assert (spec.metric, spec.goal, spec.target) == ("acc", "maximize", None)
    if metric:
        assert cli(*words, "loss", "--dry-run").out


def test_more_jobs_than_cores_are_warned_of(
    swept: SweepAt, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})

    said = cli("sweep", "resume", "@", "-j", "2", "--max-time", "0.01", code=1).err

    assert "`-j 2` is more than this machine has cores: 1" in said
    assert f"hint: `repro sweep resume {swept.sweep.id[:6]} -j 2` goes on" in said


def test_a_sweep_runs_all_trials_as_runs_and_ends_with_the_best(code: Path, cli: Cli) -> None:
    done = cli("sweep", *TWO, "-j", "2", "--name", "first", "--", "python", "train.py")

    assert done.out.startswith("best trial  0\n")
    assert "loss        0.01, the smallest of 2 trials\n" in done.out
    assert "repro: 2/2 trial " in done.err
    assert "is done after" in done.err
    runs = json.loads(cli("ls", "--json").out)
    at = find_sweep(open_here(code), "first")
    assert {(one["sweep"], one["trial"]) for one in runs} == {
        (at.sweep.id, 0), (at.sweep.id, 1),
    }  # fmt: skip
    assert {one["config"]["lr"] for one in runs} == {0.1, 0.2}
    no_more = cli("sweep", "resume", "first", "-n", "1", code=129)
    assert "has 2 points and no more" in no_more.err


def test_where_every_trial_fails_the_reason_is_told_and_the_answer_is_no(
    code: Path, cli: Cli
) -> None:
    failed = cli("sweep", *TWO, "--json", "--", "python", "-c", "raise SystemExit(3)", code=1)

    assert json.loads(failed.out)["counts"]["failed"] == 2
    assert "trial 1 failed in " in failed.err
    assert failed.err.count("(exit code 3)") == 2
    assert [one["why"] for one in json.loads(failed.out)["trials"]] == ["exit code 3"] * 2
    assert "  failed  2/2, 2 failed  -" in cli("sweep", "ls").out
    shown = cli("sweep", "show", "@")
    assert "status   failed\n" in shown.out
    assert "failed\n  trial 0  exit code 3\n  trial 1  exit code 3\n" in shown.out
    assert "hint: `repro show --output RUN` has what a trial printed" in shown.err
    over = cli("sweep", "resume", "@", code=1)
    assert "`--retry-failed` runs the 2 that failed again" in over.err
    again = cli("sweep", "resume", "@", "--retry-failed", "--json", code=1)
    trials = json.loads(again.out)["trials"]
    assert [one["trial"] for one in trials] == [0, 1]
    assert [one["run"] for one in trials] != [
        one["run"] for one in json.loads(failed.out)["trials"]
    ]


STOPS = """
import os, subprocess, sys
subprocess.run([sys.executable, "-m", "repro", "sweep", "stop", "@"], cwd=os.environ["HERE"])
"""


def test_a_stop_that_came_when_nothing_was_left_to_do_is_no_failure(
    code: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE", str(code))

    done = cli("sweep", "-p", "lr=0.1,0.2", "-n", "1", "--no-args", "--", "python", "-c", STOPS)

    assert "no trial is started any more" in done.err
    assert "is done after" in done.err


def test_an_interrupted_sweep_ends_in_order_and_goes_on(code: Path, cli: Cli) -> None:
    words = ["sweep", *TWO, "--", "python", "train.py"]
    with subprocess.Popen(
        [*REPRO, *words], env={**os.environ, "WAIT": "1"}, stderr=subprocess.PIPE, text=True
    ) as process:
        until(lambda: any((code / ".git/repro/live").glob("*/*.jsonl")), "a trial")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "was interrupted after" in said
    assert "trial 0 waits until the sweep goes on: it was interrupted" in said
    assert "resume" in said
    [shown] = json.loads(cli("sweep", "ls", "--json").out)
    assert (shown["status"], shown["trials"]["waiting"]) == ("interrupted", 1)
    assert "is done after" in cli("sweep", "resume", "@").err
    finished = json.loads(cli("ls", "--json", "--where", "status = finished").out)
    assert sorted(one["trial"] for one in finished) == [0, 1]


def test_a_trial_of_a_sweep_that_died_is_run_again_by_who_goes_on(code: Path, cli: Cli) -> None:
    project = open_here(code)
    at = make_sweep(project, metric="loss", space={"lr": Categorical((0.1,))})
    LocalBook(project, at.sweep.id).write(lambda _: [ask(0, run_id("a" * 8))])

    said = cli("sweep", "resume", "@", "--yes").err

    assert "trial 0 is run again: it ran on `here`, and the sweep goes on here" in said
    assert "is done after" in said


def test_a_terminal_shows_progress_in_place_and_keeps_the_result(
    code: Path, view: Callable[..., Viewer]
) -> None:
    viewer = view("sweep", *TWO, "-j", "2", "--", "python", "train.py", NO_COLOR="1")

    code_, _ = viewer.end()

    assert code_ == 0
    assert "0/2" in viewer.written
    assert "\x1b[J" in viewer.written
    after = viewer.written.rpartition("\x1b[J")[2]
    assert "is done after" in after
    assert "best trial  0" in after
    assert "trial  state" not in after
