"""Draws stay in their distribution, on every machine alike; a grid has each point once."""

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.spaces import distributions, spaces

from repro.errors import InvalidInputError
from repro.model.sampling import count_grid, draw, draw_value, grid_point, rng_for
from repro.model.space import Beta, Categorical, Constant, IntUniform, Normal, Uniform
from repro.model.spacecheck import find_fault

SPACE = {
    "lr": Uniform(1e-5, 0.1, is_log=True),
    "width": IntUniform(1, 1024, is_log=True),
    "drop": Uniform(0.0, 0.5, 0.1),
    "units": Uniform(0.0, 100.0, 25),
    "opt": Categorical(("sgd", "adam"), (0.25, 0.75)),
    "depth": IntUniform(1, 6),
    "mu": Normal(0.0, 1.0),
    "scale": Normal(0.0, 1.0, is_log=True),
    "mix": Beta(0.5, 2.0),
    "epochs": Constant(10),
}

# Written down once: resumed on another machine, a sweep goes on with the same params.
FIRST = {
    "lr": 0.00832096717909,
    "width": 390,
    "drop": 0.0,
    "units": 50,
    "opt": "adam",
    "depth": 2,
    "mu": 0.0295965643362,
    "scale": 0.540223808974,
    "mix": 0.435019600618,
    "epochs": 10,
}


def draws(distribution, n=2000):
    rng = random.Random(7)
    return [draw_value(distribution, rng) for _ in range(n)]


def test_a_seed_and_a_number_give_these_params_for_ever():
    assert draw(SPACE, rng_for(0, 0)) == FIRST
    assert list(draw(SPACE, rng_for(0, 0))) == list(SPACE)


def test_trials_and_seeds_differ():
    assert draw(SPACE, rng_for(0, 1)) != draw(SPACE, rng_for(0, 0)) != draw(SPACE, rng_for(1, 0))


@given(distributions(), st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_each_draw_is_a_value_of_its_distribution(distribution, seed, number):
    assert find_fault(distribution) is None
    assert is_value(draw_value(distribution, rng_for(seed, number)), distribution)


def is_value(value, distribution):
    match distribution:
        case Constant():
            return value == distribution.value
        case Categorical():
            return value in distribution.values
        case IntUniform():
            return type(value) is int and distribution.low <= value <= distribution.high
        case Uniform():
            in_range = distribution.low <= value <= distribution.high
            return in_range and is_multiple(value, distribution.q)
        case Normal():
            return math.isfinite(value) and is_multiple(value, distribution.q)
        case Beta():
            return 0 <= value <= 1 and is_multiple(value, distribution.q)


def is_multiple(value, q):
    if q is None:
        return type(value) is float
    return type(value) is type(q) and abs(value - round(value / q) * q) <= 1e-9 * abs(value)


@pytest.mark.parametrize(
    ("distribution", "mean", "sd"),
    [
        (Uniform(2.0, 4.0), 3.0, 2 / math.sqrt(12)),
        (IntUniform(1, 9), 5.0, math.sqrt(80 / 12)),
        (Normal(5.0, 2.0), 5.0, 2.0),
        (Beta(2.0, 5.0), 2 / 7, math.sqrt(10 / (49 * 8))),
        (Beta(0.5, 0.5), 0.5, math.sqrt(0.125)),
        (Uniform(0.0, 4.0, 2), 2.0, math.sqrt(2.0)),
    ],
)
def test_moments_are_those_of_the_distribution(distribution, mean, sd):
    values = draws(distribution, 4000)

    assert abs(statistics.fmean(values) - mean) < 5 * sd / math.sqrt(4000)
    assert abs(statistics.stdev(values) - sd) < 0.1 * sd


@pytest.mark.parametrize(
    ("distribution", "middle"),
    [
        (Uniform(1e-4, 1.0, is_log=True), 1e-2),
        (Normal(1.0, 0.5, is_log=True), math.e),
        (IntUniform(1, 1023, is_log=True), 22.6),
    ],
)
def test_half_of_the_draws_on_a_log_scale_are_below_its_middle(distribution, middle):
    below = sum(value < middle for value in draws(distribution))

    assert 900 < below < 1100


def test_probabilities_are_kept_and_none_of_zero_is_drawn():
    values = draws(Categorical(("a", "b", "c", "d"), (0.0, 0.2, 0.8, 0.0)))

    assert set(values) == {"b", "c"}
    assert 300 < values.count("b") < 500


def test_extreme_betas_give_numbers():
    for shape in (1e-300, 1e-3, 1e9):
        for value in draws(Beta(shape, shape), 50):
            assert 0 <= value <= 1


def test_the_last_param_of_a_grid_varies_fastest():
    space = {"a": Categorical((1, 2)), "c": Constant("x"), "b": IntUniform(3, 5)}

    points = [grid_point(space, number) for number in range(count_grid(space))]

    expected = [{"a": a, "c": "x", "b": b} for a in (1, 2) for b in (3, 4, 5)]
    assert points == expected
    assert list(points[0]) == list(space)


@settings(max_examples=40)
@given(spaces(is_finite=True))
def test_a_grid_has_every_point_once(space):
    n_points = count_grid(space)
    numbers = range(n_points) if n_points <= 50 else [0, n_points // 2, n_points - 1]

    points = [repr(grid_point(space, number)) for number in numbers]

    assert len(set(points)) == len(numbers)
    with pytest.raises(ValueError):
        grid_point(space, n_points)


def test_a_step_makes_a_grid_with_both_ends():
    space = {"drop": Uniform(0.1, 0.3, 0.1), "units": Uniform(16.0, 64.0, 16), "b": Beta(1, 1, 0.5)}

    assert count_grid(space) == 3 * 4 * 3
    assert grid_point(space, 35) == {"drop": 0.3, "units": 64, "b": 1.0}


def test_a_grid_is_counted_without_being_made():
    assert count_grid({f"p{n}": IntUniform(0, 10**15 - 1) for n in range(9)}) == 10**135


@pytest.mark.parametrize("endless", [Uniform(0.0, 1.0), Normal(0, 1, 1), Beta(1, 1)])
def test_a_grid_over_a_continuous_param_names_it(endless):
    with pytest.raises(InvalidInputError, match=r"`model\.lr`, which is continuous") as caught:
        count_grid({"a": Constant(1), "model.lr": endless})

    assert "q_uniform" in caught.value.hint
