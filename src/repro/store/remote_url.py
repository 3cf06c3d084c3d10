"""The URL of a remote store, taken apart so that nothing secret in it is ever shown."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from repro.errors import InvalidInputError
from repro.model.marking import BARE
from repro.model.secrets import redact_text
from repro.model.text import escape

SCHEMES = ("s3", "gs", "gcs", "ssh", "sftp", "http", "https")

_HOST = re.compile(r"[A-Za-z0-9_.-]+\Z|\[[0-9A-Fa-f:.]+\]\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z")
_BUCKETS = ("s3", "gs", "gcs")
_SHELLS = ("ssh", "sftp")  # in their URLs a user name is no secret


@dataclass(frozen=True, slots=True)
class Location:
    """A URL taken apart.

    Attributes:
        host: The bucket, where the scheme has buckets.
        path: Without a slash at either end.
    """

    scheme: str
    user: str | None
    password: str | None
    host: str
    port: int | None
    path: str

    @property
    def label(self) -> str:
        """The URL without what is secret in it."""
        user = f"{self.user}@" if self.user and self.scheme in _SHELLS else ""
        return f"{self.scheme}://{user}{self.origin}/{self.path}".rstrip("/")

    @property
    def origin(self) -> str:
        """Host and port, as in a URL."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def clean(self, text: str) -> str:
        """A text of a driver, fit to be shown."""
        for secret in (self.password, self.user if self.scheme not in _SHELLS else None):
            if secret:
                text = text.replace(secret, BARE)
        return escape(redact_text(text))


def parse_location(url: str) -> Location:
    """Take the URL of a remote store apart.

    Raises:
        InvalidInputError: It has no host or bucket, or parts that do not belong there. No part
            of it is told, for a password in the wrong place would be told too.
    """
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    userinfo, _, place = authority.rpartition("@")
    user, colon, password = userinfo.partition(":")
    host, port = place, ""
    if not place.endswith("]"):
        host, _, port = place.partition(":")
    scheme = scheme.lower()
    if not _HOST.match(host) or (port and not _PORT.match(port)):
        raise _wrong(scheme, "no host or bucket stands where it should")
    if port and scheme in _BUCKETS:
        raise _wrong(scheme, "a bucket has no port")
    if scheme in ("http", "https") and ("?" in path or "#" in path):
        raise _wrong(scheme, "a folder of a web server has no `?` and no `#`")
    return Location(
        scheme=scheme,
        user=unquote(user) if user else None,
        password=unquote(password) if colon else None,
        host=host,
        port=int(port) if port else None,
        path=path.strip("/"),
    )


def _wrong(scheme: str, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"`store` is no {scheme}:// URL: {reason}", hint=f"`{scheme}://HOST-OR-BUCKET/PREFIX`"
    )
