"""Run ids: 12 characters of Crockford base32 in lower case, the first a letter (FORMAT.md F2)."""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NewType

RunId = NewType("RunId", str)

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
SHORTEST = 6  # shown

PATTERN = "[a-hjkmnp-tv-z][0-9a-hjkmnp-tv-z]{11}"  # what an id matches
_ID = re.compile(PATTERN + r"\Z")
_PREFIX = re.compile(r"[a-hjkmnp-tv-z][0-9a-hjkmnp-tv-z]{3,11}\Z")


def new_id(entropy: Callable[[int], bytes]) -> RunId:
    """Draw an id of 60 bits, less the part that makes its first character a letter.

    Args:
        entropy: Gives that many random bytes.
    """
    while True:
        bits = int.from_bytes(entropy(8), "big") >> 4
        text = "".join(ALPHABET[bits >> shift & 31] for shift in range(55, -5, -5))
        if text[0].isalpha():
            return RunId(text)


def is_id(text: str) -> bool:
    """Whether `text` is a whole run id."""
    return _ID.match(text) is not None


def is_id_prefix(text: str) -> bool:
    """Whether `text` could be the first four or more characters of a run id."""
    return _PREFIX.match(text) is not None


def shorten_ids(ids: Iterable[str]) -> dict[str, str]:
    """Map each id to its shortest prefix, of at least six characters, that no other one has."""
    ordered = sorted(set(ids))
    needed = dict.fromkeys(ordered, SHORTEST)
    for before, after in pairwise(ordered):
        common = 0
        while before[common] == after[common]:
            common += 1
        needed[before] = max(needed[before], common + 1)
        needed[after] = max(needed[after], common + 1)
    return {run_id: run_id[:length] for run_id, length in needed.items()}
