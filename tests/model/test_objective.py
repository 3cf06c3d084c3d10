"""Signs make the better number the smaller one."""

from repro.model.objective import GOALS, find_goal_of, sign_of


def test_the_better_number_is_the_smaller_one_once_it_has_its_sign():
    assert min((3.0, -1.0), key=lambda value: sign_of(GOALS["minimize"]) * value) == -1.0
    assert min((3.0, -1.0), key=lambda value: sign_of(GOALS["maximize"]) * value) == 3.0


def test_a_metric_without_a_goal_of_its_own_has_that_of_its_longest_prefix():
    goals = {"*": "minimize", "val/*": "maximize", "val/loss": "minimize"}

    found = [find_goal_of(name, goals) for name in ("loss", "val/acc", "val/loss")]

    assert found == ["minimize", "maximize", "minimize"]
    assert find_goal_of("loss", {"val/*": "maximize"}) is None
