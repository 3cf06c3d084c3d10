"""The search of docs/examples/text-classifier, as its README does it.

The short form makes 4 trials, `REPRO_TRIALS=200 python -m pytest -s
tests/examples/test_text_sweep.py` all of them, and says how long commands took.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support import git

TRIALS = int(os.environ.get("REPRO_TRIALS", "4"))
ROOT = Path(__file__).parents[2]
README = ROOT / "docs/examples/text-classifier/README.md"
BOUND_S = 1 if TRIALS > 4 else 600  # a few may all be slow on a busy machine

pytest.importorskip("numpy", reason="the example takes numpy")


def commands() -> list[str]:
    """All commands of the page, with as many trials as are wanted."""
    blocks = re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [
        line.replace("-j 2", f"-j 2 -n {TRIALS}").replace("< 1s", f"< {BOUND_S}s") for line in lines
    ]


def test_the_readme_of_the_example_does_what_it_says(tmp_path: Path):
    tools = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    folder = tmp_path / "search"
    said: dict[str, str] = {}
    for line in commands():
        start = time.perf_counter()
        here = folder if folder.exists() else ROOT
        done = subprocess.run(
            ["bash", "-c", line], cwd=here, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
        print(f"\n{time.perf_counter() - start:6.1f} s: {line}")
        said[line] = done.stdout + done.stderr

    trials = _trials(folder)
    assert sorted(run["trial"] for run in trials) == list(range(TRIALS))
    assert {run["status"] for run in trials} == {"finished"}
    best = max((run for run in trials if run["duration_s"] < BOUND_S), key=lambda run: run["f1"])
    [shown] = (out for line, out in said.items() if "best text" in line and "-w .." not in line)
    assert f"trial  {best['trial']}" in re.sub(" +", "  ", shown)
    assert (tmp_path / "best/train.py").read_bytes() == (folder / "train.py").read_bytes()
    [verdict] = (out for line, out in said.items() if "--verify" in line)
    assert "identical" in verdict


def _trials(folder: Path) -> list[dict]:
    """The trials, read by git alone; reruns are none."""
    found = []
    for ref in git(folder, "for-each-ref", "--format=%(refname)", "refs/repro/runs").split():
        run = json.loads(git(folder, "show", f"{ref}:run.json"))
        metrics = json.loads(git(folder, "show", f"{ref}:metrics.json"))["metrics"]
        if run["sweep"] is not None and run["rerun_of"] is None:
            found.append({**run, "f1": metrics["f1"]["last"]})
    return found
