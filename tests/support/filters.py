"""Vocabularies made by hand, for filters that no index is asked about."""

from collections.abc import Mapping

from repro.model.condition import Key, Kind, Space

NUMBER, TEXT, BOOL, NULL = {Kind.NUMBER}, {Kind.TEXT}, {Kind.BOOL}, {Kind.NULL}


class Known:
    """A vocabulary of names with the types of their values."""

    def __init__(self, **spaces: Mapping[str, set[Kind]]) -> None:
        """Say what is known, by the value of its space: `config={"lr": NUMBER}`."""
        self._spaces = {space: dict(spaces.get(space.value, {})) for space in Space}

    def has(self, space: Space, name: str) -> bool:
        return name in self._spaces[space]

    def names(self, space: Space) -> list[str]:
        return sorted(self._spaces[space])

    def kinds(self, key: Key) -> set[Kind]:
        return set(self._spaces[key.space].get(key.name, set()))
