"""How likely a word is a secret."""

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

NEAR = 600  # bytes around a name in which its value is looked for
PLACEHOLDER = (
    rb"(?i)example|sample|placeholder|dummy|fake|change[-_ ]?(?:me|it)|your|my[-_]?(?:api|key|tok"
    rb"|secret|pass)|xxx|\*\*\*|\.\.\.|todo|redacted|insert|replace"
    rb"|(?:test|some|super|top|the)[-_ ]?(?:secret|token|pass|key|pw)|p[a@4][s5$]{2}[-_]?w[o0]?r?d"
    rb"|secret(?:[-_]?key)?\Z|<|>|\$|\{|%[(s]|deadbeef|0123456|1234567|abcdef"
    rb"|qwerty|foobar|lorem|not[-_ ]?a[-_ ]|none|null|undefined"
)
# In a key that a service gave out any letters can come together by chance; these cannot.
NO_KEY = (
    rb"(?i)example|placeholder|your|xxxx|\*\*\*|\.\.\.|redacted|change_?me|0{9}|1234567890"
    rb"|abcdefghij|fake|dummy"
)
WORD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


class Hit(NamedTuple):
    """A secret, and where in the bytes it starts."""

    rule: str
    start: int
    secret: bytes


def each(data: bytes, word: bytes) -> Iterator[int]:
    """Where `word` is, from left to right, without overlaps."""
    place = data.find(word)
    while place >= 0:
        yield place
        place = data.find(word, place + len(word))


@cache
def compiled(pattern: bytes) -> re.Pattern[bytes]:
    """A pattern, compiled when it is first needed: all of them take 20 ms."""
    return re.compile(pattern)


def is_key(secret: bytes, *, mixed: bool) -> bool:
    """Whether what has the shape of a key was given out, and not made up for a text.

    Args:
        mixed: Whether words that begin alike are told apart by digits in them.
    """
    if mixed and (sum(48 <= letter < 58 for letter in secret) < 2 or bits(secret) < 3.3):
        return False
    return compiled(NO_KEY).search(secret) is None and len(set(secret)) >= 8


def bits(word: bytes) -> float:
    """Entropy of the letters of a word, in bits a letter.

    Source: C. E. Shannon, "A Mathematical Theory of Communication", 1948.
    """
    shares = [word.count(letter) / len(word) for letter in set(word)]
    return -sum(share * math.log2(share) for share in shares)


def is_password(value: bytes) -> bool:
    """Whether a person or a machine made this up for nobody to guess."""
    if compiled(PLACEHOLDER).search(value) is not None or len(value) < 6:
        return False
    kinds = [re.search(kind, value) for kind in (rb"[0-9]", rb"[a-z]", rb"[A-Z]", rb"[^\w.\-/]")]
    count = sum(kind is not None for kind in kinds)
    if len(value) >= 16:
        return is_random(value)
    return (
        count >= 2
        and kinds[0] is not None
        and len(set(value)) >= 6
        and (count >= 3 or bits(value) >= 2.8)
    )


def is_random(value: bytes) -> bool:
    """Whether a machine made a value up: of letters and digits that do not repeat."""
    digits = sum(48 <= letter < 58 for letter in value)
    letters = sum(chr(letter).isalpha() for letter in value)
    return digits >= 2 and letters >= 2 and bits(value) >= 3.2
