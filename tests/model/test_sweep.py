"""What entries of a ledger add up to: of two answers for one trial the first counts."""

from hypothesis import given
from hypothesis import strategies as st

from repro.model.sweep import (
    Agent,
    Asked,
    Beat,
    Dropped,
    Entry,
    Ledger,
    Progress,
    Reopened,
    Resumed,
    Stopped,
    Told,
    TrialState,
    add_up,
)

ANNA, BERT = Agent("annaannaanna", "here"), Agent("bertbertbert", "there")
FIRST, SECOND = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


def ask(number: int = 0, run: str = FIRST, agent: Agent = ANNA, time: float = 1.0) -> Asked:
    return Asked(number=number, params={"lr": 0.1}, run=run, agent=agent, time=time)


def tell(run: str = FIRST, value: float = 0.5, state: TrialState = TrialState.FINISHED) -> Told:
    return Told(number=0, run=run, state=state, value=value, time=2.0)


def drop(run: str = FIRST, *, is_lost: bool = True) -> Dropped:
    return Dropped(number=0, run=run, why="lost", is_lost=is_lost, time=2.0)


def test_a_claimed_trial_runs_and_is_over_once_it_is_told():
    running = add_up([ask()])
    assert [trial.state for trial in running.trials] == [TrialState.RUNNING]
    [trial] = add_up([tell()], running).trials
    assert (trial.state, trial.value, trial.run, trial.is_over) == (
        TrialState.FINISHED, 0.5, FIRST, True,
    )  # fmt: skip


def test_of_two_results_of_one_trial_the_first_counts():
    [trial] = add_up([ask(), tell(value=0.5), tell(value=0.1)]).trials
    assert trial.value == 0.5


def test_a_result_of_an_attempt_that_was_given_up_does_not_count():
    entries = [ask(), drop(), ask(run=SECOND, agent=BERT), tell(FIRST, 0.1), tell(SECOND, 0.7)]
    [trial] = add_up(entries).trials
    assert (trial.run, trial.value, trial.earlier) == (SECOND, 0.7, (FIRST,))


def test_only_one_of_two_claims_of_a_trial_counts():
    [trial] = add_up([ask(), ask(run=SECOND, agent=BERT)]).trials
    assert (trial.run, trial.agent) == (FIRST, ANNA)


def test_a_number_that_leaves_a_gap_is_no_trial():
    assert add_up([ask(number=1), ask(number=-1)]).trials == ()


def test_lost_attempts_are_counted_and_interrupted_ones_are_not():
    entries = [ask(), drop(), ask(run=SECOND), drop(SECOND, is_lost=False)]
    [trial] = add_up(entries).trials
    assert (trial.state, trial.n_lost) == (TrialState.WAITING, 1)


def test_a_reused_trial_is_the_earlier_run():
    earlier = "cccccccccccc"
    told = Told(number=0, run=FIRST, state=TrialState.FINISHED, value=1.0, reused=earlier, time=2.0)
    [trial] = add_up([ask(), told]).trials
    assert (trial.run, trial.is_reused) == (earlier, True)


def test_a_stop_holds_until_the_sweep_goes_on_with_its_new_cap():
    stopped = add_up([Stopped(why="enough", time=1.0)])
    assert stopped.stopped is not None
    going = add_up([Resumed(time=2.0, run_cap=9), Resumed(time=3.0)], stopped)
    assert (going.stopped, going.run_cap) == (None, 9)


def test_an_agent_is_heard_of_by_all_that_it_writes():
    progress = add_up([ask(time=1.0), Beat(agent=BERT.id, time=5.0), tell()])
    assert progress.beats == {ANNA.id: 2.0, BERT.id: 5.0}


RUNS = st.sampled_from([FIRST, SECOND, "cccccccccccc"])
NUMBERS = st.integers(0, 3)
ENTRIES = st.lists(
    st.one_of(
        st.builds(ask, NUMBERS, RUNS, st.sampled_from([ANNA, BERT])),
        st.builds(
            Told, number=NUMBERS, run=RUNS, state=st.just(TrialState.FINISHED), time=st.just(2.0)
        ),
        st.builds(
            Dropped, number=NUMBERS, run=RUNS, why=st.just("x"), is_lost=st.booleans(),
            time=st.just(2.0),
        ),
        st.builds(Resumed, time=st.just(1.0)),
        st.builds(Reopened, number=st.integers(-1, 3), time=st.just(1.0)),
    )
)  # fmt: skip


@given(ENTRIES, st.integers(0, 20))
def test_a_ledger_adds_up_the_same_in_parts(entries: list[Entry], cut: int):
    whole = add_up(entries)
    assert Ledger().extended(entries[:cut]).extended(entries[cut:]).progress == whole
    assert add_up(entries[cut:], add_up(entries[:cut])) == whole


@given(ENTRIES)
def test_a_result_of_a_trial_never_changes_again(entries: list[Entry]):
    progress = Progress()
    for entry in entries:
        after = add_up([entry], progress)
        for old, new in zip(progress.trials, after.trials, strict=False):
            assert not old.is_over or old == new
        progress = after
