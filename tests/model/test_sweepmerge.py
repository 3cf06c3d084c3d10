"""Two ledgers of one sweep that went on apart become one in which no result is lost."""

from hypothesis import given
from hypothesis import strategies as st
from tests.support.sweeps import AGENT, ask, tell

from repro.model.sweep import Beat, Dropped, Entry, Ledger, Reopened, Resumed, Stopped, TrialState
from repro.model.sweepmerge import find_lost, take_over
from repro.model.sweepspec import Method


def done(number: int, run: str, lr: float = 0.1, value: float = 0.5) -> list[Entry]:
    return [ask(number, run, params={"lr": lr}), tell(number, run, value)]


def ledger(*entries: Entry) -> Ledger:
    return Ledger().extended(entries)


def joined(ours: Ledger, theirs: Ledger, method: Method = Method.RANDOM) -> Ledger:
    return theirs.extended(take_over(ours, theirs, method))


def test_results_that_only_ours_has_come_behind_theirs():
    common = done(0, "aaaaaaaaaaaa")
    ours = ledger(*common, *done(1, "bbbbbbbbbbbb", 0.2))
    theirs = ledger(*common, *done(1, "cccccccccccc", 0.3))
    trials = joined(ours, theirs).progress.trials
    assert [trial.run for trial in trials] == ["aaaaaaaaaaaa", "cccccccccccc", "bbbbbbbbbbbb"]


def test_of_one_trial_with_two_results_that_of_the_other_side_counts():
    ours, theirs = ledger(*done(0, "aaaaaaaaaaaa")), ledger(*done(0, "bbbbbbbbbbbb"))
    assert take_over(ours, theirs, Method.RANDOM) == []


def test_a_trial_that_runs_or_waits_there_is_ended_by_our_result():
    ours = ledger(*done(0, "aaaaaaaaaaaa"))
    runs = ledger(ask(0, "bbbbbbbbbbbb"))
    waits = runs.extended([Dropped(number=0, run="bbbbbbbbbbbb", why="", is_lost=True, time=1.0)])
    for theirs in (runs, waits):
        [trial] = joined(ours, theirs).progress.trials
        assert (trial.run, trial.state) == ("aaaaaaaaaaaa", TrialState.FINISHED)
        assert trial.earlier == ("bbbbbbbbbbbb",)


def failed(number: int, run: str, lr: float = 0.1) -> list[Entry]:
    told = tell(number, run, None, state=TrialState.FAILED, why="exit code 1")
    return [ask(number, run, params={"lr": lr}), told]


def test_a_result_counts_more_than_a_failure_and_a_failure_keeps_its_reason():
    ours, theirs = ledger(*done(0, "aaaaaaaaaaaa")), ledger(*failed(0, "bbbbbbbbbbbb"))
    for one, other in ((ours, theirs), (theirs, ours)):
        [trial] = joined(one, other).progress.trials
        assert (trial.run, trial.why) == ("aaaaaaaaaaaa", "")
    [trial] = joined(theirs, ledger()).progress.trials
    assert trial.why == "exit code 1"


def test_a_trial_that_is_tried_again_on_one_side_is_tried_again():
    common = failed(0, "aaaaaaaaaaaa")
    reopened = ledger(*common, Reopened(number=0, time=3.0))
    for one, other in ((reopened, ledger(*common)), (ledger(*common), reopened)):
        [trial] = joined(one, other).progress.trials
        assert (trial.state, trial.n_reopened) == (TrialState.WAITING, 1)
    running = reopened.extended([ask(0, "bbbbbbbbbbbb")])
    [trial] = joined(ledger(*common), running).progress.trials
    assert (trial.state, trial.run) == (TrialState.RUNNING, "bbbbbbbbbbbb")


def test_a_trial_that_failed_and_is_tried_again_has_lost_no_result():
    before = ledger(*failed(0, "aaaaaaaaaaaa"))
    assert (
        find_lost(before.progress, before.extended([Reopened(number=0, time=3.0)]).progress) == []
    )
    finished = ledger(*done(0, "bbbbbbbbbbbb"))
    assert find_lost(finished.progress, before.progress) == [0]


def test_a_point_of_a_grid_is_one_whatever_its_number():
    ours = ledger(*done(0, "aaaaaaaaaaaa", 0.1), *done(1, "bbbbbbbbbbbb", 0.2))
    theirs = ledger(*done(0, "cccccccccccc", 0.2))
    assert len(joined(ours, theirs, Method.GRID).progress.trials) == 2
    # A random search may well draw a point twice.
    assert len(joined(ours, theirs, Method.RANDOM).progress.trials) == 3


def test_a_stop_counts_and_beats_and_claims_do_not():
    common = done(0, "aaaaaaaaaaaa")
    stop, go = Stopped(why="x", time=3.0), Resumed(time=4.0, run_cap=9)
    claim, beat = ask(1, "bbbbbbbbbbbb"), Beat(agent=AGENT.id, time=5.0)
    entries = take_over(ledger(*common, stop, claim, beat, go), ledger(*common), Method.RANDOM)
    assert entries == [stop, go]
    assert take_over(ledger(*common, stop), ledger(*common, stop), Method.RANDOM) == []


def test_a_reused_run_stays_one():
    [asked, told] = done(0, "aaaaaaaaaaaa")
    reused = tell(0, "aaaaaaaaaaaa", reused="dddddddddddd")
    [trial] = joined(ledger(asked, reused), ledger()).progress.trials
    assert (trial.run, trial.is_reused) == ("dddddddddddd", True)
    assert told != reused


entry = st.one_of(
    st.builds(
        lambda n, run, lr: ask(n, run * 12, params={"lr": lr}),
        st.integers(0, 3), st.sampled_from("abc"), st.sampled_from([0.1, 0.2]),
    ),
    st.builds(
        lambda n, run, state: tell(n, run * 12, state=state),
        st.integers(0, 3), st.sampled_from("abc"),
        st.sampled_from([TrialState.FINISHED, TrialState.FAILED]),
    ),
    st.builds(lambda n: Reopened(number=n, time=1.0), st.integers(0, 3)),
    st.builds(
        lambda n, run: Dropped(number=n, run=run * 12, why="", is_lost=False, time=1.0),
        st.integers(0, 3), st.sampled_from("abc"),
    ),
)  # fmt: skip


@given(st.lists(entry, max_size=12), st.lists(entry, max_size=12), st.sampled_from(Method))
def test_nothing_is_lost_and_their_results_stay(one, other, method):
    ours, theirs = ledger(*one), ledger(*other)
    whole = joined(ours, theirs, method)
    assert find_lost(ours.progress, whole.progress) == []
    assert find_lost(theirs.progress, whole.progress) == []
    for before, after in zip(theirs.progress.trials, whole.progress.trials, strict=False):
        has_result = before.state is TrialState.FINISHED
        assert after == before if has_result else after.params == before.params


def test_a_result_that_is_gone_is_found():
    before = ledger(*done(0, "aaaaaaaaaaaa"), *done(1, "bbbbbbbbbbbb", 0.2))
    assert find_lost(before.progress, ledger(*done(0, "cccccccccccc", 0.2)).progress) == [0]
