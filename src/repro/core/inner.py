"""Submodules whose content no record has, for their remotes do: found in repositories here."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from repro.core.goal import is_filled
from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.paths import validate_path
from repro.store.beside import write_commit_into
from repro.store.git import Git
from repro.store.present import SUBMODULE, is_inside


def find_inner(project: Project, path: str, oid: str) -> Git | None:
    """The git of a repository here that has the commit of a submodule; None where there is none.

    Raises:
        DamagedRecordError: The path leads out of the tree.
    """
    validate_path(path)
    repository = project.repository
    for folder in (repository.root / path, repository.common_dir / "modules" / path):
        if is_filled(folder) or (folder / "HEAD").is_file():
            git = Git(folder, repository.git.environ)
            words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{oid}^{{commit}}")
            if git.run(*words, ok=(0, 1, 128)).code == 0:
                return git
    return None


def fill_inner(project: Project, folder: Path, links: Mapping[str, str]) -> list[str]:
    """Write the files of submodules, and of those inside them, into a new worktree.

    Args:
        folder: Top of the worktree.
        links: Commit of each submodule, by path. What is not here stays empty.

    Returns:
        The paths of those that were written, as plain files.

    Raises:
        DamagedRecordError: A path leads out of the worktree.
    """
    filled: list[str] = []
    waiting = dict(links)
    while waiting:
        path, oid = waiting.popitem()
        git = find_inner(project, path, oid)
        if git is None:
            continue
        target = folder / path
        if not is_inside(folder, path) or target.is_symlink():
            raise DamagedRecordError(f"the submodule `{path}` lies behind a link")
        target.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="repro-index-") as place:
            write_commit_into(git, oid, target, Path(place, "index"))
        filled.append(path)
        for line in git.paths("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", oid):
            facts, _, below = line.partition("\t")
            if facts.startswith(SUBMODULE):
                waiting[f"{path}/{below}"] = facts.split(" ")[2]
    return sorted(filled)
