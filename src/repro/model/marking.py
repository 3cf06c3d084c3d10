"""Marks that stand for a secret: equal for equal secrets in one clone, and a riddle elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from repro.model.canonical import Json

BARE = "<redacted>"
# Older records have it bare, and what is compared across clones, such as URLs of packages.
MARK = r"<redacted(?::[0-9a-f]{8})?>"
_STARTS = "<redacted"


def is_marked(text: str) -> bool:
    """Whether a secret was taken out of a text."""
    return _STARTS in text and re.search(MARK, text) is not None


def without_keys(value: Json) -> Json:
    """The value as every clone would have it: each mark in it bare."""
    if isinstance(value, str):
        return re.sub(MARK, BARE, value) if _STARTS in value else value
    if isinstance(value, Mapping):
        return {key: without_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_keys(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Marker:
    """Gives the marks of one clone.

    Attributes:
        key: Random bytes that never leave the clone; empty where there is none.
    """

    key: bytes = field(default=b"", repr=False)

    def mark(self, secret: str) -> str:
        """What a record has in the place of `secret`: `<redacted:` and 8 hex digits, `>`.

        Without a key there are no digits: whoever has a hash without a key can guess a password.
        """
        if not self.key:
            return BARE
        if _STARTS in secret and re.fullmatch(MARK, secret):  # what was marked before stays
            return secret
        return f"<redacted:{self.fingerprint(secret.encode(errors='surrogateescape'))[:8]}>"

    def fingerprint(self, secret: bytes) -> str:
        """16 hex digits that tell this secret from others in this clone, and begin its mark.

        Where the clone has no key they do so in this process only.

        Source: HMAC-SHA256, RFC 2104.
        """
        # Here, for most runs have no secret to mark.
        import hashlib  # noqa: PLC0415
        import hmac  # noqa: PLC0415

        return hmac.new(self.key or _fleeting_key(), secret, hashlib.sha256).hexdigest()[:16]


@cache
def _fleeting_key() -> bytes:
    # A hash that anybody can make again would tell a short password to whoever reads a message.
    import secrets  # noqa: PLC0415  # as above

    return secrets.token_bytes(32)


UNKEYED = Marker()
