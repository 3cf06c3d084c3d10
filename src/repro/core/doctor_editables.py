"""Whether the code of editable packages from beside the project is in the record."""

import os
import re
from collections.abc import Iterator

from repro.core.editables import read_present_tree
from repro.core.gone import find_gone
from repro.core.project import Project
from repro.core.started import EDITABLES
from repro.core.trust import is_own
from repro.model.diagnosis import Item, degraded, list_some, missing, ok
from repro.model.environment import local_folder
from repro.model.needs import list_editables, list_left_out, named_tree
from repro.model.readable import count_of
from repro.model.run import Record
from repro.store.refs import LIVE

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def check_editables(project: Project, record: Record) -> Iterator[Item]:
    """Look for the code of each editable package."""
    editables = list_editables(record.environment)
    if not editables:
        return
    items = [item for name, url in editables.items() for item in _check(project, record, name, url)]
    if not items:
        count = count_of(len(editables), "editable package")
        detail = f"the code of {count} is in the record"
        since = [_since(project, record, name, url) for name, url in editables.items()]
        items = [ok("editables", "; ".join([detail, *filter(None, since)]))]
    yield from items


def _since(project: Project, record: Record, name: str, url: str) -> str | None:
    """What became of the folder of a package whose code is in the record."""
    named = named_tree(record.environment, name)
    if not is_own(project, record):  # what a record from elsewhere names is not looked into
        return None
    place = local_folder({"url": url}) or project.repository.root / url
    if not os.path.lexists(place):
        return f"the folder of `{name}` is gone since"
    if named is not None and read_present_tree(project, place) not in (named, None):
        return f"`{name}` has changed since"
    return None


def _check(project: Project, record: Record, name: str, url: str) -> Iterator[Item]:
    tree = _find_tree(project, record, name)
    named = named_tree(record.environment, name)
    if named is not None and tree != named:
        detail = f"the record does not hold the code of `{name}` that it names"
        yield missing("editables", detail, "`git fsck` says what is damaged; fetch the run anew")
        return
    if tree is not None:
        gone, total = find_gone(project.repository.git, tree)
        if gone:
            what = f"{len(gone):,} of {count_of(total, 'object')} of `{name}` are gone"
            yield missing("editables", what, "`git fsck` says what else is; fetch the run anew")
        left_out = list_left_out(record.environment, name)
        if left_out:
            detail = f"the record leaves out {list_some(left_out)} of `{name}`"
            yield degraded("editables", detail, "`snapshot.max_file` in repro.yaml sets the limit")
        return
    place = local_folder({"url": url})
    hint = "a run from now on records its code"
    if place is None or not os.path.lexists(place):
        yield missing("editables", f"`{name}` is not in the record, and `{url}` is gone", hint)
    else:
        detail = f"`{name}` is not in the record: there is only `{place}` as that is now"
        yield degraded("editables", detail, hint)


def _find_tree(project: Project, record: Record, name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return None
    commit = record.commit or f"{LIVE}{record.run.id}"
    return project.repository.git.find(f"{commit}:{EDITABLES}/{name}")
