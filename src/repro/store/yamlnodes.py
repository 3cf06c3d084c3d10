"""Where in the text of a YAML document each of its values stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

_VALUES = {"ScalarEvent", "AliasEvent", "SequenceStartEvent", "MappingStartEvent"}


def parse_nodes(text: str) -> tuple["Node | None", int]:
    """Give the top of the document, and where the document ends.

    Raises:
        ValueError: It is not YAML.
    """
    # 25 ms of a 50 ms budget for `import repro`, and few commands edit settings.
    import yaml  # noqa: PLC0415

    root, end = None, len(text)
    # What reads settings: the two parsers differ in what they take, such as tabs behind values.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events: Any = yaml.parse(text, Loader=loader)
        for event in events:
            if _kind(event) in _VALUES:
                root = _read_node(text, event, events)
            elif _kind(event) == "DocumentEndEvent" and event.explicit:
                end = event.start_mark.index
    except yaml.YAMLError as error:
        raise ValueError("not YAML") from error
    return root, end


class _Mark(Protocol):
    index: int
    column: int


class _Event(Protocol):
    """What the events of PyYAML have, each kind a part of it."""

    start_mark: _Mark
    end_mark: _Mark
    anchor: str | None
    implicit: tuple[bool, bool]
    value: str
    flow_style: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands, as offsets into the text.

    Attributes:
        start: Of the anchor, where it has one.
        end: Behind its last character; a list or mapping without brackets ends with its last item.
        column: Of its start; that of its keys for a mapping in block style.
        text: Of a scalar; None for all else, and for the `<<` of a merge.
        pairs: Of a mapping; None for all else.
        inner: Behind the brace that opens a mapping in flow style; None in block style.
    """

    start: int
    end: int
    column: int
    text: str | None = None
    pairs: "tuple[Pair, ...] | None" = None
    inner: int | None = None

    def find(self, key: str) -> "Pair | None":
        """The entry of that key in a mapping."""
        return next((pair for pair in self.pairs or () if pair.key.text == key), None)


class Pair(NamedTuple):
    """An entry of a mapping."""

    key: Node
    value: Node

    @property
    def end(self) -> int:
        """Behind the last character of both."""
        return max(self.key.end, self.value.end)


def _kind(event: _Event) -> str:
    return type(event).__name__


def _read_node(text: str, event: _Event, events: Iterator[_Event]) -> Node:
    start, end, column = event.start_mark.index, event.end_mark.index, event.start_mark.column
    if _kind(event) == "ScalarEvent":
        # A block scalar takes the blank lines behind it along; the C parser has a value that is
        # not there begin where the next thing does.
        end = len(text[:end].rstrip())
        start = min(start, end)
        is_merge = event.value == "<<" and event.implicit[0]
        return Node(start, end, column, text=None if is_merge else event.value)
    if _kind(event) == "AliasEvent":
        return Node(start, end, column)
    nodes: list[Node] = []
    while _kind(inner := next(events)) in _VALUES:
        nodes.append(_read_node(text, inner, events))
    opening = end
    is_flow = event.flow_style
    end = inner.end_mark.index if is_flow or not nodes else max(node.end for node in nodes)
    if _kind(event) == "SequenceStartEvent":
        return Node(start, end, column)
    pairs = tuple(map(Pair, nodes[::2], nodes[1::2]))
    if pairs and event.anchor is not None:
        column = pairs[0].key.column
    return Node(start, end, column, pairs=pairs, inner=opening if is_flow else None)
