"""A recorded run done again in isolation, and recorded as a run of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from repro.core.autopush import push_soon
from repro.core.autosign import sign_sealed
from repro.core.command import Command, resolve_command
from repro.core.conditions import (
    Conditions,
    Which,
    describe_conditions,
    find_spoiled,
    foreign_roots,
    place_argv,
    restore_conditions,
)
from repro.core.isolation import Isolated, isolated
from repro.core.launch import Outcome, Streams, launch
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.core.published import publish_often, tell_published
from repro.core.randomness import draw_randomness, replay_randomness
from repro.core.record import seal_run
from repro.core.relay import Relay
from repro.core.request import Request
from repro.core.start import LiveRun, start_run
from repro.core.vary import Variation, find_unconsumed, plan_variation, write_variation
from repro.errors import InvalidInputError, MissingSecretError, UsageError
from repro.model.canonical import Json
from repro.model.config import flatten_config, merge_config, nest_config
from repro.model.ids import is_id
from repro.model.launchers import is_package_runner
from repro.model.randomness import RandomPlan
from repro.model.redacted import fill_redacted
from repro.model.run import Record, Status
from repro.model.varied import VARIABLE, format_varied, trial_variables
from repro.store.journal import read_journals

_SHOWN = 5  # packages


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a run shall be done again.

    Attributes:
        which: Whose environment; None is the current one where it is the recorded one.
        assignments: Config entries that are varied, by dotted key.
        appended: Words that the command gets at its end.
        replay: Whether its randomness is played back, with the variables that bear on it.
        timeout_s: After so long the command is told to end.
        keep: Leave the isolated tree where it is.
        allow_foreign: Install packages from places that are no index of the user's.
        nearest: Take the nearest version of what cannot be had.
    """

    which: Which | None = None
    assignments: Mapping[str, Json] = field(default_factory=dict)
    appended: tuple[str, ...] = ()
    replay: bool = True
    timeout_s: float | None = None
    keep: bool = False
    allow_foreign: bool = False
    nearest: bool = False
    name: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A run that was done again.

    Attributes:
        record: Of the new run.
        which: Whose environment it had.
        notes: What is not as it was.
        unread: Varied entries that nothing read.
        folder: The isolated tree, None where it is gone.
        same_paths: Pairs of places, of the original and of this run, that mean the same.
    """

    record: Record
    outcome: Outcome
    which: Which
    notes: tuple[str, ...]
    unread: tuple[str, ...]
    folder: Path | None
    same_paths: tuple[tuple[str, str], ...]


Starting = Callable[[Conditions, Variation, Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told how far a rerun is: of datasets, of packages, and once it starts.

    Attributes:
        starting: Gets the command last, without its secrets.
    """

    data: OnProgress | None = None
    packages: Callable[[str], None] = lambda _: None
    starting: Starting = lambda *_: None


def check_repeatable(record: Record) -> None:
    """Refuse a run that no command can do again.

    Raises:
        UsageError: It is still running, or has no command.
        InvalidInputError: It was recorded in a notebook.
    """
    run = record.run
    if run.status is Status.RUNNING:
        raise UsageError(f"run `{run.id}` is still running", hint="wait for it to end")
    if not run.command:
        raise InvalidInputError(
            f"run `{run.id}` has no command that could be run again",
            hint=f"`repro exec {run.id} -- CMD` runs one with its code, data and environment",
        )
    if any("ipykernel" in word or "colab_kernel" in word for word in run.command):
        raise InvalidInputError(
            f"run `{run.id}` was recorded in a notebook, which no command runs again",
            hint=f"`repro checkout -w DIR {run.id}` brings its code back",
        )


def rerun(
    project: Project,
    record: Record,
    wish: Wish,
    *,
    relay: Relay,
    streams: Streams,
    telling: Telling | None = None,
) -> Repeated:
    """Do a run again, with its code, data, environment, config and randomness.

    Raises:
        UsageError: A varied entry is not the run's.
        InvalidInputError: It cannot be varied.
        MissingSecretError: A secret is not given.
        MissingDataError, MissingPackagesError: Something it needs cannot be had.
        CommandError: Its program is not there.
    """
    check_repeatable(record)
    told = telling or Telling()
    with isolated(project, record, on_progress=told.data) as (isolation, pad):
        pad.is_kept = wish.keep
        conditions = restore_conditions(
            project,
            record,
            isolation,
            wish.which,
            allow_foreign=wish.allow_foreign,
            nearest=wish.nearest,
            replay=wish.replay,
            on_progress=told.packages,
        )
        settings = isolation.project.settings
        variation = plan_variation(
            isolation.folder, settings, record, wish.assignments, wish.appended
        )
        write_variation(isolation.folder, variation)
        prepared = _Prepared(isolation, conditions, variation)
        return _run(project, record, wish, prepared, relay, streams, told.starting)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A place in which the command can be started."""

    isolation: Isolated
    conditions: Conditions
    variation: Variation


def _run(
    project: Project,
    record: Record,
    wish: Wish,
    prepared: _Prepared,
    relay: Relay,
    streams: Streams,
    starting: Starting,
) -> Repeated:
    isolation, variation = prepared.isolation, prepared.variation
    conditions = prepared.conditions
    runner = variables_for_runner(record, conditions)
    conditions = replace(conditions, environ={**conditions.environ, **runner})
    environ = {
        **conditions.environ,
        **_varied(record, variation),
        "REPRO_FOREIGN": foreign_roots(project, record, isolation, conditions),
    }
    inside = replace(isolation.project, environ=environ)
    placed = place_argv(project, record, isolation, conditions, variation.argv)
    argv = with_secrets(placed, environ, "rerun")
    command = resolve_command(argv, cwd=isolation.cwd, environ=environ)
    starting(conditions, variation, placed)
    plan, notes = _plan_randomness(project, record, wish)
    environment = describe_conditions(
        replace(project, environ=environ), record, conditions, argv, isolation.cwd
    )
    outer = project.environ.get("REPRO_RUN_ID", "")
    request = Request(
        command=variation.argv,
        cwd=isolation.cwd,
        name=wish.name,
        tags=wish.tags,
        config=merge_config(assigned_of(record), nest_config(wish.assignments)),
        environment=environment,
        data=other_data(inside, record, isolation),
        parent=outer if is_id(outer) else None,
        rerun_of=record.run.id,
        randomness=plan,
        # In the worktree they are plain files, of which git sees nothing.
        submodules=isolation.beside.recorded,
        warnings=isolation.notes,
    )
    ended = _execute(
        project,
        inside,
        start_run(inside, request),
        command,
        variation.awaited,
        relay=relay,
        streams=streams,
        timeout_s=wish.timeout_s,
    )
    run_id = ended.record.run.id
    failed = (ended.unpublished, sign_sealed(project, run_id), push_soon(project, [run_id]))
    own = [note for note in conditions.notes if note not in isolation.notes]  # the record has those
    return Repeated(
        record=ended.record,
        outcome=ended.outcome,
        which=conditions.which,
        notes=(
            *own,
            *notes,
            *_spoiled(record, wish, conditions, environment),
            *filter(None, failed),
        ),
        unread=tuple(ended.unread),
        folder=isolation.folder if wish.keep else None,
        same_paths=((str(project.repository.root), str(isolation.folder)),),
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    """A command that was run to its end, and its run, sealed."""

    record: Record
    outcome: Outcome
    unread: Sequence[str]
    unpublished: str | None


def _execute(
    project: Project,
    inside: Project,
    live: LiveRun,
    command: Command,
    awaited: Mapping[str, Json],
    *,
    relay: Relay,
    streams: Streams,
    timeout_s: float | None,
) -> _Ended:
    """Run the command of a run that was started, and seal it whatever comes."""
    unpublished = publish_often(project, live.id)
    if awaited:
        live.journal.append({"k": "awaited", "v": dict(awaited), "t": project.clock()})
    try:
        outcome = launch(inside, live, command, relay=relay, streams=streams, timeout_s=timeout_s)
        unread = find_unconsumed(read_journals(live.dir), awaited)
    finally:
        unpublished = tell_published(live.dir) or unpublished
        with relay.held():
            sealed = seal_run(inside, live.dir)
    return _Ended(sealed, outcome, unread, unpublished)


def _spoiled(
    record: Record, wish: Wish, conditions: Conditions, environment: Mapping[str, Json]
) -> list[str]:
    if conditions.which is not Which.RECORDED or wish.nearest:
        return []
    names = find_spoiled(record, environment)
    if not names:
        return []
    named = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return [
        f"the rebuilt environment is not as recorded any more: {named};"
        " `repro env rm` takes it away, and the next rerun builds it again"
    ]


def assigned_of(record: Record) -> Mapping[str, Json]:
    """Config that neither files nor command bring; where the record does not tell, all of it."""
    return record.config if record.run.assigned is None else record.run.assigned


def _plan_randomness(
    project: Project, record: Record, wish: Wish
) -> tuple[RandomPlan, tuple[str, ...]]:
    if not wish.replay:
        return draw_randomness(project), ()
    plan = replay_randomness(record)
    if plan is None:
        note = "the run has no record of its randomness: it is drawn anew"
        return draw_randomness(project), (note,)
    return plan, ()


def variables_for_runner(record: Record, conditions: Conditions) -> dict[str, str]:
    """The variables that make `uv run` and the like take an environment, and leave it as it is.

    In a new tree they would make one of their own.
    """
    if conditions.bin is None or not is_package_runner(record.run.command):
        return {}
    prefix = conditions.bin.parent
    if not (prefix / "pyvenv.cfg").exists():
        return {}
    return {
        "VIRTUAL_ENV": str(prefix),
        "UV_PROJECT_ENVIRONMENT": str(prefix),
        "UV_NO_SYNC": "1",
    }


def _varied(record: Record, variation: Variation) -> dict[str, str]:
    if record.run.trial is not None:  # its program may take params from nowhere else
        given = merge_config(assigned_of(record), nest_config(variation.overrides))
        return trial_variables(flatten_config(given))
    return {VARIABLE: format_varied(variation.overrides)} if variation.overrides else {}


def with_secrets(argv: tuple[str, ...], environ: Mapping[str, str], verb: str) -> tuple[str, ...]:
    """Give a recorded command its secrets back, from the environment.

    Args:
        verb: What the user typed, to be tried again.

    Raises:
        MissingSecretError: The environment lacks one.
    """
    filled, missing = fill_redacted(argv, environ)
    if missing:
        names = [" or ".join(reversed(secret.variables)) for secret in missing]
        raise MissingSecretError(
            f"the command needs a secret that is not recorded: {', '.join(names)}",
            hint=f"give it in the environment: `{missing[0].variables[-1]}=… repro {verb} …`",
        )
    return filled


def other_data(inside: Project, record: Record, isolation: Isolated) -> tuple[str, ...]:
    """Datasets of a run that its `repro.yaml` does not name, as `--data` gives them."""
    named = {entry.path for entry in inside.settings.data.values()}
    paths = (facts.get("path") for facts in record.data.values() if isinstance(facts, dict))
    return tuple(
        path if path.startswith("/") else str(isolation.folder / path)
        for path in paths
        if isinstance(path, str) and path not in named
    )
