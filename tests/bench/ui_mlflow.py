"""The runs of `generate` in MLflow's database, and its web page: for `bench_ui` alone."""

import json
import math
import os
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.model.run import Record
from repro.model.series import Point
from repro.model.times import parse_time
from tests.bench.generate import make_curve, make_record

_METRICS = "key, value, is_nan, timestamp, step, run_uuid"


def fill(
    python: Path, folder: Path, n_runs: int, base: str, *, n_values: int, n_curves: int
) -> None:
    """Put the runs into a database that MLflow made, for its interface takes 0.1 s and more a run.

    Numbers among params are metrics, too: MLflow compares params as texts.
    """
    folder.mkdir(parents=True)
    script = (
        "import mlflow; mlflow.set_tracking_uri('sqlite:///mlflow.db'); mlflow.set_experiment('e')"
    )
    environ = {**os.environ, "HOME": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run([python, "-c", script], cwd=folder, env=environ, check=True, capture_output=True)
    database = sqlite3.connect(folder / "mlflow.db")
    database.execute("pragma synchronous=off")
    for number in range(n_runs):
        _add(database, make_record(number, base, n_values=n_values), {})
    for number in range(n_curves):
        _add(database, *make_curve(number, base))
    database.commit()
    database.close()


def run_uuid(run_id: str) -> str:
    """The id that a run of ours has there."""
    return run_id.encode().hex().ljust(32, "0")


def _add(
    database: sqlite3.Connection, record: Record, series: Mapping[str, Sequence[Point]]
) -> None:
    run = record.run
    uid = run_uuid(run.id)
    start = int(parse_time(run.created) * 1000)
    row = {
        "run_uuid": uid, "name": run.name, "source_type": "LOCAL", "source_name": "train.py",
        "entry_point_name": "", "user_id": run.user, "status": run.status.name,
        "start_time": start, "end_time": start + int((run.duration_s or 0) * 1000),
        "source_version": "", "lifecycle_stage": "active", "artifact_uri": f"mlruns/1/{uid}/artifacts",
        "experiment_id": 1,
    }  # fmt: skip
    marks = ", ".join("?" * len(row))
    database.execute(f"insert into runs({', '.join(row)}) values ({marks})", list(row.values()))
    database.execute(
        "insert into tags(key, value, run_uuid) values ('mlflow.runName', ?, ?)", (run.name, uid)
    )
    params = list(_flat(record.config))
    database.executemany(
        "insert into params(key, value, run_uuid) values (?, ?, ?)",
        [(key, json.dumps(value), uid) for key, value in params],
    )
    numbers = [(key, value, 0, start, 0, uid) for key, value in params if isinstance(value, float)]
    _insert(database, "metrics", numbers)
    _insert(database, "latest_metrics", numbers)
    for name, summary in record.metrics.items():
        points = series.get(name) or [
            Point(0, summary.first, start / 1000),
            Point(99, summary.last, start / 1000),
        ]
        rows = [
            (name, *_number(value), int(when * 1000), step, uid) for step, value, when in points
        ]
        _insert(database, "metrics", rows)
        _insert(database, "latest_metrics", rows[-1:])


def _insert(database: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    database.executemany(f"insert into {table}({_METRICS}) values (?, ?, ?, ?, ?, ?)", rows)


def _number(value: float) -> tuple[float, int]:
    return (0.0, 1) if math.isnan(value) else (value, 0)


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
