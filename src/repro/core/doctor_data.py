"""Whether the datasets of a run can be had again: as they lie there, kept, or from the store."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

from repro.core.beside_data import plan_beside
from repro.core.datachoice import Chosen, iter_files
from repro.core.datasets import list_datasets
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.core.restore_data import open_recorded
from repro.core.transfer import open_store
from repro.errors import InvalidInputError, MissingDataError, RemoteError, ReproError
from repro.model.diagnosis import Item, degraded, list_some, missing, ok
from repro.model.readable import count_of
from repro.model.run import Record
from repro.store.arrival import Wanted
from repro.store.content import ContentStore
from repro.store.datafacts import decode_facts
from repro.store.remote import ObjectRemote, Remote


def check_data(
    project: Project,
    record: Record,
    *,
    ask_store: bool,
    on_progress: OnProgress | None = None,
) -> Iterator[Item]:
    """Look at each dataset of a run; one that cannot be looked at hides no other.

    Args:
        ask_store: Whether the store that the project shares is asked for what is not here.

    Cost: hashes files that are new since the last time.
    """
    for name in record.data:
        asked = _Asked(project, record, name, ask_store=ask_store, on_progress=on_progress)
        try:
            yield _check(asked)
        except ReproError as error:
            yield degraded(asked.item, f"cannot be examined: {error.message}", error.hint)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question about one dataset."""

    project: Project
    record: Record
    name: str
    _: KW_ONLY
    ask_store: bool
    on_progress: OnProgress | None

    @property
    def item(self) -> str:
        return f"data:{self.name}"


def _check(asked: _Asked) -> Item:
    facts = decode_facts(asked.record.data, asked.name)
    path = facts.path
    declared = [one.path for one in list_datasets(asked.project)]
    if path.startswith("/") and path not in declared:
        # A record from elsewhere must not choose what is read on this machine.
        hint = f"`repro data add --outside {path}` lets it be looked at"
        return degraded(asked.item, f"lies outside at `{path}`, and is not looked at", hint)
    found = _look(asked)
    if found is None:
        kept = "and kept" if facts.kept else "but not kept: only this copy is known"
        return ok(asked.item, f"`{path}` is as it was, {kept}")
    try:
        plan_beside(asked.project, asked.record, [asked.name], on_progress=asked.on_progress)
    except MissingDataError as error:
        files = f"{len(error.paths):,} of {count_of(facts.files, 'file')}"
        what = f"`{path}` {found}; not here as recorded: {files}: {list_some(error.paths)}"
        return _away(asked, what, is_kept=facts.kept)
    hint = f"`repro checkout {asked.record.run.id} --data` brings it back in place"
    files = f"all {facts.files:,} files" if facts.files != 1 else "its 1 file"
    return ok(asked.item, f"`{path}` {found}; {files} can be had as recorded", hint)


def _look(asked: _Asked) -> str | None:
    """How a dataset is now, in words; None where it is as it was."""
    try:
        with open_recorded(
            asked.project, asked.record, [asked.name], on_progress=asked.on_progress
        ) as [one]:
            if one.is_same:
                return None
            return "is gone" if one.present is None else "has changed"
    except InvalidInputError as error:
        if not asked.record.commit:
            raise
        return f"cannot be read ({error.message})"


def _away(asked: _Asked, what: str, *, is_kept: bool) -> Item:
    """Where the bytes are that a dataset lacks."""
    item, run = asked.item, asked.record.run.id
    if not is_kept:
        hint = "put the files back as they were; `repro data add --keep` keeps those of later runs"
        return missing(item, f"{what}; their bytes were not kept", hint)
    pull = f"`repro data pull --run {run}` fetches them"
    if asked.project.settings.store is None:
        hint = f"name the store that has them as `store:` in repro.yaml, then {pull}"
        return missing(item, f"{what}; repro.yaml names no store that might have them", hint)
    if not asked.ask_store:
        return degraded(item, f"{what}; the store was not asked", pull)
    try:
        remote = open_store(asked.project)
        lacking = _find_lacking(asked, remote)
    except RemoteError as error:
        return degraded(item, f"{what}; the store cannot be asked: {error.message}", pull)
    if lacking is None:
        return degraded(item, f"{what}; {remote.label} may have them", pull)
    if lacking:
        hint = f"`repro data push --run {run}` in a clone that has them sends them"
        return missing(item, f"{what}; the store lacks {list_some(lacking)}", hint)
    return degraded(item, f"{what}; the store has them", pull)


def _find_lacking(asked: _Asked, remote: Remote) -> list[str] | None:
    """Paths of files that are neither here nor in the store; None where it cannot be told."""
    if not isinstance(remote, ObjectRemote):
        return None
    wanted = dict(_list_away(asked))
    lacking = remote.find_lacking(list(wanted))
    return [wanted[one] for one in lacking]


def _list_away(asked: _Asked) -> Iterator[tuple[Wanted, str]]:
    """The kept files that the content store here lacks, each with its path in the dataset."""
    content = ContentStore(asked.project.store)
    facts = decode_facts(asked.record.data, asked.name)
    run, commit = asked.record.run.id, asked.record.commit
    chosen = Chosen(name=asked.name, path=facts.path, kept=facts.kept, run=run, commit=commit)
    for path, entry in iter_files(asked.project, chosen):
        if entry.sha256 is not None:
            one = Wanted(entry.sha256, entry.size)
            if not content.has(one.digest):
                yield one, path
