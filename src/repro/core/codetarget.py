"""A code state to bring back: the commit, and what its submodules held."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.harm import refuse_harmful
from repro.core.project import Project
from repro.core.query import code_of
from repro.errors import DamagedRecordError
from repro.model.paths import validate_path
from repro.model.run import Record
from repro.store.git import Git
from repro.store.present import SUBMODULE, Present, diff_trees, empty_tree
from repro.store.quarantine import Quarantine
from repro.store.refs import LIVE, list_refs


@dataclass(frozen=True, slots=True)
class CodeTarget:
    """A code state.

    Attributes:
        commit: Its tree is the code.
        run: Id of the run, None for another code state.
        title: Name of the run or its command, else the subject of the commit.
        links: Commit of each submodule, by path.
        inner: Tree of the content of submodules and inner repositories in the record.
    """

    commit: str
    tree: str
    run: str | None
    title: str
    links: Mapping[str, str]
    inner: str | None


def read_code_target(project: Project, target: Record | str) -> CodeTarget:
    """Read what is to be restored: a run, or the commit of another code state.

    Raises:
        DamagedRecordError: Its commit is not there, or somebody made it to do harm.
    """
    git = project.repository.git
    if not isinstance(target, str):
        refuse_harmful(project, target)
    commit = target if isinstance(target, str) else code_of(target.run)
    tree = git.find(f"{commit}^{{tree}}")
    if tree is None:
        raise DamagedRecordError(
            f"the commit {commit[:12]} is not in this repository",
            hint="`git fsck` says what else is missing",
        )
    links = {
        path: facts.split(" ")[2]
        for facts, _, path in (line.partition("\t") for line in list_tree(git, tree))
        if facts.startswith(SUBMODULE)
    }
    if isinstance(target, str):
        show = ("show", "--no-patch", "--no-show-signature", "--format=%s", "--end-of-options")
        title = git.text(*show, commit)
        return CodeTarget(commit, tree, None, title, links, None)
    run = target.run
    title = run.name or " ".join(run.command)
    return CodeTarget(commit, tree, run.id, title, links, read_inner(project, target))


def list_tree(git: Git, tree: str) -> list[str]:
    """Mode, kind, object and, behind a tab, path of all files in a tree."""
    return git.paths("ls-tree", "-r", "-z", "--end-of-options", tree)


def read_inner(project: Project, record: Record) -> str | None:
    """The tree `submodules` of the record; of a run in progress, that of its live ref."""
    git = project.repository.git
    ref = LIVE + record.run.id
    commit = record.commit or list_refs(git, ref).get(ref)
    if not commit:
        return None
    return _tree_at(git, f"{commit}:submodules")


def _tree_at(git: Git, name: str) -> str | None:
    oid = git.find(name)
    if oid is None or git.text("cat-file", "-t", oid) != "tree":
        return None
    return oid


def inner_roots(project: Project, code: CodeTarget) -> dict[str, str]:
    """Tree of each submodule and inner repository in the record, by path.

    Raises:
        DamagedRecordError: A path leads out of its folder.
    """
    if code.inner is None:
        return {}
    git = project.repository.git
    roots = {}
    for path in code.links:
        tree = _tree_at(git, f"{code.inner}:{path}")
        if tree is not None:
            roots[path] = tree
    # What no submodule claims was a repository that git did not track.
    for line in list_tree(git, code.inner):
        path = line.partition("\t")[2]
        if any(path.startswith(f"{root}/") for root in roots):
            continue
        root = _topmost(git, code.inner, path)
        roots[root] = str(_tree_at(git, f"{code.inner}:{root}"))
    for path in roots:
        validate_path(path)
    return roots


def _topmost(git: Git, tree: str, path: str) -> str:
    """The first folder on the way to `path` that holds more than one folder."""
    parts = path.split("/")[:-1]
    for depth in range(1, len(parts)):
        entries = git.paths("ls-tree", "-z", f"{tree}:{'/'.join(parts[:depth])}")
        if len(entries) != 1:
            return "/".join(parts[:depth])
    return "/".join(parts)


def differing_submodules(
    project: Project, quarantine: Quarantine, code: CodeTarget, present: Present
) -> list[str]:
    """Submodules, and inner repositories of the record, whose files in place are not the run's."""
    git = project.repository.git
    recorded = inner_roots(project, code)
    if not (code.links or recorded or present.working.gitlinks):
        return []
    changes = diff_trees(git, empty_tree(git), present.tree, env=quarantine.env)
    entries = ((change.path, change.new) for change in changes)
    here = {path for path, entry in entries if entry and entry.mode == SUBMODULE}
    return [
        path
        for path in sorted({*code.links, *recorded, *here})
        if not _is_same(
            Git(project.repository.root / path, git.environ),
            found=present.submodules.get(path),
            wanted=recorded.get(path),
            commit=code.links.get(path),
            is_submodule=path in here,
        )
    ]


def _is_same(
    git: Git, *, found: str | None, wanted: str | None, commit: str | None, is_submodule: bool
) -> bool:
    if not is_filled(git.cwd):
        return wanted is None
    head = git.find("HEAD^{commit}")
    if head != commit and (commit is not None or is_submodule):
        return False
    return (found or _tree_at(git, f"{head}:")) == (wanted or _tree_at(git, f"{commit}:"))


def is_filled(folder: Path) -> bool:
    """Whether the submodule at `folder` has files here."""
    return (folder / ".git").exists()
