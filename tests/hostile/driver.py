"""Tries hostile runs in a process of its own, with bounds on its memory: `python -m … FOLDER`.

`FOLDER/plan.json` says what is tried; `FOLDER/outcomes.json` has what became of it.
"""

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repro.cli.main import run_cli
from repro.core.vetting import vet_runs
from repro.store.quarantine import open_quarantine
from tests.support.projects import open_here

MEMORY = 512 << 20  # bytes of address space, for this process and each git that it starts
_HANGS_S = 60


def _vet(root: Path, attack: Path, arrivals: dict[str, str]) -> dict[str, Any]:
    project = open_here(root, time.time)
    with open_quarantine(project.repository) as quarantine:
        shutil.copytree(attack, quarantine.folders[0], dirs_exist_ok=True)
        began = time.monotonic()
        vetted = vet_runs(project, quarantine, arrivals)
        seconds = time.monotonic() - began
    refused = {one.run: one.reason for one in vetted.refused}
    return {"accepted": vetted.accepted, "refused": refused, "seconds": seconds}


def _try(words: list[str]) -> dict[str, Any]:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape") for _ in range(2))
    began = time.monotonic()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with _bounded():
                code = run_cli(words)
        except BaseException:  # noqa: BLE001  # what it is, the test shall say
            code = -1
            traceback.print_exc()
    seconds = time.monotonic() - began
    texts = {name: _text(stream) for name, stream in (("out", out), ("err", err))}
    return {"words": words, "code": code, "seconds": seconds, **texts}


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read().encode("utf-8", "backslashreplace").decode()


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    signal.alarm(_HANGS_S)
    try:
        yield
    finally:
        signal.alarm(0)


def _give_up(*_: object) -> None:
    raise TimeoutError("it hangs")


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _give_up)
    plan = json.loads((folder / "plan.json").read_text())
    root = folder / "project"
    os.chdir(root)
    found: dict[str, Any] = {}
    if plan["arrivals"]:
        found["vetted"] = _vet(root, folder / "attack", plan["arrivals"])
    found["tried"] = [_try(words) for words in plan["commands"]]
    found["peak"] = {
        "own": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
        "git": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10,
    }
    (folder / "outcomes.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
