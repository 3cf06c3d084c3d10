"""What a sweep that learns can search, and what it cannot."""

import pytest
from tests.support.searching import MIXED, make_search_spec

from repro.errors import InvalidInputError
from repro.model.space import Beta, Categorical, Uniform
from repro.model.sweepcheck import check_spec


@pytest.mark.parametrize("method", ["tpe", "gp", "cmaes"])
@pytest.mark.parametrize(
    ("space", "named"),
    [
        ({"x": Uniform(0.0, 1.0), "mix": Beta(1.0, 2.0)}, "`mix` has a beta distribution"),
        ({"x": Uniform(0.0, 1.0), "opt": Categorical(("a", "b"), (0.1, 0.9))}, "`opt`"),
    ],
)
def test_what_cannot_be_learned_is_refused_by_name(method, space, named):
    with pytest.raises(InvalidInputError, match=named) as caught:
        check_spec(make_search_spec(method, space))
    assert "`random`" in caught.value.hint


def test_cmaes_without_a_number_is_refused():
    with pytest.raises(InvalidInputError, match="searches numbers"):
        check_spec(make_search_spec("cmaes", {"opt": Categorical(("a", "b"))}))


@pytest.mark.parametrize("method", ["random", "tpe", "gp", "cmaes"])
def test_each_method_takes_numbers_lists_and_constants(method):
    check_spec(make_search_spec(method, MIXED, command=("python", "train.py")))
