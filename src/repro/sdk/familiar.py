"""What scripts written for W&B ask of a run beyond what repro needs."""

import time
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

from repro.model.text import escape
from repro.sdk.notices import say

if TYPE_CHECKING:
    from repro.sdk.mappings import Summary
    from repro.sdk.watching import Watch

_ALERTS = "alerts"  # in the summary


class AlertLevel(StrEnum):
    """How much an alert matters."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


_LEVELS = tuple(level.value for level in AlertLevel)


class Familiar:
    """The part of a run that only W&B's words ask for.

    Attributes:
        resumed: Whether this continues an earlier run.
        url: None, as in W&B offline: `repro ui` shows runs.
    """

    resumed = False
    url: str | None = None
    _next_step: int
    summary: "Summary"
    tags: tuple[str, ...]
    _is_over: bool

    def log(self, data: Any, step: int | None = None, commit: bool | None = None) -> None:
        """See `Run.log`."""
        raise NotImplementedError

    def __init__(self) -> None:
        self._alerted: dict[str, float] = {}
        self._watches: list[Watch] = []

    @property
    def step(self) -> int:
        """The step that the next `log()` gets without one of its own."""
        return self._next_step

    @property
    def group(self) -> str | None:
        """What `init(group=)` said; a tag `group:…` keeps it."""
        return self._tagged("group:")

    @property
    def job_type(self) -> str | None:
        """What `init(job_type=)` said; a tag `job-type:…` keeps it."""
        return self._tagged("job-type:")

    def _tagged(self, prefix: str) -> str | None:
        found = (tag for tag in self.tags if tag.startswith(prefix))
        return next(found, prefix).removeprefix(prefix) or None

    def get_url(self) -> str | None:
        """None; see `url`."""
        return self.url

    def alert(
        self,
        title: str,
        text: str,
        level: str | None = None,
        wait_duration: float | timedelta | None = None,
    ) -> None:
        """Say something on standard error, and keep it in `summary["alerts"]`; no mail is sent.

        Args:
            level: Of `AlertLevel`, by default `INFO`.
            wait_duration: Seconds before one of the same title is said again, by default 60.

        Raises:
            ValueError: There is no such level.
        """
        chosen = str(level or "INFO").upper()
        if chosen not in _LEVELS:
            raise ValueError(f"a level is one of {', '.join(_LEVELS)}, not {level!r}")
        wait = (
            wait_duration.total_seconds()
            if isinstance(wait_duration, timedelta)
            else (60.0 if wait_duration is None else float(wait_duration))
        )
        now = time.time()
        before = self._alerted.get(title)
        if before is not None and 0 <= now - before < wait:
            return
        self._alerted[title] = now
        say(f"{chosen.lower()}: {escape(title)}: {escape(text)}")
        said = [*self.summary.get(_ALERTS, ())]
        new = {"title": str(title), "text": str(text), "level": chosen}
        self.summary[_ALERTS] = [*said, new]

    def watch(
        self,
        models: Any,
        criterion: object = None,  # noqa: ARG002  a word of W&B
        log: str | None = "gradients",
        log_freq: int = 1000,
        **ignored: object,  # noqa: ARG002  words of W&B
    ) -> None:
        """Log histograms of a torch module's gradients or parameters, as `gradients/<name>`.

        They are of the step that the next `log()` has. A module is watched once: again takes the
        place of before.

        Args:
            models: One, or several.
            log: `gradients`, `parameters` or `all`; None is neither.
            log_freq: Every so many backward or forward passes.
            ignored: `idx` and `log_graph` of W&B, without a meaning here: the code is recorded.

        Raises:
            TypeError: A model has no `named_parameters`.
            ValueError: `log` is none of these, or `log_freq` is below 1.
        """
        from repro.sdk.watching import Watch  # noqa: PLC0415  # most programs watch nothing

        several = [*models] if isinstance(models, (list, tuple)) else [models]
        self.unwatch(several)
        first = len(self._watches)
        for number, model in enumerate(several, start=first):
            self._watches.append(Watch(self._log_watched, model, number, log, log_freq))

    def _log_watched(self, values: dict[str, Any]) -> bool:
        if not self._is_over:
            self.log(values, commit=False)
        return not self._is_over

    def unwatch(self, models: Any = None) -> None:
        """Log no more of these modules, or of any."""
        several = models if isinstance(models, (list, tuple)) else [models]
        for watch in [*self._watches]:
            if models is None or any(watch.model is model for model in several):
                watch.remove()
                self._watches.remove(watch)

    def log_code(self, *args: object, **others: object) -> None:
        """Do nothing: every run has its exact code already."""

    def mark_preempting(self) -> None:
        """Do nothing: a run that is killed is sealed, and a sweep takes its trial up again."""

    if not TYPE_CHECKING:  # a checker would take it to mean that a run has every name

        def __getattr__(self, name: str) -> NoReturn:
            from repro.sdk.unlike import RUN, explain  # noqa: PLC0415  # there is no such thing

            raise AttributeError(explain("a run", name, RUN))
