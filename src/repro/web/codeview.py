"""A difference of code as the rows of a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from repro.core.codediff import CodeDiff, FileStat
from repro.model.patch import Hunk, PatchLine
from repro.web.highlight import highlight

MOST_FILES = 500  # named on one page

_NOTHING = Markup("")
_KINDS = {"+": "added", "-": "removed", "\\": "said"}
STATUS = {"A": "added", "D": "removed", "M": "changed", "R": "renamed", "T": "of another type"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a hunk, or what stands between two.

    Attributes:
        kind: `same`, `added`, `removed`, `said` by git, or `gap`.
        before: Its number in the old file; None where that lacks it.
        after: Its number in the new file.
    """

    kind: str
    before: int | None = None
    after: int | None = None
    sign: str = " "
    html: Markup = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """A file of a difference.

    Attributes:
        place: Which of all files it is.
        rows: None where it is too large to be shown beside the others.
    """

    place: int
    stat: FileStat
    said: str
    rows: tuple[Row, ...] | None

    @property
    def is_binary(self) -> bool:
        """Whether it has no lines."""
        return self.stat.added is None


def show_files(diff: CodeDiff, *, only: int | None = None) -> list[ShownFile]:
    """The files of a difference, with their lines as far as these are there.

    Args:
        only: The place of the one file that is wanted; None is the first ones.
    """
    return [
        ShownFile(
            place=place,
            stat=stat,
            said=STATUS.get(stat.status, "changed"),
            rows=tuple(_rows(diff.hunks[place], stat)) if place in diff.hunks else None,
        )
        for place, stat in enumerate(diff.files)
        if (place < MOST_FILES if only is None else place == only)
    ]


def _rows(hunks: Sequence[Hunk], stat: FileStat) -> Iterator[Row]:
    for before, hunk in pairwise([None, *hunks]):
        assert hunk is not None  # only the first of all is none
        if before is not None or hunk.heading or hunk.before > 1:
            yield Row(kind="gap", html=Markup.escape(hunk.heading))
        old = iter(_colour(hunk.lines, "- ", stat.old_path))
        new = iter(_colour(hunk.lines, "+ ", stat.path))
        for line in hunk.lines:
            html = Markup.escape(line.text)
            if line.before is not None:
                html = next(old)
            if line.after is not None:
                html = next(new)
            yield Row(
                kind=_KINDS.get(line.sign, "same"),
                before=line.before,
                after=line.after,
                sign=line.sign,
                html=html,
            )


def _colour(lines: Sequence[PatchLine], signs: str, path: str) -> list[Markup]:
    """The lines of one side; each side is a text of its own."""
    texts = [line.text for line in lines if line.sign in signs]
    return highlight("\n".join([*texts, ""]), path) if texts else []
