"""Every check there is, as continuous integration runs them: `python -m tests [PYTEST ARGS]`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

QUICK = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports",),
)
# What only processes that tests start load: where pip compiled nothing, each would compile it.
LATE = ("cmaes", "giftless.app", "IPython", "moto.server", "optuna", "pandas", "paramiko", "polars")
LATE += ("s3fs", "starlette.applications", "submitit", "uvicorn", "venv", "virtualenv")
MEMORY = Path("/dev/shm")
ROOM = 6 << 30  # bytes: several times what the tests leave at any moment


def main() -> int:
    """Run the checks, the quick ones first, up to one that fails; its exit code.

    Types are checked on one core, while the other one compiles the tests: each worker of pytest
    would do that for itself.
    """
    root = Path(__file__).parent.parent
    tools = Path(sys.executable).parent
    environ = make_environ()

    def run(*check: str) -> int:
        print("+", *check, flush=True)
        argv = [tools / check[0], *check[1:]]
        return subprocess.run(argv, cwd=root, env=environ, check=False).returncode

    types = subprocess.Popen(
        [tools / "mypy"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for check in QUICK:
            if (code := run(*check)) != 0:
                return code
        compile_tests(root, environ)
        print("+ mypy", flush=True)
        print(types.communicate()[0], end="", flush=True)
        if types.returncode != 0:
            return types.returncode
    finally:
        types.kill()
    # Three workers, for a test often waits for the processes that it started.
    return run("python", "-m", "pytest", "-n", "3", "--dist", "worksteal", *sys.argv[1:])


def make_environ() -> dict[str, str]:
    """The environment of pytest: what is compiled is kept, what is written is in memory.

    A thousand files that git, sqlite and we synchronise with a disk, each worth a wait, prove
    nothing there: no test switches the power off.
    """
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    return environ


def compile_tests(root: Path, environ: dict[str, str]) -> None:
    """Compile all tests, and what they load; what is wrong with one is told when they are run."""

    def run(*words: str) -> None:
        subprocess.run(
            [sys.executable, *words], cwd=root, env=environ, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    for name in LATE:
        run("-c", f"import {name}")
    run("-m", "pytest", "--collect-only", "-qq")


if __name__ == "__main__":
    sys.exit(main())
