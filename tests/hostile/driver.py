"""Tries hostile runs in a process of its own, with bounds on its memory: `python -m … FOLDER`.

`FOLDER/plan.json` says what is tried; `FOLDER/outcomes.json` has what became of it.
"""

import contextlib
import importlib
import io
import json
import os
import pkgutil
import resource
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from repro.cli.main import run_cli
from repro.core.vetting import vet_runs
from repro.store.quarantine import open_quarantine
from tests.support.projects import open_here

MEMORY = 512 << 20  # bytes of address space, for this process and each git that it starts
_HANGS_S = 60
_MOST_SHOWN = 8 << 20  # bytes of what a command printed


def _own_peak() -> int:
    """Bytes; `ru_maxrss` counts what the process was that started this one."""
    [line] = [one for one in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in one]
    return int(line.split()[1]) << 10


def _vet(root: Path, attack: Path, arrivals: dict[str, str]) -> dict[str, Any]:
    project = open_here(root, time.time)
    with open_quarantine(project.repository) as quarantine:
        shutil.copytree(attack, quarantine.folders[0], dirs_exist_ok=True)
        began = time.monotonic()
        vetted = vet_runs(project, quarantine, arrivals)
        seconds = time.monotonic() - began
    refused = {one.run: one.reason for one in vetted.refused}
    return {"accepted": vetted.accepted, "refused": refused, "seconds": seconds}


def _load_all() -> None:
    """Load now what each child would load for itself."""
    for name in ("cli", "core", "store", "model"):
        package = importlib.import_module(f"repro.{name}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def _try(words: list[str]) -> dict[str, Any]:
    """Run a command in a child of its own, whose memory is bounded."""
    reader, writer = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(_HANGS_S)  # ends it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        with os.fdopen(writer, "wb") as stream:
            stream.write(json.dumps(_run(words)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = stream.read()
    _, status, used = os.wait4(child, 0)
    facts = json.loads(said) if said else {"code": -status, "out": "", "err": "it hangs, or died"}
    seconds = time.monotonic() - began
    return {"words": words, "seconds": seconds, "peak": used.ru_maxrss << 10, **facts}


def _run(words: list[str]) -> dict[str, Any]:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run_cli(words)
        except BaseException:  # noqa: BLE001  # what it is, the test shall say
            code = -1
            traceback.print_exc()
    return {"code": code, "out": _text(out), "err": _text(err)}


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    with stream.buffer.getbuffer() as data:  # type: ignore[attr-defined]  # a BytesIO
        return bytes(data[:_MOST_SHOWN]).decode(errors="replace")


def main(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text())
    root = folder / "project"
    os.chdir(root)
    found: dict[str, Any] = {}
    if plan["arrivals"]:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        found["vetted"] = _vet(root, folder / "attack", plan["arrivals"])
    if plan["commands"]:
        _load_all()
    found["tried"] = [_try(words) for words in plan["commands"]]
    found["peak"] = {
        "own": _own_peak(),
        "git": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10,
    }
    (folder / "outcomes.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
