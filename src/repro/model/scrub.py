"""Secrets taken out of what a program printed, or a person wrote."""

from collections.abc import Iterable, Sequence

from repro.model.marking import Marker
from repro.model.secretlike import compiled, is_password, is_random
from repro.model.secretscan import find_hits

_AT_ONCE = 4 << 20  # bytes that are searched together, cut between lines
_SHORTEST = 8  # of a value that is taken out wherever it is: a shorter one may be a word
_PRIVATE = b"-----BEGIN "


def scrub(text: bytes, marker: Marker) -> bytes:
    """Give a text with keys and passwords replaced by their marks.

    Cost: a second for 30 MB.
    """
    if len(text) <= _AT_ONCE:
        return _scrub(text, marker)
    parts = []
    done = 0
    while done < len(text):
        end = text.rfind(b"\n", done, done + _AT_ONCE) + 1 or min(done + _AT_ONCE, len(text))
        parts.append(_scrub(text[done:end], marker))
        done = end
    return b"".join(parts)


def _scrub(text: bytes, marker: Marker) -> bytes:
    while True:
        # Again until there is none: a search stops at some number of them.
        spans = [
            (hit.start, hit.start + _extent(text, hit.start, hit.secret), hit.secret)
            for hit in find_hits(text, is_text=True, plain=False)
        ]
        if not spans:
            return text
        parts = []
        done = 0
        for start, end, secret in sorted(spans):
            if start >= done:
                parts += [text[done:start], _mark(secret, marker)]
                done = end
        text = b"".join([*parts, text[done:]])


def _extent(text: bytes, start: int, secret: bytes) -> int:
    """How many bytes a secret takes up: of a private key all of its block."""
    if not text.startswith(_PRIVATE, start):
        return len(secret)
    end = compiled(rb"-----END [A-Z0-9 ]{0,40}-----").search(text, start, start + (32 << 10))
    return (end.end() if end else min(len(text), start + (16 << 10))) - start


def _mark(secret: bytes, marker: Marker) -> bytes:
    return marker.mark(secret.decode(errors="surrogateescape")).encode()


def scrub_text(text: str, marker: Marker) -> str:
    """The same of a text, such as a note."""
    return scrub(text.encode(errors="surrogateescape"), marker).decode(errors="surrogateescape")


def scrub_values(text: bytes, values: Iterable[str], marker: Marker) -> bytes:
    """Give a text with these very secrets replaced by their marks, the longest first.

    Args:
        values: Those that could be a word, such as short ones, stay.
    """
    for value in _worth(values):
        raw = value.encode(errors="surrogateescape")
        if raw in text:
            text = text.replace(raw, _mark(raw, marker))
    return text


def _worth(values: Iterable[str]) -> Sequence[str]:
    known = {value for value in values if len(value) >= _SHORTEST and not value.startswith("/")}
    worth = (value for value in known if _is_secret(value.encode(errors="replace")))
    return sorted(worth, key=lambda value: (-len(value), value))


def _is_secret(value: bytes) -> bool:
    return is_password(value) or is_random(value)
