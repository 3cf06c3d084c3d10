"""Whether what is about to run was run before: asked of the index, proved from the records."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from repro.core.capture import identify
from repro.core.environment import capture_environment
from repro.core.known import KnownRuns, open_runs, read_run
from repro.core.observe import Observed
from repro.core.project import Project
from repro.errors import ReproError
from repro.model.condition import Comparison, Key, Space
from repro.model.config import flatten_config
from repro.model.environment import part
from repro.model.ids import RunId
from repro.model.run import Record, Run, Status
from repro.model.times import format_time
from repro.store.objects import parse_commit, reading
from repro.store.quarantine import Quarantine
from repro.store.which import is_certain

if TYPE_CHECKING:
    from repro.model.diff import FileChange
    from repro.model.differences import Difference

_MOST_CLAIMING = 100  # newest runs of one identity that are looked at
_MOST_PROVED = 8  # of these, read whole
_MOST_RECENT = 20  # newest runs among which those of the same command are looked for
_MOST_COMPARED = 3  # of these
_PUT = ("A", "M")


@dataclass(frozen=True, slots=True)
class Leftover:
    """A finished run that differs only by untracked files.

    Attributes:
        paths: Of the files, relative to the root.
        is_new: Whether the run had none of them.
    """

    record: Record
    paths: tuple[str, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Repackaged:
    """A finished run that differs only by its packages.

    Attributes:
        what: They, on one line.
    """

    record: Record
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is known of the same conditions.

    Attributes:
        finished: The newest run of them that finished.
        running: One of them that is in progress.
        leftover: Where none finished: the newest that would be the same but for files.
        repackaged: Where none finished: the newest that would be the same but for packages.
        short: The shortest unique prefix of the id of each of these.
    """

    finished: Record | None = None
    running: Run | None = None
    leftover: Leftover | None = None
    repackaged: Repackaged | None = None
    short: dict[str, str]


class ManyNewError(Exception):
    """So many runs are new to the index that reading them would delay what is about to run."""


def look_up(project: Project, quarantine: Quarantine, seen: Observed, *, is_patient: bool) -> Tried:
    """Say whether a run that starts from `seen` was made before.

    An identity is only a claim of its record, and leaves out where the command ran and by which
    interpreter: a run counts once code, params, data, packages and these are found to be equal.

    Args:
        quarantine: Where the code of `seen` is.
        is_patient: Whether the answer is worth the time to read all that is new to the index.

    Raises:
        ManyNewError: That would take long; the next question to the index has it done.
        StorageError: So would the wait for another process that holds the index.

    Cost: what is new since the index was last asked; some 10 ms for a run that is the same.
    """
    hurry = None if is_patient else _give_up
    with open_runs(project, on_progress=hurry, is_patient=is_patient) as runs:
        running = next(
            (
                live.run
                for live in runs.live.values()
                if seen.identity is not None and live.run.identity == seen.identity
            ),
            None,
        )
        seen = as_it_ran(runs, seen)
        now = as_record(project, seen)
        finished = _find_same(runs, quarantine, seen, now)
        alike = [] if finished or seen.identity is None else _recent(runs, seen)
        leftover = _find_leftover(runs, quarantine, seen, now, alike)
        repackaged = _find_repackaged(runs, quarantine, seen, now, alike)
        found = [finished.run.id if finished else "", running.id if running else ""]
        found += [one.record.run.id for one in (leftover, repackaged) if one]
        short = runs.shorten(filter(None, found)) if any(found) else {}
    return Tried(
        finished=finished, running=running, leftover=leftover, repackaged=repackaged, short=short
    )


def _give_up(done: int, total: int) -> None:
    raise ManyNewError(f"{total - done} runs are new")


def as_it_ran(runs: KnownRuns, seen: Observed) -> Observed:
    """`seen` with the environment of the Python that the same command ran when it ran last.

    No word of `./train.sh` names it, and a record has the one that ran.

    Cost: nothing where a word of the command names its Python.
    """
    project = runs.project
    root = project.repository.root
    cwd = root / seen.cwd
    if seen.identity is None:
        return seen
    if is_certain(seen.command, environ=project.environ, cwd=cwd, root=root):
        return seen
    # Here, for most commands name their Python, and need not load what looks for it.
    from repro.core.python_then import likely_command  # noqa: PLC0415

    own = part(seen.around.environment, "interpreter").get("prefix")
    for brief in _recent(runs, seen)[:1]:
        try:
            record = read_run(runs, brief.run.id)
        except (ReproError, KeyError):
            break
        words = likely_command(project, record)
        if words == record.run.command:
            break
        if part(record.environment, "interpreter").get("prefix") == own:
            break
        found = capture_environment(project, words, cwd=cwd)
        variables = seen.around.environment.get("variables", found["variables"])
        environment = {**seen.around.environment, **found, "variables": variables}
        return replace(
            seen,
            around=replace(seen.around, environment=environment),
            identity=identify(
                seen.code.tree, seen.config, seen.pins.data, seen.command, environment
            ),
        )
    return seen


def _recent(runs: KnownRuns, seen: Observed) -> list[Record]:
    """The newest finished runs of the same command."""
    return [
        one
        for one in runs.index.select(limit=_MOST_RECENT)
        if one.run.status is Status.FINISHED
        and (one.run.command, one.run.cwd) == (seen.command, seen.cwd)
    ]


def as_record(project: Project, seen: Observed) -> Record:
    """What is about to run, as a record of it would say."""
    moment = format_time(project.clock())
    run = Run(
        id=RunId(""),
        name=None,
        status=Status.RUNNING,
        created=moment,
        started=moment,
        ended=None,
        duration_s=None,
        command=seen.command,
        cwd=seen.cwd,
        base=seen.code.base,
        snapshot=seen.code.snapshot,
        branch=seen.code.branch,
        dirty=seen.code.is_dirty,
        user="",
        host="",
        identity=seen.identity,
    )
    return Record(
        run=run, config=seen.config, data=seen.pins.data, environment=seen.around.environment
    )


def _find_same(
    runs: KnownRuns, quarantine: Quarantine, seen: Observed, now: Record
) -> Record | None:
    """The newest finished run with the very conditions of `seen`."""
    if seen.identity is None:
        return None
    claimed = Comparison(Key(Space.FIELD, "identity"), "=", seen.identity)
    finished = [
        one
        for one in runs.index.select(claimed, limit=_MOST_CLAIMING)
        # What a rerun took from the tree of its original is not of its own conditions.
        if one.run.status is Status.FINISHED and not one.run.foreign
    ]
    for brief in finished[:_MOST_PROVED]:
        try:
            record = read_run(runs, brief.run.id)
            if not _differences_now(runs.project, quarantine, seen, record, now)[0]:
                return record
        except (ReproError, KeyError):  # damaged, or gone meanwhile: nothing to rely on
            continue
    return None


def _differences_now(
    project: Project, quarantine: Quarantine, seen: Observed, a: Record, now: Record
) -> "tuple[tuple[Difference, ...], tuple[FileChange, ...]]":
    """In what the present differs from run A; and the files of the code that do.

    Raises:
        DamagedRecordError: The code of A is missing.
    """
    # Here, for most runs have no twin, and need not load what compares.
    from repro.core.diff import CodeState, code_state_of, diff_code  # noqa: PLC0415
    from repro.model.differences import known_config, list_differences  # noqa: PLC0415

    code = seen.code
    here = CodeState(code.snapshot, code.anchor if code.submodules else None)
    files = diff_code(project, code_state_of(a), here, quarantine.env)
    found = list_differences(
        a,
        replace(now, config=known_config(a, now.config)),
        files,
        config_files=project.settings.config,
    )
    return found, files


def _find_leftover(
    runs: KnownRuns, quarantine: Quarantine, seen: Observed, now: Record, alike: Sequence[Record]
) -> Leftover | None:
    """The newest finished run from which only untracked files, that are no code, tell `seen`."""
    if not seen.untracked or not alike:
        return None
    from repro.model.causes import is_source  # noqa: PLC0415  # as above

    untracked = set(seen.untracked)
    for brief in alike[:_MOST_COMPARED]:
        try:
            record = read_run(runs, brief.run.id)
            found, files = _differences_now(runs.project, quarantine, seen, record, now)
        except (ReproError, KeyError):
            continue
        if [one.part for one in found] == ["code"] and all(
            one.path in untracked and one.status in _PUT and not is_source(one.path)
            for one in files
        ):
            paths = tuple(one.path for one in files)
            return Leftover(record, paths, all(one.status == "A" for one in files))
    return None


def _find_repackaged(
    runs: KnownRuns, quarantine: Quarantine, seen: Observed, now: Record, alike: Sequence[Record]
) -> Repackaged | None:
    """The newest finished run from which only packages tell `seen`."""
    if not alike:
        return None
    from repro.model.differences import known_config  # noqa: PLC0415  # as above

    likely = [
        one
        for one in alike
        if one.data == now.data and flatten_config(one.config) == known_config(one, now.config)
    ]
    for brief in _of_tree(runs.project, likely[:_MOST_COMPARED], seen.code.tree):
        try:
            record = read_run(runs, brief.run.id)
            found, _ = _differences_now(runs.project, quarantine, seen, record, now)
        except (ReproError, KeyError):
            continue
        if [one.part for one in found] == ["packages"]:
            return Repackaged(record, found[0].what)
    return None


def _of_tree(project: Project, records: Iterable[Record], tree: str) -> Iterator[Record]:
    """Those whose code is `tree`."""
    for record in records:
        with reading(project.repository) as objects:
            [found] = objects.read_many([record.run.snapshot or ""])
        if found and found[0] == "commit" and parse_commit(found[1]).tree == tree:
            yield record
