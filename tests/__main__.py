"""Everything that must pass: `python -m tests [PYTEST ARGS]`. The same is what CI runs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHECKS = [
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
    ["lint-imports"],
]


def main() -> int:
    """Run the checks one after the other, then the tests; the first failure ends it."""
    tools = Path(sys.executable).parent
    environ = {**os.environ, "PATH": os.pathsep.join([str(tools), os.environ.get("PATH", "")])}
    for check in CHECKS:
        print("$", *check, flush=True)
        done = subprocess.run(check, cwd=ROOT, env=environ, check=False)
        if done.returncode != 0:
            return done.returncode
    tests = [sys.executable, "-m", "pytest", "-q", "-n", "2", *sys.argv[1:]]
    print("$", *tests[1:], flush=True)
    return subprocess.run(tests, cwd=ROOT, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
