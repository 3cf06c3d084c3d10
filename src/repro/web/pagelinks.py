"""Links to the pages of a long table."""

from dataclasses import dataclass

from repro.web.runsview import RunsView


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Where the pages of a table are.

    Attributes:
        first: The number of the first row of this page, from 1 on; 0 where it has none.
        last: Of its last row.
        n_pages: At least 1.
        before: The address of the page before this one, if there is one.
        after: Of the one behind it.
        near: Numbers with addresses: the first, the last, those around this one; None is a gap.
    """

    first: int
    last: int
    n_pages: int
    before: str | None
    after: str | None
    near: tuple[tuple[int, str] | None, ...]


def link_pages(view: RunsView, n_rows: int) -> PageLinks:
    """Give the links of one page of `n_rows` rows."""
    n_pages = max(1, -(-n_rows // view.per))
    first = (view.page - 1) * view.per + 1
    is_there = first <= n_rows
    around = {1, n_pages, *range(view.page - 1, view.page + 2)}
    near: list[tuple[int, str] | None] = []
    for number in sorted(one for one in around if 1 <= one <= n_pages):
        if near and near[-1] is not None and near[-1][0] < number - 1:
            near.append(None)
        near.append((number, view.address(page=number)))
    return PageLinks(
        first=first if is_there else 0,
        last=min(view.page * view.per, n_rows) if is_there else 0,
        n_pages=n_pages,
        before=view.address(page=min(view.page - 1, n_pages)) if view.page > 1 else None,
        after=view.address(page=view.page + 1) if view.page < n_pages else None,
        near=tuple(near),
    )
