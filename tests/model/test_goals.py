"""Which of several runs is best in a metric, where somebody said what is better."""

import math

from tests.support.records import a_summary, make_record

from repro.model.condition import Key, Space
from repro.model.goals import agreed_goal, best_places
from repro.model.run import Record
from repro.model.values import ABSENT

LOSS = Key(Space.METRIC, "loss")


def with_goal(goal: str | None) -> Record:
    return make_record(metrics={"loss": a_summary(1.0, goal=goal)})


def test_the_goal_of_one_run_is_that_of_all() -> None:
    assert agreed_goal([with_goal(None), with_goal("minimize"), make_record()], LOSS) == "minimize"


def test_nothing_is_guessed_from_a_name() -> None:
    assert agreed_goal([with_goal(None)], LOSS) is None


def test_runs_that_disagree_have_no_goal() -> None:
    assert agreed_goal([with_goal("minimize"), with_goal("maximize")], LOSS) is None


def test_a_step_and_a_param_have_no_goal() -> None:
    records = [with_goal("minimize")]
    assert agreed_goal(records, Key(Space.METRIC, "loss", "min_step")) is None
    assert agreed_goal(records, Key(Space.CONFIG, "loss")) is None


def test_the_best_are_all_that_are_equal_to_it() -> None:
    assert best_places([3.0, 1.0, 2.0, 1.0], "minimize") == {1, 3}
    assert best_places([3.0, 1.0, 2.0], "maximize") == {0}


def test_nan_and_missing_are_never_best() -> None:
    assert best_places([math.nan, 2.0, ABSENT, 3.0], "minimize") == {1}
    assert best_places([math.nan, math.inf, 1.0, -math.inf, 2.0], "maximize") == {4}
    assert best_places([math.nan, math.inf, 1.0, -math.inf, 2.0], "minimize") == {2}


def test_without_a_goal_or_a_second_value_there_is_no_best() -> None:
    assert best_places([1.0, 2.0], None) == set()
    assert best_places([1.0, 2.0], "sideways") == set()
    assert best_places([1.0, math.nan], "minimize") == set()


def test_integers_beyond_a_float_are_compared() -> None:
    assert best_places([10**400, 1], "maximize") == {0}
