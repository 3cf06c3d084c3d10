"""One trial of a sweep, run as an ordinary run in a tree of its own."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace

from repro.atomic import storage_errors
from repro.core.autopush import push_soon
from repro.core.autosign import sign_sealed
from repro.core.command import resolve_command
from repro.core.conditions import (
    Conditions,
    Which,
    describe_conditions,
    foreign_roots,
    place_argv,
    restore_conditions,
)
from repro.core.frozen_sweep import read_frozen
from repro.core.isolation import Isolated, isolated
from repro.core.launch import Streams, launch
from repro.core.observe import Observed
from repro.core.project import Project
from repro.core.published import publish_often, tell_published
from repro.core.randomness import draw_randomness
from repro.core.record import seal_run
from repro.core.relay import Relay
from repro.core.request import Request
from repro.core.rerun import assigned_of, other_data, variables_for_runner, with_secrets
from repro.core.start import Consider, LiveRun, start_run
from repro.core.sweep.hidden import hide_variables, reveal
from repro.core.sweep.params import place_params
from repro.core.sweep.program import fill_words
from repro.core.sweep.protocols import Task, TrialEnd
from repro.core.sweep.putback import Pristine
from repro.core.sweep.results import find_loss
from repro.core.tried import look_up
from repro.core.vary import write_variation
from repro.errors import CommandError, ReproError
from repro.model.canonical import Json
from repro.model.config import flatten_config, merge_config, nest_config
from repro.model.ids import is_id
from repro.model.run import Record
from repro.model.space import Params
from repro.model.sweep import Sweep
from repro.model.sweepspec import SweepSpec
from repro.model.varied import trial_variables
from repro.store.objects import reading
from repro.store.quarantine import Quarantine


class Workbench:
    """A tree with the frozen code and data of a sweep, in which its trials run one by one.

    It is laid out when the first trial needs it, and anew where it cannot be put back as it was.
    """

    def __init__(self, project: Project, sweep: Sweep) -> None:
        self.project = project
        self.sweep = sweep
        self._stack = ExitStack()
        self._laid_out: _LaidOut | None = None
        self._is_used = False

    def put_back(self) -> None:
        """Have the tree as it was laid out; whoever has time for it does it before the next trial.

        Cost: some 20 ms and what `Pristine.put_back` says.
        """
        if self._laid_out is not None and self._is_used:
            if self._laid_out.pristine.put_back():
                self._is_used = False
            else:
                self.close()

    def lay_out(self, params: Params) -> "_LaidOut":
        """The tree as it was laid out.

        Args:
            params: Of any trial; a command may name its interpreter by a macro only.
        """
        self.put_back()
        if self._laid_out is None:
            self._laid_out = self._make(params)
        self._is_used = True
        return self._laid_out

    def _make(self, params: Params) -> "_LaidOut":
        project = self.project
        with reading(project.repository) as objects:
            record = read_frozen(objects, self.sweep)
        command = fill_words(self.sweep.spec.command, params, environ=project.environ)
        filled = replace(record, run=replace(record.run, command=command))
        with ExitStack() as stack:
            isolation, _ = stack.enter_context(isolated(project, filled))
            conditions = restore_conditions(project, filled, isolation, Which.FROZEN)
            runner = variables_for_runner(filled, conditions)
            roots = foreign_roots(project, filled, isolation, conditions)
            environ = {**conditions.environ, **runner, "REPRO_FOREIGN": roots}
            conditions = replace(conditions, environ=environ)
            pristine = Pristine(project, isolation)
            self._stack = stack.pop_all()
        return _LaidOut(record, isolation, conditions, pristine)

    def close(self) -> None:
        """Take the tree away."""
        self._laid_out = None
        self._is_used = False
        self._stack.close()


@dataclass(frozen=True, slots=True)
class _LaidOut:
    """A tree that is as the sweep has it.

    Attributes:
        record: The frozen one.
    """

    record: Record
    isolation: Isolated
    conditions: Conditions
    pristine: Pristine


@contextmanager
def workbench(project: Project, sweep: Sweep) -> Iterator[Workbench]:
    """Give a place for the trials of a sweep; what it took goes at the end of the block."""
    bench = Workbench(project, sweep)
    try:
        yield bench
    finally:
        with suppress(ReproError, OSError):  # what is left goes when the next tree is made
            bench.close()


def run_trial(bench: Workbench, task: Task, *, relay: Relay, streams: Streams) -> TrialEnd:
    """Run an attempt of a trial to its end, and seal its run.

    It starts from nothing but the frozen record, its params and the packages of the present
    environment: no trial sees what another one left in the tree.

    Args:
        relay: Entered; what it receives the command gets, and the run is a killed one.
        streams: What the command's own three are connected with.

    Returns:
        How it ended. Whatever goes wrong is said there; nothing is raised for it.
    """
    try:
        with storage_errors("the run of a trial"):
            return _run(bench, task, relay, streams)
    except ReproError as error:
        return TrialEnd.by_error(task.run, error)
    except OSError as error:
        return TrialEnd(run=task.run, error=str(error), hint="`dmesg` may say what is broken")


class _ReusedError(Exception):
    """Nothing is run, for a run of the very same conditions has finished."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a trial starts from.

    Attributes:
        inside: The project as its command sees it.
        argv: With its secrets.
    """

    inside: Project
    argv: tuple[str, ...]
    request: Request


def _run(bench: Workbench, task: Task, relay: Relay, streams: Streams) -> TrialEnd:
    ready = _prepare(bench, task)
    inside = ready.inside
    command = resolve_command(ready.argv, cwd=ready.request.cwd, environ=inside.environ)
    try:
        live = start_run(
            inside,
            ready.request,
            consider=_considering(inside, bench.sweep.spec) if task.reuse else None,
        )
    except _ReusedError as error:
        return TrialEnd(run=task.run, reused=error.run_id)
    live.journal.warn = lambda _: None  # the record counts what is lost
    refusal: CommandError | None = None
    publish_often(bench.project, live.id)
    try:
        launch(
            inside,
            live,
            command,
            relay=relay,
            streams=streams,
            timeout_s=task.timeout_s,
            is_alone=True,
        )
    except CommandError as error:
        refusal = error
    return _seal(bench.project, live, relay, refusal)


def _prepare(bench: Workbench, task: Task) -> _Ready:
    project, spec = bench.project, bench.sweep.spec
    laid_out = bench.lay_out(task.params)
    isolation, record = laid_out.isolation, laid_out.record
    environ = {**laid_out.conditions.environ, **task.environ}
    settings = isolation.project.settings
    hidden = hide_variables(project, spec.command, environ)
    variation = place_params(
        isolation.folder, settings, record, spec, task.params, {**environ, **hidden}
    )
    write_variation(isolation.folder, variation)
    assigned = merge_config(assigned_of(record), nest_config(variation.overrides))
    environ |= trial_variables(flatten_config(assigned))
    conditions = replace(laid_out.conditions, environ=environ)
    inside = replace(isolation.project, environ=environ)
    placed = place_argv(project, record, isolation, conditions, variation.argv)
    argv = with_secrets(reveal(placed, hidden, environ), environ, "sweep")
    request = Request(
        command=variation.argv,
        cwd=isolation.cwd,
        config=assigned,
        environment=_describe(project, laid_out, conditions, argv),
        data=other_data(inside, record, isolation),
        parent=_outer(project.environ),
        run_id=task.run,
        sweep=task.sweep,
        trial=task.number,
        randomness=draw_randomness(project),
        # In the worktree they are plain files, of which git sees nothing.
        submodules=isolation.beside.recorded,
        warnings=isolation.notes,
    )
    return _Ready(inside, argv, request)


def _describe(
    project: Project, laid_out: _LaidOut, conditions: Conditions, argv: tuple[str, ...]
) -> dict[str, Json]:
    """The environment, looked at anew: the user may install something while a sweep goes on."""
    inside = replace(project, environ=conditions.environ)
    cwd = laid_out.isolation.cwd
    return describe_conditions(inside, laid_out.record, conditions, argv, cwd)


def _outer(environ: Mapping[str, str]) -> str | None:
    outer = environ.get("REPRO_RUN_ID", "")
    return outer if is_id(outer) else None


def _considering(inside: Project, spec: SweepSpec) -> Consider:
    def consider(quarantine: Quarantine, seen: Observed) -> None:
        try:
            tried = look_up(inside, quarantine, seen, is_patient=True)
        except (ReproError, OSError):  # no reason not to run
            return
        if tried.finished is not None and not find_loss(spec, tried.finished):
            raise _ReusedError(tried.finished.run.id)

    return consider


def _seal(project: Project, live: LiveRun, relay: Relay, refusal: CommandError | None) -> TrialEnd:
    tell_published(live.dir)
    with relay.held():
        sealed = seal_run(project, live.dir).run
    failed = [sign_sealed(project, sealed.id), push_soon(project, [sealed.id])]
    if refusal is not None:
        return TrialEnd.by_error(sealed.id, refusal, sealed.status)
    return TrialEnd(run=sealed.id, status=sealed.status, error="; ".join(filter(None, failed)))
