"""Why a sweep was ended that cannot come to anything, as errors for its user."""

from collections.abc import Sequence

from repro.core.sweep.settle import Settled
from repro.errors import InvalidInputError
from repro.model.sweep import Told
from repro.model.text import escape


def no_metric(
    told: Told, metric: str, logged: Sequence[str], *, is_finished: bool
) -> InvalidInputError:
    """That a trial never logged the metric of a strict sweep.

    Args:
        logged: What it did log, the names escaped.
        is_finished: Whether its command came to its end, and did not fail.
    """
    name = escape(metric)
    if not is_finished:
        return InvalidInputError(
            f"trial {told.number} failed and logged no `{name}`: {told.why}",
            hint=f"`repro show --output {told.run}` has what it printed",
        )
    what = ", ".join(f"`{one}`" for one in logged) or "nothing"
    return InvalidInputError(
        f"trial {told.number} failed, for it logged no `{name}`: it logged {what}",
        hint="name the metric as the program logs it: `repro show` has its names",
    )


def all_failed(limit: int, last: Settled) -> InvalidInputError:
    """That the first trials of a sweep all failed, with how the last of them did."""
    run = last.entry.run
    return InvalidInputError(
        f"the first {limit} trials all failed, the last one (run `{run}`): {last.why}",
        hint=last.hint or f"`repro show --output {run}` has what it printed",
    )
