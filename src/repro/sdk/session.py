"""The current run of this process: made or attached to, and ended with the process."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from repro.core.started import Started, read_start
from repro.errors import (
    ConflictError,
    GitError,
    StorageError,
    UsageError,
)
from repro.model.canonical import Json
from repro.model.config import merge_config
from repro.sdk.disabled import DisabledRun, LosingRun
from repro.sdk.ends import EndWatch
from repro.sdk.mappings import Config, Summary, plain_mapping
from repro.sdk.notices import say, warn
from repro.sdk.ranks import find_rank_inside
from repro.sdk.request import Wish, is_disabled, is_strict, read_wish, tag_of_id
from repro.sdk.run import Run
from repro.sdk.seeding import begin_seeding, end_seeding
from repro.sdk.varied import read_varied, vary_config
from repro.store.journal import JournalWriter

_STORAGE = (StorageError, GitError, ConflictError, OSError)

_current: Run | None = None
_watch: EndWatch | None = None
# A trial of an engine that runs several at once in the threads of this process.
_trial: ContextVar[Run | None] = ContextVar("trial", default=None)
# What `repro.config = ...` said before there was a run: below the config of the next one.
_config_so_far: Config | None = None


def init(
    config: object = None,
    *,
    name: str | None = None,
    tags: Iterable[str] | None = None,
    note: str | None = None,
    notes: str | None = None,
    resume: str | bool | None = None,
    id: str | None = None,
    mode: str | None = None,
    **others: object,
) -> Run:
    """Start a run of this program, or join the one of `repro run` around it.

    Other ranks of a distributed launch join the run that rank 0 makes. A run that is still
    open in this process is finished first.

    Args:
        config: Everything that parametrises the run: a mapping, namespace, dataclass, flags of
            absl, or the path of a YAML file.
        name: Any text; need not be unique.
        note: Free text; W&B's `notes` is the same.
        resume: Id, prefix or name of a run to continue.
        id: As in W&B, a text by which `resume="must"` or `"allow"` finds the run to continue; a
            new run keeps it as a tag `id:…`.
        mode: `disabled`, or `REPRO_MODE=disabled`, switches everything off: calls work and
            nothing is written.
        others: Words of W&B: group and job_type become tags, sync_tensorboard logs the scalars
            that a SummaryWriter gets, the rest is ignored with a warning.

    Raises:
        TypeError: An argument is wrong.
        NotARepositoryError: Neither the current folder nor the script's is in a repository.
        UnknownRunError: There is no run to resume.
        StorageError: Nothing can be written and `REPRO_STRICT=1` is set; else a warning says
            so and the run is a disabled one.
    """
    wish = read_wish(
        config=config,
        name=name,
        tags=tags,
        note=note if note is not None else notes,
        resume=resume,
        id=id,
        others=others,
    )
    wish = replace(wish, varied=read_varied(os.environ), config=_take_config(wish.config))
    if (trial := _trial.get()) is not None:
        return _join_trial(wish, trial)
    if _current is not None:
        say(f"init() was called again: finishing run `{_current.id}` first")
        _current.finish()
    if is_disabled(mode, os.environ):
        return _enter(_disabled(wish))
    try:
        run = _enter(_join(wish) or _make(wish))
    except _STORAGE as error:
        if is_strict(os.environ):
            raise
        warn(f"nothing of this run is recorded: {error}")
        run = _enter(_losing(wish) or _disabled(wish, is_wanted=False))
    if wish.follows_tensorboard:
        _follow_tensorboard(run)
    return run


def _follow_tensorboard(run: Run) -> None:
    from repro.sdk.tensorboard import follow_writers  # noqa: PLC0415  # few programs ask for it

    def log(points: Mapping[str, Any], step: Any) -> None:
        if not run._is_over:
            run.log(points, step)

    follow_writers(log)


def _take_config(given: Mapping[str, Json]) -> Mapping[str, Json]:
    """The config of the run that starts, above what `repro.config = ...` said."""
    global _config_so_far
    before, _config_so_far = _config_so_far, None
    return given if before is None else merge_config(before, given)


def _losing(wish: Wish) -> Run | None:
    """What counts the points of this process for the run of `repro run` around it, if any."""
    folder = os.environ.get("REPRO_LIVE_DIR")
    if not os.environ.get("REPRO_RUN_ID") or not folder:
        return None
    return LosingRun(
        Path(folder),
        vary_config(wish.config, wish.varied),
        {"name": wish.name, "note": wish.note, "tags": wish.tags},
        rank=_rank_inside(read_start(Path(folder))),
        leave=_leave,
    )


def _rank_inside(started: Started | None) -> int:
    outer = started.environment.get("variables") if started is not None else None
    return find_rank_inside(os.environ, outer if isinstance(outer, dict) else {})


def _disabled(wish: Wish, *, is_wanted: bool = True) -> DisabledRun:
    describe = {"name": wish.name, "note": wish.note, "tags": wish.tags}
    return DisabledRun(vary_config(wish.config, wish.varied), describe, is_wanted=is_wanted)


def _enter(run: Run) -> Run:
    global _current, _watch
    _current = run
    if not isinstance(run, DisabledRun) or isinstance(run, LosingRun):
        _watch = EndWatch(at_end=run.end, at_signal=run.sync, progress=run.progress)
        _watch.start()
    return run


def _leave(run: Run) -> None:
    global _current, _watch
    end_seeding(run)
    if _current is run:
        _current = None
        if _watch is not None:
            _watch.stop()
            _watch = None


def _join(wish: Wish) -> Run | None:
    """Attach to the run of `repro run`, if there is one around this process."""
    run_id, folder = os.environ.get("REPRO_RUN_ID"), os.environ.get("REPRO_LIVE_DIR")
    if not run_id or not folder:
        return None
    if not (Path(folder) / "start.json").exists():
        warn(f"run `{run_id}` of `repro run` is over: this becomes a run of its own")
        return None
    if wish.resume:
        warn(f"resume is ignored: this is part of run `{run_id}`")
    return _attach(wish, Path(folder), None)


def _attach(
    wish: Wish, live_dir: Path, rank: int | None, after: Callable[[], None] | None = None
) -> Run:
    """Join the run in a live folder; rank None is to be found, inside of `repro run`.

    Args:
        after: Is called once this process's part has ended.
    """
    started = read_start(live_dir)
    known = started.run if started is not None else None
    if rank is None:
        rank = _rank_inside(started)
    run = Run(
        root=_root_of(Path.cwd()),
        journal=JournalWriter(
            live_dir, run=live_dir.name, rank=rank, pid=os.getpid(), time=time.time()
        ),
        config=started.config if started is not None else {},
        varied=wish.varied,
        describe={"name": known.name, "note": known.note, "tags": known.tags} if known else {},
        strict=is_strict(os.environ),
        at_end=lambda _: _end_attached(run, after),
    )
    if wish.config:
        run.config.update(wish.config)
    if wish.name is not None:
        run.name = wish.name
    if wish.note is not None:
        run.note = wish.note
    run.tags = (*wish.tags, *([tag_of_id(wish.given_id)] if wish.given_id else []))
    begin_seeding(run, started.randomness if started is not None else {})
    return run


@contextmanager
def inside(run: Run) -> Iterator[Run]:
    """Make `run` the current one of this thread, whatever is the current one of the process.

    An `init()` joins it, and a `finish()` then ends no more than what that made.
    """
    token = _trial.set(run)
    try:
        yield run
    finally:
        _trial.reset(token)


def _join_trial(wish: Wish, trial: Run) -> Run:
    if isinstance(trial, DisabledRun):
        return trial
    if wish.resume:
        warn(f"resume is ignored: this is part of run `{trial.id}`")

    def leave() -> None:
        trial._next_step = max(trial._next_step, joined._next_step)
        _trial.set(trial)

    joined = _attach(wish, trial.live_dir, 0, leave)
    joined._next_step = trial._next_step
    _trial.set(joined)
    return joined


def _end_attached(run: Run, after: Callable[[], None] | None) -> None:
    try:
        run.close_journal()
        if after is not None:
            after()
    finally:
        _leave(run)


def _root_of(cwd: Path) -> Path:
    """The top of the working tree around `cwd`, by its `.git`; `cwd` itself where there is none."""
    here = cwd.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def _make(wish: Wish) -> Run:
    # Loaded when it is needed: a program inside `repro run`, or a rank above 0, never does
    # (90 ms CPU).
    alone = import_module("repro.sdk.alone")
    run: Run = alone.make_run(wish, attach=_attach, leave=_leave)
    return run


def _before_fork() -> None:
    if _watch is not None:
        _watch.before_fork()


def _after_fork() -> None:
    if _watch is not None:
        _watch.after_fork()


def _forked() -> None:
    try:
        if _watch is not None:
            _watch.forked()
        if _current is not None:
            _current.forked()
    finally:
        _after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_forked)


def current_run() -> Run | None:
    """The run that is open in this thread or process, None without one."""
    return _trial.get() or _current


def require_run() -> Run:
    """The run that is open in this thread or process.

    Raises:
        UsageError: There is none.
    """
    run = _trial.get() or _current
    if run is None:
        raise UsageError("there is no run yet", hint="call `repro.init()` first")
    return run


def current_config() -> Config:
    """The config of the current run; without one, what `repro.config = ...` said."""
    if current_run() is None and _config_so_far is not None:
        return _config_so_far
    return require_run().config


def assign(name: str, value: object) -> None:
    """Do what `repro.config = value` means: entries of the current run, or of the next one.

    Raises:
        AttributeError: The name is another one: `run` and `summary` follow from `init()`.
    """
    global _config_so_far
    if name != "config":
        raise AttributeError(f"`repro.{name}` is of the current run, and cannot be set")
    if (run := current_run()) is not None:
        run.config.update(value)
    else:
        _config_so_far = Config(plain_mapping(value, what="config"))


def current_summary() -> Summary:
    """The summary of the current run."""
    return require_run().summary


def log(
    data: Mapping[str, Any],
    step: int | None = None,
    commit: bool | None = None,
    sync: bool | None = None,  # noqa: ARG001  a word of W&B
) -> None:
    """Record one point of each metric in the current run; see `Run.log`."""
    (_trial.get() or _current or require_run()).log(data, step, commit)


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """End the current run; nothing happens without one."""
    run = _trial.get() or _current
    if run is not None:
        run.finish(exit_code, quiet)
