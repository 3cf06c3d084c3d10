"""Personal settings: what the user set by `git config repro.*`."""

import re
from dataclasses import dataclass

from repro.errors import InvalidInputError
from repro.model.text import escape
from repro.store.git import Git

_YES = {"true", "yes", "on"}
_NO = {"false", "no", "off", ""}
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What the user set; all of it is optional.

    Attributes:
        sign: `repro.sign`: whether runs are signed with the user's git signing set-up.
    """

    sign: bool = False


def read_personal(git: Git) -> Personal:
    """Give the personal settings, of this repository, the user and the machine together.

    Raises:
        InvalidInputError: One of them is set to something that it cannot be.

    Cost: one git process.
    """
    listed = git.run("config", "--null", "--get-regexp", r"^repro\.", ok=(0, 1)).out
    values: dict[str, str | None] = {}
    for entry in listed.decode(errors="replace").split("\0")[:-1]:
        key, equals, value = entry.partition("\n")
        values[key.lower()] = value if equals else None
    return Personal(sign=_boolean(values, "repro.sign", default=False))


def _boolean(values: dict[str, str | None], key: str, *, default: bool) -> bool:
    """A setting as git reads booleans; a key without any value is true."""
    if key not in values:
        return default
    value = values[key]
    if value is None or value.lower() in _YES:
        return True
    if value.lower() in _NO:
        return False
    if _NUMBER.match(value):
        return int(value) != 0
    raise InvalidInputError(
        f"`{key}` is `{escape(value[:80])}`, which is neither true nor false",
        hint=f"`git config {key} true`, or `git config --show-origin {key}` to see where it is",
    )
