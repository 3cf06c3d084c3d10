"""Signs make the better number the smaller one."""

from repro.model.objective import GOALS, sign_of


def test_the_better_number_is_the_smaller_one_once_it_has_its_sign():
    assert min((3.0, -1.0), key=lambda value: sign_of(GOALS["minimize"]) * value) == -1.0
    assert min((3.0, -1.0), key=lambda value: sign_of(GOALS["maximize"]) * value) == 3.0
