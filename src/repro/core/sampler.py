"""Samples of what the machine and a run's processes use, while they run."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import Any

DELAY_S = 2.0  # a short run has nothing to sample
INTERVAL_S = 10.0
_FIRST_S = 0.5  # a share of the CPU is that since the look before, and 0.0 at the first one
_GPU_QUERY = "--query-gpu=index,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw"
_GPU_NAMES = (
    "utilization_percent",
    "memory_used_bytes",
    "memory_total_bytes",
    "temperature_celsius",
    "power_watts",
)
_GPU_TIMEOUT_S = 5.0


class Sampler:
    """A thread that hands over a sample soon and one each interval, until it is stopped.

    Names carry their units: `cpu_percent` and `memory_used_bytes` of the machine,
    `process_cpu_percent` (of one core) and `process_memory_bytes` of the command and all it
    started, `gpu0_utilization_percent` and so on where `nvidia-smi` is on the PATH.
    """

    def __init__(
        self,
        pid: int,
        environ: Mapping[str, str],
        report: Callable[[dict[str, float]], None],
        *,
        delay_s: float = DELAY_S,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._pid = pid
        self._environ = environ
        self._report = report
        self._delay_s = delay_s
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._reporting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="repro-sampler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Hand over nothing more once this has returned; a driver that hangs is not waited for."""
        with self._reporting:
            self._stopped.set()

    def _run(self) -> None:
        if self._stopped.wait(self._delay_s):
            return
        # 145 ms, here where nobody waits for them: see decision 4.
        import psutil  # noqa: PLC0415

        gpus = shutil.which("nvidia-smi", path=self._environ.get("PATH"))
        tree: dict[int, psutil.Process] = {}
        _machine(psutil)
        _processes(psutil, self._pid, tree)
        if self._stopped.wait(min(_FIRST_S, self._interval_s)):
            return
        while True:
            sample = _machine(psutil)
            sample.update(_processes(psutil, self._pid, tree))
            if gpus and not self._stopped.is_set():
                found = _gpus(gpus, self._environ)
                gpus = gpus if found else None
                sample.update(found)
            with self._reporting:
                if self._stopped.is_set():
                    return
                self._report(sample)
            if self._stopped.wait(self._interval_s):
                return


def _machine(psutil: Any) -> dict[str, float]:
    memory = psutil.virtual_memory()
    return {
        "cpu_percent": float(psutil.cpu_percent()),
        "memory_used_bytes": float(memory.total - memory.available),
        "memory_percent": float(memory.percent),
    }


def _processes(psutil: Any, pid: int, known: dict[int, Any]) -> dict[str, float]:
    """Sum over the process and all below it; `known` keeps what their next CPU share needs."""
    try:
        root = known.get(pid) or psutil.Process(pid)
        found = {one.pid: known.get(one.pid, one) for one in (root, *root.children(recursive=True))}
    except psutil.Error:
        return {}
    known.clear()
    known.update(found)
    cpu = memory = 0.0
    for process in found.values():
        try:
            memory += process.memory_info().rss
            cpu += process.cpu_percent()
        except psutil.Error:
            continue  # it ended while we looked
    return {
        "process_cpu_percent": round(cpu, 1),
        "process_memory_bytes": memory,
        "process_count": float(len(found)),
    }


def _gpus(program: str, environ: Mapping[str, str]) -> dict[str, float]:
    """What `nvidia-smi` says of each GPU; empty when it fails, and then it is not asked again."""
    try:
        done = subprocess.run(
            [program, _GPU_QUERY, "--format=csv,noheader,nounits"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GPU_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    return parse_gpus(done.stdout.decode(errors="replace"))


def parse_gpus(text: str) -> dict[str, float]:
    """Read one line a GPU of comma-separated numbers; `[N/A]` and the like are left out."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        index, *cells = (cell.strip() for cell in line.split(","))
        for name, cell in zip(_GPU_NAMES, cells, strict=False):
            try:
                value = float(cell)
            except ValueError:
                continue
            is_mebibytes = name.startswith("memory")
            found[f"gpu{index}_{name}"] = value * (1 << 20) if is_mebibytes else value
    return found
