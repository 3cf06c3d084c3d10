"""Bytes and rates as a person reads them."""

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def format_size(size: float) -> str:
    """Bytes in the unit that leaves at most four digits, such as `1.5 MiB`."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{int(size)} {_UNITS[0]}"
