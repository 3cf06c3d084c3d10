"""The cells of a notebook that a run was made in, with its file as saved."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from repro.atomic import write_file
from repro.errors import ReproError
from repro.model.canonical import Json, format_json
from repro.model.config import plain_value

CELLS = "cells.json"
_LONGEST_OUTPUT = 1 << 16  # characters of one cell
_LARGEST_FILE = 64 << 20
_EVENT = "post_run_cell"


def find_shell() -> Any:
    """The IPython shell this code runs in, None outside of one; never imports IPython."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return ask() if ask is not None else None


class Notebook:
    """Keeps the executed cells in the live folder, up to date after each cell.

    All cells since the shell started are kept, as what the run's cells use was defined before
    them; `first` is the number of the cell that started the run.
    """

    def __init__(self, shell: Any, live_dir: Path, environ: Mapping[str, str]) -> None:
        self._shell = shell
        self._folder = live_dir / "notebook"
        self._environ = environ
        self._first = int(getattr(shell, "execution_count", 1))
        self._saved: tuple[int, int] | None = None

    def start(self) -> None:
        """Write what was executed so far, and again after each cell."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.write()
        self._shell.events.register(_EVENT, self._executed)

    def stop(self) -> None:
        """Write a last time; cells executed later do not belong to the run."""
        with suppress(ValueError):  # the program reset the events of its shell
            self._shell.events.unregister(_EVENT, self._executed)
        self.write()

    def write(self) -> None:
        """Put cells and the saved file into the live folder."""
        write_file(self._folder / CELLS, format_json(self._cells()))
        path = find_file(self._shell, self._environ)
        if path is None:
            return
        stat = path.stat()
        version = (stat.st_mtime_ns, stat.st_size)
        if version != self._saved and stat.st_size <= _LARGEST_FILE:
            write_file(self._folder / path.name, path.read_bytes())
            self._saved = version

    def _executed(self, *_: object) -> None:
        # IPython prints what is raised here below the cell; `stop` says it once.
        with suppress(ReproError, OSError):
            self.write()

    def _cells(self) -> Json:
        space = self._shell.user_ns
        outputs = space.get("Out", {})
        cells: list[Json] = [
            {"n": number, "source": plain_value(source), "output": _output(outputs, number)}
            for number, source in enumerate(space.get("In", ()))
            if number > 0
        ]
        return {"first": self._first, "cells": cells}


def _output(outputs: Any, number: int) -> str | None:
    if not isinstance(outputs, Mapping) or number not in outputs:
        return None
    try:
        text = repr(outputs[number])
    except Exception:  # noqa: BLE001  code of the program, not ours
        return None
    shown = text if len(text) <= _LONGEST_OUTPUT else text[:_LONGEST_OUTPUT] + "…"
    return str(plain_value(shown))


def find_file(shell: Any, environ: Mapping[str, str]) -> Path | None:
    """The `.ipynb` file behind a shell, where VS Code or Jupyter says which; None otherwise."""
    space = shell.user_ns
    for name in (
        space.get("__vsc_ipynb_file__"),
        environ.get("JPY_SESSION_NAME"),
        space.get("__session__"),
    ):
        if isinstance(name, (str, os.PathLike)):
            path = Path(name)
            if path.suffix == ".ipynb" and path.is_file():
                return path.resolve()
    return None
