"""Every check there is, as continuous integration runs them: `python -m tests [PYTEST ARGS]`."""

import subprocess
import sys
from pathlib import Path

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
)


def main() -> int:
    """Run the checks, the quick ones first, up to one that fails; its exit code."""
    root = Path(__file__).parent.parent
    tools = Path(sys.executable).parent
    for check in CHECKS:
        print("+", *check, flush=True)
        code = subprocess.run([tools / check[0], *check[1:]], cwd=root, check=False).returncode
        if code != 0:
            return code
    pytest = ("-m", "pytest", "-n", "2", *sys.argv[1:])
    print("+ python", *pytest, flush=True)
    return subprocess.run([sys.executable, *pytest], cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
