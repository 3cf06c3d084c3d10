"""What package indexes offer: the versions of a distribution, asked over HTTP or in folders."""

import base64
import hashlib
import json
import netrc
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from repro.atomic import write_file
from repro.errors import RemoteError, StorageError
from repro.model.canonical import Json
from repro.model.distfiles import DistFile, Target, fits, has_other_platform, parse_filename
from repro.model.secrets import redact_url
from repro.model.versions import allows_python, is_same_version, parse_version
from repro.store.index_settings import IndexSettings, read_index_settings
from repro.store.packages import normalise_name
from repro.store.target import make_target as make_target
from repro.store.target import own_target as own_target

_TIMEOUT_S = 10.0  # for each part of an answer to arrive
_WHOLE_S = 30.0  # for all of it
_LARGEST = 64 << 20  # bytes of an answer; the longest of PyPI has 10 MB
_FRESH_S = 3600.0  # a kept answer counts as long
_ABSENT = {404, 410}
_MOST_FAILURES = 3  # to get any answer, before an index is asked no more
# Source: PEP 691, "JSON-based Simple API for Python Package Indexes", 2022.
_ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.01"
)


@dataclass(frozen=True, slots=True)
class Release:
    """One version on an index.

    Attributes:
        is_yanked: Withdrawn by its maker: all its files are.
        has_fitting_file: A source distribution, or a wheel for this interpreter and machine.
        is_foreign: All its files are wheels for other systems or machines.
    """

    version: str
    is_yanked: bool
    has_fitting_file: bool
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class _Listed:
    """A file as an index lists it."""

    filename: str
    is_yanked: bool
    requires_python: str


class PackageIndex:
    """The indexes that a user has set, asked as one; safe to use from several threads."""

    def __init__(
        self,
        settings: IndexSettings,
        cache: Path,
        *,
        target: Target,
        home: str | None,
        now: float | None,
    ) -> None:
        self.settings = settings
        self.target = target
        self._cache = cache
        self._home = home
        self._now = now
        self._failures: dict[str, list[RemoteError]] = {}
        context = ssl.create_default_context(cafile=settings.cert)
        handler = urllib.request.HTTPSHandler(context=context)
        self._opener = urllib.request.build_opener(handler)

    def releases(self, name: str, *, wanted: str | None = None) -> tuple[Release, ...] | None:
        """Give the versions of a distribution, oldest first; None where no index knows it.

        Args:
            name: In any spelling.
            wanted: A version whose files decide: when one index offers it, it matters no more
                that another one does not answer.

        Raises:
            RemoteError: An index cannot be asked, so that what is not offered may be there.

        Cost: A request to each index; none where it was asked within the hour.
        """
        name = normalise_name(name)
        places = [(url, False) for url in self.settings.indexes]
        places += [(url, True) for url in self.settings.find_links]
        found: list[_Listed] = []
        failed: RemoteError | None = None
        for url, is_page in places:
            try:
                found += self._ask(url, name, is_page=is_page) or ()
            except RemoteError as error:
                failed = failed or error
        releases = self._releases(name, found)
        if failed is not None and not _offers(releases, wanted):
            raise failed
        return releases or None

    def _releases(self, name: str, listed: list[_Listed]) -> tuple[Release, ...]:
        by_version: dict[str, list[tuple[_Listed, DistFile]]] = {}
        for one in listed:
            file = parse_filename(one.filename, name)
            if file is not None:
                by_version.setdefault(file.version, []).append((one, file))
        releases = [
            Release(
                version,
                all(one.is_yanked for one, _ in files),
                any(self._fits(one, file) for one, file in files),
                has_other_platform([file for _, file in files], self.target),
            )
            for version, files in by_version.items()
        ]
        return tuple(sorted(releases, key=lambda one: (parse_version(one.version), one.version)))

    def _fits(self, one: _Listed, file: DistFile) -> bool:
        return fits(file, self.target) and allows_python(one.requires_python, self.target.version)

    def _ask(self, url: str, name: str, *, is_page: bool) -> list[_Listed] | None:
        parts = urlsplit(url)
        if parts.scheme in ("", "file"):
            folder = Path(unquote(parts.path) if parts.scheme else url)
            return _read_folder(folder if is_page else folder / name)
        if parts.scheme not in ("http", "https"):
            raise RemoteError(f"the package index `{redact_url(url)}` has no URL that can be asked")
        page = url if is_page else f"{url.rstrip('/')}/{name}/"
        kept = self._cache / hashlib.sha256(page.encode()).hexdigest()
        listed = self._recall(kept)
        if listed is None:
            failures = self._failures.setdefault(parts.netloc, [])
            if len(failures) >= _MOST_FAILURES:  # it is not there: who asks for many is not kept
                raise failures[-1]
            listed = self._request(page, failures, index=redact_url(url))
            self._remember(kept, listed)
        return listed

    def _request(self, page: str, failures: list[RemoteError], *, index: str) -> list[_Listed]:
        """What a page lists; nothing where there is no such page."""
        parts = urlsplit(page)
        shown = redact_url(page)
        request = urllib.request.Request(_bare(parts), headers={"Accept": _ACCEPT})  # noqa: S310
        login = self._login(parts)
        if login is not None:  # never sent on to where a redirection leads
            request.add_unredirected_header("Authorization", login)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                data = _read_all(answer)
                kind, final = answer.headers.get_content_type(), answer.url
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _ABSENT:
                return []
            raise RemoteError(
                f"the package index refuses `{shown}`: {error.code} {error.reason}",
                hint="set its login in the URL or in `~/.netrc`, as for pip",
            ) from error
        except (OSError, ValueError, urllib.error.URLError) as error:
            reason = getattr(error, "reason", None) or error
            failures.append(
                RemoteError(
                    f"the package index `{index}` does not answer: {reason}",
                    hint="look at the network and at the index that pip or uv is set to",
                )
            )
            raise failures[-1] from error
        listed = _parse_json(data) if kind.endswith("json") else _parse_html(data, final)
        if listed is None:
            raise RemoteError(f"the package index answers nonsense at `{shown}`")
        return listed

    def _login(self, parts: SplitResult) -> str | None:
        if parts.username is not None:
            user, password = unquote(parts.username), unquote(parts.password or "")
        else:
            found = _read_netrc(self._home, parts.hostname or "")
            if found is None:
                return None
            user, password = found
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def _recall(self, place: Path) -> list[_Listed] | None:
        if self._now is None:
            return None
        try:
            if not 0 <= self._now - place.stat().st_mtime < _FRESH_S:
                return None
            return [
                _Listed(str(a), b is True, str(c)) for a, b, c in json.loads(place.read_bytes())
            ]
        except (OSError, ValueError, TypeError):
            return None

    def _remember(self, place: Path, listed: list[_Listed]) -> None:
        rows = [[one.filename, one.is_yanked, one.requires_python] for one in listed]
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_file(place, json.dumps(rows).encode())
        except (OSError, StorageError):
            pass  # it is asked again the next time


def open_index(
    environ: Mapping[str, str],
    cache_dir: Path,
    *,
    target: Target | None = None,
    now: float | None = None,
) -> PackageIndex:
    """Give the indexes that pip or uv is set to.

    Args:
        cache_dir: Where answers are kept for an hour, by the hash of their address.
        target: The interpreter that files must fit; by default the one that runs this.
        now: Seconds since 1970, which tell how old an answer is; None believes no kept one.

    Raises:
        RemoteError: The file of certificates that is set cannot be read.
    """
    settings = read_index_settings(environ)
    try:
        return PackageIndex(
            settings, cache_dir, target=target or own_target(), home=environ.get("HOME"), now=now
        )
    except OSError as error:
        raise RemoteError(
            f"the certificates in `{settings.cert}` cannot be read: {error.strerror}",
            hint="mend SSL_CERT_FILE, or `cert` in pip's settings",
        ) from error


def _offers(releases: tuple[Release, ...], wanted: str | None) -> bool:
    return wanted is not None and any(
        one.has_fitting_file and is_same_version(one.version, wanted) for one in releases
    )


def _bare(parts: SplitResult) -> str:
    """A URL without its login."""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _read_netrc(home: str | None, host: str) -> tuple[str, str] | None:
    try:
        found = netrc.netrc(str(Path(home or "/", ".netrc"))).authenticators(host)
    except (OSError, netrc.NetrcParseError, ValueError):
        return None
    return (found[0], found[2] or "") if found else None


def _read_all(answer: IO[bytes]) -> bytes:
    end = time.monotonic() + _WHOLE_S
    pieces: list[bytes] = []
    size = 0
    while piece := answer.read(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > _LARGEST:
            raise ValueError(f"the answer is longer than {_LARGEST:,} bytes")
        if time.monotonic() > end:
            raise ValueError(f"the answer takes longer than {_WHOLE_S:g} s")
    return b"".join(pieces)


def _read_folder(folder: Path) -> list[_Listed] | None:
    """The files of a local index or of a find-links folder, or what its page links to."""
    for page in (folder / "index.html", folder):
        if page.is_file():
            try:
                return _parse_html(page.read_bytes(), page.as_uri())
            except OSError:
                return None
    try:
        return [_Listed(path.name, False, "") for path in folder.iterdir()]
    except OSError:
        return None


def _parse_json(data: bytes) -> list[_Listed] | None:
    try:
        files: Json = json.loads(data)["files"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    if not isinstance(files, list):
        return None
    return [
        _Listed(
            str(file.get("filename", "")),
            file.get("yanked") not in (None, False),
            str(file.get("requires-python") or ""),
        )
        for file in files
        if isinstance(file, dict)
    ]


def _parse_html(data: bytes, url: str) -> list[_Listed] | None:
    parser = _Links()
    parser.feed(data.decode(errors="replace"))
    return [
        _Listed(unquote(urlsplit(urljoin(url, href)).path.rpartition("/")[2]), is_yanked, requires)
        for href, is_yanked, requires in parser.links
    ]


class _Links(HTMLParser):
    """The links of a page. Source: PEP 503; PEP 592 for `data-yanked`."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, bool, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        href = found.get("href")
        if tag == "a" and href:
            requires = found.get("data-requires-python") or ""
            self.links.append((href, "data-yanked" in found, requires))
