"""What the errors of drivers mean: of one object, or of a whole remote store."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from repro.errors import RemoteError, ReproError
from repro.store.arrival import ObjectError, StoppedError
from repro.store.remote_url import Location

# What no other object would get past either, by the names of the kinds that drivers raise.
_HOPELESS = {
    "AuthenticationException",
    "BadHostKeyException",
    "ClientConnectorError",
    "ConnectTimeoutError",
    "ConnectionRefusedError",
    "DefaultCredentialsError",
    "EndpointConnectionError",
    "InvalidURL",
    "NoCredentialsError",
    "NoValidConnectionsError",
    "PartialCredentialsError",
    "PermissionError",
    "ProfileNotFound",
    "SSHException",
    "gaierror",
}
# The same, by what S3 calls it.
_HOPELESS_CODES = {"NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed"}
_HOPELESS_ERRNOS = {
    errno.EDQUOT,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ENOSPC,
    errno.EROFS,
}
_SILENCE = {"TimeoutError", "ReadTimeoutError"}
_LONGEST = 300  # characters of what a driver says


def silence_loggers() -> None:
    """Keep drivers from writing to the terminal, with tracebacks, what is raised as well."""
    for name in ("paramiko", "asyncio", "fsspec", "s3fs", "gcsfs", "google"):
        logging.getLogger(name).addHandler(logging.NullHandler())


@contextmanager
def speaking(where: Location, silence_s: float) -> Iterator[None]:
    """Turn whatever a driver raises into words, without credentials.

    Raises:
        ObjectError: It is of this object, or may be of this attempt only.
        RemoteError: No other object would fare better.
    """
    try:
        yield
    except (ObjectError, ReproError, StoppedError):
        raise
    except Exception as error:
        words = _words(error, where, silence_s)
        if not _is_hopeless(error):
            raise ObjectError(f"`{where.label}`: {words}") from error
        raise RemoteError(
            f"`{where.label}` cannot be used: {words}",
            hint="mend the address, the network or the permissions, then run the command again",
        ) from error


def is_missing(error: OSError) -> bool:
    """Whether it says that there is no such object, in a store that there is."""
    return isinstance(error, FileNotFoundError) and _code(error) not in _HOPELESS_CODES


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _kinds(error: BaseException) -> set[str]:
    return {kind.__name__ for one in _chain(error) for kind in type(one).__mro__}


def _code(error: BaseException) -> str | None:
    """What S3 calls the error."""
    for one in _chain(error):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code"))
    return None


def _is_hopeless(error: BaseException) -> bool:
    if not _HOPELESS.isdisjoint(_kinds(error)) or _code(error) in _HOPELESS_CODES:
        return True
    return isinstance(error, OSError) and error.errno in _HOPELESS_ERRNOS


def _words(error: BaseException, where: Location, silence_s: float) -> str:
    kinds = _kinds(error)
    if not _SILENCE.isdisjoint(kinds):
        return f"it gave no answer for {silence_s:g} seconds"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return where.clean(" ".join(text.split())[:_LONGEST]).rstrip(".") or type(error).__name__
