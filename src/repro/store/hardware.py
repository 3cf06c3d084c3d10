"""What machine this is: processor, memory, graphics cards."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from repro.atomic import write_file
from repro.errors import StorageError
from repro.model.canonical import Json
from repro.store.probe import ask_program
from repro.store.process import boot_id

_TIMEOUT_S = 5.0  # nvidia-smi wakes sleeping cards
_QUERY = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits")
_DRIVER = re.compile(r"NVRM version:.*?\s(\d+\.\d+(?:\.\d+)*)\s")
# Names of the processor in /proc/cpuinfo: x86, 32-bit ARM, Raspberry Pi, POWER.
_CPU_KEYS = ("model name", "Hardware", "Model", "cpu")


def read_hardware(
    *, environ: Mapping[str, str], cache: Path, root: Path = Path("/")
) -> dict[str, Json]:
    """Give `cpu`, `cores`, `cores_usable`, `memory_bytes` and `gpus`; unknown facts are None.

    Each GPU has `name`, `memory_bytes` and `driver`. The memory comes from `nvidia-smi`, which
    is asked once a boot; all else is read from small files.

    Args:
        environ: Says where `nvidia-smi` is.
        cache: File of what it said; can be deleted at any time.
        root: Above `proc` and `dev`.
    """
    return {
        "cpu": _read_cpu(root),
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_bytes": _read_memory(),
        "gpus": list(_read_gpus(environ, cache, root)),
    }


def _read_cpu(root: Path) -> str:
    """The first processor's name; a machine with many writes 1 KiB for each, read only so far."""
    said = dict(_pairs(_read(root / "proc" / "cpuinfo", limit=8192)))
    return next((said[key] for key in _CPU_KEYS if said.get(key)), os.uname().machine)


def _read_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _read_gpus(environ: Mapping[str, str], cache: Path, root: Path) -> list[dict[str, Json]]:
    nvidia = root / "proc" / "driver" / "nvidia"
    listed = sorted(nvidia.glob("gpus/*/information"))
    if not listed and not (root / "dev" / "dxg").exists():  # dxg: Windows' driver, in WSL
        return []
    match = _DRIVER.search(_read(nvidia / "version", limit=4096))
    driver = match[1] if match else None
    names = [dict(_pairs(_read(path, limit=4096))).get("Model") for path in listed]
    told = _ask_once(environ, cache, key=[boot_id(), driver, [str(path) for path in listed]])
    if told:
        return told
    return [{"name": name, "memory_bytes": None, "driver": driver} for name in names]


def _ask_once(environ: Mapping[str, str], cache: Path, key: list[Json]) -> list[dict[str, Json]]:
    """What `nvidia-smi` said when it was asked under `key`; empty where it gives no answer."""
    try:
        kept = json.loads(cache.read_bytes())
        if kept["key"] == key:
            return _parse_gpus(str(kept["said"]))
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        pass  # it is asked again
    program = shutil.which("nvidia-smi", path=environ.get("PATH") or os.defpath)
    if program is None:
        return []
    answer = ask_program([program, *_QUERY], environ=environ, cwd=Path("/"), timeout_s=_TIMEOUT_S)
    said = answer.out.decode(errors="replace")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(cache, json.dumps({"key": key, "said": said}).encode())
    except (OSError, StorageError):
        pass  # it is asked again the next time
    return _parse_gpus(said)


def _parse_gpus(said: str) -> list[dict[str, Json]]:
    gpus: list[dict[str, Json]] = []
    for line in said.splitlines():
        fields = [field.strip() for field in line.rsplit(",", 2)]
        if len(fields) == 3:
            name, mebibytes, driver = fields
            memory = int(mebibytes) << 20 if mebibytes.isascii() and mebibytes.isdigit() else None
            gpus.append({"name": name, "memory_bytes": memory, "driver": driver})
    return gpus


def _pairs(text: str) -> list[tuple[str, str]]:
    """The `key: value` lines; of a key that comes again the first, if made a dict."""
    lines = [line.partition(":")[::2] for line in reversed(text.splitlines()) if ":" in line]
    return [(key.strip(), value.strip()) for key, value in lines]


def _read(path: Path, *, limit: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(limit).decode(errors="replace")
    except OSError:
        return ""
