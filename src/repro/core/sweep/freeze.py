"""A sweep made: code, data, config and environment frozen, before any trial of it runs."""

from dataclasses import replace
from pathlib import Path

from repro.core.environment import capture_environment
from repro.core.measured import OnProgress
from repro.core.observe import Observed, observe_for
from repro.core.pins import manifest_files
from repro.core.project import Project, who_am_i
from repro.core.request import Request
from repro.core.start import describe_start
from repro.core.started import Started, surrounding_files
from repro.core.sweep.hidden import refuse_secrets
from repro.core.sweep.program import first_command
from repro.model.ids import new_id
from repro.model.run import Record, Status
from repro.model.sweep import Sweep, SweepAt
from repro.model.sweepcheck import check_spec
from repro.model.sweepspec import SweepSpec
from repro.store.content import ContentStore
from repro.store.git import Identity
from repro.store.lfs import keep_objects
from repro.store.objects import reading
from repro.store.ownership import note_own
from repro.store.quarantine import CommitSpec, Existing, Quarantine, publish, write_commits
from repro.store.refs import SWEEPS, RefUpdate
from repro.store.runs import encode_record
from repro.store.sweeps import first_commit, read_sweep


def freeze(
    project: Project,
    spec: SweepSpec,
    *,
    cwd: Path,
    data: tuple[str, ...] = (),
    on_progress: OnProgress | None = None,
) -> SweepAt:
    """Record what every trial of a sweep will start from, and give the sweep; nothing is run.

    Args:
        cwd: Where the command runs, inside of the repository.
        data: Paths of datasets beside those of `repro.yaml`, relative to `cwd`.
        on_progress: Called several times a second while datasets are read.

    Raises:
        InvalidInputError: A config file is wrong, the spec cannot be done, or has a secret.
        StorageError: The disk is full or read-only; nothing is left behind.
    """
    check_spec(spec)
    refuse_secrets(spec.space)
    # A command may name its interpreter in a macro only.
    sample = first_command(project, spec)
    request = Request(
        command=spec.command,
        cwd=cwd,
        name=spec.name,
        note=spec.note,
        environment=capture_environment(project, sample, cwd=cwd),
        data=data,
    )
    sweep_id = new_id(project.entropy)
    author, now = who_am_i(project), project.clock()

    def publish_seen(quarantine: Quarantine, seen: Observed) -> SweepAt:
        code = seen.code
        keep_objects(project.repository, code.tree, code.base, ContentStore(project.store))
        started = describe_start(project, request, sweep_id, seen, author=author, now=now)
        return _publish(quarantine, project, spec, started, seen)

    return observe_for(
        project,
        request,
        publish_seen,
        author=author,
        now=now,
        run=sweep_id,
        on_progress=on_progress,
    )


def _publish(
    quarantine: Quarantine, project: Project, spec: SweepSpec, started: Started, seen: Observed
) -> SweepAt:
    run, author, now = started.run, started.author, project.clock()
    [base] = write_commits(quarantine, [_base_commit(started, author, now)])
    sweep = Sweep(
        id=run.id,
        base=base,
        created=run.created,
        user=run.user,
        host=run.host,
        # As in the record: without secrets.
        spec=replace(spec, command=run.command),
    )
    [commit] = write_commits(quarantine, [first_commit(sweep, when=now, author=author)])
    note_own(project.repository.private, run.id, base)
    publish(
        quarantine,
        tips=[commit],
        exclude=[seen.code.base] if seen.code.base else [],
        beside=[*seen.pins.held, *seen.around.held],
        refs=[RefUpdate(SWEEPS + run.id, new=commit)],
    )
    with reading(project.repository) as objects:
        return read_sweep(objects, commit).at


def _base_commit(started: Started, author: Identity, when: float) -> CommitSpec:
    """The frozen record: a run's, of which nothing was executed."""
    run = replace(started.run, status=Status.FINISHED, ended=started.run.started, duration_s=0.0)
    record = Record(
        run=run,
        config=started.config,
        data=started.data,
        environment=started.environment,
    )
    files: dict[str, bytes | Path | Existing] = dict(encode_record(record))
    files.update(surrounding_files(started.editables, started.lockfiles))
    files.update(manifest_files(started.manifests))
    files.update(
        {
            f"submodules/{path}": Existing("040000", tree)
            for path, tree in started.submodules.items()
        }
    )
    return CommitSpec(
        message=f"what sweep {run.id} starts from\n\nRepro-Sweep: {run.id}\n",
        when=when,
        author=author,
        parents=[started.snapshot],
        files=files,
    )
