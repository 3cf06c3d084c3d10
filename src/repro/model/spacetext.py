"""The distributions of a search space in words."""

from repro.model.readable import format_number, format_value
from repro.model.space import Beta, Categorical, Constant, Distribution, IntUniform, Normal, Uniform

_SHOWN = 8  # values


def describe_distribution(distribution: Distribution) -> str:
    """A distribution for a person, such as `1e-05 to 0.1 on a log scale`."""
    match distribution:
        case Constant(value=value):
            return format_value(value)
        case Categorical():
            return _describe_values(distribution)
        case IntUniform(low=low, high=high, is_log=is_log):
            return f"whole numbers from {low} to {high}{_scale(is_log=is_log)}"
        case Uniform(low=low, high=high, q=q, is_log=is_log):
            ends = f"{format_number(low)} to {format_number(high)}"
            return f"{ends}{_scale(is_log=is_log)}{_steps(q)}"
        case Normal(mu=mu, sigma=sigma, q=q, is_log=is_log):
            kind = "log-normal" if is_log else "normal"
            return f"{kind} around {format_number(mu)} ± {format_number(sigma)}{_steps(q)}"
        case Beta(a=a, b=b, q=q):
            return f"beta({format_number(a)}, {format_number(b)}){_steps(q)}"


def _describe_values(distribution: Categorical) -> str:
    values = distribution.values[:_SHOWN]
    words = [format_value(value) for value in values]
    if distribution.weights is not None:
        pairs = zip(words, distribution.weights[:_SHOWN], strict=True)
        words = [f"{word} ({weight:.0%})" for word, weight in pairs]
    more = len(distribution.values) - len(values)
    return ", ".join(words) + (f" and {more:,} more" if more else "")


def _scale(*, is_log: bool) -> str:
    return " on a log scale" if is_log else ""


def _steps(q: float | None) -> str:
    return "" if q is None else f" in steps of {format_number(q)}"
