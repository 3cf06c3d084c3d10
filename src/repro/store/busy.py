"""What git is in the middle of, so that nobody may move HEAD."""

from repro.errors import BusyRepositoryError
from repro.store.git import Repository
from repro.store.refs import read_ref

_OPERATIONS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply/applying": "am",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "sequencer": "cherry-pick or revert",
    "BISECT_LOG": "bisect",
}
_PSEUDO_REFS = ("CHERRY_PICK_HEAD", "REVERT_HEAD")


def find_operation(repository: Repository) -> str | None:
    """What git is in the middle of, in words; None where it is in nothing."""
    found = [what for name, what in _OPERATIONS.items() if (repository.git_dir / name).exists()]
    if not found and (repository.common_dir / "reftable").exists():
        names = [name for name in _PSEUDO_REFS if read_ref(repository.git, name)]
        found = [_OPERATIONS[name] for name in names]
    return found[0] if found else None


def refuse_busy(repository: Repository) -> None:
    """Refuse while git is in the middle of something that moving HEAD would destroy.

    `git checkout --detach` in a merge succeeds, and deletes MERGE_HEAD.

    Raises:
        BusyRepositoryError: A merge, rebase, cherry-pick, revert, bisect or am is under way.
    """
    found = find_operation(repository)
    if found is not None:
        verb = found.split(" or ")[0]
        end = "git bisect reset" if verb == "bisect" else f"git {verb} --abort"
        raise BusyRepositoryError(
            f"git is in the middle of a {found}",
            hint=f"finish it, or `{end}`, or restore beside with `repro checkout -w DIR RUN`",
        )
