"""`repro` as a process of its own that need not load what it is made of.

Loading takes most of the time of a short command. A process that has done that, and nothing else,
forks once for each command: it has one thread, knows no project, and is asked by one socket.
"""

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_HOMES = ("repro.cli", "repro.core", "repro.model", "repro.store")
# What brings a library that is slow to load, keeps threads, or reads the user's settings for good.
_LATE = ("cmaes", "optuna", "pygit2", "ray", "slurm", "fsspec", "forest", "raster", "termplot")
_AT_START = ("PYTHON", "LC_", "LANG")  # variables that an interpreter reads when it starts
_MOST = 100_000  # bytes of a request
_server: "_Server | None" = None


def repro(
    *words: str,
    cwd: Path | None = None,
    given: str | None = None,
    stderr: int = subprocess.PIPE,
    **env: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command line as `tests.support.cli.repro` does, in a fourth of the time.

    Args:
        stderr: `subprocess.STDOUT` has what it says there with what it prints, in order.
    """
    global _server
    environ = {**os.environ, **env}
    if _server is None:
        _server = _Server(environ)
    wish = json.dumps({"words": words, "cwd": str(cwd or Path.cwd()), "environ": environ})
    if given is None and len(wish) < _MOST and _at_start(environ) == _server.at_start:
        return _server.ask(wish.encode(), words, is_one=stderr == subprocess.STDOUT)
    return subprocess.run(
        [sys.executable, "-m", "repro", *words],
        cwd=cwd, env=environ, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False,
        stdin=subprocess.DEVNULL if given is None else None, input=given,
    )  # fmt: skip


def _at_start(environ: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_AT_START)}


class _Server:
    """The process that forks, for as long as this one lives."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.at_start = _at_start(environ)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # By its path: the folder of this file has modules that are called as others.
            code = f"import runpy; runpy.run_path({__file__!r}, run_name='__main__')"
            self._process = subprocess.Popen(
                [sys.executable, "-c", code, str(theirs.fileno())],
                cwd="/", env=environ, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self._close)

    def _close(self) -> None:
        self._ours.close()
        self._process.wait()

    def ask(
        self, wish: bytes, words: tuple[str, ...], *, is_one: bool
    ) -> subprocess.CompletedProcess[str]:
        pipes = [os.pipe() for _ in range(3)]
        nothing = os.open(os.devnull, os.O_RDONLY)
        out, err, told = (inner for _, inner in pipes)
        socket.send_fds(self._ours, [wish], [nothing, out, out if is_one else err, told])
        for number in (nothing, out, err, told):
            os.close(number)
        printed, said, status = _read_all([outer for outer, _ in pipes])
        return subprocess.CompletedProcess(
            words, os.waitstatus_to_exitcode(int(status)), _as_text(printed), _as_text(said)
        )


def _as_text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


def _read_all(pipes: list[int]) -> list[bytes]:
    """All that comes from each pipe, until nobody has its other end."""
    parts = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                if data := os.read(key.fd, 1 << 16):
                    parts[key.fd] += data
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return list(parts.values())


def _load() -> None:
    for home in _HOMES:
        folder = importlib.import_module(home).__path__
        for module in pkgutil.walk_packages(folder, f"{home}."):
            if not any(word in module.name for word in _LATE):
                importlib.import_module(module.name)


def _serve(control: socket.socket) -> bool:
    """Fork for each request; come back as the process of a command, or when all is over (False)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        wish, given, *_ = socket.recv_fds(control, _MOST, 4)
        if not wish:
            return False
        if os.fork() == 0:
            control.close()
            return _become(json.loads(wish), given)
        for number in given:
            os.close(number)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _become(wish: dict, given: list[int]) -> bool:
    """Be the process of a command, whose parent only waits, and tells how it ended."""
    *streams, told = given
    if pid := os.fork():
        for number in streams:
            os.close(number)
        os.write(told, b"%d" % os.waitpid(pid, 0)[1])
        os._exit(0)
    os.close(told)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for name, number in (("stdout", 1), ("stderr", 2)):
        old = getattr(sys, name)  # which knows whether what it wrote to could be sought in
        is_raw = old.write_through  # PYTHONUNBUFFERED
        stream = io.TextIOWrapper(
            os.fdopen(number, "wb", 0 if is_raw else -1, closefd=False),
            old.encoding, old.errors,
            line_buffering=old.line_buffering, write_through=is_raw,
        )  # fmt: skip
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["environ"])
    sys.argv = ["repro", *wish["words"]]
    sys.path[0] = wish["cwd"]  # as `python -m` has it
    return True


if __name__ == "__main__":
    _load()
    gc.freeze()
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        runpy.run_module("repro", run_name="__main__", alter_sys=True)
