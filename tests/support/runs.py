"""Small repositories with runs that tests of several verbs are about."""

import math
from pathlib import Path

from repro.model.times import format_time
from tests.support.records import NOW, a_summary, make_record, open_at, run_id, write_runs


def write_three(root: Path, *, goal: str | None = None) -> None:
    """Write three runs, `a…`, `b…` and `c…`, of which the newest failed.

    Args:
        goal: Of their metric.
    """
    records = []
    for number, (name, status, lr, loss) in enumerate(
        [
            ("first", "finished", 0.1, 0.123456),
            (None, "finished", 0.2, 1e-7),
            ("b\x1b[2J", "failed", 0.3, 3.0),
        ]
    ):
        record = make_record(
            id=run_id("abc"[number] * 8), name=name, status=status, tags=("t", f"t{number}"),
            created=format_time(NOW + number), duration_s=1.0 + 100 * number,
            config={"lr": lr, "model": {"width": 64}},
            metrics={"loss": a_summary(loss, goal=goal)},
        )  # fmt: skip
        records.append(record)
    write_runs(open_at(root), records)


def write_groups(root: Path) -> None:
    """Write runs of several seeds: `a1`, `a2`, `a3` with one `lr`, `b1` with another, `c1` without.

    The loss of `a3` is NaN, `c1` has none; only the runs `a…` have an `f1`, whose goal is known.
    """
    records = []
    for number, (name, lr, loss, f1) in enumerate(
        [
            ("a1", 0.1, 0.1, 0.9),
            ("a2", 0.1, 0.3, 0.9),
            ("a3", 0.1, math.nan, 0.9),
            ("b1", 0.2, 1.0, None),
            ("c1", None, None, None),
        ]
    ):
        metrics = {}
        if loss is not None:
            metrics["loss"] = a_summary(loss, goal="minimize")
        if f1 is not None:
            metrics["f1"] = a_summary(f1)
        record = make_record(
            id=run_id(name), created=format_time(NOW + number), metrics=metrics,
            config={"optimizer": "adam", **({} if lr is None else {"lr": lr})},
        )  # fmt: skip
        records.append(record)
    write_runs(open_at(root), records)
