"""The beginning of a patch, of however large a one."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.store.git import Git

# It is to be looked at, and never applied: binary files are named only.
_WORDS = ("diff-tree", "-r", "--patch", "--no-ext-diff", "--no-textconv", "--find-renames")
_HERE = {"GIT_NO_LAZY_FETCH": "1", "GIT_LITERAL_PATHSPECS": "1"}


@dataclass(frozen=True, slots=True)
class PatchStart:
    """The first bytes of a patch, up to the end of a line.

    Attributes:
        is_cut: Whether there is more of it.
    """

    data: bytes
    is_cut: bool


def read_patch_start(
    git: Git, before: str, after: str, most: int, paths: Sequence[str] = ()
) -> PatchStart:
    """Give the beginning of the patch from one commit or tree to another.

    Args:
        most: Bytes.
        paths: The files that count, each by its exact name; none is all of them.

    Raises:
        GitError: An object is not here, or cannot be read.

    Cost: the differences of trees; of files only as many as fit.
    """
    args = (*_WORDS, "--no-color", "--end-of-options", before, after, "--", *paths)
    process = git.spawn(*args, env=_HERE)
    try:
        assert process.stdin is not None  # pipes, by `spawn`
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.close()
        data = process.stdout.read(most + 1)
        if len(data) <= most:
            said = process.stderr.read().decode(errors="replace")
            if process.wait() != 0:
                raise git.failure(args, process.returncode, said)
            return PatchStart(data, is_cut=False)
        return PatchStart(data[: data.rfind(b"\n", 0, most) + 1], is_cut=True)
    finally:
        process.kill()  # where nobody wanted the rest
        with process:
            pass
