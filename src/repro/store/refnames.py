"""What a ref below `refs/repro/` stands for, told from its name alone (FORMAT.md, "Refs")."""

from dataclasses import dataclass
from enum import Enum, auto

from repro.model.ids import is_id

ROOT = "refs/repro/"
RUNS = "refs/repro/runs/"
LIVE = "refs/repro/live/"
LIVE_DATA = "refs/repro/live-data/"
UNDO = "refs/repro/undo/"
REMOTES = "refs/repro/remotes/"
TRASH = "refs/repro/trash/"
ARCHIVE = "refs/repro/archive/"
SWEEPS = "refs/repro/sweeps/"


class Kind(Enum):
    """What a ref that bears on which runs there are stands for."""

    RUN = auto()  # a sealed run
    ARCHIVE = auto()  # up to a thousand of them
    LIVE = auto()  # a run in progress, of a remote only
    TRASH = auto()  # a run that was removed
    ODD = auto()  # none of these


@dataclass(frozen=True, slots=True)
class RefName:
    """The parts of the name of a ref.

    Attributes:
        remote: The remote that had it, which may have slashes; empty for a ref of this clone.
        name: The id of the run or of the archive; for an odd ref all of its name.
    """

    kind: Kind
    remote: str
    name: str


def parse_ref(ref: str) -> RefName:
    """Say what `ref` stands for.

    A remote whose own name ends in `/live` or `/archive` has its runs taken for those of another
    kind, so nothing is ever fetched under such a name.
    """
    *folders, name = ref.split("/")
    place = "/".join(folders) + "/"
    if not is_id(name):
        return RefName(Kind.ODD, "", ref)
    if place in _OWN:
        return RefName(_OWN[place], "", name)
    if not place.startswith(REMOTES) or place == REMOTES:
        return RefName(Kind.ODD, "", ref)
    remote = place[len(REMOTES) : -1]
    for ending, kind in _OF_REMOTES.items():
        if remote.endswith(ending):
            return RefName(kind, remote.removesuffix(ending), name)
    return RefName(Kind.RUN, remote, name)


_OWN = {RUNS: Kind.RUN, ARCHIVE: Kind.ARCHIVE, TRASH: Kind.TRASH}
_OF_REMOTES = {"/live": Kind.LIVE, "/archive": Kind.ARCHIVE}
