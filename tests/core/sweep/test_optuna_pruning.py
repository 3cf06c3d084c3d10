from math import inf, nan

import pytest
from tests.support.sweeps import ask, tell

from repro.core.sweep.optuna_pruning import make_judge
from repro.model.sweep import MOST_STEPS, Ledger, TrialState
from repro.model.sweepspec import EarlyStop

BANDS = EarlyStop(kind="hyperband", min_iter=3, eta=3)


def ledger_of(*curves: list[float], state: TrialState = TrialState.FINISHED) -> Ledger:
    """Trials that are over, each with its values on the way."""
    ledger = Ledger()
    for number, curve in enumerate(curves):
        run = f"r{number}"
        told = tell(number, run, curve[-1], state=state, steps=tuple(enumerate(curve)))
        ledger = ledger.extended([ask(number, run), told])
    return ledger


def flat(value: float, n: int = 30) -> list[float]:
    """A curve without a change."""
    return [value] * n


def steps(curve: list[float]) -> list[tuple[int, float]]:
    """The values so far of a trial that runs."""
    return list(enumerate(curve))


SIX_CURVES = [flat(float(value)) for value in range(1, 7)]


def test_hyperband_lets_one_of_eta_go_on_at_a_band():
    judge = make_judge(BANDS, "minimize")
    ledger = ledger_of(*SIX_CURVES)

    stopped = [judge(ledger, steps(flat(value, 3))) for value in (0.5, 2.5, 3.5, 6.5)]

    assert stopped == [False, False, True, True]


def test_hyperband_judges_no_trial_before_its_first_band():
    judge = make_judge(BANDS, "minimize")

    assert not judge(ledger_of(*SIX_CURVES), steps(flat(99.0, 2)))
    assert not judge(ledger_of(*SIX_CURVES), [])


def test_hyperband_goes_by_the_last_band_that_was_reached():
    judge = make_judge(BANDS, "minimize")
    # bad at the band of 3, good at that of 9, bad after it
    curve = [9.0] * 8 + [0.1] + [9.0] * 10

    assert [judge(ledger_of(*SIX_CURVES), steps(curve[:n])) for n in (3, 8, 9, 19)] == [
        True,
        True,
        False,
        False,
    ]


def test_bands_from_max_iter_never_stop_a_trial_at_its_end():
    early = EarlyStop(kind="hyperband", min_iter=11, max_iter=100, eta=3)
    judge = make_judge(early, "minimize")
    ledger = ledger_of(*[flat(float(value), 100) for value in range(1, 7)])
    # bad but at the counts of 11 and 33: 100/3 and 100/9
    curve = [9.0] * 10 + [0.1] + [9.0] * 21 + [0.1] + [9.0] * 67

    assert not any(judge(ledger, steps(curve[:n])) for n in (10, 11, 32, 33, 99, 100))


def test_pruned_trials_count_for_hyperband_and_not_for_median():
    ledger = ledger_of(*SIX_CURVES, state=TrialState.PRUNED)
    median = EarlyStop(kind="median", min_iter=3, n_startup=1)

    assert make_judge(BANDS, "minimize")(ledger, steps(flat(9.0, 3)))
    assert not make_judge(median, "minimize")(ledger, steps(flat(9.0, 3)))


def test_median_stops_what_never_was_as_good_as_half_of_the_others_there():
    judge = make_judge(EarlyStop(kind="median", min_iter=2, n_startup=6), "minimize")
    ledger = ledger_of(*SIX_CURVES)

    assert [judge(ledger, steps(flat(value, 4))) for value in (3.4, 3.6)] == [False, True]
    assert not judge(ledger, steps([1.0, 9.0, 9.0]))  # it was good once
    assert not judge(ledger, steps(flat(9.0, 1)))  # before `min_iter`


def test_median_waits_for_so_many_finished_trials():
    judge = make_judge(EarlyStop(kind="median", n_startup=6), "minimize")

    assert not judge(ledger_of(*SIX_CURVES[:5]), steps(flat(9.0, 4)))
    assert judge(ledger_of(*SIX_CURVES), steps(flat(9.0, 4)))


@pytest.mark.parametrize("early", [BANDS, EarlyStop(kind="median", min_iter=3)])
def test_maximize_is_the_other_way_round(early):
    judge = make_judge(early, "maximize")

    assert judge(ledger_of(*SIX_CURVES), steps(flat(0.5, 3)))
    assert not judge(ledger_of(*SIX_CURVES), steps(flat(6.5, 3)))


@pytest.mark.parametrize("early", [BANDS, EarlyStop(kind="median", min_iter=3)])
def test_the_first_trials_and_those_that_nothing_compares_with_go_on(early):
    judge = make_judge(early, "minimize")

    assert not judge(Ledger(), steps(flat(9.0, 3)))
    assert not judge(ledger_of([1.0], [1.0]), steps(flat(9.0, 3)))


@pytest.mark.parametrize("early", [BANDS, EarlyStop(kind="median", min_iter=3, n_startup=2)])
def test_numbers_that_are_none_or_huge_are_borne(early):
    judge = make_judge(early, "minimize")
    ledger = ledger_of(flat(nan), flat(1e308), flat(-1e308), flat(float("inf")))

    assert judge(ledger, steps(flat(nan, 3)))
    assert not judge(ledger, steps(flat(-1e308, 3)))
    assert judge(ledger, steps(flat(float("inf"), 3)))


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("broken", [nan, inf, -inf])
def test_hyperband_stops_what_is_not_finite_at_a_band_and_waits_for_one(goal, broken):
    judge = make_judge(BANDS, goal)

    assert judge(Ledger(), steps([1.0, 1.0, broken]))
    assert judge(ledger_of(*SIX_CURVES), steps(flat(broken, 3)))
    assert not judge(Ledger(), steps([1.0, broken, 1.0, broken]))


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("broken", [nan, inf, -inf])
def test_median_stops_what_was_never_finite_as_optuna_does(goal, broken):
    judge = make_judge(EarlyStop(kind="median", min_iter=3, n_startup=1), goal)
    others = ledger_of(flat(5.0))

    assert judge(others, steps(flat(broken, 3)))
    assert not judge(others, steps([5.0, broken, broken]))
    assert not judge(others, steps(flat(broken, 2)))
    assert not judge(Ledger(), steps(flat(broken, 3)))


def test_curves_that_were_thinned_out_are_compared_at_the_same_step():
    judge = make_judge(EarlyStop(kind="hyperband", min_iter=100, eta=3), "minimize")
    # Of 10,000 values that fall to 0, one of ten is left.
    curve = tuple((10 * n, 10_000.0 - 10 * n) for n in range(MOST_STEPS))
    ledger = Ledger()
    for number in range(3):
        told = tell(number, f"r{number}", 0.0, steps=curve)
        ledger = ledger.extended([ask(number, f"r{number}"), told])

    assert not judge(ledger, [(n, 9_900.0 - n) for n in range(100)])
    assert judge(ledger, [(n, 10_100.0 - n) for n in range(100)])
    # None of them came as far as this one.
    assert not judge(ledger, [(n * 100_000, 10_100.0) for n in range(100)])
