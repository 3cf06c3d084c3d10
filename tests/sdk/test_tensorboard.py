"""Scalars that a SummaryWriter gets are metrics, where `init(sync_tensorboard=True)` asks so."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from repro.sdk.notices import RecordingWarning


class SummaryWriter:
    """What code needs of that of torch; it keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any, Any]] = []

    def add_scalar(self, tag: str, scalar_value: Any, global_step: Any = None) -> None:
        self.got.append((tag, scalar_value, global_step))

    def add_scalars(self, main_tag: str, tag_scalar_dict: Any, global_step: Any = None) -> None:
        self.got.append((main_tag, tag_scalar_dict, global_step))


def test_scalars_are_metrics_of_their_step_as_long_as_the_run_is(
    sdk: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type("SummaryWriter", (SummaryWriter,), {})
    module = ModuleType("torch.utils.tensorboard.writer")
    module.SummaryWriter = kind  # type: ignore[attr-defined]  # as theirs has one
    monkeypatch.setitem(sys.modules, module.__name__, module)
    writer = kind()
    for _ in range(2):
        with sdk.init(sync_tensorboard=True):
            writer.add_scalar("loss", 0.5, 10)
            writer.add_scalar(tag="loss", scalar_value=0.25, global_step=20)
            writer.add_scalars("both", {"a": 1, "b": 2}, 20)
            with pytest.warns(RecordingWarning, match="is not logged"):
                writer.add_scalar("text", "x", 20)
        writer.add_scalar("loss", 9.0, 30)
    with sdk.init():
        writer.add_scalar("loss", 9.0, 30)

    none, *both = sdk.runs()
    assert none.metrics == {}
    for run in both:
        points = {name: [(one.step, one.value) for one in run.series[name]] for name in run.series}
        assert points == {"loss": [(10, 0.5), (20, 0.25)], "both/a": [(20, 1)], "both/b": [(20, 2)]}
    assert len(writer.got) == 11


def test_that_there_is_no_writer_to_follow_is_said(sdk: ModuleType, repository: Path) -> None:
    with pytest.warns(RecordingWarning, match="import it before"):
        sdk.init(sync_tensorboard=True)
