"""What an examination of a run says: item by item, whether it can be had again today."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from repro.model.canonical import Json


class State(StrEnum):
    """How an item is; the order is from good to bad."""

    OK = "ok"
    DEGRADED = "degraded"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Item:
    """One condition of a run, as it is today.

    Attributes:
        item: `code`, `base`, `data:<name>`, `packages:<name>` and so on.
        detail: What was found; text of the record stands in it as it is.
        hint: What to do, or what to know, about it; None where there is nothing.
    """

    item: str
    state: State
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All items of one run, by its id."""

    run: str
    items: tuple[Item, ...]

    @property
    def is_ok(self) -> bool:
        """Whether nothing is missing."""
        return all(one.state is not State.MISSING for one in self.items)


def ok(item: str, detail: str, hint: str | None = None) -> Item:
    """An item that is as it was, or that comes back by itself."""
    return Item(item, State.OK, detail, hint)


def degraded(item: str, detail: str, hint: str | None = None) -> Item:
    """An item of which it is not sure that it is as it was."""
    return Item(item, State.DEGRADED, detail, hint)


def missing(item: str, detail: str, hint: str | None = None) -> Item:
    """An item without which the run cannot be reproduced."""
    return Item(item, State.MISSING, detail, hint)


def worst(items: Iterable[Item]) -> State:
    """The worst state of several items; `ok` of none."""
    order = list(State)
    return max((one.state for one in items), key=order.index, default=State.OK)


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Json]:
    """As `doctor --json` prints it."""
    items: list[Json] = [
        {"item": one.item, "state": one.state.value, "detail": one.detail, "hint": one.hint}
        for one in diagnosis.items
    ]
    return {"run": diagnosis.run, "ok": diagnosis.is_ok, "items": items}


def list_some(names: Iterable[str], most: int = 3) -> str:
    """A few names in backquotes, and how many more there are."""
    listed = list(names)
    shown = ", ".join(f"`{name}`" for name in listed[:most])
    return f"{shown} and {len(listed) - most:,} more" if len(listed) > most else shown
