"""Buckets and servers, through fsspec: the one module that knows it.

fsspec and its drivers are imported when a remote is opened, for they take up to a second.
"""

import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import local
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from repro.errors import InvalidInputError, RemoteError
from repro.store.arrival import BLOCK, ObjectError, Report, Wanted
from repro.store.remote_faults import is_missing, silence_loggers, speaking
from repro.store.remote_url import Location, parse_location

_EXTRAS = {"gcs": "gs", "sftp": "ssh", "https": "http"}
_ONE_REQUEST = 16 << 20  # bytes that are sent at once, and not in parts
_PART = 32 << 20
_MOST_PARTS = 9_000  # S3 and its like take 10,000
_CONNECT_S = 10.0
_TRIES = 4
_AHEAD = 64  # blocks of 32 KiB that are asked for before the first has come
_MOST_REDIRECTS = 5
_NO_OBJECT = {404, 410}


def open_place(url: str, *, silence_s: float) -> "FsspecPlace":
    """Give the place that a URL with one of `SCHEMES` names; nothing is asked of it yet.

    Raises:
        InvalidInputError: The URL is wrong, or its driver is not installed.
    """
    where = parse_location(url)
    kinds = {"s3": _S3, "gs": _Gcs, "gcs": _Gcs, "ssh": _Sftp, "sftp": _Sftp}
    kind = kinds.get(where.scheme, _Web)
    try:
        return kind(where, silence_s)
    except ImportError as error:
        extra = _EXTRAS.get(where.scheme, where.scheme)
        raise InvalidInputError(
            f"the driver for {where.scheme}:// is not installed",
            hint=f"`pip install 'git-repro[{extra}]'`",
        ) from error


class FsspecPlace:
    """What all of fsspec's file systems have in common.

    Attributes:
        label: The URL without credentials.
    """

    n_parallel = 8
    is_writable = True

    def __init__(self, where: Location, silence_s: float) -> None:
        self.label = where.label
        self._where = where
        self._silence_s = silence_s
        silence_loggers()
        self._prepare()

    def _prepare(self) -> None:
        raise NotImplementedError

    def size(self, one: Wanted) -> int | None:
        """See `Place`."""
        with speaking(self._where, self._silence_s):
            try:
                return self._size(one)
            except OSError as error:
                if is_missing(error):
                    return None
                raise

    def read(self, one: Wanted, offset: int) -> Iterator[bytes]:
        """See `Place`."""
        with speaking(self._where, self._silence_s):
            try:
                yield from self._read(one, offset)
            except OSError as error:
                if is_missing(error):
                    raise ObjectError(f"`{self.label}` does not have it") from error
                raise

    def write(self, one: Wanted, source: IO[bytes], report: Report) -> None:
        """See `Place`."""
        if not self.is_writable:
            raise RemoteError(
                f"`{self.label}` is read-only: a web server only gives",
                hint="set `store` in repro.yaml to the place where its files lie, to send to it",
            )
        with speaking(self._where, self._silence_s):
            try:
                self._write(one, source, report)
            except FileNotFoundError as error:
                raise RemoteError(
                    f"`{self.label}` cannot be used: there is no such bucket or folder",
                    hint="make it, or mend `store` in repro.yaml",
                ) from error

    def _path(self, one: Wanted) -> str:
        return "/".join(filter(None, (self._where.host, self._where.path, one.key)))

    def _size(self, one: Wanted) -> int:
        raise NotImplementedError

    def _read(self, one: Wanted, offset: int) -> Iterator[bytes]:
        raise NotImplementedError

    def _write(self, one: Wanted, source: IO[bytes], report: Report) -> None:
        raise NotImplementedError


def _filesystem(protocol: str, **options: Any) -> Any:
    """A file system of its own, which remembers no listing of an earlier one."""
    import fsspec  # noqa: PLC0415  70 ms, only for those who have a remote store

    return fsspec.filesystem(
        protocol, skip_instance_cache=True, use_listings_cache=False, **options
    )


def _wait(fs: Any, function: Callable[..., Any], *args: Any, timeout: float, **kwargs: Any) -> Any:
    """The result of an asynchronous function of the driver's."""
    from fsspec.asyn import sync  # noqa: PLC0415  likewise

    return sync(fs.loop, function, *args, timeout=timeout, **kwargs)


class _Bucket(FsspecPlace):
    """What is put there appears whole or not at all, by the store's own promise."""

    _fs: Any

    def _write(self, one: Wanted, source: IO[bytes], report: Report) -> None:
        path = self._path(one)
        if one.size <= _ONE_REQUEST:
            report(0)
            self._fs.pipe_file(path, source.read(one.size))
            report(one.size)
            return
        part = max(_PART, -(-one.size // _MOST_PARTS))
        file = self._fs.open(path, "wb", block_size=part, autocommit=False)
        try:
            while block := source.read(BLOCK):
                file.write(block)
                report(len(block))
            file.close()
            file.commit()
        except BaseException:
            # Closing it, which its end would do, makes an object of what there is.
            file.closed = True
            with suppress(Exception):
                file.discard()
            raise


class _S3(_Bucket):
    def _prepare(self) -> None:
        timeouts = {"connect_timeout": min(_CONNECT_S, self._silence_s)}
        config = {**timeouts, "read_timeout": self._silence_s, "retries": {"max_attempts": 1}}
        keys = {"key": self._where.user, "secret": self._where.password}
        given = {name: value for name, value in keys.items() if value}
        self._fs = _filesystem("s3", config_kwargs=config, **given)
        self._fs.retries = _TRIES

    def _size(self, one: Wanted) -> int:
        bucket, _, key = self._path(one).partition("/")
        return int(self._fs.call_s3("head_object", Bucket=bucket, Key=key)["ContentLength"])

    def _read(self, one: Wanted, offset: int) -> Iterator[bytes]:
        bucket, _, key = self._path(one).partition("/")
        span = {"Range": f"bytes={offset}-"} if offset else {}
        answer = self._fs.call_s3("get_object", Bucket=bucket, Key=key, **span)
        body = answer["Body"]
        try:
            has_span = answer["ResponseMetadata"]["HTTPStatusCode"] == 206
            blocks = iter(lambda: _wait(self._fs, body.read, BLOCK, timeout=self._silence_s), b"")
            yield from blocks if has_span else _behind(blocks, offset)
        finally:
            self._fs.loop.call_soon_threadsafe(body.close)


class _Gcs(_Bucket):
    def _prepare(self) -> None:
        self._fs = _filesystem("gs")

    def _size(self, one: Wanted) -> int:
        return int(self._fs.info(self._path(one))["size"])

    def _read(self, one: Wanted, offset: int) -> Iterator[bytes]:
        # One byte more tells whether there are more.
        while offset <= one.size:
            end = min(offset + 8 * BLOCK, one.size + 1)
            block = self._fs.cat_file(self._path(one), start=offset, end=end)
            if not block:
                return
            yield block
            offset += len(block)


def _behind(blocks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    """The blocks of a server that sends everything, whatever it was asked for."""
    for block in blocks:
        yield block[offset:] if offset < len(block) else b""
        offset = max(0, offset - len(block))


class _Sftp(FsspecPlace):
    n_parallel = 4  # connections; a server refuses too many at once

    def _prepare(self) -> None:
        import fsspec.implementations.sftp  # noqa: F401, PLC0415  paramiko may be missing

        self._threads = local()

    @property
    def _fs(self) -> Any:
        """The connection of this thread: one connection is for one thread."""
        if not hasattr(self._threads, "fs"):
            self._threads.fs = _connect(self._where, self._silence_s)
        return self._threads.fs

    def _path(self, one: Wanted) -> str:
        # As in git, `/~/` is the home folder of the user there.
        prefix = f"/{self._where.path}".removeprefix("/~/")
        return f"{prefix.rstrip('/')}/{one.key}"

    def _size(self, one: Wanted) -> int:
        return int(self._fs.ftp.stat(self._path(one)).st_size)

    def _read(self, one: Wanted, offset: int) -> Iterator[bytes]:
        with self._fs.open(self._path(one), "rb") as file:
            file.seek(offset)
            file.prefetch(one.size + 1, _AHEAD)
            yield from iter(lambda: file.read(BLOCK), b"")

    def _write(self, one: Wanted, source: IO[bytes], report: Report) -> None:
        path = self._path(one)
        incoming = f"{path.rsplit('/', 3)[0]}/incoming"
        temporary = f"{incoming}/{os.urandom(16).hex()}"
        for folder in (incoming, path.rpartition("/")[0]):
            self._make(folder)
        try:
            with self._fs.open(temporary, "wb") as file:
                file.set_pipelined(True)
                while block := source.read(BLOCK):
                    file.write(block)
                    report(len(block))
            if self._fs.ftp.stat(temporary).st_size != one.size:
                raise ObjectError(f"`{self.label}` did not take all of its bytes")
            with suppress(OSError):  # not every server does that
                self._fs.ftp.chmod(temporary, 0o444)
            self._name(temporary, one)
        except BaseException:
            with suppress(Exception):
                self._fs.ftp.remove(temporary)
            raise

    def _make(self, folder: str) -> None:
        for attempt in range(_TRIES):
            try:
                self._fs.makedirs(folder, exist_ok=True)
            except OSError:  # others may be a step ahead, at this folder or at one above it
                if attempt == _TRIES - 1 and not self._fs.isdir(folder):
                    raise
            else:
                return

    def _name(self, temporary: str, one: Wanted) -> None:
        """Rename in the way that refuses to overwrite."""
        try:
            self._fs.ftp.rename(temporary, self._path(one))
        except OSError:
            if not self._fs.exists(self._path(one)):
                raise
            self._fs.ftp.remove(temporary)
            if self._size(one) != one.size:
                raise ObjectError(f"`{self.label}` holds another object under this name") from None


def _connect(where: Location, silence_s: float) -> Any:
    """A connection to a host whose key the user knows, set up as their ssh client does it."""
    import paramiko  # noqa: PLC0415  300 ms, only for those who use it
    from fsspec.implementations.sftp import SFTPFileSystem  # noqa: PLC0415  likewise

    class KnownHosts(SFTPFileSystem):  # type: ignore[misc]  # fsspec tells no types
        """fsspec's own takes any key, so anybody could stand in for the host."""

        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
            self.client.connect(self.host, **self.ssh_kwargs)
            self.ftp = self.client.open_sftp()
            self.ftp.get_channel().settimeout(silence_s)

    named = _client_config(paramiko, where.host)
    options = {
        "port": where.port or int(named.get("port", 22)),
        "username": where.user or named.get("user"),
        "password": where.password,
        "key_filename": named.get("identityfile"),
        **dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), silence_s),
    }
    return KnownHosts(named.get("hostname", where.host), skip_instance_cache=True, **options)


def _client_config(paramiko: Any, host: str) -> dict[str, Any]:
    try:
        return dict(paramiko.SSHConfig.from_path(Path.home() / ".ssh/config").lookup(host))
    except (OSError, paramiko.ConfigParseError):
        return {}


class _Web(FsspecPlace):
    """A folder that a web server shows."""

    is_writable = False

    def _prepare(self) -> None:
        import aiohttp  # noqa: PLC0415  200 ms, only for those who use it

        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._silence_s, sock_read=self._silence_s
        )
        options = {"timeout": timeout, "auto_decompress": False}
        self._fs = _filesystem("http", client_kwargs=options)

    def _path(self, one: Wanted) -> str:
        parts = (f"{self._where.scheme}://{self._where.origin}", self._where.path, one.key)
        return "/".join(filter(None, parts))

    def _size(self, one: Wanted) -> int:
        answer = self._ask("HEAD", self._path(one), 0)
        answer.release()
        return int(answer.headers.get("Content-Length", -1))

    def _read(self, one: Wanted, offset: int) -> Iterator[bytes]:
        answer = self._ask("GET", self._path(one), offset)
        try:
            read = answer.content.read
            blocks = iter(lambda: _wait(self._fs, read, BLOCK, timeout=self._silence_s), b"")
            yield from blocks if answer.status == 206 else _behind(blocks, offset)
        finally:
            self._fs.loop.call_soon_threadsafe(answer.close)

    def _ask(self, method: str, url: str, offset: int) -> Any:
        """The answer of the server, after redirects on itself; it is open still."""
        # Compressed bytes have another hash, and may be few that unpack to many.
        headers = {"Accept-Encoding": "identity"}
        if self._where.user is not None:
            login = f"{self._where.user}:{self._where.password or ''}"
            headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
        if offset:
            headers["Range"] = f"bytes={offset}-"
        session = _wait(self._fs, self._fs.set_session, timeout=self._silence_s)
        for _ in range(_MOST_REDIRECTS):
            answer = _wait(
                self._fs,
                session.request,
                method,
                url,
                headers=headers,
                allow_redirects=False,
                timeout=2 * self._silence_s,
            )
            if answer.status in (200, 206):
                return answer
            self._fs.loop.call_soon_threadsafe(answer.close)
            if answer.status not in (301, 302, 303, 307, 308):
                raise self._status(answer.status)
            url = self._redirected(url, answer.headers.get("Location", ""))
        raise ObjectError(f"`{self.label}` redirects in circles")

    def _redirected(self, url: str, location: str) -> str:
        """Where to go on; another host would get our credentials, or be one only we can reach."""
        target, host = "", "?"
        with suppress(ValueError):
            joined = urljoin(url, location)
            host = urlsplit(joined).netloc.rpartition("@")[2]
            target = joined if urlsplit(joined)[:2] == urlsplit(url)[:2] else ""
        if not target:
            raise RemoteError(
                f"`{self.label}` redirects to another server, `{self._where.clean(host[:200])}`",
                hint="set `store` in repro.yaml to that one if you trust it",
            )
        return target

    def _status(self, status: int) -> Exception:
        if status in _NO_OBJECT:
            return FileNotFoundError()
        if status in (401, 407):
            return PermissionError(0, f"it asks who you are ({status})")
        return ObjectError(f"`{self.label}` answers with status {status}")
