"""One run as training code sees it: log to it, describe it, finish it."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from repro.errors import DataLossError, ReproError
from repro.model.canonical import Json
from repro.model.objective import Goal
from repro.sdk.ends import End, end_by_code, end_by_error
from repro.sdk.familiar import Familiar
from repro.sdk.goals import find_goal
from repro.sdk.last import last_value
from repro.sdk.mappings import Summary
from repro.sdk.notices import warn
from repro.sdk.runfiles import RunFiles
from repro.sdk.values import STEP_LIMIT, plain_step, split_values
from repro.sdk.varied import open_config
from repro.store.journal import JournalWriter

_MOST_NAMES = 1024  # sets of metrics that a training loop logs together
_now = time.time


class Run(RunFiles, Familiar):
    """A run in progress, as `repro.init()` gives it.

    It is a context manager: an exception inside makes the run `failed`. Threads may share it.
    A forked child that logs writes a journal of its own, and never ends the run.

    Attributes:
        id: The run id.
        live_dir: Folder of the run while it is in progress.
        rank: Rank in a distributed launch. Of ranks above 0 only points count, recorded as
            `rank<r>/<metric>`.
        config: Nested mapping, also by attributes; changes are recorded.
        summary: Values of the run as a whole; reads of a metric give its last value.
    """

    def __init__(
        self,
        *,
        root: Path,
        journal: JournalWriter,
        config: Mapping[str, Json],
        varied: Mapping[str, Json],
        describe: Mapping[str, Any],
        next_step: int = 0,
        strict: bool = False,
        at_end: Callable[[End], None],
    ) -> None:
        self.live_dir = journal.path.parent
        self.id = self.live_dir.name
        self.rank = journal.rank
        self._root = root
        RunFiles.__init__(self)
        Familiar.__init__(self)
        self._strict = strict
        self._at_end = at_end
        self._pid = os.getpid()
        self._is_over = False
        self._name: str | None = describe.get("name")
        self._note: str | None = describe.get("note")
        self._tags: tuple[str, ...] = tuple(describe.get("tags") or ())
        self.summary = Summary(
            {}, lambda values: self._record("summary", s=values), partial(last_value, self.live_dir)
        )
        self._names: set[tuple[str, ...]] = set()
        self._next_step = next_step
        self._stepping = threading.RLock()  # a signal handler may log, too
        self._journal: JournalWriter | None = None
        self._adopt(journal)
        self.config = open_config(config, varied, self._record)

    def _adopt(self, journal: JournalWriter) -> None:
        journal.strict = self._strict
        journal.warn = warn
        self._journal = journal
        self._points = journal.log

    def log(
        self,
        data: Mapping[str, Any],
        step: int | None = None,
        commit: bool | None = None,
        sync: bool | None = None,  # noqa: ARG002  a word of W&B
    ) -> None:
        """Record one point of each metric; once this returns it survives `kill -9`.

        Args:
            data: Numbers by metric, scalars of numpy and torch too; nested mappings become
                names joined with `/`. NaN and infinities are kept. Or media: `repro.Image`,
                `Table`, `Histogram`, lists of them, figures of matplotlib.
            step: Any integer, in any order; a later point for a step replaces the earlier
                one. By default one more than the highest step so far, from 0.
            commit: False leaves the default step where it is, for more metrics of that step.
            sync: Accepted for W&B's sake.

        Raises:
            TypeError: A value is neither, or the step no integer; nothing is recorded.
            ValueError: A name is empty, too long or given twice, or a number too large.
            UsageError: The run is over.
            StorageError: Writing failed and `REPRO_STRICT=1` is set.

        Cost: 5 µs for ten metrics.
        """
        try:
            # One sum tells that all are plain numbers: any other kind makes another kind of sum
            # or none, and NaN, infinities and integers beyond a float are not finite in it.
            total = sum(data.values())
            kind = type(total)
            if (
                (kind is float or kind is int)
                and isfinite(total)
                and tuple(data) in self._names
                and commit is None
            ):
                if step is None:
                    with self._stepping:
                        step = self._next_step
                        self._next_step = step + 1
                    self._points(step, _now(), data)
                    return
                if type(step) is int and -STEP_LIMIT <= step < STEP_LIMIT:
                    if step >= self._next_step:
                        self._next_step = step + 1
                    self._points(step, _now(), data)
                    return
        except (TypeError, AttributeError, OverflowError):
            pass  # whatever it is, the careful way names it
        self._log_carefully(data, step, commit)

    def _log_carefully(self, data: object, step: object, commit: bool | None) -> None:
        points, media = split_values(data)
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        if isinstance(data, Mapping) and all(type(name) is str for name in data):
            self._names.add(tuple(data))
        given = None if step is None else plain_step(step)
        with self._stepping:
            # No call in between, at which a signal handler could take the same step.
            chosen = self._next_step if given is None else given
            after = chosen + (commit is not False)
            if after > self._next_step:
                self._next_step = after
        if points or not media:
            self._points(chosen, _now(), points)
        if media:
            self._keep_media(chosen, media)

    def _keep_media(self, step: int, media: Mapping[str, list[object]]) -> None:
        from repro.sdk.medialog import keep_media, take_files  # noqa: PLC0415  # most log none

        if (journal := self._open()) is None:
            return
        journal.require_open()
        shown, files = take_files(media, step, self.rank)
        for label, data in files:
            self._keep_bytes(label, data)
        if not shown:
            return
        kept = keep_media(journal, step, shown, is_strict=self._strict)
        if kept is not None:
            self._record("media", s=step, v=kept)

    def define_metric(
        self,
        name: str,
        goal: Goal | None = None,
        summary: str | None = None,
        **ignored: object,  # noqa: ARG002  words of W&B
    ) -> None:
        """Say which way a metric is better.

        Args:
            goal: `minimize` or `maximize`.
            summary: As in W&B; `min` and `max` stand for a goal. All of last, first, min, max
                and mean are always recorded.
            ignored: Other words of W&B, without a meaning here.

        Raises:
            ValueError: `goal` or `summary` is none of these.
        """
        self._record("define", n=str(name), goal=find_goal(goal, summary), summary=summary)

    @property
    def name(self) -> str | None:
        """The run's name; can be set."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = str(name)
        self._record("name", v=self._name)

    @property
    def note(self) -> str | None:
        """The run's note; can be set."""
        return self._note

    @note.setter
    def note(self, note: str) -> None:
        self._note = str(note)
        self._record("note", v=self._note)

    notes = note

    @property
    def tags(self) -> tuple[str, ...]:
        """The run's tags; setting adds to them."""
        return self._tags

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        if isinstance(tags, str):
            raise TypeError("tags are several texts, such as ['v2']")
        if added := [str(tag) for tag in tags if str(tag) not in self._tags]:
            self._tags = (*self._tags, *added)
            self._record("tags", v=[*added])

    @property
    def lost_points(self) -> int:
        """Points of this process that could not be kept so far."""
        return self._journal.lost if self._journal else 0

    def sync(self) -> None:
        """Make everything recorded so far survive a power loss, too."""
        if self._journal is not None:
            self._journal.sync()

    def finish(
        self,
        exit_code: int | None = None,
        quiet: bool | None = None,  # noqa: ARG002  a word of W&B
    ) -> None:
        """End the run and write its record; nothing happens if it is over.

        In a forked child, and inside `repro run`, only this process's part ends.

        Args:
            exit_code: 0 is `finished`, anything else `failed`.
            quiet: Accepted for W&B's sake.

        Raises:
            DataLossError: Points could not be kept and `REPRO_STRICT=1` is set; else a warning
                says how many.
        """
        self.end(end_by_code(exit_code))

    def join(self, exit_code: int | None = None) -> None:
        """End the run; W&B's older word for `finish`."""
        self.finish(exit_code)

    def end(self, end: End) -> None:
        """End the run as `end` says; nothing happens if it is over."""
        if self._is_over:
            return
        self._is_over = True
        journal = self._journal
        if os.getpid() != self._pid:  # a forked child
            if journal is not None:
                journal.close()
        else:
            self._keep_saved()
            self._at_end(end)
        if journal is not None and journal.lost + journal.lost_records > 0:
            records = f" and {journal.lost_records} other records" if journal.lost_records else ""
            message = f"{journal.lost} points{records} of run `{self.id}` could not be kept"
            self._trouble(message, DataLossError(message, lost=journal.lost))

    def close_journal(self, end: End | None = None) -> None:
        """Write the end, if there is one to write, and nothing after it."""
        if self._journal is None:
            return
        self._journal.strict = False  # what is lost now is counted, and `end` says it
        if end is not None:
            said = {"status": str(end.status), "exit_code": end.exit_code, "signal": end.signal}
            self._record("end", **said, **({"pruned": True} if end.is_pruned else {}))
        self._journal.close()

    def progress(self) -> int:
        """A number that grows with everything recorded."""
        with suppress(OSError):
            return self._journal.path.stat().st_size if self._journal else 0
        return 0

    def forked(self) -> None:
        """Let go of the parent's journal in a forked child; the first record opens another."""
        journal, self._journal = self._journal, None
        self._stepping = threading.RLock()  # a thread of the parent may have held it
        self._points = self._log_lazily
        if journal is not None:
            journal.abandon()

    def _log_lazily(self, step: int, time: float, values: Mapping[str, float | str]) -> None:
        if self._open() is not None:
            self._points(step, time, values)

    def _open(self) -> JournalWriter | None:
        """The journal of this process, opened if it is a fork that has none yet."""
        if self._journal is None and not self._is_over:
            try:
                journal = JournalWriter(
                    self.live_dir, run=self.id, rank=self.rank, pid=os.getpid(), time=_now()
                )
            except (ReproError, OSError) as error:
                self._is_over = True
                self._trouble(
                    f"what this process logs is lost, run `{self.id}` is over: {error}", error
                )
                return None
            self._adopt(journal)
        return self._journal

    def _record(self, kind: str, **values: Json) -> None:
        if self._journal is None and self._open() is None:
            return
        if self.rank > 0 and kind not in ("artifact", "data", "end", "media"):
            return
        if self._journal is not None:
            self._journal.append({"k": kind, "t": _now(), **values})

    def _trouble(self, message: str, error: Exception) -> None:
        if self._strict:
            raise error
        warn(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(end_by_error(error))

    def __repr__(self) -> str:
        return f"<run {self.id}{f' {self._name}' if self._name else ''}>"
