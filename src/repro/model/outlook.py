"""Whether a run that just ended could be reproduced, going by its record alone."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from repro.model.canonical import Json
from repro.model.environment import OURS, local_folder, part
from repro.model.needs import (
    EXCLUDED,
    SECRETS,
    list_copies,
    list_editables,
    list_left_out,
    list_redacted,
    named_tree,
    packages_of,
    search_path_of,
)
from repro.model.run import Record

_SHOWN = 3  # names in a line


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can still be mended now, in words of which text of the user stands in backquotes.

    Attributes:
        reasons: Why it could not be reproduced; none where it could.
        stay: What must stay as it is, for its bytes are not in the record.
        give: Names of the arguments that must be given again.
        copies: Folders of the project that packages are installed copies of.
        is_unseeded: Whether random numbers that the code does not seed would be others.
    """

    reasons: tuple[str, ...]
    stay: tuple[str, ...]
    give: tuple[str, ...]
    copies: tuple[str, ...] = ()
    is_unseeded: bool = False

    @property
    def is_reproducible(self) -> bool:
        """Whether it could be, if what must stay does."""
        return not self.reasons


def foresee(record: Record) -> Outlook:
    """Say whether a run could be reproduced; the examination of `repro doctor` asks more.

    Cost: under 1 ms; no process, no file, no network.
    """
    return Outlook(
        reasons=tuple(_reasons(record)),
        stay=tuple(_stay(record)),
        give=tuple(list_redacted(record.run.command)),
        copies=tuple(dict.fromkeys(list_copies(record.environment).values())),
        is_unseeded=bool(record.randomness) and record.randomness.get("seed") is None,
    )


def _reasons(record: Record) -> Iterator[str]:
    for one in record.run.omitted:
        if one.reason not in (*SECRETS, EXCLUDED):
            yield f"`{one.path}` is not in the record ({one.reason})"
    environment = record.environment
    for name in ("interpreter", "packages"):
        error = part(environment, name).get("error")
        if error:
            yield f"its {name} could not be recorded ({error})"
            break
    for name in list_editables(environment):
        if named_tree(environment, name) is None:
            yield f"the code of the editable package `{name}` is not in the record"
        for path in list_left_out(environment, name):
            yield f"`{path}` of the editable package `{name}` is not in the record"


def _stay(record: Record) -> Iterator[str]:
    for name, facts in record.data.items():
        if not (isinstance(facts, Mapping) and facts.get("kept") is True):
            yield f"dataset `{name}`"
    for one in record.run.omitted:
        if one.reason in SECRETS:
            yield f"`{one.path}`"
    yield from (f"`{folder}`" for folder in _of_system(record.environment))
    yield from _outside(record)
    for name, package in packages_of(record.environment).items():
        if name == OURS:  # put in as the repro that does the rerun
            continue
        origin = package.get("origin")
        if isinstance(origin, Mapping) and origin.get("editable") is not True:
            place = local_folder(origin)
            if place is not None:
                yield f"`{place}`"


def _of_system(environment: Mapping[str, Json]) -> list[str]:
    """Folders whose packages come from the operating system, in versions that no index may have."""
    folders = part(environment, "packages").get("system")
    return [str(one) for one in folders] if isinstance(folders, list) else []


def _outside(record: Record) -> Iterator[str]:
    for entry in search_path_of(record.environment):
        if entry.startswith("/"):
            yield f"`{entry}`"


def describe_outlook(outlook: Outlook, run: str) -> str:
    """One line: `reproducible: yes`, with what that hangs on, or `no` with the reasons.

    Args:
        run: As the user can name it.
    """
    if outlook.reasons:
        return f"reproducible: no — {_list(outlook.reasons, '; ')} · repro doctor {run}"
    clauses = []
    if outlook.stay:
        verb = "stays as it is" if len(outlook.stay) == 1 else "stay as they are"
        clauses.append(f"as long as {_list(outlook.stay, ', ')} {verb}")
    for place in outlook.copies[:1]:
        more = f" and {len(outlook.copies) - 1} more" if len(outlook.copies) > 1 else ""
        command = f"pip install -e {shlex.quote(place)}"
        clauses.append(f"if the installed copy of `{place}`{more} is its code (`{command}`)")
    if outlook.give:
        clauses.append(f"given {_list([f'`{name}`' for name in outlook.give], ', ')} again")
    if outlook.is_unseeded:
        clauses.append("unless it draws random numbers without a seed of its own")
    return ", ".join(["reproducible: yes", *clauses])


def _list(texts: Sequence[str], between: str) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return between.join(texts[:_SHOWN]) + more
