"""Training scripts run as programs of their own, and what they left in the repository."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from repro.core.media import list_media
from repro.core.project import open_project
from repro.core.query import list_runs, read_points, resolve_run
from repro.core.record import recover_runs
from repro.model.medium import Medium
from repro.model.run import Record
from repro.model.series import Point

PREAMBLE = "import os, signal, sys, threading, time\nimport repro\n"


def start(root: Path, code: str, *args: str, **variables: str) -> "subprocess.Popen[str]":
    """A script that runs; both its outputs are pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(code), *args],
        cwd=root,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    root: Path, code: str, *args: str, code_is: int = 0, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """A script run to its end, which must have that exit code."""
    process = start(root, code, *args, **variables)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code_is, err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def records(root: Path) -> list[Record]:
    """All records, newest first; dead runs are sealed before."""
    project = open_project(root, environ=os.environ, clock=lambda: 0.0, entropy=os.urandom)
    assert recover_runs(project).problems == ()
    listing = list_runs(project)
    assert listing.problems == ()
    return [resolve_run(project, record.run.id) for record in listing.records]


def record(root: Path) -> Record:
    """The one record there is."""
    [found] = records(root)
    return found


def points(root: Path, found: Record) -> dict[str, list[Point]]:
    """All points of a record."""
    project = open_project(root, environ=os.environ, clock=lambda: 0.0, entropy=os.urandom)
    return read_points(project, found)


def media_of(root: Path, found: Record) -> list[Medium]:
    """All media of a record."""
    project = open_project(root, environ=os.environ, clock=lambda: 0.0, entropy=os.urandom)
    return list_media(project, found)


def steps(root: Path, metric: str) -> dict[int, float]:
    """Values by step of a metric of the one record there is."""
    series: dict[str, Any] = points(root, record(root))
    return {point.step: point.value for point in series.get(metric, [])}
