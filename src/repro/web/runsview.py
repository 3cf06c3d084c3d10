"""What the address of the runs page says of its table, and addresses that say something else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from repro.core.tableview import TableWish
from repro.errors import UsageError
from repro.model.ids import is_id
from repro.model.palette import PALETTE
from repro.model.text import escape
from repro.model.wanted import split_names
from repro.web.colours import parse_pins
from repro.web.naming import number_of

PER_PAGE = (25, 50, 100, 250)
USUAL_PER_PAGE = 50
_MOST_CHOSEN = 1_000
HIDEABLE = ("name", "status", "created", "tags", "note")  # what each row says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsView:
    """The state of the page, all of it.

    Attributes:
        where: A filter; blank is every run.
        sort: Names, the first one first, `-NAME` descending.
        columns: As `ls --columns` takes them; blank is what tells the runs apart.
        hidden: Those of `HIDEABLE` that the rows do not say, or only where `columns` has them.
        group: Names; blank is single runs.
        page: From 1 on.
        per: Rows of a page.
        pins: The colour that a run has wherever it is drawn: an id, a place in the palette.
        chosen: Ids of the runs that are ticked.
    """

    where: str = ""
    sort: tuple[str, ...] = ()
    columns: str = ""
    hidden: tuple[str, ...] = ()
    group: str = ""
    page: int = 1
    per: int = USUAL_PER_PAGE
    pins: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    chosen: tuple[str, ...] = ()

    @property
    def wish(self) -> TableWish:
        """The page of the table that this is about."""
        return TableWish(
            where=self.where,
            sort=self.sort,
            columns=tuple(split_names(self.columns)) or None,
            page=self.page,
            per_page=self.per,
            group_by=tuple(split_names(self.group)),
        )

    def address(self, **changes: Any) -> str:
        """The address of this view with some of it changed; its first page, unless one is named."""
        changed = replace(self, **{"page": 1, **changes})
        query = urlencode(changed._query(), quote_via=quote, safe=",:/")
        return f"/?{query}" if query else "/"

    @property
    def curves_address(self) -> str:
        """Where the mean curves of the groups are drawn."""
        return f"/compare?{urlencode({'q': self.where, 'group': self.group}, quote_via=quote)}"

    def fields(self, *names: str) -> list[tuple[str, str]]:
        """What a form that sets `names` must say, too; it leads to the first page."""
        return [pair for pair in self._query().items() if pair[0] not in (*names, "page")]

    def _query(self) -> dict[str, str]:
        parts = {
            "q": self.where,
            "sort": ",".join(self.sort),
            "columns": self.columns,
            "hide": ",".join(self.hidden),
            "group": self.group,
            "page": "" if self.page == 1 else str(self.page),
            "per": "" if self.per == USUAL_PER_PAGE else str(self.per),
            "pin": write_pins(self.pins),
            "sel": ",".join(self.chosen),
        }
        return {key: text for key, text in parts.items() if text}

    def toggle_pin(self, run_id: str) -> Mapping[str, int]:
        """The pins without that of a run, or with one of the colour that fewest have."""
        if run_id in self.pins:
            return {run: colour for run, colour in self.pins.items() if run != run_id}
        used = list(self.pins.values())
        return {**self.pins, run_id: min(range(len(PALETTE)), key=used.count)}


def read_view(query: QueryParams) -> RunsView:
    """Read the view that the query of an address describes.

    Raises:
        UsageError: A number is none.
    """
    return RunsView(
        where=query.get("q", ""),
        sort=tuple(split_names(query.get("sort", ""))),
        # Of a form each tick is a parameter of its own.
        columns=",".join(one for one in query.getlist("columns") if one.strip()),
        hidden=_read_hidden(query),
        group=query.get("group", ""),
        page=_read_number(query, "page", 1),
        per=_read_number(query, "per", USUAL_PER_PAGE),
        pins={
            run: colour for run, colour in parse_pins(query.get("pin", "")).items() if is_id(run)
        },
        chosen=tuple(one for one in query.get("sel", "").split(",") if is_id(one))[:_MOST_CHOSEN],
    )


def write_pins(pins: Mapping[str, int]) -> str:
    """Write pins as an address has them."""
    return ",".join(f"{run}:{colour}" for run, colour in pins.items())


def _read_hidden(query: QueryParams) -> tuple[str, ...]:
    asked = {word for text in query.getlist("hide") for word in split_names(text)}
    return tuple(name for name in HIDEABLE if name in asked)


def _read_number(query: QueryParams, name: str, usual: int) -> int:
    text = query.get(name, "").strip()
    if not text:
        return usual
    number = number_of(text)
    if number is None:
        raise UsageError(f"`{name}` is a number, not `{escape(text[:20])}`")
    return number
