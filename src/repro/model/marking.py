"""Marks that stand for a secret: equal for equal secrets in one clone, and a riddle elsewhere."""

from dataclasses import dataclass, field

MARK = r"<redacted(?::[0-9a-f]{8})?>"  # older records have it bare
BARE = "<redacted>"


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
        return f"<redacted:{self.fingerprint(secret.encode(errors='surrogateescape'))[:8]}>"

    def fingerprint(self, secret: bytes) -> str:
        """16 hex digits that tell this secret from others in this clone, and begin its mark.

        Source: HMAC-SHA256, RFC 2104.
        """
        # Here, for most runs have no secret to mark.
        import hashlib  # noqa: PLC0415
        import hmac  # noqa: PLC0415

        return hmac.new(self.key, secret, hashlib.sha256).hexdigest()[:16]
