"""A sweep runs to its end, whatever its trials do, and each trial counts once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import begin, open_here
from tests.support.sweeploops import (
    Launcher,
    Play,
    by_number,
    losses,
    run_here,
    seal,
    stopping,
)
from tests.support.sweeps import AGENT, ask, make_sweep, tell

from repro.core.query import list_runs
from repro.core.sweep.book import LocalBook
from repro.core.sweep.events import Again, Begun, Ending, NoMetric, Over
from repro.core.sweep.loop import run_sweep
from repro.core.sweep.options import Options, Reason, Stop
from repro.core.sweep.protocols import Gone
from repro.errors import ConflictError, InvalidInputError, StorageError
from repro.model.ids import new_id
from repro.model.run import Status
from repro.model.space import Categorical, Uniform
from repro.model.sweep import Agent, Asked, Beat, Dropped, Stopped, Told
from repro.model.sweepspec import EarlyStop, Method
from repro.store.process import host_name, this_process
from repro.store.refs import SWEEPS

GOOD = Play((0.5,))
BAD = Play(status="failed", exit_code=1)
LOST = Play(status="lost")
LASTING = Play((0.5,), lasts=True)
GONE = Agent(AGENT.id, host_name(), {**this_process().as_json(), "start": "another"})
FOUR = {"lr": Categorical((0.1, 0.2, 0.3, 0.4))}


def kinds(events) -> list[type]:
    return [type(event) for event in events]


def params_of(ran) -> list[float]:
    return [task.params["lr"] for task in ran.launcher.tasks]


def write(project, at, *entries):
    return LocalBook(project, at.sweep.id).write(lambda _: entries)


def finished_runs(project, at) -> list[tuple[int, str]]:
    found = list_runs(project, where=f"sweep = '{at.sweep.id}' and status = finished").records
    return sorted((record.run.trial, record.run.id) for record in found)


def test_each_trial_of_a_grid_is_run_once_and_told_with_one_write_each(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss")
    ran = run_here(project, at, losses(0.5, 0.25))
    assert ran.outcome.reason is Reason.DONE
    assert (ran.states, ran.values) == (["finished"] * 2, [0.5, 0.25])
    assert params_of(ran) == [0.1, 0.2]
    assert kinds(ran.events) == [Begun, Over, Begun, Over]
    writes = git(repository, "rev-list", f"{SWEEPS}{at.sweep.id}", "--not", at.commit).split()
    assert len(writes) == 3
    assert [run for _, run in finished_runs(project, at)] == [
        trial.run for trial in ran.outcome.at.progress.trials
    ]


def test_several_at_once_are_never_more_trials_than_asked_for(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, method=Method.RANDOM, space={"lr": Uniform(0, 1)}, run_cap=4)
    ran = run_here(project, at, lambda _: GOOD, jobs=3)
    assert (ran.outcome.reason, ran.states) == (Reason.DONE, ["finished"] * 4)
    more = run_here(project, at, lambda _: GOOD, jobs=3, resume=True, run_cap=5)
    assert (more.outcome.n_begun, len(more.states)) == (1, 5)
    few = run_here(project, at, lambda _: GOOD, jobs=3, resume=True, run_cap=9, count=2)
    assert (few.outcome.reason, few.outcome.n_begun) == (Reason.COUNT, 2)


def test_a_trial_that_crashed_or_gave_no_number_has_failed_and_is_not_run_again(
    repository: Path,
):
    project = open_here(repository)
    at = make_sweep(project, metric="loss", space=FOUR)
    late = Play((0.5,), status="killed", signal="SIGTERM", exit_code=143, warning="the command"
                " was ended: it took longer than 3 s")  # fmt: skip
    killed = Play((0.5,), status="killed", exit_code=137, signal="SIGKILL")
    plays = {0: BAD, 1: Play(("NaN",)), 2: late, 3: killed}
    ran = run_here(project, at, by_number(plays, GOOD))
    assert (ran.outcome.reason, ran.states) == (Reason.DONE, ["failed"] * 4)
    assert len(ran.launcher.tasks) == 4
    assert [event.why for event in ran.events if isinstance(event, Over)] == [
        "exit code 1",
        "its `loss` is nan",
        "the command was ended: it took longer than 3 s",
        "killed by SIGKILL, as where memory runs out",
    ]
    kept = LocalBook(project, at.sweep.id).read().progress.trials
    assert [trial.why for trial in kept] == [
        event.why for event in ran.events if isinstance(event, Over)
    ]


def test_trials_that_failed_are_run_again_on_request_with_the_same_params(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss", space=FOUR)
    bad = {0: BAD, 1: LOST, 2: Play(("NaN",))}
    assert run_here(project, at, by_number(bad, GOOD), retries=0).states[:3] == ["failed"] * 3
    assert run_here(project, at, lambda _: GOOD, resume=True).outcome.n_begun == 0
    lost = run_here(project, at, by_number({0: LOST, 2: LOST}, GOOD), retries=0, retry_failed=True)
    assert (lost.states, params_of(lost)) == (
        ["failed", "finished", "failed", "finished"],
        [0.1, 0.2, 0.3],
    )
    # What failed before, and was lost then, is not taken for its result.
    ran = run_here(project, at, lambda _: GOOD, retry_failed=True, resume=True)
    assert (ran.states, params_of(ran)) == (["finished"] * 4, [0.1, 0.3])
    assert [trial.why for trial in ran.outcome.at.progress.trials] == [""] * 4


def test_the_attempt_that_failed_is_no_result_of_the_trial_that_is_run_again(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    run_here(project, at, by_number({0: BAD}, GOOD))
    late = Play((0.5,), lasts=True)
    run_here(project, at, lambda _: late, retry_failed=True, should_stop=stopping(None, Stop.NOW))
    ran = run_here(project, at, lambda _: GOOD, resume=True)
    assert ran.states == ["finished"] * 2


def test_a_metric_that_is_never_logged_is_said_once(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="val_loss")
    ran = run_here(project, at, lambda _: GOOD)
    [said] = [event for event in ran.events if isinstance(event, NoMetric)]
    assert (said.trial.number, said.metric, said.logged) == (0, "val_loss", ("loss",))
    assert (ran.outcome.reason, ran.states) == (Reason.DONE, ["failed"] * 2)


def test_a_strict_sweep_ends_when_its_metric_is_not_logged(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="val_loss")
    ran = run_here(project, at, lambda _: GOOD, is_strict=True)
    assert (ran.outcome.reason, len(ran.states)) == (Reason.NO_METRIC, 1)
    assert (
        "trial 0 failed, for it logged no `val_loss`: it logged `loss`" in ran.outcome.error.message
    )


def test_a_strict_sweep_ends_at_a_first_trial_that_crashed_and_no_later_one(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss", space=FOUR)
    ran = run_here(project, at, lambda _: BAD, is_strict=True)
    assert (ran.outcome.reason, len(ran.states)) == (Reason.NO_METRIC, 1)
    assert "trial 0 failed and logged no `loss`: exit code 1" in ran.outcome.error.message
    late = run_here(project, make_sweep(project, metric="loss"), by_number({1: BAD}, GOOD),
                    is_strict=True)  # fmt: skip
    assert (late.outcome.reason, late.states) == (Reason.DONE, ["finished", "failed"])


def test_a_trial_whose_metrics_could_not_be_kept_is_lost_not_wrong(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss")
    full = Play(warning="219 bytes of output are not kept: no space left on the disk")
    ran = run_here(project, at, lambda task: full if task.number == 0 else GOOD, retries=1)
    [again] = [event for event in ran.events if isinstance(event, Again)]
    assert (again.is_lost, again.why) == (True, full.warning)
    assert (ran.states, params_of(ran)) == (["failed", "finished"], [0.1, 0.1, 0.2])
    assert ran.outcome.at.progress.trials[0].why == f"it was lost 2 times: {full.warning}"
    # Neither of its runs is a result of it, whatever becomes of the ledger.
    lost = run_here(project, at, lambda _: GOOD, retry_failed=True)
    assert lost.states == ["finished"] * 2
    kept = make_sweep(project, metric="loss")
    fine = run_here(project, kept, lambda _: Play((0.5,), warning=full.warning))
    assert fine.states == ["finished"] * 2


def test_a_sweep_of_which_nothing_works_ends_with_the_error(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, space=FOUR)
    ran = run_here(project, at, lambda _: BAD, max_failures=2)
    assert (ran.outcome.reason, ran.states) == (Reason.FAILURES, ["failed"] * 2)
    assert "the first 2 trials all failed" in ran.outcome.error.message
    assert "exit code 1" in ran.outcome.error.message
    again = run_here(project, at, lambda _: GOOD, max_failures=2)
    assert again.states == ["failed", "failed", "finished", "finished"]


def test_a_lost_trial_gets_other_attempts_with_the_same_params_and_then_fails(
    repository: Path,
):
    project = open_here(repository)
    at = make_sweep(project)
    ran = run_here(project, at, by_number({0: LOST}, GOOD), retries=1)
    assert (ran.states, params_of(ran)) == (["failed", "finished"], [0.1, 0.1, 0.2])
    first, _ = ran.outcome.at.progress.trials
    assert [*first.earlier, first.run] == [task.run for task in ran.launcher.tasks[:2]]
    again, over = (event for event in ran.events if isinstance(event, Again | Over)
                   if event.trial.number == 0)  # fmt: skip
    assert (again.is_lost, again.why) == (True, "its process vanished")
    assert over.why == "it was lost 2 times: its process vanished"


def test_what_would_only_go_wrong_again_is_not_tried_again(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    plays = {0: Play(error="`nope` is not a command", slug="command"), 1: Play(error="it died")}
    ran = run_here(project, at, by_number(plays, GOOD), retries=1)
    assert (ran.states, params_of(ran)) == (["failed"] * 2, [0.1, 0.2, 0.2])
    assert [event.why for event in ran.events if isinstance(event, Over)] == [
        "`nope` is not a command",
        "it was lost 2 times: it died",
    ]


def test_a_sweep_ends_at_its_target(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss", goal="maximize", target=0.9, space=FOUR)
    ran = run_here(project, at, losses(0.1, 0.95, 0.2))
    assert (ran.outcome.reason, ran.values) == (Reason.TARGET, [0.1, 0.95])
    assert run_here(project, at, lambda _: GOOD).outcome.reason is Reason.TARGET


def test_a_stop_lets_what_runs_finish_and_a_resume_goes_on(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)

    def stop(look) -> None:
        if look.running and look.at.progress.stopped is None:
            write(project, at, Stopped(why="enough", time=1.0))

    ran = run_here(project, at, lambda _: GOOD, on_look=stop)
    assert (ran.outcome.reason, ran.states) == (Reason.STOPPED, ["finished"])
    [said] = [event for event in ran.events if isinstance(event, Ending)]
    assert (said.why, said.is_hard) == ("enough", False)
    assert run_here(project, at, lambda _: GOOD).outcome.reason is Reason.STOPPED
    assert run_here(project, at, lambda _: GOOD, resume=True).states == ["finished"] * 2


def test_what_runs_when_a_sweep_was_stopped_has_no_more_time_than_the_sweep(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)

    def stop(look) -> None:
        if look.running and look.at.progress.stopped is None:
            write(project, at, Stopped(why="enough", time=1.0))

    ran = run_here(project, at, lambda _: LASTING, on_look=stop, max_time_s=2.0)
    assert (ran.outcome.reason, ran.states) == (Reason.STOPPED, ["waiting"])


def test_a_hard_stop_ends_what_runs_without_a_result(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)

    def stop(look) -> None:
        if look.running and look.at.progress.stopped is None:
            write(project, at, Stopped(why="now", time=1.0, is_hard=True))

    ran = run_here(project, at, lambda _: LASTING, on_look=stop)
    assert (ran.outcome.reason, ran.states) == (Reason.STOPPED, ["waiting"])
    assert ran.launcher.stopped == [(ran.launcher.tasks[0].run, False)]


def test_an_interrupted_sweep_is_resumed_with_each_trial_finished_once(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    ran = run_here(project, at, lambda _: LASTING, jobs=2, should_stop=stopping(None, Stop.SOON))
    assert (ran.outcome.reason, ran.states) == (Reason.INTERRUPTED, ["waiting"] * 2)
    assert {is_hard for _, is_hard in ran.launcher.stopped} == {False}
    assert [event.is_lost for event in ran.events if isinstance(event, Again)] == [False] * 2
    more = run_here(project, at, lambda _: GOOD, retries=0)
    assert (more.outcome.reason, more.states) == (Reason.DONE, ["finished"] * 2)
    assert [number for number, _ in finished_runs(project, at)] == [0, 1]


def test_a_second_interrupt_kills(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    ran = run_here(project, at, lambda _: LASTING, should_stop=stopping(None, Stop.NOW))
    run = ran.launcher.tasks[0].run
    assert ran.launcher.stopped == [(run, False), (run, True)]
    assert ran.states == ["waiting"]


def test_a_trial_that_the_same_signal_reached_first_is_interrupted_not_failed(
    repository: Path,
):
    project = open_here(repository)
    at = make_sweep(project)
    killed = Play(status="killed", exit_code=143, signal="SIGTERM")
    ran = run_here(project, at, lambda _: killed, should_stop=stopping(None, Stop.SOON))
    assert (ran.outcome.reason, ran.states) == (Reason.INTERRUPTED, ["waiting"])


def test_a_sweep_that_took_too_long_ends_what_runs(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    ran = run_here(project, at, lambda _: LASTING, max_time_s=0.1)
    assert (ran.outcome.reason, ran.states) == (Reason.TIME, ["waiting"])


def test_a_trial_that_is_worse_than_others_were_is_stopped_and_counts_as_pruned(
    repository: Path,
):
    project = open_here(repository)
    early = EarlyStop(kind="median", n_startup=2)
    at = make_sweep(project, metric="loss", space=FOUR, early=early)
    plays = {3: Play((0.9, 0.9, 0.9), lasts=True)}
    ran = run_here(project, at, by_number(plays, Play((0.5, 0.4, 0.3))))
    assert ran.states == ["finished"] * 3 + ["pruned"]
    trials = ran.outcome.at.progress.trials
    assert trials[0].steps == ((0, 0.5), (1, 0.4), (2, 0.3))
    assert trials[3].steps == ((0, 0.9), (1, 0.9), (2, 0.9))
    runs = {record.run.id: record.run for record in list_runs(project).records}
    assert [runs[trial.run].pruned for trial in trials] == [False] * 3 + [True]
    assert runs[trials[3].run].status is Status.KILLED


def test_a_trial_that_logs_nan_is_stopped_and_counts_as_pruned(repository: Path):
    project = open_here(repository)
    early = EarlyStop(kind="hyperband", min_iter=2)
    at = make_sweep(project, metric="loss", early=early)
    plays = {0: Play((0.9, "NaN"), lasts=True)}
    ran = run_here(project, at, by_number(plays, Play((0.5, 0.4))))
    assert (ran.states, ran.values) == (["pruned", "finished"], [None, 0.4])


def test_a_full_disk_ends_the_sweep_and_costs_no_trial(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    full = Play(error="cannot write the folder of the run: no space left", slug="storage")
    with pytest.raises(StorageError, match="no space left"):
        run_here(project, at, by_number({1: full}, GOOD))
    ran = run_here(project, at, lambda _: GOOD, retries=0)
    assert ran.states == ["finished"] * 2


def test_an_earlier_run_that_is_reused_gives_its_result(repository: Path):
    project = open_here(repository)
    first = run_here(project, make_sweep(project, metric="loss"), losses(0.5, 0.25))
    runs = [trial.run for trial in first.outcome.at.progress.trials]
    at = make_sweep(project, metric="loss")
    ran = run_here(project, at, lambda task: Play(reused=runs[task.number]), reuse=True)
    assert [task.reuse for task in ran.launcher.tasks] == [True, True]
    assert (ran.states, ran.values) == (["finished"] * 2, [0.5, 0.25])
    assert [trial.run for trial in ran.outcome.at.progress.trials] == runs


def test_trials_that_run_at_once_see_different_gpus_while_there_are_enough(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, space=FOUR)
    ran = run_here(project, at, lambda _: GOOD, jobs=4, gpus=("4", "6"))
    seen = [task.environ["CUDA_VISIBLE_DEVICES"] for task in ran.launcher.tasks]
    assert seen == ["4", "6", "4", "6"]


def test_two_at_once_are_refused_by_the_name_of_the_other(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    program = (
        "import sys; from pathlib import Path; from tests.support.projects import open_here\n"
        "from repro.core.sweep.holding import hold\n"
        "with hold(open_here(Path.cwd()), sys.argv[1]): print('held', flush=True); input()"
    )
    tests = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", program, at.sweep.id],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(tests)},
    ) as other:  # fmt: skip
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ConflictError, match=f"process {other.pid} on host `{host_name()}`"):
            run_here(project, at, lambda _: GOOD)
        other.communicate(b"\n")
    assert run_here(project, at, lambda _: GOOD).states == ["finished"] * 2


def test_what_a_killed_sweep_left_is_settled_by_what_became_of_its_runs(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss", space=FOUR)
    runs = [str(new_id(project.entropy)) for _ in range(4)]
    agents = [GONE, GONE, GONE, Agent(AGENT.id, "far")]
    entries = [ask(n, runs[n], params={"lr": n}, agent=agents[n]) for n in range(4)]
    write(project, at, *entries)
    for number, status in enumerate(["finished", "killed", "lost"]):  # the fourth never began
        live = begin(project, run_id=runs[number], sweep=at.sweep.id, trial=number)
        live.journal.log(0, 1.0, {"loss": 0.125})
        seal(project, live, status=status, exit_code=0, signal=None)
    ran = run_here(project, at, lambda _: GOOD, retries=0)
    assert (ran.states, ran.values) == (["finished"] * 4, [0.125, 0.5, 0.5, 0.5])
    assert params_of(ran) == [1, 2, 3]
    assert [event.why for event in ran.events if isinstance(event, Again)] == [
        "the process that ran the sweep ended",
        "the process that ran the sweep ended",
        "it ran on `far`, and the sweep goes on here",
    ]
    assert not {task.run for task in ran.launcher.tasks} & set(runs)
    assert [number for number, _ in finished_runs(project, at)] == [0, 1, 2, 3]


def test_a_trial_that_outlived_its_sweep_is_waited_for(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss", space={"lr": Categorical((0.1,))})
    run = str(new_id(project.entropy))
    write(project, at, ask(0, run, agent=GONE))
    live = [begin(project, run_id=run, sweep=at.sweep.id, trial=0)]
    looks = []

    def finish(look) -> None:
        looks.append(look.running)
        if len(looks) == 3:
            live[0].journal.log(0, 1.0, {"loss": 0.125})
            seal(project, live[0], status="finished", exit_code=0)

    ran = run_here(project, at, lambda _: GOOD, on_look=finish)
    assert (ran.outcome.reason, ran.values, ran.launcher.tasks) == (Reason.DONE, [0.125], [])
    assert looks[:3] == [()] * 3


def test_a_failed_attempt_that_was_dropped_stays_so_and_a_finished_one_is_taken(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss", space={"lr": Categorical((0.1, 0.2))})
    failed, other, finished = (str(new_id(project.entropy)) for _ in range(3))
    for number, run, status in ((0, failed, "failed"), (1, finished, "finished")):
        live = begin(project, run_id=run, sweep=at.sweep.id, trial=number,
                     config={"lr": 0.1 + number / 10})  # fmt: skip
        live.journal.log(0, 1.0, {"loss": 0.125})
        seal(project, live, status=status, exit_code=int(status == "failed"))

    def dropped(number: int, run: str) -> Dropped:
        return Dropped(number=number, run=run, why="it was interrupted", is_lost=False, time=2.0)

    write(
        project, at, ask(0, failed), dropped(0, failed), ask(0, other), dropped(0, other),
        ask(1, finished), dropped(1, finished),
    )  # fmt: skip
    ran = run_here(project, at, lambda _: GOOD)
    assert (ran.states, ran.values) == (["finished"] * 2, [0.5, 0.125])
    assert [task.number for task in ran.launcher.tasks] == [0]


class AskingTwice(LocalBook):
    """A book into which somebody else is always faster to write, once."""

    def write(self, decide):
        decide(self.read())
        return super().write(decide)


def test_a_ledger_that_was_set_back_takes_in_what_was_run(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss", space=FOUR)
    before = run_here(project, at, losses(0.1, 0.2, 0.3, 0.4), count=3).outcome.at
    git(repository, "update-ref", SWEEPS + at.sweep.id, at.commit)
    book = AskingTwice(project, at.sweep.id)
    ran = run_here(project, at, losses(0.1, 0.2, 0.3, 0.4), book=book)
    assert (ran.outcome.n_begun, ran.values) == (1, [0.1, 0.2, 0.3, 0.4])
    assert [event.is_found for event in ran.events if isinstance(event, Over)] == [True] * 3 + [
        False
    ]
    then = ran.outcome.at.progress.trials[:3]
    assert [(t.run, t.params) for t in then] == [(t.run, t.params) for t in before.progress.trials]


class Elsewhere:
    """Others, as a test says what they do (an `Others`)."""

    def __init__(self, project, gone=()) -> None:
        self.project = project
        self.gone = list(gone)
        self.published = []

    def find_gone(self, at, me):
        return [one for one in self.gone if me]

    def publish(self, runs) -> None:
        self.published.append((list(runs), finished_count(self.project)))


def finished_count(project) -> int:
    [sweep] = git(project.repository.root, "for-each-ref", "--format=%(refname)", SWEEPS).split()
    return LocalBook(project, sweep.removeprefix(SWEEPS)).read().progress.count("finished")


def test_runs_are_published_before_their_results_are_told(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    others = Elsewhere(project)
    ran = run_here(project, at, lambda _: GOOD, others=others)
    runs = [task.run for task in ran.launcher.tasks]
    assert others.published == [([runs[0]], 0), ([runs[1]], 1)]


def test_claims_of_others_are_waited_for_and_taken_over_once_they_are_gone(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    theirs = str(new_id(project.entropy))
    write(project, at, ask(0, theirs, agent=Agent(AGENT.id, "far")))
    others = Elsewhere(project)

    def expire(look) -> None:
        if look.at.progress.count("finished") and not look.running:
            others.gone = [Gone(theirs, "its agent was not heard of", is_lost=True)]

    ran = run_here(project, at, lambda _: GOOD, on_look=expire, others=others)
    assert (ran.outcome.reason, ran.states) == (Reason.DONE, ["finished"] * 2)
    assert params_of(ran) == [0.2, 0.1]
    assert ran.outcome.at.progress.trials[0].n_lost == 1


def test_a_trial_that_somebody_else_took_over_is_ended_and_not_told(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, space={"lr": Categorical((0.1,))})
    theirs = str(new_id(project.entropy))

    def take_over(look) -> None:
        if look.running and look.at.progress.trials[0].run == look.running[0]:
            drop = Dropped(number=0, run=look.running[0], why="late", is_lost=True, time=1.0)
            done = [ask(0, theirs), tell(0, theirs)]
            write(project, at, drop, *done)

    ran = run_here(project, at, lambda _: LASTING, on_look=take_over, others=Elsewhere(project))
    assert (ran.outcome.reason, ran.states) == (Reason.DONE, ["finished"])
    assert ran.outcome.at.progress.trials[0].run == theirs
    assert ran.launcher.stopped[0][0] == ran.launcher.tasks[0].run
    assert [type(entry) for entry in ran.outcome.at.ledger.entries].count(Told) == 1


def test_a_process_that_works_shows_that_it_is_alive(repository: Path):
    project = open_here(repository)
    at = make_sweep(project)
    ran = run_here(
        project, at, lambda _: LASTING, beat_s=0.0, should_stop=stopping(*[None] * 3, Stop.SOON)
    )
    beats = [entry for entry in ran.outcome.at.ledger.entries if isinstance(entry, Beat)]
    claim = next(entry for entry in ran.outcome.at.ledger.entries if isinstance(entry, Asked))
    assert {beat.agent for beat in beats} == {claim.agent.id}


def test_a_method_that_lacks_its_package_says_so_before_anything_runs(
    repository: Path, monkeypatch: pytest.MonkeyPatch
):
    project = open_here(repository)
    at = make_sweep(project, method=Method.TPE, metric="loss", run_cap=1)
    monkeypatch.setitem(sys.modules, "repro.core.sweep.optuna_search", None)
    launcher = Launcher(project, lambda _: GOOD)
    book = LocalBook(project, at.sweep.id)
    with pytest.raises(InvalidInputError, match="Optuna"):
        run_sweep(project, book, launcher, Options(), tell=print, should_stop=lambda: None)
    assert (launcher.tasks, book.read().commit) == ([], at.commit)
