"""What a check finds wrong with a commit that is about to be made."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        what: Names the thing and the reason, on one line.
        hint: The next command, or None.
    """

    what: str
    hint: str | None = None
