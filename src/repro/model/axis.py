"""An axis of a chart: its range, where values lie on it, and its ticks."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from repro.model.times import is_moment

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_DAY = 86_400
_ENOUGH = 8  # ticks to ask for: two multiples of any step lie among them
_SPANS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
    *(days * _DAY for days in (1, 2, 7, 14, 28, 91, 182, 364, 728, 1820, 3640)),
)  # fmt: skip
_LARGEST = 1.5e308  # of what is drawn; beyond it a margin would be infinite


class Quantity(StrEnum):
    """What the numbers of an axis are."""

    NUMBER = "number"
    DURATION = "duration"  # seconds
    MOMENT = "moment"  # seconds since 1970, shown in UTC


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis that has a label."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The range of an axis, finite and not empty; above 0 where it is logarithmic."""

    low: float
    high: float
    is_log: bool
    ticks: tuple[Tick, ...]

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high one; NaN for what lies nowhere."""
        if self.is_log:
            if not value > 0:
                return math.nan
            low, high = math.log(self.low), math.log(self.high)
            return (math.log(value) - low) / (high - low)
        # Halves, for the whole range may be beyond a float.
        return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)


def make_axis(
    values: Iterable[float],
    *,
    n_ticks: int,
    is_log: bool = False,
    quantity: Quantity = Quantity.NUMBER,
    margin: float = 0.0,
) -> Axis:
    """Give an axis on which all finite values lie, of a logarithmic one all above 0.

    Args:
        n_ticks: About how many there shall be.
        margin: Of what the values take, to leave free at both ends.
    """
    finite = [value for value in values if abs(value) < _LARGEST and (value > 0 or not is_log)]
    low, high = (1.0, 10.0) if is_log else (0.0, 1.0)
    if finite:
        low, high = _widened(min(finite), max(finite), is_log=is_log)
    if is_log:
        factor = (high / low) ** margin if high / low < math.inf else 1.0
        low, high = max(low / factor, math.ulp(0.0)), min(high * factor, _LARGEST)
        ticks = _log_ticks(low, high, n_ticks)
    else:
        wide = high * margin - low * margin
        low, high = max(low - wide, -_LARGEST), min(high + wide, _LARGEST)
        ticks = _ticks(low, high, n_ticks, quantity)
    return Axis(low, high, is_log, tuple(ticks))


def _widened(low: float, high: float, *, is_log: bool) -> tuple[float, float]:
    """A range that is not empty, also for numbers with no room between them."""
    if high / 2 - low / 2 > 8 * math.ulp(max(abs(low), abs(high))):
        return low, high
    if is_log:
        return max(low / 2, math.ulp(0.0)), max(high * 2, 4 * math.ulp(0.0))
    half = max(abs(low) * 0.1, 64 * math.ulp(low)) if low else 1.0
    return low - half, high + half


def _ticks(low: float, high: float, n_ticks: int, quantity: Quantity) -> list[Tick]:
    """About so many; more of them where else one alone would not tell how far it is."""
    found: list[Tick] = []
    for wanted in range(n_ticks, max(n_ticks, _ENOUGH) + 1):
        found = _lay_ticks(low, high, wanted, quantity)
        if len(found) > 1:
            break
    return found


def _lay_ticks(low: float, high: float, n_ticks: int, quantity: Quantity) -> list[Tick]:
    span = high - low
    if quantity is Quantity.MOMENT and span >= 1 and is_moment(low) and is_moment(high):
        return [Tick(at, _moment(at, step)) for at, step in _timed(low, high, n_ticks)]
    if quantity is Quantity.DURATION and 5 <= span <= 1e9:
        return [Tick(at, _duration(at)) for at, _ in _timed(low, high, n_ticks)]
    unit = "" if quantity is Quantity.NUMBER else "s"
    for wanted in range(n_ticks, n_ticks + 4):  # one tick alone says nothing of a distance
        step = _nice_step(low, high, wanted)
        values = list(_multiples(low, high, step))
        if len(values) > 1:
            break
    return [Tick(value, format_tick(value, low, high, step) + unit) for value in values]


def _nice_step(low: float, high: float, n_ticks: int) -> float:
    """The distance of about `n_ticks` ticks.

    Source: P. Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990.
    """
    rough = high / n_ticks - low / n_ticks
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else rough
    return next((nice * power for nice in _NICE if nice * power >= rough), power)


def _multiples(low: float, high: float, step: float) -> Iterator[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    for number in range(first, min(last, first + 99) + 1):
        value = number * step
        yield 0.0 if not number else value


def _timed(low: float, high: float, n_ticks: int) -> Iterator[tuple[float, int]]:
    rough = (high - low) / n_ticks
    step = next((one for one in _SPANS if one >= rough), None)
    if step is None:
        step = _SPANS[-1] * math.ceil(rough / _SPANS[-1])
    return ((value, step) for value in _multiples(low, high, step))


def _moment(value: float, step: int) -> str:
    moment = datetime.fromtimestamp(value, UTC)
    if step >= _DAY:
        return moment.strftime("%Y-%m-%d")
    if value % _DAY == 0:
        return moment.strftime("%m-%d")
    return moment.strftime("%H:%M:%S" if step % 60 else "%H:%M")


def _duration(value: float) -> str:
    seconds = abs(round(value))
    days, hours, minutes, rest = (
        seconds // _DAY, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60
    )  # fmt: skip
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    text = " ".join(f"{number}{unit}" for number, unit in parts if number)
    return ("-" if value < 0 else "") + (text or "0s")


def format_tick(value: float, low: float, high: float, step: float) -> str:
    """A number of an axis, in digits that tell it from its neighbours: `0.25`, `20k`, `5e-6`."""
    if not value:
        return "0"
    largest = max(abs(low), abs(high))
    if 1e4 <= largest < 1e15:
        unit, name = next(one for one in _UNITS if largest >= one[0])
        decimals = _decimals(step / unit)
        if decimals <= 3:
            return f"{value / unit:.{decimals}f}{name}"
        return f"{value:.{_decimals(step)}f}"
    if 1e-3 <= largest < 1e4 and _decimals(step) <= 8:
        return f"{value:.{_decimals(step)}f}"
    digits = max(0, _exponent(abs(value)) - _exponent(step))
    return _short_power(f"{value:.{min(digits + _has_half(step), 16)}e}")


def _decimals(step: float) -> int:
    return max(0, -_exponent(step) + _has_half(step))


def _has_half(step: float) -> int:
    """Whether a step is 2.5 times a power of ten."""
    return int(f"{step:.1e}".startswith("2.5"))


def _exponent(value: float) -> int:
    return int(f"{value:.6e}".partition("e")[2])


def _short_power(text: str) -> str:
    mantissa, _, power = text.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(power)}"


def _log_ticks(low: float, high: float, n_ticks: int) -> list[Tick]:
    """Powers of ten; where they are few, 2 and 5 times these, too; else as on a linear axis."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / max(1, n_ticks)))
    powers = [power for power in range(first, last + 1) if power % every == 0]
    for factors in ((1,), (1, 2, 5)):
        values = [
            value
            for power in powers
            for factor in factors
            if low <= (value := _power(factor, power)) <= high
        ]
        if len(values) >= 3:
            return [Tick(value, _log_label(value)) for value in values]
        if every > 1:
            break
    if high / low > 100:
        return [Tick(value, _log_label(value)) for value in values]
    return _ticks(low, high, n_ticks, Quantity.NUMBER)


def _power(factor: int, power: int) -> float:
    return float(f"{factor}e{power}")  # exact, where 10 ** -5 is not


def _log_label(value: float) -> str:
    if 1e-3 <= value < 1e4:
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return _short_power(f"{value:e}")
