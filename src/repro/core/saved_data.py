"""What a restore changed in datasets, kept in its undo entry (FORMAT.md section "Undo")."""

from collections.abc import Iterable
from dataclasses import dataclass

from repro.core.moving import DataMoves, plan_moves
from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.canonical import format_json, parse_json
from repro.model.manifest import decode_name, encode_name
from repro.model.moves import State, format_states, parse_states
from repro.model.paths import validate_path
from repro.store.objects import FOLDER, Objects, read_file, read_tree, reading
from repro.store.walking import split_path

_DATA = "data"
_FACTS, _BEFORE, _AFTER = "dataset.json", "before", "after"
_STATES = (_BEFORE, _AFTER)
_LARGEST = 2 << 30  # bytes; a line for each file of a dataset, and some have millions


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedData:
    """A dataset that a restore changed.

    Attributes:
        before: What was at each path that it changed.
        after: What it put there.
        made: As in `DataMoves`.
    """

    name: str
    path: str
    is_file: bool
    before: dict[str, State]
    after: dict[str, State]
    made: int


def encode_moves(plans: Iterable[DataMoves]) -> dict[str, bytes]:
    """The files of an undo entry that say what a restore changes in datasets."""
    files: dict[str, bytes] = {}
    for plan in plans:
        folder = f"{_DATA}/{encode_name(plan.name)}"
        files[f"{folder}/{_FACTS}"] = format_json(
            {
                "path": plan.path,
                "kind": "file" if plan.is_file else "folder",
                "made": plan.made,
            }
        )
        files[f"{folder}/{_BEFORE}"] = format_states({m.path: m.old for m in plan.moves})
        files[f"{folder}/{_AFTER}"] = format_states({m.path: m.new for m in plan.moves})
    return files


def read_saved_data(project: Project, commit: str) -> list[SavedData]:
    """Read what `encode_moves` wrote into the undo entry `commit`.

    Raises:
        DamagedRecordError: It is something else.
    """
    with reading(project.repository) as objects:
        data = read_tree(objects, commit).get(_DATA)
        if data is None or data.mode != FOLDER:
            return []
        return [
            _read(objects, entry.oid, decode_name(name))
            for name, entry in read_tree(objects, data.oid).items()
        ]


def _read(objects: Objects, tree: str, name: str) -> SavedData:
    facts = parse_json(read_file(objects, tree, _FACTS) or b"null", name=_FACTS)
    path = facts.get("path") if isinstance(facts, dict) else None
    if not isinstance(facts, dict) or not isinstance(path, str):
        raise DamagedRecordError(f"the undo entry says nothing of where `{name}` is")
    validate_path(path)
    made = facts.get("made")
    before, after = (parse_states(_read_large(objects, tree, part)) for part in _STATES)
    for inner in {*before, *after} - {""}:
        split_path(inner)
    return SavedData(
        name=name,
        path=path,
        is_file=facts.get("kind") == "file",
        before=before,
        after=after,
        made=made if isinstance(made, int) else 0,
    )


def _read_large(objects: Objects, tree: str, name: str) -> bytes:
    entry = read_tree(objects, tree).get(name)
    if entry is None or entry.mode == FOLDER:
        return b""
    return objects.read(entry.oid, limit=_LARGEST)[1]


def plan_undo(project: Project, saved: Iterable[SavedData]) -> list[DataMoves]:
    """Say what must change for datasets to be as they were before a restore.

    Raises:
        WouldLoseWorkError: In the way is what can neither be kept nor come back.
        InvalidInputError: A file cannot be read.
    """
    root = project.repository.root
    plans = []
    for one in saved:
        paths = sorted({*one.before, *one.after})  # a folder comes before what is in it
        wanted = {path: one.before.get(path) for path in paths}
        plans.append(
            plan_moves(one.name, root, one.path, wanted, is_file=one.is_file, made=max(one.made, 0))
        )
    return [plan for plan in plans if plan.moves]
