import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.sampling import draw_value, rng_for
from repro.model.scales import from_unit, to_unit
from repro.model.space import IntUniform, Normal, Uniform
from repro.model.spacecheck import find_fault

NUMBERS = st.floats(-1e6, 1e6)
ABOVE = st.floats(1e-6, 1e6) | st.integers(1, 1000)
SOUND = st.one_of(
    st.builds(Uniform, NUMBERS, NUMBERS, st.none() | ABOVE, st.booleans()),
    st.builds(IntUniform, st.integers(-99, 10**6), st.integers(-99, 10**6), st.booleans()),
    st.builds(Normal, st.floats(-50, 50), st.floats(1e-3, 50), st.none() | ABOVE, st.booleans()),
).filter(lambda distribution: find_fault(distribution) is None)


@given(SOUND, st.floats(0, 1))
def test_a_place_gives_a_value_that_a_draw_could_give(distribution, unit):
    value = from_unit(distribution, unit)

    assert type(value) is type(draw_value(distribution, rng_for(0, 0)))
    if not isinstance(distribution, Normal):
        assert distribution.low <= value <= distribution.high


@given(SOUND, st.floats(0, 1))
def test_a_value_lies_where_it_came_from(distribution, unit):
    value = from_unit(distribution, unit)

    assert from_unit(distribution, to_unit(distribution, value)) == pytest.approx(value, rel=1e-6)


@given(SOUND, st.floats(0, 1), st.floats(0, 1))
def test_more_lies_further(distribution, unit, other):
    low, high = sorted((unit, other))

    assert from_unit(distribution, low) <= from_unit(distribution, high)


@pytest.mark.parametrize(
    "distribution",
    [
        Uniform(1e-5, 1e-1, is_log=True),
        Uniform(0.0, 1.0, 0.25),
        IntUniform(1, 8),
        IntUniform(1, 64, is_log=True),
        Normal(2.0, 0.5),
        Normal(0.0, 1.0, is_log=True),
    ],
)
def test_what_is_drawn_is_spread_evenly_over_the_scale(distribution):
    rng = rng_for(0, 0)
    drawn = [draw_value(distribution, rng) for _ in range(400)]
    places = sorted(to_unit(distribution, value) or 0.0 for value in drawn)

    for part in (0.25, 0.5, 0.75):
        assert places[int(400 * part)] == pytest.approx(part, abs=0.15)


@pytest.mark.parametrize(
    ("distribution", "value", "unit"),
    [
        (Uniform(0.0, 4.0), 1, 0.25),
        (Uniform(0.0, 4.0), 9.0, 1.0),
        (Uniform(1.0, 100.0, is_log=True), -5.0, 0.0),
        (IntUniform(0, 1), 0, 0.25),
        (Normal(0.0, 1.0), 0, 0.5),
        (Normal(0.0, 1.0, 1.0, is_log=True), 0.0, 1e-6),
        (Uniform(0.0, 1.0), "0.5", None),
        (Uniform(0.0, 1.0), True, None),
        (Uniform(0.0, 1.0), None, None),
        (Uniform(0.0, 1.0), float("nan"), None),
        (IntUniform(0, 1), float("inf"), None),
        (IntUniform(0, 1), 10**400, None),
    ],
)
def test_a_value_has_its_place_or_none(distribution, value, unit):
    assert to_unit(distribution, value) == unit
