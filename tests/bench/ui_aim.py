"""The runs of `generate` in a repository of Aim, and its web page: for `bench_ui` alone."""

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.bench.generate import make_curve, make_record
from tests.bench.ui_face import Face, serving_by

# Its files are its own: there is no way in but its interface, at some tenths of a second a run.
_FILL = """
import json, sys, aim
for line in sys.stdin:
    told = json.loads(line)
    run = aim.Run(repo=".", experiment="e", system_tracking_interval=None,
                  log_system_params=False, capture_terminal_logs=False)
    run.name = told["name"]
    run["hparams"] = told["params"]
    for name, points in told["metrics"].items():
        for step, value in points:
            run.track(value, name=name, step=step)
    run.close()
"""
_QUERY = "run.hparams.dropout > 0.1 and run.hparams.lr < 1e-4"


def fill(python: Path, folder: Path, n_runs: int, *, n_values: int, n_curves: int) -> None:
    """Log the runs; of the long ones the loss alone, which is what is drawn."""
    folder.mkdir(parents=True)
    subprocess.run(
        [python.with_name("aim"), "init", "--repo", ".", "-y"],
        cwd=folder, env=_environ(folder), check=True, capture_output=True,
    )  # fmt: skip
    told: list[dict[str, Any]] = []
    for number in range(n_runs):
        record = make_record(number, "", n_values=n_values)
        lasts = {name: [(99, one.last)] for name, one in record.metrics.items()}
        told.append({"name": record.run.name, "params": record.config, "metrics": lasts})
    for number in range(n_curves):
        record, series = make_curve(number, "")
        points = [(point.step, point.value) for point in series["loss"]]
        config = dict(record.config)
        told.append({"name": record.run.name, "params": config, "metrics": {"loss": points}})
    text = "".join(json.dumps(one) + "\n" for one in told)
    subprocess.run(
        [python, "-c", _FILL], cwd=folder, env=_environ(folder), input=text.encode(), check=True
    )


def serving(python: Path, folder: Path) -> AbstractContextManager[tuple[int, str]]:
    """Run `aim up`; its process and its origin."""
    command = [python.with_name("aim"), "up", "--repo", "."]
    return serving_by(command, folder, _environ(folder), "/runs")


def face(ids: Sequence[str]) -> Face:
    """Its page of runs, and of metrics."""
    cells = "document.querySelectorAll('.Table__cell__value')"
    return Face(
        name="aim",
        first="/runs",
        rows=f"{cells}.length >= 40",
        filter=_filter,
        filtered=f"{cells}.length && ![...{cells}].some((one) => one.textContent.includes('long'))",
        sort=None,
        sorted="",
        curves=None,
        drawn="",
    )


def _environ(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "AIM_UI_TELEMETRY_ENABLED": "0"}


def _filter(page: Page) -> None:
    page.click(".monaco-editor textarea", force=True)
    page.keyboard.type(_QUERY)
    page.click("button:has-text('Search')")
