"""Which package indexes the user has set, for pip or for uv."""

import configparser
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PYPI = "https://pypi.org/simple"

_SECTIONS = ("global", "install")
_KEYS = ("index-url", "extra-index-url", "find-links", "no-index", "cert")
_TRUE = {"1", "true", "yes", "on"}


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Where packages come from. The URLs may hold credentials: they are never shown.

    Attributes:
        indexes: URLs of simple indexes, the main one first; empty with `no-index`.
        find_links: Folders, or URLs of pages, that link to files.
        cert: File of certificates to trust, None for the usual ones.
    """

    indexes: tuple[str, ...]
    find_links: tuple[str, ...]
    cert: str | None = None


def read_index_settings(environ: Mapping[str, str]) -> IndexSettings:
    """Give the indexes that variables of uv, variables of pip, and pip's files set, in this order.

    uv alone reads neither pip's variables nor its files; a user who set an index once means it.

    Cost: A look for six small files.

    Source: pip documentation, "Configuration"; uv documentation, "Environment variables".
    """
    pip = _pip_settings(environ)
    main = _first(environ, "UV_DEFAULT_INDEX", "UV_INDEX_URL") or pip["index-url"] or PYPI
    more = [_named(word) for word in environ.get("UV_INDEX", "").split()]
    more += environ.get("UV_EXTRA_INDEX_URL", "").split() or pip["extra-index-url"].split()
    links = re.split(r"[\s,]+", environ.get("UV_FIND_LINKS", ""))
    links += pip["find-links"].split()
    is_off = pip["no-index"].lower() in _TRUE or environ.get("UV_NO_INDEX", "").lower() in _TRUE
    indexes = () if is_off else tuple(dict.fromkeys([_named(main), *more]))
    cert = environ.get("SSL_CERT_FILE") or pip["cert"] or None
    return IndexSettings(indexes, tuple(dict.fromkeys(filter(None, links))), cert)


def _named(text: str) -> str:
    """The URL of uv's `name=URL`."""
    match = re.match(r"[A-Za-z0-9._-]+=", text)
    return text[match.end() :] if match else text


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    settings = dict.fromkeys(_KEYS, "")
    for path in _pip_files(environ):
        settings |= _read_pip_file(path)
    for key in _KEYS:
        value = environ.get(f"PIP_{key.upper().replace('-', '_')}")
        if value:
            settings[key] = value
    return settings


def _pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """From the weakest to the strongest."""
    only = environ.get("PIP_CONFIG_FILE")
    if only == "/dev/null":
        return
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    home = environ.get("HOME")
    if home:
        yield Path(home, ".pip", "pip.conf")
        yield Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip", "pip.conf")
    for variable in ("CONDA_PREFIX", "VIRTUAL_ENV"):
        if environ.get(variable):
            yield Path(environ[variable], "pip.conf")
    if only:
        yield Path(only)


def _read_pip_file(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return {}
    found = {}
    for section in _SECTIONS:
        for key in _KEYS:
            if parser.has_option(section, key):
                found[key] = parser.get(section, key)
    return found
