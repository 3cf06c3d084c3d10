"""Keys that tell by themselves what they are."""

import re
from collections.abc import Iterator
from functools import cache

from repro.model.secretlike import (
    NEAR,
    NO_KEY,
    WORD,
    Hit,
    bits,
    compiled,
    each,
    is_key,
    is_password,
    is_random,
)
from repro.model.secretrules import SHAPES

_LONGEST_PEM = 16 << 10
# Every character of a word as one, every other as another: a long word is then found by `find`,
# some 450 MB/s; no pattern of `re` makes more than 60.
_MASK = bytes(87 if code in WORD else 32 for code in range(256))  # 87 is W
_SHORTEST_KEY = 16
_LONGEST_KEY = 4096
# Behind these a word begins with the letters of an escape, or digits of a colour.
_ESCAPES = frozenset(b"\\%[;")
_BEHIND = tuple(
    start
    for shape in SHAPES
    for start in shape.starts
    if start.strip(WORD) != b"" and start[-1:] not in WORD
)
# What comes behind these is short words, of which no search for long ones tells.
_SOUGHT = (b"hooks.slack.com/services/", b"sk.eyJ")
_RULES = {start: shape for shape in SHAPES for start in shape.starts}
_LONGEST_BEHIND = max(map(len, _BEHIND))


@cache
def _starts() -> re.Pattern[bytes]:
    """What the keys begin with whose start is a part of a word."""
    return re.compile(b"|".join(re.escape(start) for start in _RULES if start not in _BEHIND))


def find_shaped(data: bytes) -> Iterator[Hit]:
    """Keys that tell by themselves what they are."""
    done = 0
    for place, start in _beginnings(data):
        if place < done:  # in the one before: each byte is matched once
            continue
        shape = _RULES[start]
        match = compiled(shape.rest).match(data, place + len(start), place + _LONGEST_KEY)
        if match is None:
            continue
        done = match.end()
        secret = data[place : match.end()]
        if is_key(secret, mixed=shape.mixed):
            yield Hit(shape.rule, place, secret)
            if shape.rule.startswith("AWS"):
                yield from _beside(data, match.end())
    for start in _SOUGHT:
        for place in each(data, start):
            match = compiled(_RULES[start].rest).match(data, place + len(start))
            if match and is_key(secret := data[place : match.end()], mixed=True):
                yield Hit(_RULES[start].rule, place, secret)
    yield from _private_keys(data)
    yield from _in_urls(data)
    yield from _by_their_middle(data)


def _beginnings(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Where a long word begins as a key does, and with what."""
    mask = data.translate(_MASK)
    long = b"W" * _SHORTEST_KEY
    starts = _starts()
    place = mask.find(long)
    while place >= 0:
        end = mask.find(b" ", place)
        if end < 0:
            end = len(data)
        before = data[place - 1] if place else 32
        match = starts.match(data, place, end)
        if match is None and before in _ESCAPES:
            match = starts.search(data, place, min(end, place + 12))
        if match is not None:
            yield match.start(), match[0]
        elif before in b"./":
            head = data[max(0, place - _LONGEST_BEHIND) : place]
            for start in _BEHIND:
                if head.endswith(start):
                    yield place - len(start), start
        place = mask.find(long, end)


def _beside(data: bytes, place: int) -> Iterator[Hit]:
    """The secret half of an AWS key, which stands behind the other one and has no shape."""
    pattern = rb"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
    for match in compiled(pattern).finditer(data, place, place + NEAR):
        word = match[0]
        if (
            bits(word) > 4
            and re.search(rb"[0-9]", word)
            and re.search(rb"[a-z].*[A-Z]|[A-Z].*[a-z]", word)
        ):
            yield Hit("AWS secret key", match.start(), word)
            return


def _private_keys(data: bytes) -> Iterator[Hit]:
    """PEM and OpenSSH keys, in a text of a program or of JSON too."""
    pattern = rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    for place in each(data, b"-----BEGIN "):
        match = compiled(pattern).match(data, place)
        if match is None:
            continue
        body = data[match.end() : match.end() + _LONGEST_PEM].partition(b"-----")[0]
        letters = re.sub(
            rb"\\[nr]|(?m:^[ \t\"']*(?:Proc-Type|DEK-Info|Version|Comment):.*$)", b"", body
        )
        letters = re.sub(rb"[\s\"',+\\#]", b"", letters)
        run = re.match(rb"[A-Za-z0-9+/=]*", letters)
        if (
            run
            and len(run[0]) >= 60
            and len(set(run[0])) > 12
            and compiled(NO_KEY).search(run[0][:200]) is None
        ):
            yield Hit("private key", place, run[0])


def _in_urls(data: bytes) -> Iterator[Hit]:
    """Passwords and tokens before the `@` of a URL, and signatures behind its `?`."""
    user = rb"([^\s/:@\"'`<>\\]{0,80})(?::([^\s/@\"'`<>\\]{1,200}))?@[A-Za-z0-9\[][\w.\]-]*"
    for place in each(data, b"://"):
        match = compiled(user).match(data, place + 3)
        if match is None:
            continue
        name, password = match.groups()
        if password is None:
            is_token = len(name) >= 20 and is_random(name) and compiled(NO_KEY).search(name) is None
            if is_token:
                yield Hit("token in a URL", match.start(1), name)
        elif is_password(password) and name != password:
            yield Hit("password in a URL", match.start(2), password)


def _by_their_middle(data: bytes) -> Iterator[Hit]:
    """Keys that have their mark somewhere inside."""
    for place in each(data, b"sig="):
        signed = compiled(rb"(?:[A-Za-z0-9+/]|%2[BbFf]){43}(?:=|%3[Dd])").match(data, place + 4)
        if signed and data[place - 1 : place] in (b"?", b"&", b";"):
            yield Hit("signature in a URL", place + 4, signed[0])
    for place in each(data, b"Q~"):
        azure = compiled(rb"(?<![\w~.-])[\w~.]{3}[0-9]Q~[\w~.-]{31,34}(?![\w~.-])")
        if (client := azure.match(data, max(0, place - 4))) and is_key(client[0], mixed=True):
            yield Hit("Azure client secret", client.start(), client[0])
    for place in each(data, b":AA"):
        bot = compiled(rb"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])")
        if telegram := bot.search(data, max(0, place - 10), place + 40):
            yield Hit("Telegram bot token", telegram.start(), telegram[0])
    for start in (b"AccountKey=", b"SharedAccessKey="):
        for place in each(data, start):
            azure = compiled(rb"[A-Za-z0-9+/]{42,86}={1,2}")
            account = azure.match(data, place + len(start))
            if account and is_key(account[0], mixed=True):
                yield Hit("Azure key", account.start(), account[0])
