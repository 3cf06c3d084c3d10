"""Params are of a space only where they are what it could give."""

import pytest

from repro.model.points import fits_space
from repro.model.space import Categorical, Constant, IntUniform, Normal, Uniform

SPACE = {
    "lr": Uniform(0.0, 1.0),
    "n": IntUniform(1, 3),
    "x": Normal(0.0, 1.0),
    "opt": Categorical(("sgd", "adam", True, None, [1, 2])),
    "seed": Constant(7),
}
POINT = {"lr": 0.5, "n": 2, "x": -3.0, "opt": "sgd", "seed": 7}


def test_what_the_space_gives_fits():
    fits = fits_space(SPACE)
    assert all(fits({**POINT, "opt": one}) for one in ("adam", True, None, [1, 2]))
    assert fits({**POINT, "seed": 7.0})  # as another writer of JSON may say it


@pytest.mark.parametrize(
    "odd",
    [
        {"lr": "0.5"},
        {"lr": True},
        {"lr": float("nan")},
        {"lr": 10**400},
        {"n": [1]},
        {"opt": "--config=/x"},
        {"opt": 1},
        {"seed": 8},
        {"more": 1},
    ],
)
def test_anything_else_does_not(odd: dict[str, object]):
    assert not fits_space(SPACE)({**POINT, **odd})


def test_a_missing_param_does_not():
    assert not fits_space(SPACE)({"lr": 0.5})
