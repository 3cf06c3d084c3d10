"""Objects of a code state that are not here, named where git only says that it failed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from repro.core.codetarget import read_inner
from repro.core.project import Project
from repro.core.query import code_of
from repro.errors import DamagedRecordError, GitError, StorageError
from repro.model.diagnosis import list_some
from repro.model.readable import count_of
from repro.model.run import Record
from repro.model.text import escape
from repro.store.git import Git

_SHORT = 10  # characters of an object id


@contextmanager
def naming_gone(project: Project, target: Record | str) -> Iterator[None]:
    """Say which objects of a code state are gone where git fails for their sake in the block.

    Raises:
        DamagedRecordError: Some are gone, and no remote is known that has them.
    """
    try:
        yield
    except (GitError, StorageError) as error:  # where it goes on, files are not as they should
        git = project.repository.git
        if is_partial(git):
            raise
        commit = target if isinstance(target, str) else code_of(target.run)
        trees = [f"{commit}^{{tree}}"]
        inner = None if isinstance(target, str) else read_inner(project, target)
        trees += [inner] if inner else []
        gone = next(filter(None, (_describe(git, tree) for tree in trees)), None)
        if gone is None:
            raise
        what, command = f"commit {commit[:_SHORT]}", "git fsck"
        if not isinstance(target, str):
            what, command = f"run `{target.run.id}`", f"repro doctor {target.run.id}"
        raise DamagedRecordError(
            f"the code of {what} is not whole here: {gone}",
            hint=f"`{command}` says what else is missing",
        ) from error


def find_gone(git: Git, name: str) -> tuple[list[str], int]:
    """The ids of objects below a tree that are not here, and how many there should be.

    Cost: one git process, which reads every tree and looks for every file.
    """
    words = ("rev-list", "--objects", "--no-object-names", "--missing=print", "--end-of-options")
    listed = git.text(*words, name).split()
    gone = [line[1:] for line in listed if line.startswith("?")]
    return gone, len(listed)


def name_gone(git: Git, tree: str, gone: Iterable[str]) -> list[str]:
    """Paths of some objects that are gone, where the folders above them are not."""
    wanted = set(gone)
    done = git.run("ls-tree", "-r", "-t", "-z", "--full-tree", tree, ok=range(256))
    lines = done.out.decode(errors="surrogateescape").split("\0")
    found = (line.partition("\t") for line in lines if line)
    return [path for facts, _, path in found if facts.split(" ")[2] in wanted]


def is_partial(git: Git) -> bool:
    """Whether a remote may have what the repository lacks, for it is a partial clone."""
    words = ("config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$")
    return git.run(*words, ok=(0, 1)).code == 0


def _describe(git: Git, tree: str) -> str | None:
    try:
        gone, total = find_gone(git, tree)
    except GitError as error:  # the topmost folder itself, or it is damaged
        return error.message
    if not gone:
        return None
    what = f"{len(gone):,} of {count_of(total, 'object')} gone"
    names = list_some(map(escape, name_gone(git, tree, gone)))
    return f"{what}: {names or gone[0][:_SHORT]}"
