"""Personal settings: what the user set by `git config repro.*`."""

import re
from dataclasses import dataclass

from repro.errors import InvalidInputError
from repro.model.literals import parse_duration
from repro.model.text import escape
from repro.store.git import Git

SHORTEST_S = 1.0  # between two publications
_LONGEST_S = 7 * 86_400.0
_YES = {"true", "yes", "on"}
_NO = {"false", "no", "off", ""}
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What the user set; all of it is optional.

    Attributes:
        sign: `repro.sign`: whether runs are signed with the user's git signing set-up.
        autopush: `repro.autopush`: the name of the git remote that runs are pushed to at their
            end; empty for the usual one, None where they are not.
        live_s: `repro.live`: seconds between two publications of a run in progress; None where
            it is not published before it ends.
    """

    sign: bool = False
    autopush: str | None = None
    live_s: float | None = None


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
    return Personal(
        sign=_boolean(values, "repro.sign", default=False),
        autopush=_remote(values, "repro.autopush"),
        live_s=_interval(values, "repro.live"),
    )


def _remote(values: dict[str, str | None], key: str) -> str | None:
    """The name of a remote, empty where the setting is true, None where it is false or absent."""
    value = values.get(key, "no")
    if value is None or _is_boolean(value):
        return "" if _boolean(values, key, default=False) else None
    return value


def read_interval(text: str) -> float | None:
    """Seconds between two publications, such as `60s`; None where it is no such thing."""
    seconds = parse_duration(text)
    return seconds if seconds is not None and SHORTEST_S <= seconds <= _LONGEST_S else None


def _interval(values: dict[str, str | None], key: str) -> float | None:
    value = values.get(key, "no")
    if value is not None and value.lower() in _NO:
        return None
    seconds = read_interval(value or "")
    if seconds is None:
        raise InvalidInputError(
            f"`{key}` is `{escape((value or '')[:80])}`, which is no time of 1 s or more",
            hint=f"`git config {key} 60s`, or `git config --show-origin {key}` to see where it is",
        )
    return seconds


def _is_boolean(value: str) -> bool:
    return value.lower() in _YES | _NO or _NUMBER.match(value) is not None


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
