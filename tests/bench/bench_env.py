"""What an environment of many packages costs: `python -m tests.bench.bench_env [PACKAGE…]`.

Budgets: built with a warm cache of uv, seconds; the second time, milliseconds. Takes the
newest versions of packages from the index that is set, so the first build is a download.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from repro.core.environment import capture_environment
from repro.core.project import open_project
from repro.core.rebuild import ensure_environment, envs_folder
from repro.model.ids import new_id
from repro.model.run import Record, Run, Status
from repro.store.installer import find_uv

# Pure and compiled, small and large: together with what they need more than 60.
PACKAGES = [
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "requests",
    "jinja2",
    "pyyaml",
    "tqdm",
    "rich",
    "click",
    "attrs",
    "pydantic",
    "httpx",
    "sqlalchemy",
    "networkx",
    "sympy",
    "pillow",
    "seaborn",
    "joblib",
    "psutil",
    "msgspec",
    "orjson",
    "lxml",
    "beautifulsoup4",
    "aiohttp",
    "fsspec",
    "pytest",
    "hypothesis",
]


def main() -> None:
    """Install, record, rebuild, print times."""
    packages = sys.argv[1:] or PACKAGES
    uv = find_uv(os.environ)
    if uv is None:
        sys.exit("this needs uv")
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(["git", "init", "-q", name], check=True)
        venv = Path(name, ".venv")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, venv], check=True)
        install = [uv, "pip", "install", "-q", "--python", venv / "bin/python", *packages]
        subprocess.run(install, check=True)
        project = open_project(Path(name), environ=os.environ, clock=time.time, entropy=os.urandom)
        environment = capture_environment(project, [str(venv / "bin/python")])
        now = "2026-01-01T00:00:00.000000Z"
        run = Run(
            id=new_id(os.urandom),
            name=None,
            status=Status.FINISHED,
            created=now,
            started=now,
            ended=now,
            duration_s=0.0,
            command=(),
            cwd=".",
            user="bench",
            host="bench",
        )
        record = Record(run=run, environment=environment)
        for what in ("with a warm cache", "the second time", "the third time"):
            start = time.perf_counter()
            rebuilt = ensure_environment(project, record)
            passed = (time.perf_counter() - start) * 1000
            count = len(list(rebuilt.folder.glob("lib/*/site-packages/*.dist-info")))
            print(f"{count} packages, {what:20} {passed:10.1f} ms")
        print(f"in {envs_folder(project)}")


if __name__ == "__main__":
    main()
