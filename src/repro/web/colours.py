"""Which colour a run has: pinned ones as the address says, the others by turns."""

from collections.abc import Mapping, Sequence

from repro.model.palette import PALETTE


def parse_pins(text: str) -> dict[str, int]:
    """Read `ID:3,ID:5`, places in the palette by run; what reads otherwise is left out."""
    pins = {}
    for piece in text.split(","):
        run_id, _, place = piece.partition(":")
        if place.isascii() and place.isdecimal() and int(place[:4]) < len(PALETTE):
            pins[run_id.strip()] = int(place[:4])
    return pins


def give_colours(ids: Sequence[str], pins: Mapping[str, int]) -> dict[str, int]:
    """The colour of each run; one that is pinned is nobody else's while others are left."""
    taken = {pins[one] for one in ids if one in pins}
    free = [place for place in range(len(PALETTE)) if place not in taken] or list(
        range(len(PALETTE))
    )
    colours, n_given = {}, 0
    for one in ids:
        if one in pins:
            colours[one] = pins[one]
        else:
            colours[one] = free[n_given % len(free)]
            n_given += 1
    return colours


def count_turns(ids: Sequence[str], colours: Mapping[str, int]) -> dict[str, int]:
    """How many runs before each one have its colour: what else must tell them apart."""
    given: dict[int, int] = {}
    turns = {}
    for one in ids:
        turns[one] = given.get(colours[one], 0)
        given[colours[one]] = turns[one] + 1
    return turns
