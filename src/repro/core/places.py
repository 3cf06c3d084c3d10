"""Places of two runs that mean the same: trees, packages in place, environments."""

from contextlib import suppress
from itertools import islice, product
from pathlib import Path

from repro.core.editables import folder_of_placed
from repro.core.isolation import packages_of_tree, places_of_run, roots_of
from repro.core.needed import list_worktrees
from repro.core.project import Project
from repro.errors import DamagedRecordError, GitError
from repro.model.environment import local_folder, part
from repro.model.needs import list_editables, named_tree, packages_of
from repro.model.run import Record

_MOST = 9  # reruns of one run at once, or kept, whose trees are known


def pair_places(project: Project, original: Record, again: Record) -> list[tuple[str, str]]:
    """Absolute paths of the one run that stand for others in the other, as the records tell."""
    here = _working_trees(project)
    before, after = _trees(project, original, here), _trees(project, again, here)
    pairs = list(product(map(str, before), map(str, after)))
    for name in list_editables(original.environment):
        pairs += product(_editable(original, name, before), _editable(again, name, after))
    prefixes = [_prefix(record) for record in (original, again)]
    if all(prefixes):
        pairs.append((prefixes[0], prefixes[1]))
    return pairs


def _working_trees(project: Project) -> list[Path]:
    """Where the user works, by all spellings."""
    trees = [Path(root) for root in roots_of(project)]
    with suppress(DamagedRecordError, GitError):  # one that is not there is not known
        trees += list_worktrees(project.repository)
    return list(dict.fromkeys(trees))


def _trees(project: Project, record: Record, here: list[Path]) -> list[Path]:
    """Where the code of a run may have been: a rerun can print the path of the original, too."""
    original = record.run.rerun_of
    if original is None:
        return here
    return [*islice(places_of_run(project, original), _MOST), *here]


def _editable(record: Record, name: str, trees: list[Path]) -> list[str]:
    """Where the code of a package in place may have been."""
    if name not in packages_of(record.environment):
        return []
    origin = part(packages_of(record.environment)[name], "origin")
    place, path = local_folder(origin), origin.get("path")
    found = [place] if place is not None else []
    if place is None and isinstance(path, str):
        found = [tree / path for tree in trees]
    tree = named_tree(record.environment, name)
    if tree is not None and record.run.rerun_of is not None:
        found += [folder_of_placed(packages_of_tree(one), name, tree) for one in trees]
    return [str(one) for one in found]


def _prefix(record: Record) -> str:
    """The folder of the interpreter's environment, empty where that is not known."""
    prefix = part(record.environment, "interpreter").get("prefix")
    return prefix if isinstance(prefix, str) and prefix.startswith("/") else ""
