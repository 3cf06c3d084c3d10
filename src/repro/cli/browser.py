"""The browser of the user, sent to an address that nobody else on the machine may learn."""

import sys
import threading
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path

from repro.atomic import write_file
from repro.errors import StorageError

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def has_browser(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a browser has where to show itself; one in the terminal would take that away."""
    return platform in ("darwin", "win32") or any(environ.get(name) for name in _DISPLAYS)


@contextmanager
def opened(address: str, file: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Open an address that has a secret in it, and forget the way there at the end.

    Every user of the machine sees the words that programs are started with. So the browser gets
    the name of a file that only this user may read, which leads on. A program that `BROWSER`
    names gets the address itself: it may be one that opens it on another machine.

    Args:
        file: Written, and removed at the end.

    Raises:
        StorageError: It cannot be written; no browser is opened.
    """
    target = address
    if not environ.get("BROWSER"):
        line = f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(address)}">\n'
        try:
            file.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot write `{file}`: {error.strerror}") from error
        write_file(file, line.encode(), is_durable=False)
        target = file.as_uri()
    # Some browsers return when they are closed; the server has to answer them before.
    threading.Thread(target=webbrowser.open, args=(target,), daemon=True).start()
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
