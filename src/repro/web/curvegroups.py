"""Whose curves a comparison draws: those of each run, or means of runs that share values."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from repro.core.groupcurves import RunGroup, make_groups
from repro.core.project import Project
from repro.core.tableview import word_of
from repro.core.wanted import resolve_keys
from repro.model.columns import Column, choose_keys, title_keys
from repro.model.meancurve import Band
from repro.model.palette import PALETTE
from repro.model.run import Record

ALL = "-"  # in an address: one mean of all runs
_MOST_CHOICES = 40  # params to put runs together by; the address takes any
GROUP_KEYS = ("group", "band")


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """What somebody can choose: the value in the address, in words."""

    value: str
    words: str


def group_keys(project: Project, params: QueryParams) -> list[Column] | None:
    """Read what an address says runs are put together by; None where each is drawn by itself.

    Raises:
        FilterError: No run has that name, or it stands for several things.
        UsageError: It is nothing to group by.
    """
    text = params.get("group", "").strip()
    if not text:
        return None
    return [] if text == ALL else resolve_keys(project, text)


def band_of(params: QueryParams) -> Band:
    """What is tinted around a mean; an address that says nothing we know means the range."""
    return Band.DEVIATION if params.get("band") == Band.DEVIATION.value else Band.RANGE


def address_of(keys: Sequence[Column] | None) -> str:
    """What an address says to group by these keys, in the one way in which choices say it."""
    if keys is None:
        return ""
    return ",".join(word_of(column.key) for column in keys) or ALL


def group_choices(records: Sequence[Record], chosen: str) -> list[GroupChoice]:
    """What runs can be put together by: params of which several of them share a value.

    First what is wanted most, the means over all seeds.

    Args:
        chosen: What the address says, which is a choice in any case.
    """
    choices = [GroupChoice("", "each run")]
    if len(records) > 1:
        differing = title_keys(choose_keys(records).params)
        seeds = [one for one in differing if one.title.lower().endswith("seed")]
        others = [one for one in differing if one not in seeds]
        if seeds and others:
            names = ", ".join(one.title for one in seeds)
            choices.append(GroupChoice(address_of(others), f"means over {names}"))
        choices.append(GroupChoice(ALL, "the mean of all"))
        choices += [
            GroupChoice(address_of([one]), f"means by {one.title}")
            for one in others[:_MOST_CHOICES]
            if len(make_groups(records, [one])) < len(records)
        ]
    if chosen not in {choice.value for choice in choices}:
        choices.append(GroupChoice(chosen, f"means by {chosen}"))
    return choices


def colour_groups(groups: Sequence[RunGroup]) -> tuple[dict[str, int], dict[str, int]]:
    """The colour of each run, which is that of its group, and how often it was given before."""
    colours, turns = {}, {}
    for place, group in enumerate(groups):
        for run in group.runs:
            turns[run], colours[run] = divmod(place, len(PALETTE))
    return colours, turns
