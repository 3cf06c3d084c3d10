"""The conditions that a run would start from now, in a quarantine until they are published."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from repro.core.capture import Code, capture_config, commit_code, identify, take_code
from repro.core.pins import PageTrees, Pinning, Pins, write_pages
from repro.core.project import Project
from repro.core.request import Request
from repro.core.surroundings import Surroundings, keep_surroundings, look_around
from repro.errors import ConflictError, GitError
from repro.model.canonical import Json
from repro.model.secrets import redact_argv
from repro.store.clonekey import read_marker
from repro.store.git import Identity
from repro.store.quarantine import Quarantine, open_quarantine
from repro.store.snapshot import Snapshot

if TYPE_CHECKING:
    from repro.core.measured import OnProgress

_T = TypeVar("_T")
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a run starts from.

    Attributes:
        config: The whole of it, redacted.
        pages: Those of `pins`, in the quarantine.
        command: Redacted.
        cwd: Where it runs, relative to the root; `.` for one outside of it.
        identity: None where a dataset could not be pinned: of data that nobody knows nothing can
            be said to have been tried.
        untracked: Files of the code that git does not track, relative to the root.
    """

    code: Code
    pins: Pins
    around: Surroundings
    config: Mapping[str, Json]
    pages: PageTrees
    command: tuple[str, ...]
    cwd: str
    identity: str | None
    untracked: tuple[str, ...]


@contextmanager
def observe(
    project: Project,
    request: Request,
    *,
    author: Identity,
    now: float,
    run: str | None = None,
    before: Mapping[str, Json] | None = None,
    share: bool = True,
    on_progress: "OnProgress | None" = None,
) -> Iterator[tuple[Quarantine, Observed]]:
    """Give what a run starts from, and the quarantine that holds it; both go at the end.

    Args:
        author, now: Of the snapshot commit.
        run: Id of the run that is recorded. None: nobody records one, and nothing is kept.
        before: Config of the run that is continued, which the present one is laid over.
        share: Whether to name what an earlier record holds.
        on_progress: Called several times a second while datasets are read.

    Raises:
        InvalidInputError: A config file is wrong.
        StorageError: The disk is full or read-only.
    """
    config = capture_config(project, request.command, request.config)
    command = redact_argv(request.command, read_marker(project.repository.private))
    with (
        open_quarantine(project.repository) as quarantine,
        _pinning(project, request, run, share=share, on_progress=on_progress) as pinning,
    ):
        looks = look_around(project, request.environment)
        taken = take_code(project, quarantine, pinning.paths)
        taken = replace(taken, submodules=_submodules(request, taken))
        around = keep_surroundings(
            project,
            quarantine,
            request.environment,
            tree=taken.tree,
            cwd=request.cwd,
            looks=looks,
            run=run,
            share=share,
        )
        code = commit_code(
            quarantine,
            taken,
            author=author,
            when=now,
            title=f"snapshot of run {run}" if run else "the working tree",
            beside=around.beside,
        )
        pins = pinning.wait()
        config = {**(before or {}), **config}
        yield (
            quarantine,
            Observed(
                code=code,
                pins=pins,
                around=around,
                config=config,
                pages=write_pages(quarantine, pins.files, author=author, when=now),
                command=command,
                cwd=_relative(request.cwd.resolve(), project.repository.root.resolve()),
                identity=None
                if pins.unpinned
                else identify(code.tree, config, pins.data, command, around.environment),
                untracked=taken.working.untracked,
            ),
        )


def observe_for(
    project: Project,
    request: Request,
    publish: Callable[[Quarantine, Observed], _T],
    *,
    author: Identity,
    now: float,
    run: str,
    before: Mapping[str, Json] | None = None,
    on_progress: "OnProgress | None" = None,
) -> _T:
    """Give what `publish` makes of what a run starts from, looked at anew where that went away.

    A concurrent gc can take an object between our seeing and our packing it: then all of it is
    done again, a few times, without naming what an earlier record holds.

    Args:
        author, now, run, before, on_progress: As for `observe`.

    Raises:
        GitError, ConflictError: It failed each time; and whatever else `publish` and `observe` do.
    """
    for attempt in range(_TRIES):
        try:
            with observe(
                project,
                request,
                author=author,
                now=now,
                run=run,
                before=before,
                share=not attempt,
                on_progress=on_progress,
            ) as (quarantine, seen):
                return publish(quarantine, seen)
        except (GitError, ConflictError):
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _relative(cwd: Path, root: Path) -> str:
    return cwd.relative_to(root).as_posix() if cwd.is_relative_to(root) else "."


def _submodules(request: Request, taken: Snapshot) -> dict[str, str]:
    links = taken.working.gitlinks
    placed = {path: tree for path, tree in request.submodules.items() if path in links}
    return {**placed, **taken.submodules}


@contextmanager
def _pinning(
    project: Project,
    request: Request,
    run: str | None,
    *,
    share: bool,
    on_progress: "OnProgress | None",
) -> Iterator[Pinning]:
    """Pin the datasets in a thread, while git looks at the code."""
    if not (project.settings.data or request.data):
        yield Pinning((), Pins)
        return
    # Here, for most runs have no datasets, and would pay 30 ms for SQLite and threads.
    from repro.core.pinning import pin_in_thread  # noqa: PLC0415

    with pin_in_thread(
        project,
        request.data,
        cwd=request.cwd,
        run=run,
        share=share,
        on_progress=on_progress,
    ) as pinning:
        yield pinning
