"""Which package indexes the installers of a user are set to ask."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from repro.model.canonical import Json
from repro.model.secrets import redact_url

_DEFAULT = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_EXTRA = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
_NAMED = re.compile(r"[A-Za-z0-9._-]+=(?=[A-Za-z][A-Za-z0-9+.-]*:)")  # uv: name=url
_SETTING = re.compile(
    r"^(index[-_]url|extra[-_]index[-_]url)[ \t]*[=:][ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE
)
_LARGEST = 1 << 16  # bytes read of a pip.conf


def read_indexes(*, prefix: str | None, environ: Mapping[str, str]) -> dict[str, Json] | None:
    """Give `default`, an URL or None, and `extra`, a list of URLs, without credentials.

    Variables of uv and pip win over the files `pip.conf`, as they do for pip. None where nobody
    set anything: then it is the public index.

    Args:
        prefix: Of the interpreter, whose `pip.conf` counts.
    """
    files = list(_read_settings(prefix, environ))
    default = next((environ[name] for name in _DEFAULT if environ.get(name)), None)
    extra = [word for name in _EXTRA for word in environ.get(name, "").split()]
    said = {"default": default, "extra": extra}
    for name, words in files:  # the most specific file comes first
        if name == "default" and said["default"] is None and words:
            said["default"] = words[0]
        elif name == "extra" and not said["extra"]:
            said["extra"] = words
    if said["default"] is None and not said["extra"]:
        return None
    found = said["default"]
    return {
        "default": _bare(found) if isinstance(found, str) else None,
        "extra": [_bare(word) for word in said["extra"] or []],
    }


def _bare(url: str) -> str:
    return redact_url(_NAMED.sub("", url, count=1))


def _read_settings(
    prefix: str | None, environ: Mapping[str, str]
) -> Iterator[tuple[str, list[str]]]:
    for path in _settings_files(prefix, environ):
        for key, value in _SETTING.findall(_read(path)):
            yield "extra" if key.startswith("extra") else "default", value.split()


def _settings_files(prefix: str | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """From the most specific on. Source: pip documentation, "Configuration"."""
    if environ.get("PIP_CONFIG_FILE"):
        yield Path(environ["PIP_CONFIG_FILE"])
    if prefix:
        yield Path(prefix) / "pip.conf"
    home = environ.get("HOME")
    if home:
        yield Path(environ.get("XDG_CONFIG_HOME") or f"{home}/.config") / "pip/pip.conf"
        yield Path(home) / ".pip/pip.conf"
    yield Path("/etc/pip.conf")


def _read(path: Path) -> str:
    try:
        if not path.is_file():  # PIP_CONFIG_FILE=/dev/null says: none
            return ""
        with path.open("rb") as file:
            return file.read(_LARGEST).decode(errors="replace")
    except (OSError, ValueError):
        return ""
