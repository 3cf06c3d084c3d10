"""Whether the code of somebody else's run can be looked at and laid out without harm.

Runs that `repro fetch` brought were looked at when they came (`repro.core.vetting`); one that came
by a plain `git fetch` was not, and it may be a dozen objects that stand for a billion files.
"""

from repro.core.project import Project
from repro.core.query import code_of
from repro.errors import DamagedRecordError
from repro.model.run import Record
from repro.store.git import Git
from repro.store.objects import read_tree, reading
from repro.store.ownership import read_own
from repro.store.treecheck import TreeCheck, find_large

_CODE_OF_OTHERS = ("submodules", "editables")  # folders of a record
_sound: set[tuple[str, str]] = set()  # folder of the repository, and tree: looked at already


def refuse_harmful(project: Project, record: Record) -> None:
    """Refuse the code of a run that this user did not record here, if no restore could hold it.

    Raises:
        DamagedRecordError: The message names path and reason.

    Cost: nothing for the user's own runs; else reading all trees of the code, once in a process.
    """
    if not record.commit or record.commit in read_own(project.repository.private, record.run.id):
        return
    git = project.repository.git
    trees = {"its code": git.find(f"{code_of(record.run)}^{{tree}}")}
    with reading(project.repository) as objects:
        entries = read_tree(objects, record.commit)
        for name in _CODE_OF_OTHERS:
            if name in entries:
                trees[f"`{name}/` of its record"] = entries[name].oid
        check = TreeCheck(objects, size_of=lambda _: None, is_away=lambda oid: _is_away(git, oid))
        for name, tree in trees.items():
            key = (str(project.repository.common_dir), tree or "")
            if tree is None or key in _sound:  # what is gone, others say better
                continue
            check.check(tree, name)
            _refuse_large(project, tree, name, record.run.id)
            _sound.add(key)


def _is_away(git: Git, oid: str) -> bool:
    """Whether an object is not here: whoever needs it says so better, or fetches it."""
    words = ("cat-file", "-e", oid)
    return git.run(*words, env={"GIT_NO_LAZY_FETCH": "1"}, ok=(0, 1, 128)).code != 0


def _refuse_large(project: Project, tree: str, name: str, run_id: str) -> None:
    if any((project.repository.objects / "pack").glob("*.promisor")):
        return  # sizes of what a partial clone left away would have to be fetched
    fault = find_large(project.repository.git, tree)
    if fault is not None:
        raise DamagedRecordError(
            f"{name}: {fault}", hint=f"`repro show {run_id}` shows the rest of the run"
        )
