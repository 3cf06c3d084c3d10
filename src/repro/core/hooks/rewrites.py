"""What became of the commits that runs were based on."""

from collections.abc import Sequence

from repro.core.project import Project
from repro.store.refs import RunRefs
from repro.store.rewritten import add_rewritten, find_rewritten, parse_pairs


def remember_rewrites(project: Project, told: str, command: str) -> int:
    """Remember what a rebase or an amend put in the place of which commit; how many.

    Nothing is written in a repository without runs.

    Args:
        told: What git gives the hook `post-rewrite`, empty where another program took that.
        command: `amend` or `rebase`.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    pairs = parse_pairs(told) or _find_pairs(project, command)
    if not pairs or not RunRefs(project.repository).n_refs:
        return 0
    add_rewritten(project.repository, pairs)
    return len(pairs)


def _find_pairs(project: Project, command: str) -> Sequence[tuple[str, str]]:
    """The same, as git has it written down at this moment."""
    repository = project.repository
    if command == "rebase":
        try:
            path = repository.git_dir / "rebase-merge/rewritten-list"
            return parse_pairs(path.read_text(errors="replace"))
        except OSError:
            return ()
    told = repository.git.run("rev-parse", "HEAD@{1}", "HEAD", ok=(0, 128)).out.decode()
    return parse_pairs(" ".join(told.split()))


def current_base(project: Project, base: str | None) -> str | None:
    """The commit that took the place of the base of a run; None where that is as it was."""
    return find_rewritten(project.repository, base) if base is not None else None
