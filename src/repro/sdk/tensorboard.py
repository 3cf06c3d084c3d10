"""Scalars that a program gives to a SummaryWriter of TensorBoard, logged as metrics."""

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from repro.sdk.notices import warn

# `torch.utils.tensorboard` is loaded from the first, `tensorboardX` from the second.
_MODULES = ("torch.utils.tensorboard.writer", "tensorboardX.writer")

Log = Callable[[Mapping[str, Any], Any], None]


def follow_writers(log: Log) -> None:
    """Have `log` told each scalar, with its step, that a SummaryWriter gets from now on.

    A warning where the program has loaded none yet: what is loaded later is not followed.
    """
    classes = [
        sys.modules[name].SummaryWriter
        for name in _MODULES
        if hasattr(sys.modules.get(name), "SummaryWriter")
    ]
    if not classes:
        warn(
            "sync_tensorboard follows no SummaryWriter: import it before `init()`, or call "
            "`repro.log()`"
        )
    for kind in classes:
        kind._repro_log = staticmethod(log)
        for method, points, *names in _METHODS:
            add = getattr(kind, method, None)
            if add is not None and not hasattr(add, "_repro"):
                setattr(kind, method, _followed(add, points, *names))


def _one(tag: str, value: Any) -> dict[str, Any]:
    return {tag: value}


def _several(tag: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{tag}/{name}": value for name, value in values.items()}


_METHODS = (
    ("add_scalar", _one, "tag", "scalar_value"),
    ("add_scalars", _several, "main_tag", "tag_scalar_dict"),
)


def _followed(
    add: Callable[..., Any], points: Callable[[Any, Any], dict[str, Any]], *names: str
) -> Callable[..., Any]:
    """`add`, which also logs; its first arguments are called `names` and `global_step`."""

    @wraps(add)
    def follow(self: Any, *args: Any, **others: Any) -> Any:
        result = add(self, *args, **others)
        given = dict(zip((*names, "global_step"), args, strict=False)) | others
        try:
            self._repro_log(points(*(given[name] for name in names)), given.get("global_step"))
        except (TypeError, ValueError, AttributeError) as error:
            warn(f"a scalar that TensorBoard got is not logged: {error}")
        return result

    follow._repro = True  # type: ignore[attr-defined]  # so that no class is followed twice
    return follow
