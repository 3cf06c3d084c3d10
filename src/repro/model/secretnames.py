"""Secrets by the names that they are given to."""

import re
from collections.abc import Iterator

from repro.model.secretlike import (
    NEAR,
    PLACEHOLDER,
    WORD,
    Hit,
    compiled,
    each,
    is_password,
    is_random,
)
from repro.model.secretwords import is_secret_name

_LONG_VALUE = 200
# What a name that holds a secret has in it, in lower case; few, for each is a search of its own.
_HINTS = (
    b"passw", b"passphrase", b"pwd", b"secret", b"token", b"credential", b"bearer ", b"_pass",
    b"_pat", b"_key", b"-key", b"apikey", b"accesskey", b"accountkey", b"privatekey",
    b"authorization",
)  # fmt: skip
_KEYS = rb"(?:api|access|private|signing|encryption|account|storage|license)\Z"
# Names of things, which look random and open nothing.
_NAMES_A_THING = (
    rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:md5|sha\d+)[:=-].*|[~./].*|[A-Za-z]:[\\/].*"
    rb"|[a-z_]\w*(?:\.[a-z_]\w*)+|.*(?:://|\().*|.*\.(?:json|ya?ml|txt|py|html?|pem|crt|svg|js|png)"
)
_QUOTED = (
    rb"[\w.-]{0,40}\\?[\"']?\]?[ \t]{0,8}(?::[ \t]*[A-Za-z][\w\[\]. |]{0,30}[ \t]*=|=>|:=|[=:])"
    rb"[ \t]*\(?[rbuf]?\\?[\"']([^\s\"'\\]{8,512}+)\\?[\"']"
)
# `os.environ.setdefault("API_KEY", "…")`
_ARGUMENT = rb"[\w.-]{0,40}\\?[\"'],[ \t]*\\?[\"']([^\s\"'\\]{8,512}+)\\?[\"']\s*\)"
_UNQUOTED = rb"[\w.-]{0,40}[ \t]{0,8}[=:][ \t]*([^\s\"'\\#,;&|()\[\]]{8,512}+)(?=[\s,;&]|\Z|\\n)"
# A line of shell, in any file.
_ASSIGNED = rb"[A-Z0-9_]{0,40}=([^\s\"'\\#,;&|()\[\]`]{8,512}+)(?=[\s,;&\"'\\`]|\Z)"
_OPTION = rb"[\w.-]{0,40}[= ][ \t]{0,3}([^\s\"'\\#,;&|()\[\]`]{12,512}+)(?=[\s,;&\"'\\`]|\Z)"
_AUTHORIZED = (
    rb"(?i)(?:authorization)?\\?[\"']?\s*[:=,]?\s*[fb]?\\?[\"']?(?:bearer|basic|token)"
    rb"\s+([\w.~+/-]{16,512}=*)"
)
_NETRC = rb"\bmachine\s+\S+\s+login\s+\S+\s+password\s+(\S{4,})"
_ARGUMENT_LEAD = rb"\(\s*\\?[\"']\Z"
# Of a secret, but none itself; and tokens that only mark a place in a list.
_ONLY_ABOUT_ONE = (
    r"(?i)(?:id|ids|ur[il]|arn|time|date|at|used|name|path|file|type|hash|digest)\Z|authenticat|authori[sz]er"
    r"|(?:change|continuation|pagination|next|starting|request|update|client|page|lock)[-_]?token"
)
_NAME = WORD + b"."
_TAIL = rb"[\w.-]*"


def find_assigned(data: bytes, takes_plain_values: bool) -> Iterator[Hit]:
    """What is assigned to a name that says it is a secret."""
    lower = data.lower()
    for hint in _HINTS:
        busy = 0
        for place in each(lower, hint):
            if place < busy:
                continue
            hit, end = _assigned(data, place, hint, takes_plain_values)
            if hit is not None:
                yield hit
            if end - place > _LONG_VALUE:  # names in a long value are no business of ours
                busy = end
    if b"machine" in lower:
        for match in compiled(_NETRC).finditer(data):
            if is_password(match[1]):
                yield Hit("password in a netrc", match.start(1), match[1])


def _assigned(data: bytes, place: int, hint: bytes, plain: bool) -> tuple[Hit | None, int]:
    """The secret that the name around `place` has, and how far was looked for it."""
    after = place + len(hint)
    end = after + NEAR
    if hint in (b"authorization", b"bearer "):
        match = compiled(_AUTHORIZED).match(data, place, end)
        if match and is_random(match[1]) and compiled(PLACEHOLDER).search(match[1]) is None:
            return Hit("token in a header", match.start(1), match[1]), 0
        return None, 0
    if (
        hint[1:] == b"key"
        and compiled(_KEYS).search(data[max(0, place - 10) : place].lower()) is None
    ):
        return None, 0
    near = data[max(0, place - 60) : place]
    head = near[len(near.rstrip(_NAME)) :]
    start = place - len(head)
    lead = data[max(0, start - 8) : start]
    if lead[-1:] in (b":", b"/"):  # the name of a type, part of a path
        return None, 0
    reach = 0
    is_argument = compiled(_ARGUMENT_LEAD).search(lead) is not None
    for pattern in [_ARGUMENT] if is_argument else _patterns(head, plain):
        match = compiled(pattern).match(data, after, end)
        if match is None:
            continue
        reach = max(reach, match.end())
        tail = compiled(_TAIL).match(data, after, match.start(1))
        name = (head + data[place:after] + (tail[0] if tail else b"")).decode(errors="replace")
        is_one = is_secret_name(name) and not re.search(_ONLY_ABOUT_ONE, name)
        if is_one and _is_value(match[1], name):
            return Hit(f"value of `{name.strip('-')[-60:]}`", match.start(1), match[1]), reach
    return None, reach


def _patterns(head: bytes, plain: bool) -> Iterator[bytes]:
    yield _QUOTED
    if plain:
        yield _UNQUOTED
    if head.startswith(b"--"):
        yield _OPTION
    elif not re.search(rb"[a-z.-]", head):
        yield _ASSIGNED


def _is_value(value: bytes, name: str) -> bool:
    if compiled(PLACEHOLDER).search(value) is not None or compiled(_NAMES_A_THING).fullmatch(value):
        return False
    if "pass" in name.lower() or "pwd" in name.lower() or "secret" in name.lower():
        return is_password(value)
    return len(value) >= 16 and is_random(value)
