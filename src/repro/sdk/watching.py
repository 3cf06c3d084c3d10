"""Histograms of the gradients and parameters of a torch module, logged as it trains."""

from collections.abc import Callable
from typing import Any

from repro.sdk.media import Histogram

_KINDS: dict[str | None, tuple[bool, bool]] = {  # of gradients, of parameters
    "gradients": (True, False),
    "parameters": (False, True),
    "all": (True, True),
    None: (False, False),
}


Log = Callable[[dict[str, Any]], bool]


class Watch:
    """The hooks on one module; torch is not imported for them.

    Args:
        log: Records values by name for the step that the next `log()` has; False once the run is
            over.
        number: Of the module among those of its run; from the second on it is in the names.
        what: `gradients`, `parameters`, `all` or None.
        every: Passes from one histogram to the next, at least 1.

    Raises:
        TypeError: It has no `named_parameters`.
        ValueError: `what` or `every` is something else.
    """

    def __init__(self, log: Log, model: Any, number: int, what: str | None, every: int) -> None:
        if what not in _KINDS:
            raise ValueError(f"log is `gradients`, `parameters`, `all` or None, not {what!r}")
        if every < 1:
            raise ValueError(f"log_freq is at least 1, not {every}")
        if not callable(getattr(model, "named_parameters", None)):
            raise TypeError(f"watch() takes modules of torch, not {type(model).__qualname__}")
        self.model = model
        self._log_values = log
        self._every = every
        self._place = "" if number == 0 else f"graph_{number}/"
        self._handles: list[Any] = []
        of_gradients, of_parameters = _KINDS[what]
        if of_gradients:
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    self._handles.append(parameter.register_hook(self._on_gradient(name)))
        if of_parameters:
            self._handles.append(model.register_forward_hook(self._on_forward()))

    def remove(self) -> None:
        """Take the hooks off."""
        handles, self._handles = self._handles, []
        for handle in handles:
            handle.remove()

    def _is_due(self) -> Callable[[], bool]:
        count = 0

        def is_due() -> bool:
            nonlocal count
            count += 1
            return count % self._every == 0

        return is_due

    def _on_gradient(self, name: str) -> Callable[[Any], None]:
        is_due = self._is_due()

        def hook(gradient: Any) -> None:
            if is_due():
                self._log(f"gradients/{self._place}{name}", gradient)

        return hook

    def _on_forward(self) -> Callable[..., None]:
        is_due = self._is_due()

        def hook(model: Any, given: object, result: object) -> None:  # noqa: ARG001  of torch
            if is_due():
                for name, parameter in model.named_parameters():
                    self._log(f"parameters/{self._place}{name}", parameter.data)

        return hook

    def _log(self, name: str, values: Any) -> None:
        if getattr(values, "is_sparse", False):
            values = values.coalesce().values()
        if not self._log_values({name: Histogram(values)}):
            self.remove()
