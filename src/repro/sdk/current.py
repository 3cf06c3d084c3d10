"""What `repro.save()` and its like do: the methods of the current run, as functions."""

import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from repro.model.objective import Goal
from repro.model.run import Artifact as Kept
from repro.sdk.artifacts import Artifact
from repro.sdk.data import Expect
from repro.sdk.session import require_run


def define_metric(
    name: str, goal: Goal | None = None, summary: str | None = None, **ignored: object
) -> None:
    """Say which way a metric of the current run is better; see `Run.define_metric`."""
    require_run().define_metric(name, goal, summary, **ignored)


def log_artifact(
    path: str | os.PathLike[str] | Artifact,
    name: str | None = None,
    type: str | None = None,
    aliases: Iterable[str] | None = None,
    **ignored: object,
) -> tuple[Kept, ...]:
    """Keep a file, a folder or an `Artifact` with the current run; see `Run.log_artifact`."""
    return require_run().log_artifact(path, name, type, aliases, **ignored)


def save(
    glob_str: str | os.PathLike[str] | None = None,
    base_path: str | os.PathLike[str] | None = None,
    policy: str = "live",
) -> tuple[Kept, ...]:
    """Keep the files that a pattern matches, with the current run; see `Run.save`."""
    return require_run().save(glob_str, base_path, policy)


def use_data(path: str | os.PathLike[str], *, expect: Expect = None) -> Path:
    """Pin a dataset in the current run, and give its path; see `Run.use_data`."""
    return require_run().use_data(path, expect=expect)


def watch(
    models: Any,
    criterion: object = None,
    log: str | None = "gradients",
    log_freq: int = 1000,
    **ignored: object,
) -> None:
    """Log histograms of a torch module in the current run; see `Run.watch`."""
    require_run().watch(models, criterion, log, log_freq, **ignored)


def unwatch(models: Any = None) -> None:
    """Log no more of these modules, or of any; see `Run.unwatch`."""
    require_run().unwatch(models)


def alert(
    title: str,
    text: str,
    level: str | None = None,
    wait_duration: float | timedelta | None = None,
) -> None:
    """Say something on standard error, and keep it in the summary; see `Run.alert`."""
    require_run().alert(title, text, level, wait_duration)


def log_code(*args: object, **others: object) -> None:
    """Do nothing: every run has its exact code already."""


def mark_preempting() -> None:
    """Do nothing; see `Run.mark_preempting`."""
