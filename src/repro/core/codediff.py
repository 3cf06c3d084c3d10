"""What differs between two code states, file by file, for a page that cannot show all at once."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from repro.core.project import Project
from repro.model.patch import Hunk, parse_hunks, split_patch
from repro.store.git import split_names
from repro.store.patches import read_patch_start

MOST_LINES = 1_500  # added and removed ones, of all files shown
_MOST_FILES = 100  # shown with their lines
_MOST_COUNTED = 2_000  # files whose lines are counted: each is read, and 100,000 take 7 s
_MOST_NAMES = 400_000  # bytes of their names, which git is given as arguments
LONGEST = 20_000  # lines of a patch that is shown, however large a file is that is shown alone
_MOST_BYTES = 8 << 20  # of a patch that is read
_SHAPE = ("-r", "--no-ext-diff", "--no-textconv", "--find-renames")


_Named = tuple[str, str, str]  # status, old path, path


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStat:
    """How much of a file differs.

    Attributes:
        path: Bytes that are not UTF-8 are surrogates.
        old_path: What it was called; `path` where that is the same.
        status: As git writes it: `A` added, `D` deleted, `M` modified, `R` renamed, `T` of
            another type.
        added: Lines; None of a binary file. `removed` likewise.
    """

    path: str
    old_path: str
    status: str
    added: int | None
    removed: int | None

    @property
    def n_lines(self) -> int:
        """Lines that were added or removed."""
        return (self.added or 0) + (self.removed or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDiff:
    """Two code states, compared.

    Attributes:
        files: The first ones that differ, by path; of up to 2,000 all.
        n_files: How many differ.
        hunks: Of each file by its place in `files`; a file that is not among them is too large to
            be shown beside the others.
    """

    files: tuple[FileStat, ...]
    n_files: int
    hunks: dict[int, tuple[Hunk, ...]]

    @property
    def added(self) -> int:
        """Lines that were added, of `files`."""
        return sum(one.added or 0 for one in self.files)

    @property
    def removed(self) -> int:
        """Lines that were removed, of `files`."""
        return sum(one.removed or 0 for one in self.files)


def read_code_diff(project: Project, a: str, b: str, *, only: int | None = None) -> CodeDiff:
    """Compare the trees of two commits.

    Args:
        only: The place of the one file to show, up to 20,000 lines of it; None shows the first
            ones that fit on a page.

    Raises:
        GitError: A commit is not here.

    Cost: reads the files that differ, up to 2,000; at most 8 MiB of their patch are taken.
    """
    named = _names(project, a, b) if a != b else []
    counted = _first_names(named)
    files = tuple(_stats(project, a, b, counted, is_all=len(counted) == len(named)))
    chosen = [only] if only is not None and only < len(files) else list(_first(files))
    hunks: dict[int, tuple[Hunk, ...]] = {}
    if chosen:
        paths = dict.fromkeys(path for n in chosen for path in (files[n].old_path, files[n].path))
        patch = read_patch_start(project.repository.git, a, b, _MOST_BYTES, list(paths))
        parts = iter(split_patch(b"".join(islice(io.BytesIO(patch.data), LONGEST))))
        for n in chosen:
            wanted = 2 if files[n].status == "T" else 1  # one is removed, the other added
            found = list(islice(parts, wanted))
            if found:
                hunks[n] = tuple(hunk for part in found for hunk in parse_hunks(part))
    return CodeDiff(files=files, n_files=len(named), hunks=hunks)


def _first(files: Sequence[FileStat]) -> Iterator[int]:
    """The places of files that fit on a page together."""
    room = MOST_LINES
    shown = 0
    for n, one in enumerate(files):
        if one.n_lines <= room and shown < _MOST_FILES:
            room -= one.n_lines
            shown += 1
            yield n


def _names(project: Project, a: str, b: str) -> list[_Named]:
    """All files that differ, without a look into any but for renames."""
    words = ("diff-tree", *_SHAPE, "-z", "--raw", "--end-of-options", a, b)
    fields = iter(project.repository.git.run(*words).out.split(b"\0"))
    named = []
    for field in fields:
        if not field:
            break
        status = field.rpartition(b" ")[2][:1].decode()
        [old] = split_names(next(fields))
        new = split_names(next(fields))[0] if status in ("R", "C") else old
        named.append((status, old, new))
    return named


def _first_names(named: Sequence[_Named]) -> list[_Named]:
    sizes = accumulate(len(old) + len(new) for _, old, new in named)
    n_fitting = sum(1 for size in sizes if size <= _MOST_NAMES)
    return list(named[: min(n_fitting, _MOST_COUNTED)])


def _stats(
    project: Project, a: str, b: str, named: Sequence[_Named], *, is_all: bool
) -> Iterator[FileStat]:
    if not named:
        return
    paths = [] if is_all else list(dict.fromkeys(path for _, *both in named for path in both))
    words = ("diff-tree", *_SHAPE, "-z", "--numstat", "--end-of-options", a, b, "--", *paths)
    git = project.repository.git
    fields = iter(git.run(*words, env={"GIT_LITERAL_PATHSPECS": "1"}).out.split(b"\0"))
    for status, old, new in named:
        added, removed, path = next(fields).split(b"\t", 2)
        if not path:  # of a renamed file both names follow
            next(fields), next(fields)
        yield FileStat(
            path=new, old_path=old, status=status, added=_number(added), removed=_number(removed)
        )


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() else None
