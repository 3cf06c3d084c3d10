"""Whether sweeps are as FORMAT.md promises: their ledgers, and what their trials start from."""

from collections.abc import Iterator

from repro.core.frozen_sweep import check_params, read_frozen
from repro.core.fsck_record import Broken, Seen, check_record
from repro.core.project import Project
from repro.core.sweep.damage import read_or_explain
from repro.errors import NewerFormatError, ReproError
from repro.model.ids import is_id
from repro.store.content import ContentStore
from repro.store.objects import Objects, reading
from repro.store.refs import SWEEPS, list_refs


def check_sweeps(project: Project, seen: Seen) -> Iterator[tuple[str, Broken]]:
    """Read all sweeps of a clone, and say what is wrong with each, by its id.

    Entries of the content store that they need are noted in `seen`.
    """
    refs = list_refs(project.repository.git, SWEEPS)
    if not refs:
        return
    content = ContentStore(project.store)
    with reading(project.repository) as objects:
        for ref, oid in refs.items():
            sweep_id = ref.removeprefix(SWEEPS)
            if not is_id(sweep_id):
                yield sweep_id, Broken("F2", ref, "its name is no id")
                continue
            for broken in _check(objects, content, sweep_id, oid, seen):
                yield sweep_id, broken


def _check(
    objects: Objects, content: ContentStore, sweep_id: str, oid: str, seen: Seen
) -> Iterator[Broken]:
    try:
        at = read_or_explain(objects, sweep_id, oid).at
    except NewerFormatError as error:
        yield Broken("F13", "sweep.json", error.message, error.hint or "")
        return
    except ReproError as error:
        yield Broken("", "the sweep", error.message, error.hint or "")
        return
    sweep = at.sweep
    if sweep.id != sweep_id:
        yield Broken("", "sweep.json", f"it says that it is sweep `{sweep.id}`")
        return
    faults = [*check_record(objects, content, sweep_id, sweep.base, seen)]
    yield from faults
    if not faults:
        try:
            read_frozen(objects, sweep)
            check_params(at)
        except ReproError as error:
            yield Broken("", "sweep.json", error.message, error.hint or "")
