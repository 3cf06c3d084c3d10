"""Gradients and parameters of a watched module are histograms of the run, every so many passes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


class Handle:
    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        self._hooks.remove(self._hook)


class Parameter:
    """What code needs of a parameter of torch."""

    def __init__(self, data: Any, *, requires_grad: bool = True) -> None:
        self.data = data
        self.requires_grad = requires_grad
        self.hooks: list[Callable[[Any], None]] = []

    def register_hook(self, hook: Callable[[Any], None]) -> Handle:
        assert self.requires_grad, "as torch has it"
        self.hooks.append(hook)
        return Handle(self.hooks, hook)


class Module:
    """What code needs of a module of torch, and a training step of it."""

    def __init__(self) -> None:
        self.weight = Parameter(np.arange(4.0))
        self.frozen = Parameter(np.zeros(2), requires_grad=False)
        self.hooks: list[Callable[..., None]] = []

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        yield "weight", self.weight
        yield "frozen", self.frozen

    def register_forward_hook(self, hook: Callable[..., None]) -> Handle:
        self.hooks.append(hook)
        return Handle(self.hooks, hook)

    def train(self) -> None:
        for hook in [*self.hooks]:
            hook(self, None, None)
        for on_gradient in [*self.weight.hooks]:
            on_gradient(np.ones(3))


class Sparse:
    """What code needs of a sparse gradient of torch."""

    is_sparse = True

    def coalesce(self) -> "Sparse":
        return self

    def values(self) -> Any:
        return np.ones(5)


def test_histograms_are_of_the_step_that_is_logged_next(sdk: ModuleType, repository: Path) -> None:
    model, other = Module(), Module()
    with sdk.init():
        sdk.watch([model, other], log="all", log_freq=2)
        for _ in range(4):
            model.train()
            sdk.log({"loss": 1})
        other.train()
        other.train()
        model.weight.hooks[0](Sparse())
        model.weight.hooks[0](Sparse())

    found = sdk.get_run("@")
    shown = [(one.name, one.step, sum(one.bins.counts)) for one in found.media]
    assert shown == [
        ("gradients/graph_1/weight", 4, 3),
        ("gradients/weight", 1, 3),
        ("gradients/weight", 3, 3),
        ("gradients/weight", 4, 5),
        ("parameters/frozen", 1, 2),
        ("parameters/frozen", 3, 2),
        ("parameters/graph_1/frozen", 4, 2),
        ("parameters/graph_1/weight", 4, 4),
        ("parameters/weight", 1, 4),
        ("parameters/weight", 3, 4),
    ]
    model.train()
    model.train()
    assert not model.hooks
    assert not model.weight.hooks


def test_a_module_is_watched_once_and_no_more_when_that_is_said(
    sdk: ModuleType, repository: Path
) -> None:
    model, other = Module(), Module()
    with sdk.init() as run:
        run.watch(model)
        run.watch(model, log="gradients", log_freq=1)
        run.watch(other, log=None)
        model.train()
        assert len(model.weight.hooks) == 1
        assert not other.weight.hooks
        run.unwatch(other)
        assert model.weight.hooks
        sdk.unwatch()
        model.train()

    assert [(one.name, one.step) for one in sdk.get_run("@").media] == [("gradients/weight", 0)]


def test_what_cannot_be_watched_is_refused(sdk: ModuleType, repository: Path) -> None:
    sdk.init()
    with pytest.raises(TypeError, match="modules"):
        sdk.watch(3)
    with pytest.raises(ValueError, match="gradients"):
        sdk.watch(Module(), log="everything")
    with pytest.raises(ValueError, match="log_freq"):
        sdk.watch(Module(), log_freq=0)
