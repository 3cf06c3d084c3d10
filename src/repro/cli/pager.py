"""The pager that the user chose for git."""

import shlex
import shutil
import subprocess
from collections.abc import Mapping

NO_PAGER = "REPRO_NO_PAGER"


def page(text: str, environ: Mapping[str, str]) -> bool:
    """Show `text` in the user's pager; False where there is none, and nothing was shown."""
    command = _find_pager(environ)
    if command is None:
        return False
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],  # a pager is a line of shell, as git says
        stdin=subprocess.PIPE,
        env={"LESS": "FRX", "LV": "-c", **environ},
    )
    try:
        process.communicate(text.encode(errors="surrogateescape") + b"\n")
    except KeyboardInterrupt:
        process.wait()
    return True


def _find_pager(environ: Mapping[str, str]) -> str | None:
    if environ.get(NO_PAGER):
        return None
    chosen = environ.get("GIT_PAGER")
    if chosen is None:
        chosen = _configured_pager() or environ.get("PAGER", "less")
    try:
        words = shlex.split(chosen)
    except ValueError:
        return None
    if not words or words == ["cat"]:
        return None
    is_there = "=" in words[0] or shutil.which(words[0]) is not None
    return chosen if is_there else None


def _configured_pager() -> str:
    done = subprocess.run(["git", "config", "core.pager"], capture_output=True, check=False)
    return done.stdout.decode(errors="replace").strip()
