"""Search spaces, by Hypothesis."""

from hypothesis import strategies as st

from repro.model.space import Beta, Categorical, Constant, IntUniform, Normal, Uniform
from repro.model.spacecheck import find_fault

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
numbers = st.floats(-1e6, 1e6)
positives = st.floats(1e-6, 1e6)
steps = st.integers(1, 1000) | st.floats(1e-3, 1e3)
maybe_steps = st.none() | steps
names = st.from_regex(r"\A[a-z_][a-z0-9_-]{0,5}(\.[a-z][a-z0-9]{0,3}){0,2}\Z")


def _is_sound(distribution):
    return find_fault(distribution) is None


def finite_distributions():
    """Those of which a grid can try each value."""
    return st.one_of(
        st.builds(Constant, values),
        st.lists(values, min_size=1, max_size=5).map(lambda some: Categorical(tuple(some))),
        st.builds(IntUniform, st.integers(-9, 9), st.integers(-9, 99)),
        st.builds(IntUniform, st.integers(1, 9), st.integers(1, 2**53), st.just(True)),
        st.builds(Uniform, numbers, numbers, steps),
        st.builds(Uniform, positives, positives, steps, st.just(True)),
        st.builds(Beta, positives, positives, st.floats(1e-3, 1)),
    ).filter(_is_sound)


def distributions():
    """Of every kind, all of them sound."""
    return st.one_of(
        finite_distributions(),
        st.builds(Uniform, numbers, numbers),
        st.builds(Uniform, positives, positives, st.none(), st.just(True)),
        st.builds(Normal, numbers, positives, maybe_steps),
        st.builds(Normal, st.floats(-9, 9), st.floats(0.01, 5), maybe_steps, st.just(True)),
        st.builds(Beta, positives, positives),
        st.just(Categorical(("a", "b", 3), (0.5, 0.125, 0.375))),
    ).filter(_is_sound)


def spaces(*, is_finite=False):
    """Of one to four params, none of which is a section too."""
    some = finite_distributions() if is_finite else distributions()
    return st.dictionaries(names, some, min_size=1, max_size=4).filter(_has_no_section)


def _has_no_section(space):
    return not any(other.startswith(f"{key}.") for key in space for other in space)
