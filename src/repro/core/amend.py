"""A sealed run changed afterwards: a new commit on top of its record (FORMAT.md "Amending")."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from repro.core.project import Project, who_am_i
from repro.errors import ConflictError, DamagedRecordError, GitError, UsageError
from repro.model.canonical import format_json
from repro.model.curation import stamp_changes
from repro.model.run import Run
from repro.store.objects import read_commit, read_file, read_tree, reading
from repro.store.quarantine import (
    CommitSpec,
    Existing,
    Quarantine,
    open_quarantine,
    publish,
    write_commits,
)
from repro.store.refs import RUNS, RefUpdate, RunRefs
from repro.store.runs import RUN_FILE, encode_run, read_record

_TRIES = 20  # others amend the same run at the same time; each turn one of them gets through


def amend_run(
    project: Project,
    run_id: str,
    change: Callable[[Run], Run] = lambda run: run,
    *,
    files: Mapping[str, bytes] | None = None,
) -> Run:
    """Give a run another `run.json`, or other files beside it; all else of its record stays.

    What changes nothing writes nothing. A run that only a remote or an archive has is adopted:
    it gets a ref of its own.

    Args:
        change: Called again with what is there then, should somebody else be first.
        files: Files at the top of the record that are new or replaced.

    Raises:
        DamagedRecordError: There is no such run any more, or its record breaks FORMAT.md.
        ConflictError: Others amended it all the time.
        UsageError: It is still in progress, elsewhere.
    """
    for attempt in range(_TRIES):
        try:
            return _amend_once(project, run_id, change, files or {})
        except ConflictError:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def describe_commit(run: Run) -> str:
    """The message of a run commit (FORMAT.md section "Commits")."""
    title = " ".join((run.name or " ".join(run.command) or "run").split())
    return f"run {run.id}: {title}\n\nRepro-Run: {run.id}\nRepro-Status: {run.status}\n"


def _amend_once(
    project: Project, run_id: str, change: Callable[[Run], Run], new: Mapping[str, bytes]
) -> Run:
    commit, held = find_commit(project, run_id)
    with reading(project.repository) as objects:
        before = read_record(objects, commit).run
        parents = read_commit(objects, commit).parents
        entries = read_tree(objects, commit)
        is_new = any(read_file(objects, commit, name) != data for name, data in new.items())
    after = change(before)
    if after == before and not is_new:
        return after
    after = stamp_changes(before, after, project.clock(), files=new)
    files: dict[str, bytes | Existing] = {
        name: Existing(f"{entry.mode:06o}", entry.oid) for name, entry in entries.items()
    }
    files.update(new)
    files[RUN_FILE] = format_json(encode_run(after))
    spec = CommitSpec(
        message=describe_commit(after),
        when=project.clock(),
        author=who_am_i(project),
        parents=[*parents[:1], commit],
        files=files,
    )
    with open_quarantine(project.repository) as quarantine:
        [amended] = write_commits(quarantine, [spec])
        if project.personal.sign:
            amended = _signed(quarantine, spec, amended)
        update = RefUpdate(RUNS + run_id, new=amended, old=held)
        publish(quarantine, tips=[amended], exclude=[commit], refs=[update])
    return after


def _signed(quarantine: Quarantine, spec: CommitSpec, commit: str) -> str:
    """The commit with the user's signature, or as it is: without one it can be signed later."""
    from repro.store.signing import sign_commit  # noqa: PLC0415  # few users sign

    tree = quarantine.repository.git.text(
        "rev-parse", "--verify", f"{commit}^{{tree}}", env=quarantine.env
    )
    try:
        return sign_commit(quarantine, replace(spec, tree=tree, files=None), patiently=False)
    except GitError:
        return commit


def find_commit(project: Project, run_id: str) -> tuple[str, str | None]:
    """Give the commit of a run, and what its own ref names, None where it has none.

    Raises:
        DamagedRecordError: There is no such run any more.
        UsageError: It is still in progress, elsewhere.
    """
    refs = RunRefs(project.repository)
    held = refs.tips([run_id]).get(run_id)
    commit = held or refs.get(run_id)
    if commit is None:
        raise DamagedRecordError(
            f"run `{run_id}` is gone meanwhile", hint="`repro ls` lists the runs"
        )
    if held is None and refs.places(run_id)[0].is_live:
        raise UsageError(
            f"run `{run_id}` is still in progress", hint="`repro fetch` tells when it is over"
        )
    return commit, held
